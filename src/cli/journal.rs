//! The journal of a machine: the script that reads it there, and its output.

use crate::cloud::{COMMAND_OUTPUT, ScriptOutput};
use crate::words;

/// The unit that runs the boot script of a machine.
pub(super) const BOOT_UNIT: &str = "quorate-node";

/// Maximum number of bytes of the journal that a script prints: Systems Manager returns the first [`COMMAND_OUTPUT`] characters,
/// and the last lines count. No character is shorter than a byte.
const MOST_BYTES: usize = COMMAND_OUTPUT - 500;

/// The longest name of a unit, as systemd limits it.
const LONGEST_UNIT: usize = 255;
/// The longest cursor. The cursors of systemd have about 150 characters.
const LONGEST_CURSOR: usize = 400;
/// The beginning of the line with which journalctl shows the cursor.
const CURSOR: &str = "-- cursor: ";

/// The name of a unit of systemd. It becomes a part of a shell script, so it contains only characters without a meaning there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnitName(String);

impl UnitName {
    /// Parses a name: letters, digits, and `:`, `_`, `.`, `@` and `-` after the first character.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let is_allowed = |character: char| character.is_ascii_alphanumeric() || ":_.@-".contains(character);
        let starts_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !starts_well || !text.chars().all(is_allowed) {
            return Err("a unit of systemd has letters, digits and `: _ . @ -`, for example `kubelet`".to_owned());
        }
        if text.len() > LONGEST_UNIT {
            return Err(format!("the name of a unit has at most {LONGEST_UNIT} characters"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A place in a journal. It comes from a machine and becomes a part of a shell script, so it is checked like a [`UnitName`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JournalCursor(String);

impl JournalCursor {
    fn parse(text: &str) -> Option<Self> {
        let is_allowed = |character: char| character.is_ascii_alphanumeric() || "=;".contains(character);
        let fits = !text.is_empty() && text.len() <= LONGEST_CURSOR && text.chars().all(is_allowed);
        fits.then(|| Self(text.to_owned()))
    }
}

/// The lines of a journal, and where they end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JournalPage {
    /// The lines, oldest first, without control characters.
    pub(super) lines: Vec<String>,
    /// `true` if older lines did not fit.
    pub(super) truncated: bool,
    /// The place after the last line; `None` if there is no line.
    pub(super) cursor: Option<JournalCursor>,
    /// The error of journalctl; empty without one.
    pub(super) error: String,
}

/// Returns the script that prints the last `lines` lines of a unit or, with a cursor, all lines after it.
pub(super) fn script(unit: &UnitName, lines: u32, after: Option<&JournalCursor>) -> String {
    let part = match after {
        Some(JournalCursor(cursor)) => format!("--after-cursor='{cursor}'"),
        None => format!("--lines={lines}"),
    };
    let UnitName(unit) = unit;
    format!(
        "journalctl --unit='{unit}' {part} --output=short-iso --show-cursor --no-pager --quiet | tail --bytes={MOST_BYTES}"
    )
}

impl JournalPage {
    /// Reads the output of [`script`].
    pub(super) fn read(output: &ScriptOutput) -> Self {
        let truncated = output.out.len() >= MOST_BYTES;
        let mut lines: Vec<String> = words::plain(&output.out).lines().map(str::to_owned).collect();
        if truncated && lines.len() > 1 {
            // The first line is incomplete.
            lines.remove(0);
        }
        let cursor = lines.pop_if(|last| last.starts_with(CURSOR));
        let cursor = cursor.and_then(|line| JournalCursor::parse(line.strip_prefix(CURSOR)?.trim_end()));
        let error = words::last_lines(&words::plain(&output.err), 1).concat();
        Self { lines, truncated, cursor, error }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const END: &str = "s=0f1e;i=2a;b=99;m=1;t=64c;x=dd";

    fn output(out: &str) -> ScriptOutput {
        ScriptOutput { out: out.to_owned(), err: String::new() }
    }

    #[test]
    fn a_unit_name_means_nothing_to_a_shell() {
        for name in ["kubelet", "quorate-node.service", "getty@tty1", "dev-sdf.device", "a:b_c"] {
            assert_eq!(UnitName::parse(name).unwrap().as_str(), name);
        }
        let long = "a".repeat(256);
        for name in
            ["", "-f", "a b", "a;reboot", "a'b", "$(id)", "`id`", "a\nb", "a\\x2d", "*", "../x", "é", "a|b", &long]
        {
            assert!(UnitName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_cursor_of_a_machine_means_nothing_to_a_shell() {
        assert!(JournalCursor::parse(END).is_some());
        for cursor in ["", "s=1';reboot;'", "s=$(id)", "s=1 2", &"a".repeat(401)] {
            assert_eq!(JournalCursor::parse(cursor), None, "{cursor:?}");
        }
        let page = JournalPage::read(&output("one\n-- cursor: s=1';reboot;'\n"));
        assert_eq!((page.lines.len(), page.cursor), (1, None));
    }

    #[test]
    fn the_script_has_the_last_lines_or_those_after_a_cursor() {
        let unit = UnitName::parse("kubelet").unwrap();
        insta::assert_snapshot!(script(&unit, 100, None), @"journalctl --unit='kubelet' --lines=100 --output=short-iso --show-cursor --no-pager --quiet | tail --bytes=23500");
        let after = script(&unit, 100, JournalCursor::parse(END).as_ref());
        assert!(after.contains(&format!(" --after-cursor='{END}' ")) && !after.contains("--lines"), "{after}");
    }

    #[test]
    fn the_cursor_is_no_line_of_the_log() {
        let page = JournalPage::read(&output(&format!("one\n\u{1b}[1mtwo\n-- cursor: {END}\n")));
        assert_eq!(page.lines, ["one", "two"]);
        assert_eq!((page.cursor, page.truncated), (JournalCursor::parse(END), false));
        let empty = JournalPage::read(&ScriptOutput { out: String::new(), err: "no journal\n".to_owned() });
        assert_eq!((empty.lines.len(), empty.cursor, empty.error.as_str()), (0, None, "no journal"));
    }

    #[test]
    fn lines_that_did_not_fit_are_known_and_none_is_shown_in_part() {
        let text = format!("{}\nlast\n-- cursor: {END}\n", "x".repeat(MOST_BYTES));
        let text = &text[text.len() - MOST_BYTES..];
        let page = JournalPage::read(&output(text));
        assert_eq!((page.lines, page.truncated), (vec!["last".to_owned()], true));
    }
}
