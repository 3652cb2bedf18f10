//! `quorate plan`: observe, compare, show.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::foreign_cluster::ForeignClusterPolicy;
use crate::cli::run::permission_check;
use crate::cli::run::plan_request::PlanRequest;
use crate::cli::run::planned_run;
use crate::cli::run::quota_check;
use crate::cli::run::run_lock::RecordSource;
use crate::cli::run::saved_plan;
use crate::cli::run::snapshot::snapshot;
use crate::cli::run::temporary_access::announce;
use crate::cli::{ApiWait, CliError, ClusterContext, Exit, OutputTarget, PlanLimits, Session};
use crate::engine::PlanMode;
use crate::resource::{API, LoadBalancer, Resource};
use crate::view;

use super::apply::check_version;
use super::upgrade::UpgradeSelection;

/// Show what apply would change
///
/// Compares the cluster file with AWS, Kubernetes and the record of the last apply. Changes that were made outside
/// Quorate since the last apply are marked as such. The most dangerous changes come first. Changes nothing.
#[derive(Debug, Clone, Args)]
#[command(mut_group("UpgradeSelection", |group| group.requires("upgrade")))]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct PlanArgs {
    /// Show what destroy would delete
    #[arg(long, conflicts_with = "refresh_only")]
    destroy: bool,
    /// Show only what was changed outside Quorate since the last apply
    #[arg(long)]
    refresh_only: bool,
    /// Show what `upgrade` would change, with the same options: --images, --patch, --addons and --kubernetes VERSION
    #[arg(long, conflicts_with_all = ["destroy", "refresh_only"])]
    upgrade: bool,
    #[command(flatten)]
    selection: UpgradeSelection,
    /// Leave machines as they are that would be replaced, as `apply --no-roll` does
    #[arg(long, conflicts_with_all = ["destroy", "refresh_only"])]
    no_roll: bool,
    /// Write the plan to this file. `quorate apply FILE` makes exactly its changes, or none
    #[arg(long, value_name = "FILE", conflicts_with_all = ["destroy", "refresh_only"], value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Write the plan as Markdown to this file, for a comment on a pull request; `-` prints it in place of the text
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    markdown: Option<OutputTarget>,
    /// Ask IAM's policy simulator whether the caller may make the calls of this plan. Exits with code 4 if not
    #[arg(long, conflicts_with = "refresh_only")]
    check_permissions: bool,
    #[command(flatten)]
    limits: PlanLimits,
    /// Exit with code 2 if the plan is not empty
    #[arg(long)]
    detailed_exitcode: bool,
    /// Show every attribute of new objects
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// The options of a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlanOptions {
    /// The request.
    pub request: PlanRequest,
    /// `true` if the exit code reports differences.
    pub detailed: bool,
    /// The limits that the plan must keep to.
    pub limits: PlanLimits,
    /// `true` to check the caller's permissions for the calls of the plan.
    pub check_permissions: bool,
    /// The file that the plan is written to.
    pub out: Option<PathBuf>,
    /// The place that the plan is written to as Markdown.
    pub markdown: Option<OutputTarget>,
}

impl PlanArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let mode = match (self.destroy, self.refresh_only) {
            (true, _) => PlanMode::Destroy,
            (_, true) => PlanMode::Refresh,
            _ => PlanMode::Apply,
        };
        let request =
            if self.upgrade { PlanRequest::upgrade(self.selection.upgrade()) } else { PlanRequest::new(mode) };
        let request = request.without_rolls(self.no_roll);
        let options = PlanOptions {
            request,
            detailed: self.detailed_exitcode,
            limits: self.limits,
            check_permissions: self.check_permissions,
            out: self.out,
            markdown: self.markdown,
        };
        OutputTarget::check(&options.markdown, &session.ui)?;
        if let Some(out) = &options.out {
            saved_plan::check_overwritten(out)?;
        }
        let context = open_cluster(session, ShownDiagnostics::Everything, ApiWait::UntilReady).await?;
        check_version(&context.cluster, &options.request.choices.upgrade)?;
        plan(&context, options).await
    }
}

/// Shows the changes of an apply (or a destroy). Changes nothing, and acquires no lease.
///
/// # Errors
/// Returns an error if the plan could not be made.
pub async fn plan(context: &ClusterContext<'_>, options: PlanOptions) -> Result<Exit, CliError> {
    let PlanOptions { request, detailed, limits, check_permissions, out, markdown } = options;
    let mode = request.mode;
    let is_destroy = mode == PlanMode::Destroy;
    let foreign = if is_destroy { ForeignClusterPolicy::LeftBeside } else { ForeignClusterPolicy::Refused };
    let snapshot = snapshot(context, RecordSource::Stored, foreign).await?;
    let mut planned = planned_run::plan(context, &snapshot, &request).await?;
    if check_permissions {
        planned.document.permissions = permission_check::check(context, &planned.document.plan).await?;
    }
    if markdown != Some(OutputTarget::Stdout) {
        context.ui.document(&planned.document, |style| view::plan::text(&planned.document, style))?;
    }
    let quotas = quota_check::check(context, &planned.document.plan, &snapshot.facts).await?;
    planned.add_warnings(quotas.warnings(false));
    planned.show_notes(context);
    if mode == PlanMode::Apply {
        let is_built = snapshot.live.iter().any(|live| live.address == LoadBalancer::address(API));
        announce(context, is_built, planned.unreachable.as_ref());
    }
    let checked = limits.check(&context.cluster, &planned.document);
    let checked = checked.and_then(|()| permission_check::refuse_missing(&planned.document));
    if let Some(target) = &markdown {
        let refusal = checked.as_ref().err().map(ToString::to_string);
        let comment = planned.comment(refusal.as_deref());
        target.write(&view::plan::markdown(&comment, context.ui.style().verbose), context.ui)?;
    }
    checked?;
    if let Some(out) = &out {
        let saved = saved_plan::save(context, &snapshot, &planned, &request.choices)?;
        saved_plan::write(&saved, out)?;
        context.ui.note(&saved_plan::written(&saved, out));
    }
    let differs = !planned.document.plan.is_empty() || !planned.cleared.is_empty();
    Ok(if detailed && differs { Exit::Differs } else { Exit::Done })
}
