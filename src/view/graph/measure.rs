//! Widths of text, estimated from the widest of the usual fonts: a text that fits by this estimate fits in all of them.

use unicode_width::UnicodeWidthChar;

/// A font of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Typeface {
    /// Proportional.
    Sans,
    /// Proportional and bold.
    Bold,
    /// All characters have the same width.
    Mono,
}

/// Widths of `0` to `9`, `A` to `Z` and `a` to `z` in `DejaVu Sans`, the widest of the fonts, in thousandths of the font's size.
const UPPER: [i32; 26] = [
    684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989,
    685, 611, 685,
];
const LOWER: [i32; 26] = [
    613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818,
    592, 592, 525,
];
const DIGIT: i32 = 636;
/// The width of everything else that takes one column of a terminal.
const OTHER: i32 = 840;
/// The width of characters that take two columns of a terminal.
const WIDE: i32 = 1_050;
/// The width of every character of a font with fixed width.
const FIXED: i32 = 615;

/// Returns the width of a text in pixels, rounded up.
pub(super) fn width(text: &str, typeface: Typeface, size: i32) -> i32 {
    let thousandths: i32 = text.chars().map(|c| of_char(c, typeface)).fold(0, i32::saturating_add);
    thousandths.saturating_mul(size).saturating_add(999) / 1_000
}

fn of_char(c: char, typeface: Typeface) -> i32 {
    let columns = i32::try_from(c.width().unwrap_or(0)).unwrap_or(2);
    if columns > 1 {
        return WIDE;
    }
    if columns == 0 {
        return 0;
    }
    match typeface {
        Typeface::Mono if c.is_ascii() => FIXED,
        Typeface::Mono => OTHER,
        Typeface::Sans => proportional(c),
        // DejaVu Sans Bold is about an eighth wider.
        Typeface::Bold => proportional(c) * 9 / 8,
    }
}

fn proportional(c: char) -> i32 {
    let letter = |first: u8| usize::try_from(u32::from(c) - u32::from(first)).unwrap_or_default();
    match c {
        'A'..='Z' => UPPER[letter(b'A')],
        'a'..='z' => LOWER[letter(b'a')],
        '0'..='9' => DIGIT,
        '.' | ',' | ' ' | '·' | '\'' | '!' => 401,
        '-' | '/' | ':' | ';' | '(' | ')' | '|' => 391,
        '_' => 500,
        _ => OTHER,
    }
}

/// Returns the text, with its middle left out if it is wider than the room.
pub(super) fn fitted(text: &str, room: i32, typeface: Typeface, size: i32) -> String {
    if width(text, typeface, size) <= room {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    let mut kept = chars.len();
    while kept > 0 {
        kept -= 1;
        let (start, end) = (kept.div_ceil(2), kept / 2);
        let shown: String = chars[..start].iter().chain(&['…']).chain(&chars[chars.len() - end..]).collect();
        if width(&shown, typeface, size) <= room {
            return shown;
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_wide_loses_its_middle() {
        let whole = "registry.example.com/team/chat:1.2.3";
        assert_eq!(fitted(whole, 1_000, Typeface::Sans, 12), whole);
        let short = fitted(whole, 100, Typeface::Sans, 12);
        assert!(short.starts_with("reg") && short.ends_with("2.3") && short.contains('…'), "{short}");
        assert!(width(&short, Typeface::Sans, 12) <= 100);
        assert_eq!(fitted(whole, 3, Typeface::Sans, 12), "");
    }

    #[test]
    fn wide_characters_need_more_room() {
        assert!(width("東京", Typeface::Sans, 10) > width("ab", Typeface::Sans, 10));
        assert_eq!((width("", Typeface::Sans, 10), width("a", Typeface::Mono, 10)), (0, 7));
    }
}
