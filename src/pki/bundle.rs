//! PEM texts with several items, one after the other.

use pem::{EncodeConfig, LineEnding};

use super::{PkiError, Sensitive};

/// Returns the certificate in a text, PEM.
pub(super) fn certificate(text: &str) -> Result<String, PkiError> {
    block(text, "CERTIFICATE").ok_or(PkiError::Missing("certificate"))
}

/// Returns the private key in a text, PEM.
pub(super) fn key(text: &str) -> Result<String, PkiError> {
    block(text, "PRIVATE KEY").ok_or(PkiError::Missing("private key"))
}

/// Joins a private key and its public part in one text.
pub(super) fn of(key: &rcgen::KeyPair, public: &str) -> Sensitive {
    let key = key.serialize_pem();
    Sensitive::new(format!("{}\n{}\n", key.trim_end(), public.trim_end()))
}

/// Returns the first block with this label.
fn block(text: &str, label: &str) -> Option<String> {
    let blocks = pem::parse_many(text).ok()?;
    let block = blocks.iter().find(|block| block.tag() == label)?;
    Some(pem::encode_config(block, EncodeConfig::new().set_line_ending(LineEnding::LF)))
}
