//! Values that flags and answers have in common.

use crate::spec::{ClusterDraft, NODE_GROUP, Scale};

/// Parses a number of nodes: `3`, or `3-9`.
pub(super) fn scale(text: &str) -> Result<Scale, String> {
    let wrong = |_| format!("`{text}` is not a number of nodes; examples: `3`, `3-9`");
    let number = |text: &str| text.trim().parse().map_err(wrong);
    match text.split_once('-') {
        Some((min, max)) => match (number(min)?, number(max)?) {
            (min, max) if min > max => {
                Err(format!("the range {min}-{max} begins with its larger number: write {max}-{min}"))
            }
            (min, max) => Ok(Scale::Range { min, max }),
        },
        None => Ok(Scale::Count(number(text)?)),
    }
}

/// Parses a tag: `team=chat`.
pub(super) fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` has no value; example: `team=chat`"))?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Parses a list with commas.
pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Sets the number of nodes.
pub(super) fn set_scale(draft: &mut ClusterDraft, scale: Scale) {
    for number in ["count", "min", "max"] {
        draft.remove(&["nodes", NODE_GROUP, number]);
    }
    match scale {
        Scale::Count(count) => draft.set(&["nodes", NODE_GROUP, "count"], count, "--nodes"),
        Scale::Range { min, max } => {
            draft.set(&["nodes", NODE_GROUP, "min"], min, "--nodes");
            draft.set(&["nodes", NODE_GROUP, "max"], max, "--nodes");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_nodes_is_fixed_or_a_range() {
        assert_eq!(scale("3"), Ok(Scale::Count(3)));
        assert_eq!(scale("3-9"), Ok(Scale::Range { min: 3, max: 9 }));
        for wrong in ["", "three", "-3", "3-", "3-9-12", "3..9"] {
            assert!(scale(wrong).is_err(), "{wrong}");
        }
        assert!(scale("9-3").is_err_and(|error| error.contains("write 3-9")));
    }

    #[test]
    fn a_list_has_commas() {
        assert_eq!(list(" a, b,,c ,"), ["a", "b", "c"]);
    }
}
