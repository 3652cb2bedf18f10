//! `quorate check`

use std::future::{Ready, ready};

use clap::Args;
use serde::Serialize;

use crate::cli::file::ShownDiagnostics;
use crate::cli::{CliError, Exit, Session};
use crate::spec::Diagnostic;
use crate::view::FORMAT;
use crate::words;

/// Check the cluster file, without AWS
///
/// Reports every problem in one pass, each with its place, its code and what to do. Needs no account and no network.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {}

/// The problems of a file as JSON, for editors and CI.
#[derive(Debug, Serialize)]
struct CheckDocument<'a> {
    format: u32,
    file: String,
    diagnostics: Vec<&'a Diagnostic>,
}

impl CheckArgs {
    pub(super) fn run(self, session: &Session) -> Ready<Result<Exit, CliError>> {
        let Self {} = self;
        ready(check(session))
    }
}

fn check(session: &Session) -> Result<Exit, CliError> {
    let file = session.file()?;
    let name = file.path.display().to_string();
    if session.ui.is_json() {
        let (parsed, manifests) = file.parse();
        let of_manifests = manifests.iter().flat_map(|findings| &findings.problems);
        let diagnostics: Vec<&Diagnostic> = parsed.diagnostics.iter().chain(of_manifests).collect();
        let wrong = diagnostics.iter().any(|problem| problem.is_error());
        let document = CheckDocument { format: FORMAT, file: name, diagnostics };
        session.ui.json(&document)?;
        return Ok(if wrong { Exit::Usage } else { Exit::Done });
    }
    let cluster = file.cluster(&session.ui, ShownDiagnostics::Everything)?;
    session.ui.result(&format!(
        "{name}: {} with {} and {} in {}\n",
        cluster.name,
        words::count(cluster.masters.zones.len(), "master"),
        words::count(cluster.nodes.len(), "node group"),
        words::count(cluster.zones.len(), "zone"),
    ));
    Ok(Exit::Done)
}
