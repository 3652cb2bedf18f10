//! Machine images.

use super::super::cluster::ImageId;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Spanned};

pub(super) static MALFORMED: Rule = Rule {
    code: "Q0406",
    severity: Error,
    title: "that is not the id of a machine image",
    explanation: "An image of your own is named by its id, `ami-0123456789abcdef0`; names and aliases may mean \
        another image tomorrow. The plan asks AWS whether it is there and fits the instance size. What \
        it must contain is listed in docs/machines.md.",
    bad: "masters {\n  size  = \"t3.medium\"\n  image = \"my-image\"\n}",
    good: "masters {\n  size  = \"t3.medium\"\n  image = \"ami-0123456789abcdef0\"\n}",
};

/// Reads an image, if there is one.
pub(super) fn read(
    context: &mut LoweringContext,
    setting: Option<&Spanned<String>>,
) -> Result<Option<ImageId>, ErrorReported> {
    let Some(text) = setting.optional()? else { return Ok(None) };
    ImageId::parse(text).map(Some).map_err(|error| {
        let message = format!("{text:?} is not the id of a machine image");
        let problem = Diagnostic::new(&MALFORMED, setting.place(), message);
        context.error(problem.label(error.to_string()).help("for example \"ami-0123456789abcdef0\""))
    })
}
