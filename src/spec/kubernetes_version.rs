//! Versions of Kubernetes: the minor versions that this release builds, their newest known patch, and their end of life.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A Kubernetes minor version, for example `1.36`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KubernetesVersion {
    /// Always 1 so far.
    pub major: u32,
    /// The minor version.
    pub minor: u32,
}

/// A Kubernetes release with its patch version, for example `1.36.4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KubernetesRelease {
    /// The minor version that it belongs to.
    pub version: KubernetesVersion,
    /// The patch version.
    pub patch: u32,
}

/// Error of a text that is not a version with three numbers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a version such as 1.36.4")]
pub struct KubernetesReleaseError(String);

/// The releases of one minor version.
struct ReleaseSeries {
    minor: u32,
    /// The newest patch version when this release of Quorate was made.
    patch: u32,
    /// The end of its support.
    end_of_life: Date,
}

/// The minor versions that this release builds, oldest first. Source: <https://kubernetes.io/releases/>, which gives the
/// newest patches of 2026-09-15 at the latest. `quorate upgrade` asks the package repository for newer ones.
const SERIES: [ReleaseSeries; 4] = [
    ReleaseSeries { minor: 34, patch: 10, end_of_life: date(2026, 10, 27) },
    ReleaseSeries { minor: 35, patch: 9, end_of_life: date(2027, 2, 28) },
    ReleaseSeries { minor: 36, patch: 4, end_of_life: date(2027, 6, 28) },
    ReleaseSeries { minor: 37, patch: 1, end_of_life: date(2027, 10, 28) },
];

impl KubernetesVersion {
    /// The versions that this release builds, oldest first.
    pub const SUPPORTED: [Self; SERIES.len()] = {
        let mut versions = [Self { major: 1, minor: 0 }; SERIES.len()];
        let mut at = 0;
        while at < SERIES.len() {
            versions[at].minor = SERIES[at].minor;
            at += 1;
        }
        versions
    };

    /// The version of a new cluster whose file names none: the newest one whose programs were tested on machines.
    pub const DEFAULT: Self = Self { major: 1, minor: 36 };

    /// Returns the next minor version.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { major: self.major, minor: self.minor + 1 }
    }

    /// Parses a supported version, for example `1.36`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::SUPPORTED.into_iter().find(|version| version.to_string() == text)
    }

    /// Returns the newest release that this release of Quorate knows; the first one of an unknown version.
    #[must_use]
    pub fn newest_release(self) -> KubernetesRelease {
        KubernetesRelease { version: self, patch: self.series().map_or(0, |series| series.patch) }
    }

    /// Returns the end of its support; `None` for a version that this release does not build.
    pub fn end_of_life(self) -> Option<Date> {
        self.series().map(|series| series.end_of_life)
    }

    fn series(self) -> Option<&'static ReleaseSeries> {
        SERIES.iter().find(|series| self.major == 1 && series.minor == self.minor)
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for KubernetesRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.patch)
    }
}

impl FromStr for KubernetesRelease {
    type Err = KubernetesReleaseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Option<Vec<u32>> = text.split('.').map(number).collect();
        match numbers.as_deref() {
            Some([major, minor, patch]) => {
                Ok(Self { version: KubernetesVersion { major: *major, minor: *minor }, patch: *patch })
            }
            _ => Err(KubernetesReleaseError(text.to_owned())),
        }
    }
}

fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl From<KubernetesRelease> for String {
    fn from(release: KubernetesRelease) -> Self {
        release.to_string()
    }
}

impl TryFrom<String> for KubernetesRelease {
    type Error = KubernetesReleaseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn versions() {
        assert_eq!(KubernetesVersion::parse("1.36"), Some(KubernetesVersion { major: 1, minor: 36 }));
        assert_eq!(KubernetesVersion::parse("1.12"), None);
        assert!(KubernetesVersion::SUPPORTED.is_sorted());
        assert!(KubernetesVersion::SUPPORTED.contains(&KubernetesVersion::DEFAULT));
        let ends: Vec<_> = KubernetesVersion::SUPPORTED.iter().map(|version| version.end_of_life().unwrap()).collect();
        assert!(ends.is_sorted(), "a newer version is supported longer");
        let documented = format!("The Kubernetes minor version. Default: {};", KubernetesVersion::DEFAULT);
        assert!(include_str!("file.rs").contains(&documented), "the reference names the default");
    }

    #[test]
    fn releases() {
        let release: KubernetesRelease = "1.36.4".parse().unwrap();
        assert_eq!((release.version.minor, release.patch), (36, 4));
        assert_eq!(release.to_string(), "1.36.4");
        assert!("1.36.10".parse::<KubernetesRelease>().unwrap() > release, "numbers, not texts, are compared");
        for wrong in
            ["", "1.36", "1.36.4.1", "v1.36.4", "1.36.x", "1.36.+4", "1.36.", "1.36.4-rc.1", "1.36.99999999999"]
        {
            assert!(wrong.parse::<KubernetesRelease>().is_err(), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&release).unwrap(), "\"1.36.4\"");
        assert_eq!(serde_json::from_str::<KubernetesRelease>("\"1.36.4\"").unwrap(), release);
    }
}
