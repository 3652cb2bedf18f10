//! Saved plans: writing one, and comparing it with the plan of an apply.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use ring::pbkdf2;

use crate::cli::ClusterContext;
use crate::cli::error::CliError;
use crate::cli::output_target::check_directory;
use crate::engine::{ExecutablePlan, KindRegistry, Value};
use crate::resource::ResourceKinds;
use crate::state::{HiddenValues, PlanTarget, SavedPlan, SavedPlanError};
use crate::store::file::{self, WriteDurability};
use crate::words;

use super::plan_request::PlanChoices;
use super::planned_run::PlannedRun;
use super::snapshot::ClusterSnapshot;

/// Number of iterations of the hash of hidden values, as OWASP recommends for PBKDF2-HMAC-SHA256.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();

/// A saved plan that an apply makes the changes of.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanFile {
    /// The file.
    pub(in crate::cli) path: PathBuf,
    saved: SavedPlan,
}

impl PlanFile {
    /// Reads a saved plan.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is not a saved plan, or is not valid any more.
    pub(in crate::cli) fn read(path: &Path, context: &ClusterContext<'_>) -> Result<Self, CliError> {
        let bytes = std::fs::read(path).map_err(|source| CliError::Unreadable { path: path.to_owned(), source })?;
        let saved = SavedPlan::from_bytes(&bytes).map_err(refused(path))?;
        saved.check_age(context.now).map_err(refused(path))?;
        Ok(Self { path: path.to_owned(), saved })
    }

    /// Returns the id that the record of the apply contains.
    pub(in crate::cli) fn id(&self) -> &str {
        &self.saved.saved_plan
    }

    /// Returns the choices of the plan.
    pub(in crate::cli) fn choices(&self) -> Result<PlanChoices, CliError> {
        let invalid = |error: serde_json::Error| SavedPlanError::Invalid { reason: error.to_string() };
        serde_json::from_value(self.saved.choices.clone()).map_err(|error| refused(&self.path)(invalid(error)))
    }

    /// Returns an error unless the account and the record are those of the plan.
    pub(in crate::cli) fn check_target(
        &self,
        context: &ClusterContext<'_>,
        snapshot: &ClusterSnapshot,
    ) -> Result<(), CliError> {
        let checked = self.saved.check_target(&target(context, snapshot));
        checked.and_then(|()| self.saved.check_record(snapshot.record.as_ref())).map_err(refused(&self.path))
    }

    /// Returns an error unless the plan of an apply has the same changes.
    pub(in crate::cli) fn check_changes(&self, planned: &PlannedRun) -> Result<(), CliError> {
        self.saved.check_changes(&planned.document.plan).map_err(refused(&self.path))?;
        let values = hidden_values(&planned.prepared);
        let is_same = match &self.saved.hidden {
            None => values.is_empty(),
            Some(hidden) => !values.is_empty() && verifies(hidden, &values),
        };
        if is_same { Ok(()) } else { Err(refused(&self.path)(SavedPlanError::HiddenValues)) }
    }
}

fn refused(file: &Path) -> impl FnOnce(SavedPlanError) -> CliError {
    move |source| CliError::SavedPlan { file: file.to_owned(), source }
}

/// Returns the saved form of a plan.
///
/// # Errors
/// Returns an error if the plan contains changes that are not possible.
pub(in crate::cli) fn save(
    context: &ClusterContext<'_>,
    snapshot: &ClusterSnapshot,
    planned: &PlannedRun,
    choices: &PlanChoices,
) -> Result<SavedPlan, CliError> {
    if planned.document.summary.refuse > 0 {
        return Err(CliError::refused(
            "the plan contains changes that are not possible, so it was not written to a file",
            "see the reasons and the alternatives above",
        ));
    }
    let values = hidden_values(&planned.prepared);
    let hidden = (!values.is_empty()).then(|| hide(&values));
    let replaced = planned.pins.as_ref().map(|pins| pins.replace.clone()).unwrap_or_default();
    let choices = serde_json::to_value(PlanChoices { replaced, ..choices.clone() })?;
    let plan = planned.document.plan.clone();
    Ok(SavedPlan::new(plan, target(context, snapshot), choices, hidden, context.now))
}

/// Writes a saved plan. Another file is overwritten only if it is a saved plan too.
///
/// # Errors
/// Returns an error if the file cannot be written, or is something else.
pub(in crate::cli) fn write(saved: &SavedPlan, path: &Path) -> Result<(), CliError> {
    check_overwritten(path)?;
    let unwritable = |source| CliError::Unwritable { path: path.to_owned(), source };
    file::replace(path, &saved.to_bytes()?, WriteDurability::Power).map_err(unwritable)
}

/// Returns an error unless a saved plan can be written to this path: its directory exists, and no file that is not a saved plan.
pub(in crate::cli) fn check_overwritten(path: &Path) -> Result<(), CliError> {
    if path == Path::new("-") {
        return Err(CliError::Usage {
            message: "--out writes a file, from which `quorate apply` reads the plan".to_owned(),
            hint: "name a file; --json prints the plan to stdout".to_owned(),
        });
    }
    check_directory(path)?;
    match file::read(path) {
        Ok(None) => Ok(()),
        Ok(Some(bytes)) if bytes.is_empty() || SavedPlan::from_bytes(&bytes).is_ok() => Ok(()),
        Ok(Some(_)) => Err(CliError::refused(
            format!("{} exists and is not a saved plan, so it was not overwritten", path.display()),
            "name another file with --out",
        )),
        Err(source) => Err(CliError::Unwritable { path: path.to_owned(), source }),
    }
}

/// Returns the message about a plan that was written.
pub(in crate::cli) fn written(saved: &SavedPlan, path: &Path) -> String {
    let changes = words::count(saved.plan.changes.len(), "change");
    format!("wrote the plan with {changes} to {}: `quorate apply {0}` makes exactly these changes", path.display())
}

fn target(context: &ClusterContext<'_>, snapshot: &ClusterSnapshot) -> PlanTarget {
    let heading = context.heading(snapshot.facts.account.clone());
    PlanTarget {
        cluster: heading.cluster,
        account: heading.account,
        region: heading.region,
        state: heading.state,
        lineage: snapshot.record.as_ref().map(|record| record.lineage.clone()),
        sandbox: heading.sandbox,
    }
}

/// Returns the values that a plan sets and does not show, as one text: a line for each, sorted.
fn hidden_values(prepared: &ExecutablePlan) -> String {
    let mut lines = Vec::new();
    for change in &prepared.plan.changes {
        let Some(kind) = ResourceKinds.kind(change.address.kind()) else { continue };
        let Some(object) = prepared.desired.get(&change.address) else { continue };
        let hidden = change.attributes.iter().filter(|attribute| !kind.attribute(&attribute.name).recorded);
        lines.extend(hidden.map(|attribute| {
            let value = object.attributes.get(&attribute.name).and_then(Value::as_text).unwrap_or_default();
            format!("{} {} {value}", change.address, attribute.name)
        }));
    }
    lines.join("\n")
}

/// Hashes values with a random salt.
fn hide(values: &str) -> HiddenValues {
    let salt = uuid::Uuid::new_v4();
    let mut hash = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, salt.as_bytes(), values.as_bytes(), &mut hash);
    HiddenValues { salt: hex::encode(salt.as_bytes()), hash: hex::encode(hash) }
}

/// Returns `true` if the hash is that of these values.
fn verifies(hidden: &HiddenValues, values: &str) -> bool {
    let (Ok(salt), Ok(hash)) = (hex::decode(&hidden.salt), hex::decode(&hidden.hash)) else { return false };
    pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, &salt, values.as_bytes(), &hash).is_ok()
}
