//! `quorate graph`: a picture of the cluster that the file describes, or of a plan.

use std::collections::{BTreeMap, BTreeSet};

use clap::{ArgGroup, Args, ValueEnum, ValueHint};
use serde::Serialize;

use crate::analysis::diagram::ClusterDiagram;
use crate::blueprint::{Pins, blueprint};
use crate::cli::connect::open_cluster;
use crate::cli::file::ShownDiagnostics;
use crate::cli::run::foreign_cluster::ForeignClusterPolicy;
use crate::cli::run::plan_request::PlanRequest;
use crate::cli::run::planned_run;
use crate::cli::run::run_lock::RecordSource;
use crate::cli::run::snapshot::snapshot;
use crate::cli::{ApiWait, CliError, ClusterContext, Exit, OutputTarget, Session};
use crate::engine::{self, ExecutablePlan, PlanInputs, PlanMode};
use crate::resource::{Facts, ImageFacts, ResourceKinds, SizeFacts};
use crate::spec::{Architecture, Cluster, PublicZone};
use crate::view::FORMAT;
use crate::view::graph::{self, PictureTheme, PictureTitle};

/// Draw the cluster, or a plan
///
/// Draws the cluster as the file describes it: zones as columns, and over them masters with their etcd volumes, nodes,
/// load balancers, DNS names, and services with their pods. This needs no account and no network. With --plan, it is the
/// cluster with the changes that an apply would make, each marked with the sign that `plan` shows. Changes nothing.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("picture").args(["svg", "mermaid"]).required(true).multiple(true)))]
pub struct GraphArgs {
    /// Mark what apply would change
    #[arg(long)]
    plan: bool,
    /// Mark what destroy would delete
    #[arg(long, conflicts_with = "plan")]
    destroy: bool,
    /// Write an SVG picture to this file; `-` prints it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    svg: Option<OutputTarget>,
    /// Write a flowchart of Mermaid to this file; `-` prints it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    mermaid: Option<OutputTarget>,
    /// The colors of the SVG picture
    #[arg(long, value_name = "THEME", default_value = "auto", requires = "svg")]
    theme: ThemeName,
}

/// The colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ThemeName {
    /// Those that the reader prefers
    Auto,
    /// Light
    Light,
    /// Dark
    Dark,
}

/// A picture that was written.
#[derive(Debug, Serialize)]
struct GraphDocument<'a> {
    format: u32,
    cluster: &'a str,
    /// `true` if it shows the changes of a plan.
    plan: bool,
    /// The files that were written.
    files: Vec<String>,
}

impl GraphArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let targets: Vec<&OutputTarget> = self.svg.iter().chain(&self.mermaid).collect();
        OutputTarget::check(targets.iter().copied(), &session.ui)?;
        let (diagram, title) = match (self.plan, self.destroy) {
            (_, true) => of_plan(session, PlanMode::Destroy).await?,
            (true, _) => of_plan(session, PlanMode::Apply).await?,
            _ => of_file(session)?,
        };
        if let Some(target) = &self.svg {
            target.write(&graph::svg(&diagram, &title, self.theme.into()), &session.ui)?;
        }
        if let Some(target) = &self.mermaid {
            target.write(&graph::mermaid(&diagram, &title), &session.ui)?;
        }
        let files = targets.into_iter().filter_map(|target| match target {
            OutputTarget::File(path) => Some(path.display().to_string()),
            OutputTarget::Stdout => None,
        });
        let files: Vec<String> = files.collect();
        if !files.is_empty() {
            session.ui.note(&format!("wrote {}", files.join(" and ")));
        }
        session.ui.json(&GraphDocument {
            format: FORMAT,
            cluster: &title.name,
            plan: self.plan || self.destroy,
            files,
        })?;
        Ok(Exit::Done)
    }
}

impl From<ThemeName> for PictureTheme {
    fn from(name: ThemeName) -> Self {
        match name {
            ThemeName::Auto => Self::Auto,
            ThemeName::Light => Self::Light,
            ThemeName::Dark => Self::Dark,
        }
    }
}

async fn of_plan(session: &Session, mode: PlanMode) -> Result<(ClusterDiagram, PictureTitle), CliError> {
    let context = open_cluster(session, ShownDiagnostics::Errors, ApiWait::UntilReady).await?;
    picture_of_plan(&context, &PlanRequest::new(mode)).await
}

/// Returns the picture of a plan. Changes nothing, and acquires no lease.
///
/// # Errors
/// Returns an error if the plan could not be made.
pub(in crate::cli) async fn picture_of_plan(
    context: &ClusterContext<'_>,
    request: &PlanRequest,
) -> Result<(ClusterDiagram, PictureTitle), CliError> {
    let foreign = match request.mode {
        PlanMode::Destroy => ForeignClusterPolicy::LeftBeside,
        PlanMode::Apply | PlanMode::Refresh => ForeignClusterPolicy::Refused,
    };
    let snapshot = snapshot(context, RecordSource::Stored, foreign).await?;
    let planned = planned_run::plan(context, &snapshot, request).await?;
    Ok((ClusterDiagram::with_changes(&planned.prepared), PictureTitle::of_plan(&planned.document)))
}

/// Returns the picture of the cluster that the file describes.
fn of_file(session: &Session) -> Result<(ClusterDiagram, PictureTitle), CliError> {
    let cluster = session.file()?.cluster(&session.ui, ShownDiagnostics::Errors)?;
    let diagram = ClusterDiagram::after(&first_plan(&cluster)?);
    let title = PictureTitle::of_cluster(cluster.name.as_str(), &cluster.region, &diagram);
    Ok((diagram, title))
}

/// Returns the plan that builds the cluster in an account that has everything that the file needs.
fn first_plan(cluster: &Cluster) -> Result<ExecutablePlan, CliError> {
    let blueprint = blueprint(cluster, &assumed_facts(cluster), &Pins::default()).map_err(CliError::Impossible)?;
    Ok(engine::plan(PlanInputs {
        mode: PlanMode::Apply,
        desired: blueprint.objects,
        incomplete: BTreeSet::new(),
        live: Vec::new(),
        recorded: &BTreeMap::new(),
        serial: 0,
        holds_rolls: false,
        vocabulary: &ResourceKinds,
    })?)
}

/// Returns the facts of an account that has every size, image and hosted zone of a file. No picture shows any of them.
fn assumed_facts(cluster: &Cluster) -> Facts {
    const IMAGE: &str = "ami-00000000000000000";
    let masters = std::iter::once((&cluster.masters.size, cluster.masters.image.as_ref()));
    let nodes = cluster.nodes.values().flat_map(|group| group.sizes().map(|size| (size, group.image.as_ref())));
    let machines: Vec<_> = masters.chain(nodes).collect();
    let size = |architecture| SizeFacts { architecture, vcpus: 2, memory_mib: 4_096 };
    let own_image = |architecture| ImageFacts { architecture, root_device: "/dev/xvda".to_owned(), root_gib: 1 };
    Facts {
        account: "000000000000".to_owned(),
        caller: String::new(),
        region: cluster.region.clone(),
        zones: cluster.zones.iter().chain(&cluster.masters.zones).map(ToString::to_string).collect(),
        images: [Architecture::X86_64, Architecture::Arm64].map(|known| (known, IMAGE.into())).into(),
        own_images: machines
            .iter()
            .filter_map(|(size, image)| Some(((*image)?.to_string(), own_image(size.architecture()))))
            .collect(),
        sizes: machines.iter().map(|(own, _)| (own.to_string(), size(own.architecture()))).collect(),
        offered: BTreeMap::new(),
        releases: Vec::new(),
        public_zones: BTreeMap::from([(public_zone(cluster), vec!["Z00000000000000000000".to_owned()])]),
    }
}

/// Returns the public zone of a cluster: that of its file, or the last two labels of its name.
fn public_zone(cluster: &Cluster) -> String {
    if let PublicZone::Existing(zone) = &cluster.dns.zone {
        return zone.clone();
    }
    let name = cluster.name.as_str();
    let dots: Vec<usize> = name.match_indices('.').map(|(dot, _)| dot).collect();
    let start = dots.len().checked_sub(2).and_then(|second| dots.get(second)).map_or(0, |dot| dot + 1);
    name[start..].to_owned()
}
