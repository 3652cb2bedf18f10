//! Machine images.

use super::super::cluster::ImageId;
use super::super::diagnostic::Severity::Error;
use super::{FileCheck, Rule};

pub(super) static MALFORMED: Rule = Rule {
    code: "Q0406",
    severity: Error,
    title: "that is not the id of a machine image",
    explanation: "An image of your own is named by its id, `ami-0123456789abcdef0`; names and aliases may mean \
        another image tomorrow. The plan asks AWS whether it is there and fits the instance size. What \
        must be in it stands in docs/machines.md.",
    bad: "masters {\n  size  = \"t3.medium\"\n  image = \"my-image\"\n}",
    good: "masters {\n  size  = \"t3.medium\"\n  image = \"ami-0123456789abcdef0\"\n}",
};

/// Checks the image at a path, if there is one.
pub(super) fn check(check: &mut FileCheck, path: &[&str], text: Option<&str>) {
    let Some(text) = text else { return };
    if let Err(error) = ImageId::parse(text) {
        let problem = check.at(&MALFORMED, path, format!("{text:?} is not the id of a machine image"));
        check.report(problem.label(error.to_string()).help("for example \"ami-0123456789abcdef0\""));
    }
}
