//! Limits of names and sizes in Kubernetes.
//!
//! Sources: "Object Names and IDs", "Labels and Selectors", "Annotations" and the API server's validation
//! (`k8s.io/apimachinery/pkg/util/validation`, `pkg/apis/core/validation`).

use super::LimitViolation;

/// The Service through which pods reach the API: its namespace and name.
pub const API_SERVICE: (&str, &str) = ("default", "kubernetes");
/// Maximum number of bytes of an argument or of `NAME=value`, with the null character at its end (Linux `MAX_ARG_STRLEN`).
pub const LONGEST_ARGUMENT: usize = 128 * 1024;

/// Returns `true` if a text can be the name of an environment variable.
pub fn is_variable(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let inner = |c: char| first(c) || c.is_ascii_digit() || c == '.' || c == '-';
    text.starts_with(first) && text.chars().all(inner)
}

/// Checks a text that is passed to a program, after this number of bytes.
///
/// # Errors
/// Returns the reason why the text is invalid.
pub fn check_argument(text: &str, before: usize) -> Result<(), LimitViolation> {
    if text.contains('\0') {
        return Err(LimitViolation::Character('\0'));
    }
    let found = text.len() + before + 1;
    if found > LONGEST_ARGUMENT {
        return Err(LimitViolation::Length { found, least: 0, most: LONGEST_ARGUMENT });
    }
    Ok(())
}

/// Maximum number of characters of a DNS label, of a label's value, and of the part of a key after the slash.
pub const LONGEST_LABEL: usize = 63;
/// Maximum number of characters of a DNS name.
pub const LONGEST_SUBDOMAIN: usize = 253;
/// Maximum number of bytes of all annotations of an object, keys and values.
pub const ANNOTATIONS: usize = 256 * 1024;
/// Maximum number of bytes of the data of a `ConfigMap` or a `Secret`.
pub const DATA: usize = 1024 * 1024;

/// Returns `true` if a text is a DNS label: lower-case letters, digits and hyphens.
pub fn is_label(text: &str) -> bool {
    let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=LONGEST_LABEL).contains(&text.len())
        && text.starts_with(end)
        && text.ends_with(end)
        && text.chars().all(|c| end(c) || c == '-')
}

/// Returns `true` if a text is a DNS name: labels with dots between them.
pub fn is_subdomain(text: &str) -> bool {
    text.len() <= LONGEST_SUBDOMAIN && text.split('.').all(is_part)
}

/// Returns `true` if a text is a part of a DNS name, whose length Kubernetes does not limit by itself.
fn is_part(text: &str) -> bool {
    let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(end) && text.ends_with(end) && text.chars().all(|c| end(c) || c == '-')
}

/// Returns `true` if a text can be the name of an object of this kind and API group.
pub fn is_name(group: &str, kind: &str, text: &str) -> bool {
    match (group, kind) {
        ("", "Namespace" | "Service") => is_label(text),
        // Names of roles and bindings are path segments without other restrictions.
        ("rbac.authorization.k8s.io", _) => !matches!(text, "" | "." | "..") && !text.contains(['/', '%']),
        _ => is_subdomain(text),
    }
}

/// Returns `true` if a text can be the key of a label or an annotation: a name, optionally after a DNS name and a slash.
pub fn is_key(text: &str) -> bool {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    prefix.is_none_or(is_subdomain) && !name.is_empty() && is_value(name)
}

/// Returns `true` if a text can be the value of a label.
pub fn is_value(text: &str) -> bool {
    let end = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| end(c) || "-_.".contains(c);
    text.is_empty()
        || (text.len() <= LONGEST_LABEL && text.starts_with(end) && text.ends_with(end) && text.chars().all(inner))
}

/// Returns `true` if a text can be a key of a `ConfigMap` or a `Secret`.
pub fn is_data_key(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=LONGEST_SUBDOMAIN).contains(&text.len()) && text.chars().all(allowed) && text != "." && !text.starts_with("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_at_their_edges() {
        assert!(is_label(&"a".repeat(63)) && !is_label(&"a".repeat(64)) && !is_label("") && !is_label("a.b"));
        assert!(is_label("0-a") && !is_label("-a") && !is_label("a-") && !is_label("A"));
        assert!(is_subdomain("a.b-c.0") && !is_subdomain("a..b") && !is_subdomain("a_b") && !is_subdomain(""));
        assert!(is_subdomain(&"a".repeat(253)) && !is_subdomain(&"a".repeat(254)));
        assert!(is_name("", "ConfigMap", "a.b") && !is_name("", "Service", "a.b") && !is_name("", "Namespace", "a.b"));
        assert!(is_name("rbac.authorization.k8s.io", "ClusterRole", "system:a:B_c"));
        assert!(!is_name("rbac.authorization.k8s.io", "Role", "a/b") && !is_name("apps", "Deployment", "a:b"));
    }

    #[test]
    fn labels_and_keys_of_data() {
        for good in ["a", "a/b", "example.com/A_b.c-d", &format!("a/{}", "b".repeat(63))] {
            assert!(is_key(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a/b/c", "A/b", "-a", &"b".repeat(64)] {
            assert!(!is_key(bad), "{bad}");
        }
        assert!(is_value("") && is_value("A.b_c-1") && !is_value("a b") && !is_value("-a") && !is_value("a:b"));
        assert!(is_data_key("a.b_C-d") && is_data_key(".a") && !is_data_key("..a") && !is_data_key("a/b"));
    }

    #[test]
    fn arguments_end_where_linux_ends_them() {
        assert_eq!(check_argument(&"a".repeat(128 * 1024 - 1), 0), Ok(()));
        assert!(check_argument(&"a".repeat(128 * 1024), 0).is_err());
        assert!(check_argument(&"a".repeat(128 * 1024 - 1), 2).is_err(), "`A=` comes before it");
        assert_eq!(check_argument("a\0", 0), Err(LimitViolation::Character('\0')));
    }
}
