//! Availability zones: texts with a fixed format.

use thiserror::Error;

use super::cluster::Zone;

/// Error of a text that is not an availability zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ZoneError {
    /// A region without a zone's letter.
    #[error("it is a region: the zone's letter is missing")]
    Region,
    /// A letter after a text that does not have the format of a region, or no format of a zone at all.
    #[error("a zone is a region and a letter")]
    Shape,
}

impl Zone {
    /// Parses a region and a letter: `us-east-1a`, `us-gov-west-1b`. Does not check that the zone
    /// exists.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        if is_region(text) {
            return Err(ZoneError::Region);
        }
        match text.char_indices().next_back() {
            Some((at, 'a'..='z')) if is_region(&text[..at]) => Ok(Self(text.to_owned())),
            _ => Err(ZoneError::Shape),
        }
    }
}

/// Returns `true` if a text has the format of a region: words of letters, then a number.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    let is_word = |word: &&str| word.len() >= 2 && word.bytes().all(|b| b.is_ascii_lowercase());
    (2..=4).contains(&words.len())
        && words.iter().all(is_word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones() {
        for good in ["us-east-1a", "eu-central-2c", "us-gov-west-1b", "ap-southeast-4a", "us-isob-east-1a"] {
            assert!(Zone::parse(good).is_ok(), "{good}");
        }
        assert_eq!(Zone::parse("us-east-1"), Err(ZoneError::Region));
        for bad in
            ["", "a", "us-east-1A", "us-east-1ab", "us-east-1-a", "useast1a", "us-east-1a ", "1-2-3a", "us-eäst-1a"]
        {
            assert_eq!(Zone::parse(bad), Err(ZoneError::Shape), "{bad}");
        }
    }
}
