//! Errors as text: for failures of the cloud, with all details that its support asks for.

use crate::engine::{Address, Failure};

use super::TextStyle;
use super::hint::{hint, is_of_iam, permission};
use super::line::{StyledLine, TextRole, labelled, paragraph, quoted, screen};
use super::value::safe;

/// An error report, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailureReport {
    /// The operation that failed, as a fragment.
    pub message: String,
    /// The causes, outermost first.
    pub causes: Vec<String>,
    /// The cloud's failures, with their objects.
    pub failures: Vec<(Option<Address>, Failure)>,
    /// The hints: what to do next.
    pub hints: Vec<String>,
}

/// Returns the report as text.
pub fn text(report: &FailureReport, style: TextStyle) -> String {
    let mut lines = labelled("error: ", TextRole::Danger, &report.message, style);
    for cause in &report.causes {
        lines.extend(labelled("  cause: ", TextRole::Strong, cause, style));
    }
    for (objects, failure) in shared(&report.failures) {
        lines.extend(failure_lines(&objects, failure, style));
    }
    let mut hints: Vec<String> = report.failures.iter().filter_map(|(_, failure)| hint(failure)).collect();
    hints.extend(report.hints.iter().cloned());
    let mut distinct = std::collections::BTreeSet::new();
    for hint in hints.iter().filter(|hint| distinct.insert(*hint)) {
        lines.extend(labelled("hint: ", TextRole::Rolled, hint, style));
    }
    screen(&lines, style)
}

/// Returns the hint for a failure, if there is one.
pub fn hint_of(failure: &Failure) -> Option<String> {
    hint(failure)
}

/// Returns a message behind its label, for example `note: `.
pub fn message(label: &str, text: &str, style: TextStyle) -> String {
    let ink = if label.starts_with("warning") { TextRole::Changed } else { TextRole::Rolled };
    screen(&labelled(label, ink, text, style), style)
}

/// Returns a part of a message: the subject, and what is said about it below.
pub fn detail(subject: &str, text: &str, style: TextStyle) -> String {
    let mut lines = vec![StyledLine::at(2).ink(TextRole::Strong, safe(subject))];
    lines.extend(paragraph(4, TextRole::Plain, &safe(text), style));
    screen(&lines, style)
}

/// Returns lines of a log that a message quotes, below their title.
pub fn excerpt(title: &str, log: &[String], style: TextStyle) -> String {
    let mut lines = vec![StyledLine::at(2).ink(TextRole::Strong, safe(title))];
    lines.extend(quoted(4, log.iter().map(String::as_str)));
    screen(&lines, style)
}

/// Returns each failure once, with all its objects: many objects may fail for the same reason.
fn shared(failures: &[(Option<Address>, Failure)]) -> Vec<(Vec<Option<&Address>>, &Failure)> {
    let mut groups: Vec<(Vec<Option<&Address>>, &Failure)> = Vec::new();
    for (address, failure) in failures {
        match groups.iter_mut().find(|(_, known)| *known == failure) {
            Some((objects, _)) => objects.push(address.as_ref()),
            None => groups.push((vec![address.as_ref()], failure)),
        }
    }
    groups
}

fn failure_lines(objects: &[Option<&Address>], failure: &Failure, style: TextStyle) -> Vec<StyledLine> {
    let names = objects.iter().map(|object| object.map_or_else(|| "cloud".to_owned(), ToString::to_string));
    let mut lines: Vec<StyledLine> = names.map(|name| StyledLine::at(2).ink(TextRole::Strong, safe(&name))).collect();
    // What follows the first line is a log.
    let (message, log) = failure.message.split_once('\n').unwrap_or((&failure.message, ""));
    lines.extend(paragraph(4, TextRole::Plain, &safe(message), style));
    lines.extend(quoted(4, log.lines()));
    let row = |label: &str, text: &str| StyledLine::at(4).ink(TextRole::Faint, format!("{label:<9}")).plain(safe(text));
    lines.push(row("call", &format!("{} {}", failure.service, failure.action)));
    if let Some(code) = &failure.code {
        lines.push(row("code", code));
    }
    if let Some(id) = &failure.request_id {
        lines.push(row("request", id));
    }
    if is_of_iam(failure) {
        lines.push(row("missing", &permission(failure)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::FailureClass;

    fn denied(service: &str, action: &str) -> Failure {
        Failure {
            class: FailureClass::Denied,
            service: service.to_owned(),
            action: action.to_owned(),
            code: Some("UnauthorizedOperation".to_owned()),
            message: "You are not authorized to perform this operation.".to_owned(),
            request_id: Some("3a0b5c51-7d2a-4a0e-8f36-0d4f2f6c5a11".to_owned()),
        }
    }

    #[test]
    fn a_denied_call_names_everything_that_support_and_the_administrator_ask_for() {
        let report = FailureReport {
            message: "could not apply everything".to_owned(),
            failures: vec![(Some(Address::new("subnet", "us-east-1a")), denied("ec2", "CreateSubnet"))],
            ..FailureReport::default()
        };
        insta::assert_snapshot!(text(&report, TextStyle::default()));
    }

    #[test]
    fn failures_of_one_reason_are_shown_once_for_all_objects() {
        let shut = Failure {
            class: FailureClass::Unavailable,
            code: None,
            message: "the API does not answer".to_owned(),
            request_id: None,
            ..denied("kubernetes", "connect")
        };
        let named = |name: &str| Some(Address::new("deployment", name));
        let failures = vec![(named("chat"), shut.clone()), (named("redis"), shut)];
        let report =
            FailureReport { message: "2 changes could not be made".to_owned(), failures, ..FailureReport::default() };
        insta::assert_snapshot!(text(&report, TextStyle::default()), @r"
        error: 2 changes could not be made
          deployment/chat
          deployment/redis
            the API does not answer
            call     kubernetes connect
        hint: this error is usually temporary: run the command again to resume
        ");
    }

    #[test]
    fn causes_stand_below_the_message_and_long_ones_wrap() {
        let report = FailureReport {
            message: "could not read the record".to_owned(),
            causes: vec![
                "s3://state.chat.poeticoding.com/chat.poeticoding.com/state.json is not a record of this \
                          program or was written by a newer one"
                    .to_owned(),
            ],
            hints: vec!["restore an older version of the object".to_owned()],
            ..FailureReport::default()
        };
        insta::assert_snapshot!(text(&report, TextStyle::default()));
    }

    #[test]
    fn lines_of_a_log_are_quoted_as_they_are() {
        let log = ["quorate: node: join: begins".to_owned(), "  \u{1b}[2Jno API server\tresponds".to_owned()];
        insta::assert_snapshot!(excerpt("the last lines of i-1", &log, TextStyle::default()), @r"
          the last lines of i-1
            quorate: node: join: begins
              \u{1b}[2Jno API server responds
        ");
    }

    #[test]
    fn control_characters_from_the_cloud_do_not_reach_the_terminal() {
        let mut failure = denied("ec2", "CreateSubnet");
        failure.message = "\u{1b}[2Jgone".to_owned();
        let report =
            FailureReport { message: "x".to_owned(), failures: vec![(None, failure)], ..FailureReport::default() };
        assert!(!text(&report, TextStyle::default()).contains('\u{1b}'));
    }
}
