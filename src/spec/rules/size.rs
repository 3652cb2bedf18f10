//! Instance sizes.

use super::super::cluster::InstanceSize;
use super::super::diagnostic::{Diagnostic, Severity::Error, nearest};
use super::super::instance::{SIZES, SizeError};
use super::{FileCheck, Rule};

pub(super) static MALFORMED: Rule = Rule {
    code: "Q0405",
    severity: Error,
    title: "that is not an instance size",
    explanation: "An instance size is a family and a size: `t3.medium`, `m7g.2xlarge`. Whether the \
        region offers it is for AWS to say (`quorate doctor`).",
    bad: "masters {\n  size = \"t3.meduim\"\n}",
    good: "masters {\n  size = \"t3.medium\"\n}",
};

/// Parses the size at a path; nothing if it is wrong, which is then reported.
pub(super) fn read(check: &mut FileCheck, path: &[&str], text: Option<&str>) -> Option<InstanceSize> {
    let text = text?;
    match InstanceSize::parse(text) {
        Ok(size) => Some(size),
        Err(error) => {
            let problem = check.at(&MALFORMED, path, format!("{text:?} is not an instance size"));
            check.report(explain(problem, text, &error));
            None
        }
    }
}

fn explain(problem: Diagnostic, text: &str, error: &SizeError) -> Diagnostic {
    let lower = text.trim().to_lowercase();
    if InstanceSize::parse(&lower).is_ok() {
        return problem.help(format!("write \"{lower}\""));
    }
    match error {
        SizeError::NoDot | SizeError::Family(_) => problem.label(error.to_string()).help("for example \"t3.medium\""),
        SizeError::Size(size) => {
            let family = text.split_once('.').map_or(text, |(family, _)| family);
            let problem = problem.label(error.to_string());
            match nearest(size, SIZES) {
                Some(near) => problem.help(format!("did you mean \"{family}.{near}\"?")),
                None => problem.expected(SIZES.iter().copied().chain(["2xlarge, 4xlarge, …"])),
            }
        }
    }
}
