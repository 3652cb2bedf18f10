//! Text as Terraform counts and converts it: normal form C, grapheme clusters, case of single letters.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{ExtendedPictographic, GraphemeClusterBreak as Break};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Returns the text in normal form C, so that `é` is one letter, however it was typed.
pub(super) fn normal(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// Returns the grapheme clusters of a text: the characters that a reader sees.
pub(super) fn clusters(text: &str) -> Vec<&str> {
    let mut clusters = Vec::new();
    let mut start = 0;
    let mut state = GraphemeState::default();
    for (at, character) in text.char_indices() {
        if state.breaks_before(character) && at > 0 {
            clusters.push(&text[start..at]);
            start = at;
        }
    }
    if start < text.len() {
        clusters.push(&text[start..]);
    }
    clusters
}

/// State of the text before a place, as far as Unicode's Annex 29 needs it.
#[derive(Default)]
struct GraphemeState {
    before: Option<Break>,
    /// `true` after a pictograph and marks on it.
    pictograph: bool,
    /// `true` after a pictograph, marks on it, and a joiner.
    joined: bool,
    /// `true` after an odd number of regional indicators.
    half_flag: bool,
}

impl GraphemeState {
    fn breaks_before(&mut self, character: char) -> bool {
        let kind = CodePointMapData::<Break>::new().get(character);
        let pictograph = CodePointSetData::new::<ExtendedPictographic>().contains(character);
        let together = self.before.is_some_and(|before| {
            stays_together(before, kind)
                || (self.joined && pictograph)
                || (self.half_flag && kind == Break::RegionalIndicator)
        });
        self.half_flag = kind == Break::RegionalIndicator && !(self.half_flag && together);
        self.joined = self.pictograph && kind == Break::ZWJ;
        self.pictograph = pictograph || (self.pictograph && kind == Break::Extend);
        self.before = Some(kind);
        !together
    }
}

fn stays_together(before: Break, after: Break) -> bool {
    let control = |kind| matches!(kind, Break::CR | Break::LF | Break::Control);
    if control(before) || control(after) {
        return (before, after) == (Break::CR, Break::LF);
    }
    matches!(
        (before, after),
        (_, Break::Extend | Break::ZWJ | Break::SpacingMark)
            | (Break::Prepend, _)
            | (Break::L, Break::L | Break::V | Break::LV | Break::LVT)
            | (Break::LV | Break::V, Break::V | Break::T)
            | (Break::LVT | Break::T, Break::T)
    )
}

/// Converts the text to upper case, each letter by itself, so `ß` is unchanged.
pub(super) fn upper(text: &str) -> Result<String, String> {
    text.chars().map(|letter| single(letter, letter.to_uppercase())).collect()
}

/// Converts the text to lower case.
pub(super) fn lower(text: &str) -> Result<String, String> {
    text.chars().map(|letter| if letter == 'İ' { Ok('i') } else { single(letter, letter.to_lowercase()) }).collect()
}

fn single(letter: char, mut changed: impl ExactSizeIterator<Item = char>) -> Result<char, String> {
    match (changed.len(), changed.next()) {
        (1, Some(one)) => Ok(one),
        // Some Greek letters with an iota have a capital of their own beside the one in two letters.
        _ if matches!(letter, '\u{1f80}'..='\u{1fff}') => {
            Err(format!("the letter `{letter}` has more than one capital"))
        }
        _ => Ok(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_what_readers_count() {
        let count = |text: &str| clusters(text).len();
        assert_eq!(count(""), 0);
        assert_eq!(count("abc"), 3);
        assert_eq!(count("e\u{301}"), 1);
        assert_eq!(count("\r\n"), 1);
        assert_eq!(count("\n\r"), 2);
        assert_eq!(count("👨‍👩‍👧"), 1);
        assert_eq!(count("👍🏽👍"), 2);
        assert_eq!(count("🇩🇪🇫🇷🇧"), 3);
        assert_eq!(count("각ᄀ"), 2);
        assert_eq!(count("a\u{200d}b"), 2);
    }
}
