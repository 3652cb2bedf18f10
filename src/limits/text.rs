//! What a service takes for an attribute of an object.

use super::Breach;

/// A limit of an attribute.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The attribute, and below it the items of lists and maps, each as `*`.
    pub path: &'static [&'static str],
    /// What it may be.
    pub takes: Takes,
    /// The code with which the service refuses anything else.
    pub code: &'static str,
}

/// What an attribute may be.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// A text.
    Text(Text),
    /// A number from the first to the second.
    Number(i64, i64),
    /// At most so many items.
    Count(usize),
    /// Texts that have at most so many characters together, white space aside.
    Together(usize),
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// What a text may be.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// The fewest characters.
    pub least: usize,
    /// The most characters.
    pub most: usize,
    /// Whether a character can stand in it.
    pub allowed: fn(char) -> bool,
    /// What else is wrong with it, in a few words.
    pub form: fn(&str) -> Option<&'static str>,
}

impl Text {
    /// A text of these lengths and characters.
    pub const fn of(least: usize, most: usize, allowed: fn(char) -> bool) -> Self {
        Self { least, most, allowed, form: nothing }
    }

    /// The same, with a look at the whole of it.
    #[must_use]
    pub const fn and(self, form: fn(&str) -> Option<&'static str>) -> Self {
        Self { form, ..self }
    }

    /// Checks a text.
    ///
    /// # Errors
    /// What about it is wrong.
    pub fn check(&self, text: &str) -> Result<(), Breach> {
        let found = text.chars().count();
        if !(self.least..=self.most).contains(&found) {
            return Err(Breach::Length { found, least: self.least, most: self.most });
        }
        if let Some(other) = text.chars().find(|c| !(self.allowed)(*c)) {
            return Err(Breach::Character(other));
        }
        (self.form)(text).map_or(Ok(()), |why| Err(Breach::Form(why)))
    }
}

fn nothing(_: &str) -> Option<&'static str> {
    None
}

/// Returns how many characters IAM counts in a policy document: it leaves white space out.
pub fn policy_length(document: &str) -> usize {
    document.chars().filter(|c| !c.is_whitespace()).count()
}
