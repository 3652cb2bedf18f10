//! PEM texts with several items, one after the other.

use super::{PkiError, Sensitive};

/// Returns the certificate in a text.
pub(super) fn certificate(text: &str) -> Result<&str, PkiError> {
    block(text, "CERTIFICATE").ok_or(PkiError::Missing("certificate"))
}

/// Returns the private key in a text.
pub(super) fn key(text: &str) -> Result<&str, PkiError> {
    block(text, "PRIVATE KEY").ok_or(PkiError::Missing("private key"))
}

/// Joins a private key and its public part in one text.
pub(super) fn of(key: &rcgen::KeyPair, public: &str) -> Sensitive {
    let key = key.serialize_pem();
    Sensitive::new(format!("{}\n{}\n", key.trim_end(), public.trim_end()))
}

/// Returns the first block with this label, from its first line to its last.
fn block<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let (first, last) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let begin = text.find(&first)?;
    let length = text[begin..].find(&last)? + last.len();
    Some(&text[begin..begin + length])
}
