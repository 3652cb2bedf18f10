//! Machine images: the format of their ids.

use thiserror::Error;

use super::cluster::ImageId;

/// Error of a text that is not the id of a machine image.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Another format, a name for example.
    #[error("an image's id is `ami-` and 8 or 17 characters from 0 to 9 and a to f")]
    Shape,
}

/// Number of characters of an id after `ami-`: today's ids, and those from before 2016.
const LENGTHS: [usize; 2] = [17, 8];

impl ImageId {
    /// Parses an id: `ami-0123456789abcdef0`. Does not check that the region has the image.
    pub fn parse(text: &str) -> Result<Self, ImageError> {
        let is_hexadecimal = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        match text.strip_prefix("ami-") {
            Some(rest) if LENGTHS.contains(&rest.len()) && is_hexadecimal(rest) => Ok(Self(text.to_owned())),
            _ => Err(ImageError::Shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        for good in ["ami-0123456789abcdef0", "ami-12345678"] {
            assert!(ImageId::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", "ami-", "al2023", "ami-0123456789ABCDEF0", "ami-0123456789abcdeg0", "ami-012345678", "i-12345678"]
        {
            assert_eq!(ImageId::parse(bad), Err(ImageError::Shape), "{bad}");
        }
    }
}
