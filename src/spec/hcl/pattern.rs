//! Regular expressions with Terraform's syntax (RE2, by Go), on an engine with another one: syntax with another meaning
//! there is translated, and syntax that cannot be translated is an error.

use core::iter::Peekable;
use core::str::Chars;

use regex::{Captures, Regex, RegexBuilder};

/// Maximum size of a pattern in memory, in bytes.
const MAX_SIZE: usize = 1 << 20;
/// Maximum number of repetitions in `{n}`.
const MAX_REPEAT: u32 = 1000;

type PatternResult<T> = std::result::Result<T, String>;

/// A regular expression.
pub(super) struct RegexPattern(Regex);

impl RegexPattern {
    /// Compiles a pattern.
    pub(super) fn new(written: &str) -> PatternResult<Self> {
        let translated = translate(written)?;
        RegexBuilder::new(&translated)
            .size_limit(MAX_SIZE)
            .nest_limit(100)
            .build()
            .map(Self)
            .map_err(|_| format!("/{written}/ is not a regular expression that can be used here"))
    }

    /// Returns the text with every match replaced; `None` if it would be longer than `most` bytes.
    pub(super) fn replace_all(&self, text: &str, replacement: &str, most: usize) -> Option<String> {
        let mut result = String::new();
        let mut end = 0;
        for captures in self.0.captures_iter(text) {
            let whole = captures.get(0)?;
            result.push_str(&text[end..whole.start()]);
            expand(replacement, &captures, &mut result);
            end = whole.end();
            if result.len() > most {
                return None;
            }
        }
        result.push_str(&text[end..]);
        Some(result)
    }
}

/// Writes a replacement: `$1`, `${1}`, `$name` and `${name}` are groups, `$$` is a dollar.
fn expand(replacement: &str, captures: &Captures, into: &mut String) {
    let mut rest = replacement;
    while let Some(dollar) = rest.find('$') {
        into.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            into.push('$');
            rest = after;
            continue;
        }
        match group_name(rest) {
            Some((name, after)) => {
                into.push_str(group(name, captures));
                rest = after;
            }
            None => into.push('$'),
        }
    }
    into.push_str(rest);
}

/// Returns the name after a dollar, and the rest. The longest name wins, so `$1x` is the group `1x`.
fn group_name(text: &str) -> Option<(&str, &str)> {
    let braced = text.strip_prefix('{');
    let start = braced.unwrap_or(text);
    let end = start.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(start.len());
    let (name, after) = start.split_at(end);
    let after = if braced.is_some() { after.strip_prefix('}')? } else { after };
    (!name.is_empty()).then_some((name, after))
}

fn group<'t>(name: &str, captures: &Captures<'t>) -> &'t str {
    let digits = name.bytes().all(|byte| byte.is_ascii_digit());
    let found = if digits && (name == "0" || !name.starts_with('0')) {
        name.parse().ok().and_then(|index: usize| captures.get(index))
    } else {
        captures.name(name)
    };
    found.map_or("", |found| found.as_str())
}

/// Translates the pattern to the syntax of the engine.
fn translate(written: &str) -> PatternResult<String> {
    let mut result = String::new();
    let mut characters = written.chars().peekable();
    let mut repeated = false;
    let folded = written.contains("(?") && has_flag(written, 'i');
    while let Some(character) = characters.next() {
        let was_repeated = core::mem::take(&mut repeated);
        match character {
            '\\' => escape(&mut characters, false, folded, &mut result)?,
            '[' => class(&mut characters, folded, &mut result)?,
            '(' if characters.peek() == Some(&'?') => flags(&mut characters, &mut result)?,
            '*' | '+' | '?' => {
                if was_repeated {
                    return Err(format!("`{character}` repeats a repetition"));
                }
                result.push(character);
                lazy(&mut characters, &mut result);
                repeated = true;
            }
            '{' => match repetition(&mut characters)? {
                Some(_) if was_repeated => return Err("`{` repeats a repetition".to_owned()),
                Some(count) => {
                    result.push_str(&count);
                    lazy(&mut characters, &mut result);
                    repeated = true;
                }
                None => result.push_str("\\{"),
            },
            '}' => result.push_str("\\}"),
            ']' => result.push_str("\\]"),
            other => result.push(other),
        }
    }
    Ok(result)
}

fn lazy(characters: &mut Peekable<Chars>, into: &mut String) {
    if characters.next_if_eq(&'?').is_some() {
        into.push('?');
    }
}

/// Parses `{2}`, `{2,}` or `{2,3}` after its brace; any other brace is literal.
fn repetition(characters: &mut Peekable<Chars>) -> PatternResult<Option<String>> {
    let rest: String = characters.clone().take_while(|character| *character != '}').take(20).collect();
    let closed = characters.clone().nth(rest.chars().count()) == Some('}');
    let (least, most) = match rest.split_once(',') {
        Some((least, most)) => (least, Some(most)),
        None => (rest.as_str(), None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !closed || !digits(least) || most.is_some_and(|most| !most.is_empty() && !digits(most)) {
        return Ok(None);
    }
    for number in [Some(least), most].into_iter().flatten().filter(|number| !number.is_empty()) {
        if !number.parse::<u32>().is_ok_and(|number| number <= MAX_REPEAT) {
            return Err(format!("a repetition is at most {MAX_REPEAT}"));
        }
    }
    for _ in 0..=rest.chars().count() {
        characters.next();
    }
    Ok(Some(format!("{{{rest}}}")))
}

/// Parses `(?:`, `(?P<name>`, `(?<name>`, `(?flags)` and `(?flags:`.
fn flags(characters: &mut Peekable<Chars>, into: &mut String) -> PatternResult<()> {
    into.push('(');
    let mut group = String::new();
    while let Some(character) = characters.next_if(|character| !matches!(character, ':' | ')' | '<' | '>')) {
        group.push(character);
    }
    let known = match group.as_str() {
        "?P" | "?" if characters.peek() == Some(&'<') => true,
        flags => flags.chars().skip(1).all(|flag| matches!(flag, 'i' | 'm' | 's' | 'U' | '-')),
    };
    if !known {
        return Err(format!("`({group}` is not known in a regular expression"));
    }
    into.push_str(&group);
    Ok(())
}

fn has_flag(written: &str, flag: char) -> bool {
    written.split("(?").skip(1).any(|rest| rest.split([':', ')', '<']).next().unwrap_or_default().contains(flag))
}

/// Translates the character after a backslash.
fn escape(characters: &mut Peekable<Chars>, in_class: bool, folded: bool, into: &mut String) -> PatternResult<()> {
    let Some(character) = characters.next() else {
        return Err("a regular expression ends with `\\`".to_owned());
    };
    let perl = match character {
        'd' | 'D' => Some("0-9"),
        's' | 'S' => Some("\\t\\n\\x0C\\r "),
        'w' | 'W' => Some("0-9A-Za-z_"),
        _ => None,
    };
    match (character, perl) {
        ('w' | 'W', Some(_)) if folded && in_class => {
            return Err("`\\w` in brackets cannot be used with the flag `i`".to_owned());
        }
        (_, Some(set)) => {
            let not = if character.is_ascii_uppercase() { "^" } else { "" };
            match in_class {
                true if not.is_empty() => into.push_str(set),
                true => into.extend(["[^", set, "]"]),
                false => into.extend(["(?-i:[", not, set, "])"]),
            }
        }
        ('b' | 'B', None) if !in_class => {
            // Words are of ASCII; `\B` so restricted could fall into the middle of a character.
            if character == 'B' {
                return Err("`\\B` is not known in a regular expression here".to_owned());
            }
            into.push_str("(?-u:\\b)");
        }
        ('A' | 'z', None) if !in_class => into.extend(['\\', character]),
        ('a' | 'f' | 'n' | 'r' | 't' | 'v', None) => into.extend(['\\', character]),
        (other, None) if other.is_ascii_punctuation() => {
            into.push_str(&regex::escape(&other.to_string()));
        }
        (other, None) => return Err(format!("`\\{other}` is not known in a regular expression here")),
    }
    Ok(())
}

/// Translates the rest of `[…]`.
fn class(characters: &mut Peekable<Chars>, folded: bool, into: &mut String) -> PatternResult<()> {
    into.push('[');
    if characters.next_if_eq(&'^').is_some() {
        into.push('^');
    }
    let mut first = true;
    while let Some(character) = characters.next() {
        match character {
            ']' if !first => {
                into.push(']');
                return Ok(());
            }
            '\\' => escape(characters, true, folded, into)?,
            '[' if characters.peek() == Some(&':') => posix(characters, into)?,
            ']' | '[' | '&' | '~' | '^' => into.extend(['\\', character]),
            '-' if characters.peek() == Some(&'-') => {
                return Err("`--` in brackets is not known in a regular expression here".to_owned());
            }
            other => into.push(other),
        }
        first = false;
    }
    Err("a `[` is not closed in a regular expression".to_owned())
}

fn posix(characters: &mut Peekable<Chars>, into: &mut String) -> PatternResult<()> {
    let mut name = String::from("[");
    for character in characters.by_ref().take(12) {
        name.push(character);
        if name.ends_with(":]") {
            into.push_str(&name);
            return Ok(());
        }
    }
    Err(format!("`{name}` is not closed in a regular expression"))
}
