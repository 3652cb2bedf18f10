//! A plan as Markdown for a comment on a pull request: its meaning first, its changes folded.

mod details;
mod escape;
mod page;
mod summary;

use super::PlanDocument;
use page::LimitedPage;

/// Maximum number of characters of a comment on GitHub.
pub const MAX_COMMENT: usize = 65_536;
/// Bytes that a workflow may add to the comment, for example a link to its run.
const FOR_WORKFLOW: usize = 1_536;
/// Share of the comment that is not folded at most.
const UNFOLDED: usize = 2;

/// A plan with the messages about it.
#[derive(Debug, Clone, Copy)]
pub struct PlanComment<'a> {
    /// The plan.
    pub document: &'a PlanDocument,
    /// The reason why the plan is refused, if it exceeds a limit.
    pub refusal: Option<&'a str>,
    /// Warnings about the plan.
    pub warnings: &'a [String],
    /// Notes about the plan.
    pub notes: &'a [String],
}

/// Returns the plan as Markdown. It is always shorter than [`MAX_COMMENT`]: what does not fit is left out, and a sentence says so.
/// The first line is a comment that identifies the cluster, so that a program finds its own comment again.
pub fn markdown(comment: &PlanComment<'_>, verbose: bool) -> String {
    let document = comment.document;
    let limit = MAX_COMMENT - FOR_WORKFLOW;
    let mut top = LimitedPage::new(limit / UNFOLDED);
    top.push(&format!("{}\n{}", marker(document), summary::heading(document)));
    top.push(&summary::subject(document));
    for alert in summary::alerts(document, comment.refusal, comment.warnings) {
        top.push(&alert);
    }
    top.push(&summary::table(document));
    top.push(&summary::interruptions(document));
    top.push(&summary::reasons(document));
    top.push(&summary::remarks(document));
    let top = top.finish("Parts of the summary did not fit: `quorate plan` shows them.");
    let mut page = LimitedPage::new(limit);
    page.push(&top);
    details::push(document, verbose, &mut page);
    page.push(&summary::notes(comment.notes));
    page.finish("Parts of this plan did not fit into a comment: `quorate plan` shows all of it.")
}

/// Returns the comment of HTML that identifies the cluster of a plan.
fn marker(document: &PlanDocument) -> String {
    let kept = |text: &str| -> String {
        let is_kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        text.chars().filter(is_kept).take(255).collect()
    };
    format!("<!-- quorate-plan {} {} -->", kept(&document.heading.cluster), kept(&document.heading.region))
}
