//! Formatting of counts, lists and timestamps as text for messages.

use std::iter::Peekable;
use std::str::Chars;

use jiff::{SignedDuration, Timestamp};

/// Formats a count with its noun: `1 machine`, `2 machines`.
pub fn count(number: usize, singular: &str) -> String {
    if number == 1 { format!("1 {singular}") } else { format!("{number} {singular}s") }
}

/// Describes a quota without room for what is needed of it, for example `10 vCPUs`. `holder` is the object that has the quota, if
/// it is not the region.
pub fn quota_shortage(needed: &str, holder: Option<&str>, used_by_others: u64, limit: u64, region: &str) -> String {
    match holder {
        Some(holder) => {
            format!("a {holder} of the cluster needs {needed}, and the account may have {limit} in each in {region}")
        }
        None => format!(
            "the cluster needs {needed}, and others use {used_by_others} of the {limit} that the account may have in {region}"
        ),
    }
}

/// Joins items to a list: `a`, `a and b`, `a, b and c`. No items give an empty text.
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Joins the first items with commas, and adds `and more` if there are more: `a, b and more`.
pub fn first(items: &[String], most: usize) -> String {
    let more = if items.len() > most { " and more" } else { "" };
    format!("{}{more}", items[..items.len().min(most)].join(", "))
}

/// Formats a clause about some of the masters: `the only master is lost`, `2 of 3 masters are lost`.
pub fn some_masters(some: usize, count: usize, one: &str, several: &str) -> String {
    match (some, count) {
        (_, 1) => format!("the only master {one}"),
        (1, _) => format!("1 of {count} masters {one}"),
        _ => format!("{some} of {count} masters {several}"),
    }
}

/// Formats the loss of etcd's quorum.
pub fn no_quorum(lost: usize, count: usize) -> String {
    let masters = some_masters(lost, count, "does not run", "do not run");
    format!("{masters}, so etcd has no quorum and the API does not answer")
}

/// Formats a timestamp: `2026-11-23 14:05:09 UTC`.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Formats an age in its largest unit: `12s`, `5m`, `3h`, `41d`. A time in the future has the age `0s`.
pub fn age(age: SignedDuration) -> String {
    let seconds = age.as_secs().max(0);
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Returns the text that a terminal would show, without escape sequences and other control characters: programs write them
/// to the console of a machine, and nothing that a machine writes may control the terminal of a user.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut rest),
            '\n' | '\t' => plain.push(character),
            character if character.is_control() => {}
            character => plain.push(character),
        }
    }
    plain
}

/// Skips the rest of an escape sequence, on its line.
fn skip_sequence(rest: &mut Peekable<Chars<'_>>) {
    match rest.next_if(|&kind| kind != '\n') {
        Some('[') => {
            while rest.next_if(|character| matches!(character, ' '..='?')).is_some() {}
            rest.next_if(|character| matches!(character, '@'..='~'));
        }
        // The title of a window and the like, up to a bell or another escape character.
        Some(']') => {
            while rest.next_if(|character| !matches!(character, '\u{7}' | '\u{1b}' | '\n')).is_some() {}
            if rest.next_if_eq(&'\u{1b}').is_some() {
                rest.next_if_eq(&'\\');
            }
        }
        _ => {}
    }
}

/// Returns the last lines of a text that are not blank, without spaces at their ends.
pub fn last_lines(text: &str, most: usize) -> Vec<String> {
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let mut last: Vec<String> = lines.rev().take(most).map(str::to_owned).collect();
    last.reverse();
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controls_a_terminal_is_left_out() {
        let console = "\u{1b}[2J\u{1b}[01;32mok\u{1b}[0m\r\n\u{1b}]0;title\u{7}a\tb\u{8}\u{1b}]8;;x\u{1b}\\c\u{1b}Md\u{1b}[9\ne\u{1b}";
        assert_eq!(plain(console), "ok\na\tbcd\ne");
    }

    #[test]
    fn the_last_lines_are_those_with_text() {
        assert_eq!(last_lines("a\n\nb \n  c\n\n", 2), ["b", "  c"]);
        assert_eq!(last_lines("\n \n", 2), Vec::<String>::new());
    }

    #[test]
    fn one_is_one_and_none_are_many() {
        assert_eq!([0, 1, 2].map(|number| count(number, "zone")), ["0 zones", "1 zone", "2 zones"]);
    }

    #[test]
    fn the_last_of_several_comes_after_an_and() {
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!([0, 1, 2, 3].map(|most| list(&items[..most])), ["", "a", "a and b", "a, b and c"]);
    }

    #[test]
    fn an_age_has_its_largest_unit() {
        let ages = [-5, 0, 59, 60, 3_599, 3_600, 86_399, 86_400, 86_400 * 400];
        let shown = ages.map(|seconds| age(SignedDuration::from_secs(seconds)));
        assert_eq!(shown, ["0s", "0s", "59s", "1m", "59m", "1h", "23h", "1d", "400d"]);
    }

    #[test]
    fn a_moment_names_its_time_zone() {
        assert_eq!(moment(Timestamp::UNIX_EPOCH), "1970-01-01 00:00:00 UTC");
    }
}
