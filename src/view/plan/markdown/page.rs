//! A page with a limited length.

use super::escape::fenced;

/// Bytes that are kept for the ends of open elements and for the sentence about what was left out.
const RESERVE: usize = 1_000;

/// Text that never gets longer than a limit: a block that does not fit is left out, or loses its last lines.
pub(super) struct LimitedPage {
    text: String,
    room: usize,
    is_cut: bool,
}

impl LimitedPage {
    /// Creates an empty page of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { text: String::new(), room: limit.saturating_sub(RESERVE), is_cut: false }
    }

    /// Adds a block and an empty line, if it fits.
    pub(super) fn push(&mut self, block: &str) {
        let block = block.trim_end();
        if block.is_empty() {
            return;
        }
        self.add(&format!("{block}\n\n"));
    }

    /// Adds a folded block of lines; lines that do not fit are counted in place of the last ones.
    pub(super) fn push_folded(&mut self, summary: &str, lines: &[String]) {
        let whole = folded(summary, lines);
        if whole.len() <= self.room {
            return self.add(&whole);
        }
        let mut shown = lines.len();
        while shown > 0 {
            // Fewer lines in large steps first: a plan may have ten thousand.
            shown -= (shown / 8).max(1);
            let mut part = lines[..shown].to_vec();
            part.push(format!("# {} more lines are not shown", lines.len() - shown));
            let block = folded(summary, &part);
            if block.len() <= self.room {
                self.add(&block);
                break;
            }
        }
        self.is_cut = true;
    }

    fn add(&mut self, block: &str) {
        if block.len() > self.room {
            self.is_cut = true;
            return;
        }
        self.room -= block.len();
        self.text.push_str(block);
    }

    /// Returns the text, with a sentence at the end if something was left out.
    pub(super) fn finish(mut self, cut: &str) -> String {
        if self.is_cut {
            self.text.push_str(cut);
            self.text.push('\n');
        }
        let end = self.text.trim_end().len();
        self.text.truncate(end);
        self.text.push('\n');
        self.text
    }
}

fn folded(summary: &str, lines: &[String]) -> String {
    format!("<details><summary>{summary}</summary>\n\n{}\n</details>\n\n", fenced("diff", lines))
}
