//! Checks of the documents against the page of the commands.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::plan::sample;
use super::*;
use crate::engine::{Address, Outcome, Plan, PlanMode, RecordedObject};
use crate::resource::{AllowList, KubernetesState};

const PAGE: &str = include_str!("../../docs/commands.md");

fn members(document: &impl Serialize) -> BTreeSet<String> {
    let document = serde_json::to_value(document).unwrap();
    document.as_object().unwrap().keys().cloned().collect()
}

/// Returns the result of an apply with a load balancer, and of a destroy that left something.
fn outcome(plan: &plan::PlanDocument) -> outcome::OutcomeDocument {
    let balancer = RecordedObject {
        id: String::new(),
        attributes: BTreeMap::new(),
        outputs: BTreeMap::from([("dns_name".to_owned(), "api-1.elb.amazonaws.com".to_owned())]),
        needs: BTreeSet::new(),
    };
    let recorded = BTreeMap::from([(Address::new("load-balancer", "api"), balancer)]);
    let remains = outcome::RemainingObjects { left: Vec::new() };
    outcome::OutcomeDocument::new(plan, &Outcome { recorded, ..Outcome::default() }).with(Some(remains))
}

#[test]
fn the_page_names_every_member_of_every_document() {
    let heading = sample::heading;
    let plan = plan::PlanDocument::new(
        heading(),
        Plan { mode: PlanMode::Apply, serial: 1, changes: Vec::new(), unchanged: 0, held: BTreeSet::new() },
    );
    let cluster = show::ShownCluster {
        live: Vec::new(),
        recorded: &BTreeMap::new(),
        endpoint: None,
        kubernetes: Ok(KubernetesState::default()),
    };
    let documents = [
        members(&outcome(&plan)),
        members(&plan),
        members(&show::ClusterDocument::new(heading(), cluster, true)),
        members(&health::HealthDocument::new(heading(), Vec::new())),
        members(&access::AccessDocument::new(heading(), &AllowList::default(), jiff::Timestamp::UNIX_EPOCH)),
    ];
    let missing: BTreeSet<&String> =
        documents.iter().flatten().filter(|member| !PAGE.contains(&format!("`{member}`"))).collect();
    assert!(missing.is_empty(), "docs/commands.md lacks {missing:?}");
    assert!(documents[0].contains("endpoints") && documents[0].contains("left"), "{documents:?}");
}
