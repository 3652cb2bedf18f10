//! Errors as text: for the cloud's failures, everything that its support asks for.

use crate::engine::{Address, Failure};

use super::Style;
use super::hint::{hint, is_of_iam, permission};
use super::line::{Ink, Line, labelled, paragraph, screen};
use super::value::safe;

/// Something that went wrong, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// What could not be done, as a fragment.
    pub message: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// The cloud's failures, with the objects that they are about.
    pub failures: Vec<(Option<Address>, Failure)>,
    /// Ways out.
    pub hints: Vec<String>,
}

/// The report as text.
pub fn text(report: &Report, style: Style) -> String {
    let mut lines = labelled("error: ", Ink::Danger, &report.message, style);
    for cause in &report.causes {
        lines.extend(labelled("  cause: ", Ink::Strong, cause, style));
    }
    for (objects, failure) in shared(&report.failures) {
        lines.extend(failure_lines(&objects, failure, style));
    }
    let mut hints: Vec<String> = report.failures.iter().filter_map(|(_, failure)| hint(failure)).collect();
    hints.extend(report.hints.iter().cloned());
    let mut seen = std::collections::BTreeSet::new();
    for hint in hints.iter().filter(|hint| seen.insert(*hint)) {
        lines.extend(labelled("hint: ", Ink::Rolled, hint, style));
    }
    screen(&lines, style)
}

/// A message in front of which its sort stands, for example `note: `.
pub fn message(label: &str, text: &str, style: Style) -> String {
    let ink = if label.starts_with("warning") { Ink::Changed } else { Ink::Rolled };
    screen(&labelled(label, ink, text, style), style)
}

/// Each failure once, with all objects that it is about: many may stand before the same door.
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

fn failure_lines(objects: &[Option<&Address>], failure: &Failure, style: Style) -> Vec<Line> {
    let names = objects.iter().map(|object| object.map_or_else(|| "cloud".to_owned(), ToString::to_string));
    let mut lines: Vec<Line> = names.map(|name| Line::at(2).ink(Ink::Strong, safe(&name))).collect();
    lines.extend(paragraph(4, Ink::Plain, &safe(&failure.message), style));
    let row = |label: &str, text: &str| Line::at(4).ink(Ink::Faint, format!("{label:<9}")).plain(safe(text));
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
    use crate::engine::Class;

    fn denied(service: &str, action: &str) -> Failure {
        Failure {
            class: Class::Denied,
            service: service.to_owned(),
            action: action.to_owned(),
            code: Some("UnauthorizedOperation".to_owned()),
            message: "You are not authorized to perform this operation.".to_owned(),
            request_id: Some("3a0b5c51-7d2a-4a0e-8f36-0d4f2f6c5a11".to_owned()),
        }
    }

    #[test]
    fn a_denied_call_names_everything_that_support_and_the_administrator_ask_for() {
        let report = Report {
            message: "could not apply everything".to_owned(),
            failures: vec![(Some(Address::new("subnet", "us-east-1a")), denied("ec2", "CreateSubnet"))],
            ..Report::default()
        };
        insta::assert_snapshot!(text(&report, Style::default()));
    }

    #[test]
    fn what_fails_for_one_reason_is_told_once_for_all_objects() {
        let shut = Failure {
            class: Class::Unavailable,
            code: None,
            message: "the API does not answer".to_owned(),
            request_id: None,
            ..denied("kubernetes", "connect")
        };
        let named = |name: &str| Some(Address::new("deployment", name));
        let failures = vec![(named("chat"), shut.clone()), (named("redis"), shut)];
        let report = Report { message: "2 changes could not be made".to_owned(), failures, ..Report::default() };
        insta::assert_snapshot!(text(&report, Style::default()), @r"
        error: 2 changes could not be made
          deployment/chat
          deployment/redis
            the API does not answer
            call     kubernetes connect
        hint: this passes: run the command again, it goes on where it stopped
        ");
    }

    #[test]
    fn causes_stand_below_the_message_and_long_ones_wrap() {
        let report = Report {
            message: "could not read the record".to_owned(),
            causes: vec![
                "s3://state.chat.poeticoding.com/chat.poeticoding.com/state.json is not a record of this \
                          program or was written by a newer one"
                    .to_owned(),
            ],
            hints: vec!["restore an older version of the object".to_owned()],
            ..Report::default()
        };
        insta::assert_snapshot!(text(&report, Style::default()));
    }

    #[test]
    fn control_characters_from_the_cloud_do_not_reach_the_terminal() {
        let mut failure = denied("ec2", "CreateSubnet");
        failure.message = "\u{1b}[2Jgone".to_owned();
        let report = Report { message: "x".to_owned(), failures: vec![(None, failure)], ..Report::default() };
        assert!(!text(&report, Style::default()).contains('\u{1b}'));
    }
}
