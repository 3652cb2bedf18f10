//! Bootstrap tokens, with which a new node authenticates to the API server.

use super::{PkiError, Sensitive};

/// The characters of a token.
const CHARACTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// Number of characters of its id, which is not secret.
const NAME: usize = 6;
/// Number of characters of its secret part.
const SECRET: usize = 16;

/// Creates a token, `abcdef.0123456789abcdef`, on a line of its own.
pub(super) fn token() -> Result<Sensitive, PkiError> {
    Ok(Sensitive::new(format!("{}.{}\n", random(NAME)?, random(SECRET)?)))
}

/// Returns this number of random characters, uniformly distributed.
fn random(length: usize) -> Result<String, PkiError> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        // A byte has 256 values: those beyond the last multiple of 36 would favour the first characters.
        let fair = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < 256 - 256 % CHARACTERS.len());
        let left = length - text.len();
        text.extend(fair.take(left).map(|byte| char::from(CHARACTERS[byte % CHARACTERS.len()])));
    }
    Ok(text)
}
