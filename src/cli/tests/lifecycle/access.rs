//! Opening the API for a limited time, listing and closing.

use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::cli::command::access::{GrantFilter, close_access, list_access, open_access};
use crate::resource::{AccessGrant, Grantee};

pub(super) const HOUR: SignedDuration = SignedDuration::from_hours(1);

pub(super) fn range(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

impl SandboxUser {
    async fn open(&self, text: &str, lasting: SignedDuration) -> (Result<Exit, CliError>, String) {
        let origin = ClientOrigin::Named(range(text));
        let exit = self.with(async |context| open_access(context, origin, lasting, false).await).await;
        (exit, self.out.read())
    }

    async fn close(&self, which: GrantFilter) -> String {
        let exit = self.with(async |context| close_access(context, which).await).await;
        assert_eq!(exit.unwrap(), Exit::Done);
        self.out.read()
    }

    /// Returns the temporary grants: range and bearer.
    pub(super) async fn let_in(&self) -> Vec<(String, String)> {
        let admission =
            self.with(async |context| context.cloud.api_firewall().admission().await).await.unwrap().unwrap();
        admission.grants.iter().map(|grant| (grant.range.to_string(), grant.bearer.to_string())).collect()
    }

    pub(super) async fn grant(&self, text: &str, end: SignedDuration, bearer: Grantee) {
        let grant = AccessGrant::new(range(text), Timestamp::now() + end, bearer);
        self.with(async |context| context.cloud.api_firewall().grant(&grant).await).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_api_is_opened_for_a_while_and_closed_and_no_plan_minds() {
    let user = SandboxUser::built().await;
    let (exit, out) = user.open("203.0.113.7/32", HOUR).await;
    assert_eq!(exit.unwrap(), Exit::Done);
    assert!(out.starts_with("SANDBOX") && out.contains("203.0.113.7/32 may reach the API of chat"), "{out}");
    assert_eq!(user.let_in().await, [("203.0.113.7/32".to_owned(), "by alice on laptop".to_owned())]);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "a grant is no difference");
    assert!(user.close(GrantFilter::Mine).await.contains("203.0.113.7/32 may no longer"));
    assert_eq!(user.let_in().await, []);
    assert!(user.close(GrantFilter::Mine).await.contains("nothing to close"));
}

#[tokio::test(start_paused = true)]
async fn a_grant_is_made_longer_and_never_shorter() {
    let user =
        SandboxUser { options: OutputOptions { json: true, ..OutputOptions::default() }, ..SandboxUser::built().await };
    user.out.read();
    let end = |out: &str| serde_json::from_str::<Value>(out).unwrap()["until"].as_str().unwrap().to_owned();
    let first = end(&user.open("203.0.113.7/32", HOUR).await.1);
    let longer = end(&user.open("203.0.113.7/32", HOUR * 2).await.1);
    let shorter = end(&user.open("203.0.113.7/32", HOUR).await.1);
    assert!(first < longer && shorter == longer, "{first} {longer} {shorter}");
    assert_eq!(user.let_in().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_runs_grant_becomes_that_of_who_asks() {
    let user = SandboxUser::built().await;
    user.grant("203.0.113.7/32", HOUR * 3, Grantee::Run("r".to_owned())).await;
    user.open("203.0.113.7/32", HOUR).await.0.unwrap();
    assert_eq!(user.let_in().await, [("203.0.113.7/32".to_owned(), "by alice on laptop".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn closing_removes_the_selected_rules_and_lists_the_others() {
    let user =
        SandboxUser { options: OutputOptions { json: true, ..OutputOptions::default() }, ..SandboxUser::built().await };
    user.out.read();
    for (text, who) in [("203.0.113.7/32", "alice on laptop"), ("203.0.113.8/32", "bob"), ("203.0.113.9/32", "bob")] {
        user.grant(text, HOUR, Grantee::Person(who.to_owned())).await;
    }
    let reported = |out: &str| {
        let document: Value = serde_json::from_str(out).unwrap();
        let ranges =
            |name: &str| document[name].as_array().unwrap().iter().map(|entry| entry["range"].clone()).collect();
        (ranges("closed"), ranges("left"))
    };
    let ranges = |list: &[&str]| list.iter().map(|range| json!(range)).collect::<Vec<_>>();
    let mine: (Vec<Value>, Vec<Value>) = reported(&user.close(GrantFilter::Mine).await);
    assert_eq!(mine, (ranges(&["203.0.113.7/32"]), ranges(&["203.0.113.8/32", "203.0.113.9/32"])));
    assert!(user.err.read().contains("close --all"));
    let one = reported(&user.close(GrantFilter::Range(range("203.0.113.9/32"))).await);
    assert_eq!(one, (ranges(&["203.0.113.9/32"]), ranges(&["203.0.113.8/32"])));
    assert_eq!(reported(&user.close(GrantFilter::All).await), (ranges(&["203.0.113.8/32"]), ranges(&[])));
}

#[tokio::test(start_paused = true)]
async fn what_is_open_for_good_stays_as_it_is() {
    let user =
        SandboxUser { text: format!("{FILE}\napi {{\n  allow = [\"203.0.113.0/24\"]\n}}\n"), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    let (exit, out) = user.open("203.0.113.7/32", HOUR).await;
    assert_eq!(exit.unwrap(), Exit::Done);
    assert!(out.contains("permanently"), "{out}");
    assert_eq!(user.let_in().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_wide_range_needs_a_flag_and_a_cluster_without_an_api_an_apply() {
    let user = SandboxUser::new();
    let (exit, _) = user.open("203.0.113.7/32", HOUR).await;
    let error = exit.unwrap_err();
    assert!(error.exit() == Exit::Error && error.to_string().contains("no API yet"), "{error}");
    user.apply(YES).await.0.unwrap();
    for wide in ["0.0.0.0/0", "10.0.0.0/8", "128.0.0.0/1"] {
        let error = user.open(wide, HOUR).await.0.unwrap_err();
        assert!(error.exit() == Exit::Refused && error.to_string().contains("65,536"), "{error}");
    }
    let everybody = ClientOrigin::Named(range("0.0.0.0/0"));
    let exit = user.with(async |context| open_access(context, everybody, HOUR, true).await).await;
    assert_eq!(exit.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn simulated_masters_close_what_has_ended() {
    let user = SandboxUser::built().await;
    user.grant("203.0.113.7/32", -HOUR, Grantee::Person("alice on laptop".to_owned())).await;
    assert_eq!(user.let_in().await, []);
}

#[tokio::test(start_paused = true)]
async fn the_list_shows_who_has_access() {
    let user = SandboxUser::built().await;
    user.out.read();
    user.grant("203.0.113.7/32", HOUR, Grantee::Person("alice on laptop".to_owned())).await;
    assert_eq!(user.with(async |context| list_access(context).await).await.unwrap(), Exit::Done);
    let out = user.out.read();
    assert!(out.contains("203.0.113.7/32") && out.contains("59 min left") && out.contains("1 range may"), "{out}");
}
