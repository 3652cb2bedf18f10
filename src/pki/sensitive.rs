//! Text that nobody may see by accident.

use std::fmt;

/// A private key, a token, or text that holds one.
///
/// It has no `Display` and no `Serialize`, and its `Debug` shows how long it is. Who needs the content says so:
/// [`Sensitive::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive(String);

impl Sensitive {
    /// Covers a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Covers what was read from a store; nothing if it is no text.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        String::from_utf8(bytes).ok().map(Self)
    }

    /// The text. Never for a message, a log or a record.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sensitive({} bytes)", self.0.len())
    }
}
