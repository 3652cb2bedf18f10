//! The limits of an object's attributes.

use super::LimitViolation;

/// A limit of an attribute.
#[derive(Debug, Clone, Copy)]
pub struct AttributeLimit {
    /// The path of the attribute, in which the items of lists and maps are `*`.
    pub path: &'static [&'static str],
    /// The allowed values.
    pub takes: AllowedValue,
    /// The code with which the service refuses other values.
    pub code: &'static str,
}

impl AttributeLimit {
    /// A limit of the attribute with this path.
    pub const fn new(path: &'static [&'static str], takes: AllowedValue, code: &'static str) -> Self {
        Self { path, takes, code }
    }
}

/// The allowed values of an attribute.
#[derive(Debug, Clone, Copy)]
pub enum AllowedValue {
    /// A text with these limits.
    Text(TextLimit),
    /// A number from the first to the second.
    Number(i64, i64),
    /// A list or map with at most this number of items.
    Count(usize),
    /// Texts with at most this number of characters together, without white space.
    Together(usize),
    /// One of these values.
    OneOf(&'static [&'static str]),
}

/// The limits of a text.
#[derive(Debug, Clone, Copy)]
pub struct TextLimit {
    /// Minimum number of characters.
    pub least: usize,
    /// Maximum number of characters.
    pub most: usize,
    /// The test for a character that is allowed.
    pub allowed: fn(char) -> bool,
    /// Returns any other problem of the text, as a short text.
    pub form: fn(&str) -> Option<&'static str>,
}

impl TextLimit {
    /// Creates the limits of a text with these lengths and characters.
    pub const fn of(least: usize, most: usize, allowed: fn(char) -> bool) -> Self {
        Self { least, most, allowed, form: nothing }
    }

    /// Adds a check of the whole text.
    #[must_use]
    pub const fn and(self, form: fn(&str) -> Option<&'static str>) -> Self {
        Self { form, ..self }
    }

    /// Checks a text.
    ///
    /// # Errors
    /// Returns the reason why the text is invalid.
    pub fn check(&self, text: &str) -> Result<(), LimitViolation> {
        let found = text.chars().count();
        if !(self.least..=self.most).contains(&found) {
            return Err(LimitViolation::Length { found, least: self.least, most: self.most });
        }
        if let Some(other) = text.chars().find(|c| !(self.allowed)(*c)) {
            return Err(LimitViolation::Character(other));
        }
        (self.form)(text).map_or(Ok(()), |why| Err(LimitViolation::Form(why)))
    }
}

fn nothing(_: &str) -> Option<&'static str> {
    None
}

/// Returns the number of characters that IAM counts in a policy document: it ignores white space.
pub fn policy_length(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}
