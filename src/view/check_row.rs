//! A row of a table of checks: the status, the area, the finding, and the advice below it.

use super::line::{StyledLine, TextRole, paragraph, quoted};
use super::{TextStyle, value};

/// The column of lines of a log.
const LOG: usize = 4;
/// The column of the areas.
const AREA: usize = 10;

/// The contents of a row.
pub(super) struct CheckRow<'a> {
    /// The status, and its role.
    pub(super) status: (&'static str, TextRole),
    /// The area.
    pub(super) area: &'static str,
    /// The finding.
    pub(super) finding: &'a str,
    /// Lines of a log that show the reason.
    pub(super) log: &'a [String],
    /// The advice, if it is shown below this row.
    pub(super) advice: Option<&'a str>,
}

impl CheckRow<'_> {
    /// Returns the lines of the row; `column` is that of the findings.
    pub(super) fn lines(&self, column: usize, style: TextStyle) -> Vec<StyledLine> {
        let (status, ink) = self.status;
        let mut lines = paragraph(column, TextRole::Plain, &value::safe(self.finding), style);
        let first = if lines.is_empty() { StyledLine::default() } else { lines.remove(0) };
        let head = StyledLine::at(0).ink(ink, status).up_to(AREA).plain(self.area).up_to(column);
        lines.insert(0, head.then(first));
        lines.extend(quoted(LOG, self.log.iter().map(String::as_str)));
        if let Some(advice) = self.advice {
            lines.extend(paragraph(column, TextRole::Faint, &value::safe(advice), style));
        }
        lines
    }
}
