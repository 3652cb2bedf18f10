//! The events of an apply as text: one line for each event that belongs in a log.

use std::time::Duration;

use crate::engine::{Action, RunEvent};

use super::line::{StyledLine, TextRole, screen};
use super::{TextStyle, value};

/// Returns the line of an event, without a final newline; `None` for events that only a live display shows.
///
/// `taken` is the time that the change has taken.
pub fn line(event: &RunEvent, taken: Duration, style: TextStyle) -> Option<String> {
    let line = match event {
        // The result lists all deferred changes in one line.
        RunEvent::Started { .. } | RunEvent::Waiting { .. } | RunEvent::Deferred { .. } => return None,
        RunEvent::Retrying { address, failure, attempt, pause } => {
            StyledLine::at(0).ink(TextRole::Changed, "waiting ").plain(value::safe(&address.to_string())).ink(
                TextRole::Faint,
                format!("  attempt {attempt} in {}: {}", seconds(*pause), value::safe(&failure.to_string())),
            )
        }
        RunEvent::Finished { address, action, id } => {
            let (verb, ink) = done(*action);
            // The identifier of a Kubernetes object repeats its name.
            let id = if address.name().ends_with(id) { String::new() } else { format!(" ({})", value::short_id(id)) };
            StyledLine::at(0)
                .ink(ink, verb)
                .plain(format!(" {}", value::safe(&address.to_string())))
                .ink(TextRole::Faint, format!("{id} {}", seconds(taken)))
        }
        RunEvent::Failed { address, action, failure } => StyledLine::at(0)
            .ink(TextRole::Danger, "failed")
            .plain(format!(" to {} {}: ", doing(*action).1, value::safe(&address.to_string())))
            .plain(value::safe(&failure.to_string())),
        RunEvent::Unfinished { address, action } => {
            let address = value::safe(&address.to_string());
            let what =
                if *action == Action::Delete { format!("until {address} is gone") } else { format!("for {address}") };
            let line = StyledLine::at(0).ink(TextRole::Changed, "stopped waiting").plain(format!(" {what}"));
            line.ink(TextRole::Faint, format!(" {}", seconds(taken)))
        }
        // They are counted at the end.
        RunEvent::Skipped { .. } if !style.verbose => return None,
        RunEvent::Skipped { address, because } => {
            let why = because.as_ref().map_or("stopped".to_owned(), |needed| format!("needs {needed}"));
            StyledLine::at(0).ink(TextRole::Faint, format!("skipped {address} ({})", value::safe(&why)))
        }
    };
    Some(screen(&[line], style).trim_end().to_owned())
}

/// Returns a running change as the live display shows it: `creating subnet/us-east-1a`.
pub fn running(action: Action, address: &crate::engine::Address) -> String {
    format!("{} {}", doing(action).0, value::safe(&address.to_string()))
}

/// Returns the reason why a change waits, as the live display shows it.
pub fn waiting(address: &crate::engine::Address, note: &str) -> String {
    format!("{}: {}", value::safe(&address.to_string()), value::safe(note))
}

/// Returns the present participle of an action, and its infinitive.
fn doing(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::Delete => ("deleting", "delete"),
        Action::Replace => ("replacing", "replace"),
        Action::Roll => ("rolling", "roll"),
        Action::Update => ("updating", "update"),
        Action::Create => ("creating", "create"),
        Action::Adopt => ("recording", "record"),
        Action::Wait => ("waiting for", "wait for"),
        Action::Refuse => ("refusing", "refuse"),
    }
}

fn done(action: Action) -> (&'static str, TextRole) {
    match action {
        Action::Delete => ("deleted", TextRole::Removed),
        Action::Replace => ("replaced", TextRole::Removed),
        Action::Roll => ("rolled", TextRole::Rolled),
        Action::Update => ("updated", TextRole::Changed),
        Action::Create => ("created", TextRole::Added),
        Action::Adopt => ("recorded", TextRole::Plain),
        Action::Wait => ("ready", TextRole::Plain),
        Action::Refuse => ("refused", TextRole::Danger),
    }
}

/// Formats a duration: `1.2s` below a minute, `2m 5s` from there on.
fn seconds(time: Duration) -> String {
    let tenths = time.as_millis() / 100;
    if tenths < 600 {
        format!("{}.{}s", tenths / 10, tenths % 10)
    } else {
        format!("{}m {}s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Address, Failure, FailureClass};

    fn subnet() -> Address {
        Address::new("subnet", "us-east-1a")
    }

    fn failure() -> Failure {
        Failure {
            class: FailureClass::Throttled,
            service: "ec2".to_owned(),
            action: "CreateSubnet".to_owned(),
            code: Some("RequestLimitExceeded".to_owned()),
            message: "Request limit exceeded.".to_owned(),
            request_id: None,
        }
    }

    #[test]
    fn a_log_keeps_what_was_done_with_its_id_and_time() {
        let events = [
            RunEvent::Started { address: subnet(), action: Action::Create },
            RunEvent::Finished { address: subnet(), action: Action::Create, id: "subnet-0abc".to_owned() },
            RunEvent::Retrying { address: subnet(), failure: failure(), attempt: 2, pause: Duration::from_millis(250) },
            RunEvent::Failed { address: subnet(), action: Action::Create, failure: failure() },
            RunEvent::Skipped { address: Address::new("volume", "etcd-a"), because: Some(subnet()) },
            RunEvent::Skipped { address: Address::new("volume", "etcd-b"), because: None },
            RunEvent::Unfinished { address: Address::new("deployment", "chat"), action: Action::Update },
            RunEvent::Unfinished { address: Address::new("deployment", "web"), action: Action::Delete },
        ];
        let verbose = TextStyle { verbose: true, ..TextStyle::default() };
        let lines: Vec<String> =
            events.iter().filter_map(|event| line(event, Duration::from_millis(1234), verbose)).collect();
        insta::assert_snapshot!(lines.join("\n"));
        assert_eq!(line(&events[5], Duration::ZERO, TextStyle::default()), None, "the end counts what was not tried");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(seconds(Duration::from_millis(59_949)), "59.9s");
        assert_eq!(seconds(Duration::from_secs(125)), "2m 5s");
    }
}
