//! Code that the IAM kinds share: addresses in paths, policy documents, tags.

use aws_sdk_iam::types::Tag;

use super::AwsProvider;
use super::failure::incomplete;
use crate::engine::Failure;
use crate::resource::Tags;

/// The service's name, for failures and limits.
pub(super) const IAM: &str = "iam";

/// Returns the beginning of the paths of all objects of a kind: IAM lists by path, not by tag.
pub(super) fn path_prefix(aws: &AwsProvider, kind: &str) -> String {
    format!("/quorate/{}/{kind}/", aws.scope.cluster)
}

/// Returns the name of the object that a path holds.
pub(super) fn name_in<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix)?.strip_suffix('/').filter(|name| !name.is_empty() && !name.contains('/'))
}

/// Converts tags to IAM's form.
pub(super) fn to_iam(tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(|error| incomplete(&error))
}

/// Converts tags from IAM's form.
pub(super) fn from_iam(tags: &[Tag]) -> Tags {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

/// Decodes a policy document as IAM returns it: percent-encoded (RFC 3986, so `+` stands for itself).
pub(super) fn document(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let byte = (first == b'%').then(|| after.get(..2).and_then(hexadecimal)).flatten();
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_decoded() {
        assert_eq!(document("%7B%22a%22%3A%20%22b%2Bc+d%22%7D"), r#"{"a": "b+c+d"}"#);
        assert_eq!(document("%C3%BC"), "ü");
    }

    #[test]
    fn text_that_only_resembles_an_encoding_stays() {
        for odd in ["100%", "%zz", "%+1", "%", "%%", "%2", "ü%ü", "%é"] {
            assert_eq!(document(odd), odd);
        }
        assert_eq!(document("%%41"), "%A");
    }

    #[test]
    fn a_path_holds_exactly_one_name() {
        let prefix = "/quorate/c.example.com/role/";
        assert_eq!(name_in("/quorate/c.example.com/role/masters/", prefix), Some("masters"));
        for other in ["/quorate/c.example.com/role/", "/quorate/c.example.com/role/a/b/", "/else/"] {
            assert_eq!(name_in(other, prefix), None, "{other}");
        }
    }
}
