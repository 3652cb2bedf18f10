//! `quorate version`

use std::future::{Ready, ready};

use clap::Args;
use serde_json::json;

use crate::cli::{CliError, Exit, Session};
use crate::view::FORMAT;

/// Print the version
#[derive(Debug, Clone, Args)]
pub struct VersionArgs {}

impl VersionArgs {
    pub(super) fn run(self, session: &Session) -> Ready<Result<Exit, CliError>> {
        let Self {} = self;
        let version = env!("CARGO_PKG_VERSION");
        if session.ui.is_json() {
            session.ui.result(&format!("{}\n", json!({ "format": FORMAT, "version": version })));
        } else {
            session.ui.result(&format!("quorate {version}\n"));
        }
        ready(Ok(Exit::Done))
    }
}
