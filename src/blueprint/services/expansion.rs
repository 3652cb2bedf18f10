//! Escapes dollar signs in `env`, `command` and `args`, which Kubernetes expands.
//!
//! Before a container starts, `$(NAME)` becomes the value of a variable and `$$` becomes `$`
//! (`k8s.io/kubernetes/third_party/forked/golang/expansion`). The values of a cluster file are literal.

/// Returns the text that arrives in the container as `text`.
///
/// A dollar sign that Kubernetes does not expand is not escaped, so values without a reference stay as they were
/// written.
pub(super) fn literally(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, run) = rest.split_at(at);
        let after = run.trim_start_matches('$');
        let dollars = run.len() - after.len();
        let is_reference = after.strip_prefix('(').is_some_and(|name| name.contains(')'));
        escaped.push_str(before);
        let written = if dollars > 1 || is_reference { 2 * dollars } else { dollars };
        escaped.extend(std::iter::repeat_n('$', written));
        rest = after;
    }
    escaped.push_str(rest);
    escaped
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::literally;

    /// Expands a text as Kubernetes does: one pass from the left, a reference to nothing stays as it is.
    fn expanded(text: &str, variables: &BTreeMap<&str, &str>) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(after) = after.strip_prefix('$') {
                out.push('$');
                rest = after;
            } else if let Some((name, after)) = after.strip_prefix('(').and_then(|name| name.split_once(')')) {
                match variables.get(name) {
                    Some(value) => out.push_str(value),
                    None => out.extend(["$(", name, ")"]),
                }
                rest = after;
            } else {
                out.push('$');
                rest = after;
            }
        }
        out + rest
    }

    fn variables() -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([("X", "expanded"), ("", "nameless"), ("a$", "odd"), ("(", "open")])
    }

    #[test]
    fn the_model_expands_as_kubernetes_does() {
        // From the table of Kubernetes' own test, `expand_test.go`.
        let known = BTreeMap::from([("VAR_A", "A"), ("VAR_B", "B"), ("VAR_EMPTY", "")]);
        for (text, wanted) in [
            ("$(VAR_A)", "A"),
            ("___$(VAR_B)___", "___B___"),
            ("$(VAR_A)_$(VAR_B)", "A_B"),
            ("f000-$$VAR_A", "f000-$VAR_A"),
            ("foo\\$(VAR_A)", "foo\\A"),
            ("foo\\\\$(VAR_EMPTY)", "foo\\\\"),
            ("$$$$$$(VAR_A)", "$$$(VAR_A)"),
            ("$$$$$$$(VAR_A)", "$$$A"),
            ("$VAR_A)", "$VAR_A)"),
            ("${VAR_A}", "${VAR_A}"),
            ("$(VAR_A", "$(VAR_A"),
            ("$$(VAR_A)", "$(VAR_A)"),
            ("$", "$"),
            ("foo$", "foo$"),
            ("foo$$", "foo$"),
            ("$(NOBODY)", "$(NOBODY)"),
            ("$?_boo_$!", "$?_boo_$!"),
        ] {
            assert_eq!(expanded(text, &known), wanted, "{text}");
        }
    }

    #[test]
    fn only_what_would_change_is_escaped() {
        for (written, sent) in [
            ("plain", "plain"),
            ("pa$word", "pa$word"),
            ("$(X)", "$$(X)"),
            ("$$", "$$$$"),
            ("a$", "a$"),
            ("$(X", "$(X"),
            ("$(date +%s)", "$$(date +%s)"),
            ("$$(X)", "$$$$(X)"),
            ("${X}", "${X}"),
            ("awk '{print $1}'", "awk '{print $1}'"),
        ] {
            assert_eq!(literally(written), sent);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_container_gets_what_was_written(text in "[$()Xa é\\n]{0,24}") {
            prop_assert_eq!(expanded(&literally(&text), &variables()), text);
        }
    }
}
