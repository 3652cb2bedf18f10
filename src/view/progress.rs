//! What happens during an apply, in words: one line for each event that a log should keep.

use std::time::Duration;

use crate::engine::{Action, Event};

use super::line::{Ink, Line, screen};
use super::{Style, value};

/// The line of an event, without a final newline; `None` for events that only a living screen shows.
///
/// `taken` is how long the change has run.
pub fn line(event: &Event, taken: Duration, style: Style) -> Option<String> {
    let line = match event {
        Event::Started { .. } | Event::Waiting { .. } => return None,
        Event::Retrying { address, failure, attempt, pause } => {
            Line::at(0).ink(Ink::Changed, "waiting ").plain(value::safe(&address.to_string())).ink(
                Ink::Faint,
                format!("  attempt {attempt} in {}: {}", seconds(*pause), value::safe(&failure.to_string())),
            )
        }
        Event::Finished { address, action, id } => {
            let (verb, ink) = done(*action);
            // A Kubernetes object's identifier is its name once more.
            let id = if address.name().ends_with(id) { String::new() } else { format!(" ({})", value::short_id(id)) };
            Line::at(0)
                .ink(ink, verb)
                .plain(format!(" {}", value::safe(&address.to_string())))
                .ink(Ink::Faint, format!("{id} {}", seconds(taken)))
        }
        Event::Failed { address, action, failure } => Line::at(0)
            .ink(Ink::Danger, "failed")
            .plain(format!(" to {} {}: ", doing(*action).1, value::safe(&address.to_string())))
            .plain(value::safe(&failure.to_string())),
        Event::Unfinished { address, action } => {
            let address = value::safe(&address.to_string());
            let what =
                if *action == Action::Delete { format!("until {address} is gone") } else { format!("for {address}") };
            let line = Line::at(0).ink(Ink::Changed, "stopped waiting").plain(format!(" {what}"));
            line.ink(Ink::Faint, format!(" {}", seconds(taken)))
        }
        // The end counts them.
        Event::Skipped { .. } if !style.verbose => return None,
        Event::Skipped { address, because } => {
            let why = because.as_ref().map_or("stopped".to_owned(), |needed| format!("needs {needed}"));
            Line::at(0).ink(Ink::Faint, format!("skipped {address} ({})", value::safe(&why)))
        }
    };
    Some(screen(&[line], style).trim_end().to_owned())
}

/// What runs, as a living screen shows it: `creating subnet/us-east-1a`.
pub fn running(action: Action, address: &crate::engine::Address) -> String {
    format!("{} {}", doing(action).0, value::safe(&address.to_string()))
}

/// What a change waits for, as a living screen shows it.
pub fn waiting(address: &crate::engine::Address, note: &str) -> String {
    format!("{}: {}", value::safe(&address.to_string()), value::safe(note))
}

/// The verb that is going on, and its infinitive.
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

fn done(action: Action) -> (&'static str, Ink) {
    match action {
        Action::Delete => ("deleted", Ink::Removed),
        Action::Replace => ("replaced", Ink::Removed),
        Action::Roll => ("rolled", Ink::Rolled),
        Action::Update => ("updated", Ink::Changed),
        Action::Create => ("created", Ink::Added),
        Action::Adopt => ("recorded", Ink::Plain),
        Action::Wait => ("ready", Ink::Plain),
        Action::Refuse => ("refused", Ink::Danger),
    }
}

/// `1.2s` below a minute, `2m 5s` from there on.
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
    use crate::engine::{Address, Class, Failure};

    fn subnet() -> Address {
        Address::new("subnet", "us-east-1a")
    }

    fn failure() -> Failure {
        Failure {
            class: Class::Throttled,
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
            Event::Started { address: subnet(), action: Action::Create },
            Event::Finished { address: subnet(), action: Action::Create, id: "subnet-0abc".to_owned() },
            Event::Retrying { address: subnet(), failure: failure(), attempt: 2, pause: Duration::from_millis(250) },
            Event::Failed { address: subnet(), action: Action::Create, failure: failure() },
            Event::Skipped { address: Address::new("volume", "etcd-a"), because: Some(subnet()) },
            Event::Skipped { address: Address::new("volume", "etcd-b"), because: None },
            Event::Unfinished { address: Address::new("deployment", "chat"), action: Action::Update },
            Event::Unfinished { address: Address::new("deployment", "web"), action: Action::Delete },
        ];
        let verbose = Style { verbose: true, ..Style::default() };
        let lines: Vec<String> =
            events.iter().filter_map(|event| line(event, Duration::from_millis(1234), verbose)).collect();
        insta::assert_snapshot!(lines.join("\n"));
        assert_eq!(line(&events[5], Duration::ZERO, Style::default()), None, "the end counts what was not tried");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(seconds(Duration::from_millis(59_949)), "59.9s");
        assert_eq!(seconds(Duration::from_secs(125)), "2m 5s");
    }
}
