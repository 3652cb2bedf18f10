//! State locations: `s3://bucket/prefix` or `file:./dir`.

use core::net::Ipv4Addr;
use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use super::cluster::StateLocation;
use crate::limits::aws::{BUCKET_BEGINNINGS, BUCKET_ENDS};

/// Error of a text that is not a state location.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocationError {
    /// Neither `s3://` nor `file:`.
    #[error("it starts with neither `s3://` nor `file:`")]
    Scheme,
    /// `file:` with nothing after it, or with a NUL.
    #[error("the directory is missing")]
    Directory,
    /// A bucket name that S3 refuses.
    #[error("{0}")]
    Bucket(#[from] BucketError),
    /// A key prefix that would give unusable keys.
    #[error("the prefix has an empty part or a character that is hard to use in a key")]
    Prefix,
}

/// Error of a text that is not the name of an S3 bucket.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BucketError {
    /// Not 3 to 63 characters.
    #[error("a bucket name has 3 to 63 characters")]
    Length,
    /// A character that is not `a-z`, `0-9`, `.` or `-`.
    #[error("{0:?} cannot stand in a bucket name")]
    Character(char),
    /// A dot or hyphen at an end, or two dots in a row.
    #[error("a bucket name starts and ends with a letter or digit, and has no two dots in a row")]
    Ends,
    /// It has the format of an IP address.
    #[error("a bucket name cannot have the format of an IP address")]
    Address,
    /// A prefix or suffix that AWS reserves.
    #[error("`{0}` is reserved by AWS in bucket names")]
    Reserved(&'static str),
}

impl StateLocation {
    /// Parses `s3://bucket`, `s3://bucket/prefix` or `file:./dir`.
    pub fn parse(text: &str) -> Result<Self, LocationError> {
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            check_bucket(bucket)?;
            let prefix = prefix.trim_end_matches('/');
            check_prefix(prefix)?;
            return Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() });
        }
        let directory = text.strip_prefix("file:").ok_or(LocationError::Scheme)?;
        let directory = directory.strip_prefix("//").unwrap_or(directory);
        if directory.trim().is_empty() || directory.contains('\0') {
            return Err(LocationError::Directory);
        }
        Ok(Self::Directory(PathBuf::from(directory)))
    }
}

impl fmt::Display for StateLocation {
    /// Writes it as the cluster file does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Directory(path) => write!(f, "file:{}", path.display()),
        }
    }
}

fn check_bucket(name: &str) -> Result<(), BucketError> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
    let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if let Some(other) = name.chars().find(|c| !inner(*c)) {
        return Err(BucketError::Character(other));
    }
    if !(3..=63).contains(&name.len()) {
        return Err(BucketError::Length);
    }
    if !name.starts_with(end) || !name.ends_with(end) || name.contains("..") {
        return Err(BucketError::Ends);
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return Err(BucketError::Address);
    }
    let reserved = BUCKET_BEGINNINGS.into_iter().find(|p| name.starts_with(p));
    let reserved = reserved.or_else(|| BUCKET_ENDS.into_iter().find(|s| name.ends_with(s)));
    reserved.map_or(Ok(()), |part| Err(BucketError::Reserved(part)))
}

fn check_prefix(prefix: &str) -> Result<(), LocationError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let parts_named =
        prefix.is_empty() || prefix.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if prefix.chars().all(allowed) && parts_named && prefix.len() <= 512 { Ok(()) } else { Err(LocationError::Prefix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations() {
        let s3 =
            |bucket: &str, prefix: &str| Ok(StateLocation::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() });
        assert_eq!(StateLocation::parse("s3://state.chat"), s3("state.chat", ""));
        assert_eq!(StateLocation::parse("s3://bucket/a/b/"), s3("bucket", "a/b"));
        assert_eq!(StateLocation::parse("file:./x"), Ok(StateLocation::Directory("./x".into())));
        for text in ["s3://state.chat", "s3://bucket/a/b", "file:./x", "file:/var/x"] {
            assert_eq!(StateLocation::parse(text).map(|state| state.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(StateLocation::parse("file:"), Err(LocationError::Directory));
        assert_eq!(StateLocation::parse("gs://x"), Err(LocationError::Scheme));
        assert_eq!(StateLocation::parse("s3://bucket//a"), Err(LocationError::Prefix));
        assert_eq!(StateLocation::parse("s3://10.0.0.1"), Err(BucketError::Address.into()));
        assert_eq!(StateLocation::parse("s3://ab"), Err(BucketError::Length.into()));
        assert_eq!(StateLocation::parse("s3://a_b"), Err(BucketError::Character('_').into()));
        assert_eq!(StateLocation::parse("s3://a..b"), Err(BucketError::Ends.into()));
    }
}
