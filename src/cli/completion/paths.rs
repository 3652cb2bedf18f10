//! The completion of paths.

use std::path::Path;

use clap_complete::engine::{ArgValueCompleter, PathCompleter};

/// Completes cluster files, and directories that may have some.
pub(in crate::cli) fn cluster_files() -> ArgValueCompleter {
    of(&["hcl", "toml"])
}

/// Completes saved plans, and directories that may have some.
pub(in crate::cli) fn saved_plans() -> ArgValueCompleter {
    of(&["json"])
}

fn of(extensions: &'static [&'static str]) -> ArgValueCompleter {
    let is_one = |path: &Path| path.extension().is_some_and(|found| extensions.iter().any(|name| found == *name));
    ArgValueCompleter::new(PathCompleter::file().filter(is_one))
}
