//! Instance sizes.

use super::super::cluster::InstanceSize;
use super::super::diagnostic::{Diagnostic, Severity::Error, nearest};
use super::super::instance::{SIZES, SizeError};
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Spanned};

pub(super) static MALFORMED: Rule = Rule {
    code: "Q0405",
    severity: Error,
    title: "that is not an instance size",
    explanation: "An instance size is a family and a size: `t3.medium`, `m7g.2xlarge`. Whether the \
        region offers it is checked with AWS by `quorate plan`.",
    bad: "masters {\n  size = \"t3.meduim\"\n}",
    good: "masters {\n  size = \"t3.medium\"\n}",
};

/// Reads a size.
pub(super) fn read(
    context: &mut LoweringContext,
    setting: Option<&Spanned<String>>,
) -> Result<InstanceSize, ErrorReported> {
    let text = context.required(setting, "size")?;
    InstanceSize::parse(text).map_err(|error| {
        let problem = Diagnostic::new(&MALFORMED, setting.place(), format!("{text:?} is not an instance size"));
        context.error(explain(problem, text, &error))
    })
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
