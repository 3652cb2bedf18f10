//! Tokens that make creations idempotent.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::engine::{Address, IdempotencyToken};

/// Number of bytes of the hash that are used: clouds take up to 64 characters.
const BYTES: usize = 20;

/// Returns the token of one creation: the same if the same run creates the same object, in place of the same old one.
///
/// `generation` counts the tokens that the cloud has refused because they were used for something else.
pub(super) fn token(seed: &str, address: &Address, old: Option<&str>, generation: u32) -> IdempotencyToken {
    let mut hash = Sha256::new();
    for part in [seed, address.kind(), address.name(), old.unwrap_or_default()] {
        // The length keeps `ab` + `c` and `a` + `bc` apart.
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let mut token = hex::encode(&hash.finalize()[..BYTES]);
    if generation > 1 {
        // Writing to a string cannot fail.
        _ = write!(token, "-{generation}");
    }
    IdempotencyToken(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_same_for_the_same_creation_only() {
        let of = |seed: &str, name: &str, old: Option<&str>, generation: u32| {
            token(seed, &Address::new("part", name), old, generation)
        };
        let first = of("lineage-1", "a", None, 1);
        assert_eq!(first, of("lineage-1", "a", None, 1));
        let others = [
            of("lineage-2", "a", None, 1),
            of("lineage-1", "b", None, 1),
            of("lineage-1", "a", Some("part-1"), 1),
            of("lineage-1", "a", None, 2),
        ];
        assert!(!others.contains(&first));
        assert!(others.iter().all(|token| token.0.len() <= 64 && token.0.is_ascii()), "clouds take 64 characters");
    }
}
