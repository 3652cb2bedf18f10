//! The permissions that the caller lacks for a plan.

use std::collections::BTreeMap;

use crate::view::line::{StyledLine, TextRole, labelled};
use crate::view::{TextStyle, value};
use crate::words;

use super::PlanDocument;

/// Maximum number of objects that are named for the same missing permissions.
const SHOWN: usize = 3;

/// Returns the result of the check of permissions, if there was one.
pub(super) fn lines(document: &PlanDocument, style: TextStyle) -> Vec<StyledLine> {
    let Some(permissions) = &document.permissions else { return Vec::new() };
    let principal = value::safe(&permissions.principal);
    if permissions.missing.is_empty() {
        let checked = words::count(permissions.checked, "action");
        let text = format!("{principal} is allowed all {checked} of this plan, as IAM's policy simulator answers.");
        return labelled("Permissions: ", TextRole::Strong, &text, style);
    }
    let mut alike: BTreeMap<(bool, Vec<String>), Vec<String>> = BTreeMap::new();
    for missing in &permissions.missing {
        let objects = missing.objects.iter().map(|address| value::safe(&address.to_string())).collect();
        alike.entry((missing.denied, objects)).or_default().push(value::safe(&missing.action));
    }
    let sentence = |((denied, objects), actions): (&(bool, Vec<String>), &Vec<String>)| {
        let of = if objects.is_empty() { "every run".to_owned() } else { words::first(objects, SHOWN) };
        let refusal = if *denied { "denied by a policy" } else { "not allowed" };
        format!("{refusal}: {}, for {of}.", words::list(actions))
    };
    let texts: Vec<String> = alike.iter().map(sentence).collect();
    let text =
        format!("{principal} lacks {}.\n{}", words::count(permissions.missing.len(), "permission"), texts.join("\n"));
    labelled("Permissions: ", TextRole::Danger, &text, style)
}
