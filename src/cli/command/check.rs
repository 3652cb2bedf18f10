//! `quorate check`

use std::future::{Ready, ready};

use clap::Args;
use serde::Serialize;

use crate::cli::file::Told;
use crate::cli::{CliError, Exit, Session};
use crate::spec::Diagnostic;
use crate::view::FORMAT;

/// Check the cluster file alone, without any cloud
///
/// Finds every problem in one pass, each with its place, its code and the way out. Needs no account and no network.
#[derive(Debug, Clone, Args)]
pub struct Arguments {}

/// What is wrong with a file, for editors and CI.
#[derive(Debug, Serialize)]
struct Document<'a> {
    format: u32,
    file: String,
    diagnostics: Vec<&'a Diagnostic>,
}

impl Arguments {
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
        let document = Document { format: FORMAT, file: name, diagnostics };
        session.ui.result(&(serde_json::to_string_pretty(&document)? + "\n"));
        return Ok(if wrong { Exit::Usage } else { Exit::Done });
    }
    let cluster = file.cluster(&session.ui, Told::Everything)?;
    let masters = cluster.masters.zones.len();
    session.ui.result(&format!(
        "{name}: {} with {masters} {} and {} node {} in {} {}\n",
        cluster.name,
        if masters == 1 { "master" } else { "masters" },
        cluster.nodes.len(),
        if cluster.nodes.len() == 1 { "group" } else { "groups" },
        cluster.zones.len(),
        if cluster.zones.len() == 1 { "zone" } else { "zones" },
    ));
    Ok(Exit::Done)
}
