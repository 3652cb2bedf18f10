//! Instance sizes: the meaning of their letters.

use thiserror::Error;

use super::cluster::{Architecture, InstanceSize};

/// Error of a text that is not an instance size.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SizeError {
    /// No dot between the family and the size.
    #[error("an instance size is a family and a size with a dot between them")]
    NoDot,
    /// A family that does not start with letters and a generation.
    #[error("`{0}` is not an instance family")]
    Family(String),
    /// A size that AWS does not use.
    #[error("`{0}` is not a size")]
    Size(String),
}

/// The sizes with a name; the others are multiples (`2xlarge`) and metal.
pub(super) const SIZES: [&str; 7] = ["nano", "micro", "small", "medium", "large", "xlarge", "metal"];

impl InstanceSize {
    /// Parses a family and a size: `t3.medium`, `m7gd.2xlarge`, `u7i-12tb.224xlarge`. Does not check that
    /// the region offers it.
    pub fn parse(text: &str) -> Result<Self, SizeError> {
        let (family, size) = text.split_once('.').ok_or(SizeError::NoDot)?;
        if !is_family(family) {
            return Err(SizeError::Family(family.to_owned()));
        }
        if !is_size(size) {
            return Err(SizeError::Size(size.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the family, for example `t3`.
    pub fn family(&self) -> &str {
        self.0.split_once('.').map_or(self.0.as_str(), |(family, _)| family)
    }

    /// Returns the size without the family, for example `medium`.
    pub fn size(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, size)| size)
    }

    /// Returns the CPU architecture: a `g` after the generation is Graviton (`t4g`, `m7gd`, `im4gn`), and
    /// so is `a1`.
    pub fn architecture(&self) -> Architecture {
        let family = self.family();
        let graviton = family == "a1" || attributes(family).contains('g');
        if graviton { Architecture::Arm64 } else { Architecture::X86_64 }
    }

    /// Returns `true` if the size uses CPU credits (the `t` families).
    pub fn burstable(&self) -> bool {
        let mut letters = self.0.chars();
        letters.next() == Some('t') && letters.next().is_some_and(|c| c.is_ascii_digit())
    }

    /// Returns `true` if the size has less than 2 GiB of memory, as far as its name shows.
    pub fn tiny(&self) -> bool {
        matches!(self.size(), "nano" | "micro")
    }
}

/// Returns the letters after the generation: `gd` in `m7gd`, nothing in `g5`.
fn attributes(family: &str) -> &str {
    let after = family.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let end = after.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(after.len());
    &after[..end]
}

fn is_family(family: &str) -> bool {
    // `u-6tb1` is the one family whose letters are followed by a hyphen.
    let plain = family.strip_prefix("u-").unwrap_or(family);
    let letters = plain.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let has_letters = letters.len() < family.len();
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    has_letters
        && family.len() <= 16
        && letters.starts_with(|c: char| c.is_ascii_digit())
        && family.chars().all(known)
        && !family.ends_with('-')
}

fn is_size(size: &str) -> bool {
    let is_number = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    SIZES.contains(&size)
        || size.strip_suffix("xlarge").is_some_and(is_number)
        || size.strip_prefix("metal-").and_then(|rest| rest.strip_suffix("xl")).is_some_and(is_number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn architecture_is_in_the_letters() {
        let arm = ["t4g", "m6g", "m7gd", "c7gn", "x2gd", "im4gn", "is4gen", "g5g", "a1", "hpc7g", "r8g"];
        let x86 = ["t3", "t3a", "m7i-flex", "g4dn", "g5", "gr6", "p5", "u-6tb1", "u7i-12tb", "c5n", "i3en", "x2iedn"];
        for family in arm {
            let size = InstanceSize::parse(&format!("{family}.large")).unwrap();
            assert_eq!(size.architecture(), Architecture::Arm64, "{family}");
        }
        for family in x86 {
            let size = InstanceSize::parse(&format!("{family}.large")).unwrap();
            assert_eq!(size.architecture(), Architecture::X86_64, "{family}");
        }
    }

    #[test]
    fn shapes() {
        for good in ["t3.medium", "m7i-flex.2xlarge", "u7i-12tb.224xlarge", "c7i.metal-24xl", "mac2-m2.metal"] {
            assert!(InstanceSize::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", "t3", "medium.t3", "t3.", ".medium", "t3.huge", "T3.medium", "t3.xxlarge", "t3-.large", "t3.medium "]
        {
            assert!(InstanceSize::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn credits() {
        assert!(InstanceSize::parse("t4g.small").unwrap().burstable());
        assert!(!InstanceSize::parse("trn1.2xlarge").unwrap().burstable());
        assert!(InstanceSize::parse("t2.micro").unwrap().tiny());
    }
}
