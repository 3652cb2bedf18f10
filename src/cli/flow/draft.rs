//! From a survey to a plan.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::blueprint::{self, Pins};
use crate::cli::error::CliError;
use crate::engine::{
    self, Action, Address, Attributes, Change, Failure, Inputs, Live, Mode, Object, Prepared, Reason, Rehearsal, Value,
    Vocabulary,
};
use crate::resource::{AutoScalingGroup, Kinds, Resource, is_kubernetes};
use crate::spec::Cluster;
use crate::state::StateError;
use crate::view::plan::Document;

use super::Flow;
use super::nodes;
use super::survey::Survey;
use super::wait::patiently;

/// A plan that can be carried out.
pub(super) struct Draft {
    pub(super) prepared: Prepared,
    /// The choices that it rests on; none when nothing is built.
    pub(super) pins: Option<Pins>,
    notes: Vec<String>,
    warnings: Vec<String>,
}

/// Makes the plan.
pub(super) async fn draft(flow: &Flow<'_>, survey: &Survey, mode: Mode) -> Result<Draft, CliError> {
    let mut live = survey.live.clone();
    if mode == Mode::Destroy {
        live.extend(strays(flow).await?);
    }
    let mut notes = Vec::new();
    let mut pins = None;
    let mut rehearsal = Rehearsal::default();
    if mode == Mode::Apply {
        let blueprint =
            blueprint::blueprint(flow.cluster, &survey.facts, &pinned(survey)?).map_err(CliError::Impossible)?;
        notes.extend(blueprint.notes.iter().map(ToString::to_string));
        pins = Some(blueprint.pins);
        rehearsal = rehearse(flow, blueprint.objects, &survey.live).await?;
    }
    notes.extend(rehearsal.notes);
    notes.extend(flow.cloud.silence().map(|failure| silent(mode, &failure)));
    live.extend(rehearsal.in_the_way);
    if mode == Mode::Destroy && flow.cloud.silence().is_some() {
        // What nobody can reach goes with the machines that hold it.
        live.retain(|live| !is_kubernetes(live.address.kind()));
    }
    let nothing = BTreeMap::new();
    let mut prepared = engine::plan(Inputs {
        mode,
        desired: rehearsal.objects,
        live,
        recorded: survey.record.as_ref().map_or(&nothing, |record| &record.objects),
        serial: survey.record.as_ref().map_or(0, |record| record.serial),
        vocabulary: &Kinds,
    })?;
    for (address, message) in &rehearsal.refused {
        prepared.reject(address, message);
    }
    let mut warnings = Vec::new();
    if mode == Mode::Apply {
        keep_members(&mut prepared);
        warnings.extend(nodes::without_nodes(&prepared));
    }
    Ok(Draft { prepared, pins, notes, warnings })
}

/// Refuses to take masters away: nobody tells etcd that a member is gone, and it would go on counting it.
fn keep_members(prepared: &mut Prepared) {
    let leaving = |change: &Change| {
        let group =
            change.address.kind() == AutoScalingGroup::KIND.name && blueprint::is_masters_group(change.address.name());
        group && change.action == Action::Delete
    };
    let leaving: Vec<Address> =
        prepared.plan.changes.iter().filter(|change| leaving(change)).map(|change| change.address.clone()).collect();
    let instead = "masters of a living cluster cannot be taken away, only added: etcd would go on counting the member that \
                   went, and stop with the next one. Put it back into the file; for fewer masters, build another cluster";
    let reason = Reason::Needed { instead: instead.to_owned() };
    for address in leaving {
        prepared.refuse(&address, &reason);
    }
}

/// What the cluster's own controllers made, which goes with it.
async fn strays(flow: &Flow<'_>) -> Result<Vec<Live>, CliError> {
    let found = flow.interrupt.or(patiently(flow, || flow.cloud.strays())).await?;
    found.map_err(CliError::cloud("looking for what the cluster's controllers made"))
}

/// Asks the cloud what would become of the objects.
async fn rehearse(flow: &Flow<'_>, objects: Vec<Object>, live: &[Live]) -> Result<Rehearsal, CliError> {
    let asked = patiently(flow, || flow.cloud.rehearse(objects.clone(), live));
    let mut rehearsal = flow.interrupt.or(asked).await?.map_err(CliError::cloud("asking what would change"))?;
    if flow.cloud.silence().is_some() {
        let there: BTreeMap<&Address, &Attributes> =
            live.iter().map(|live| (&live.address, &live.attributes)).collect();
        for object in rehearsal.objects.iter_mut().filter(|object| is_kubernetes(object.address.kind())) {
            keep_comparable(object, there.get(&object.address).copied());
        }
    }
    Ok(rehearsal)
}

/// Takes out of an object what cannot be compared with the record: what is never written into it, and what says nothing,
/// which no server told back when it was applied.
fn keep_comparable(object: &mut Object, recorded: Option<&Attributes>) {
    let Some(kind) = Kinds.kind(object.address.kind()) else { return };
    let is_told = |name: &str| recorded.is_none_or(|recorded| recorded.contains_key(name));
    let says_nothing =
        |value: &Value| matches!(value, Value::Bool(false) | Value::Integer(0)) || value.as_text() == Some("");
    object.attributes.retain(|name, value| kind.attribute(name).recorded && (is_told(name) || !says_nothing(value)));
}

/// What a plan is worth while the Kubernetes API does not answer.
fn silent(mode: Mode, failure: &Failure) -> String {
    let meaning = match mode {
        Mode::Destroy => "what its controllers made is removed without them",
        Mode::Apply | Mode::Refresh => "its objects are shown as the last apply left them",
    };
    format!("the Kubernetes API does not answer ({}), so {meaning}", failure.message)
}

impl Draft {
    /// The plan under its heading.
    pub(super) fn document(&self, flow: &Flow<'_>, survey: &Survey) -> Document {
        Document::new(flow.heading(survey.facts.account.clone()), self.prepared.plan.clone())
    }

    /// Says what the user may want to know beside the plan.
    pub(super) fn say_notes(&self, flow: &Flow<'_>) {
        for warning in &self.warnings {
            flow.ui.warning(warning);
        }
        for note in &self.notes {
            flow.ui.note(note);
        }
    }
}

/// The choices of the last apply; what the record does not say of them, the objects do.
fn pinned(survey: &Survey) -> Result<Pins, CliError> {
    let pins = survey.record.as_ref().map(|record| &record.pins).filter(|pins| !pins.is_null());
    let unreadable = |source| StateError::Unreadable { place: survey.journal.place(), source };
    let pins = pins.cloned().map(serde_json::from_value).transpose();
    let pins: Pins = pins.map_err(unreadable).map_err(CliError::state("reading the record"))?.unwrap_or_default();
    // A record of another release may hold a cluster that this one cannot read.
    let applied = survey.record.as_ref().and_then(|record| Cluster::deserialize(&record.cluster_spec).ok());
    Ok(pins.recover(applied.as_ref(), &survey.live))
}
