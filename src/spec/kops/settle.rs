//! Removes the values of a draft that the rules of the cluster file refuse.

use std::collections::BTreeMap;

use super::super::draft::{ClusterDraft, DraftProblem, DraftValue};
use super::KopsConversion;

/// The most values that are removed: a draft has fewer.
const MOST: usize = 1000;

pub(super) fn settle(
    conversion: &mut KopsConversion,
    file_name: &str,
    origin: impl Fn(&str) -> String,
) -> Result<(), Vec<DraftProblem>> {
    for _ in 0..MOST {
        conversion.draft.complete(&origin);
        let Err(problems) = conversion.draft.write(file_name) else { return Ok(()) };
        let Some((problem, path)) =
            problems.iter().find_map(|problem| Some((problem, removable(conversion, problem)?)))
        else {
            return Err(problems);
        };
        let (path, text) = (path.clone(), format!("the rules of the cluster file refuse it: {}", problem.message));
        let origin = problem.origin.clone();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let removed = if let Some((entry, rest)) = lone_entry(&conversion.draft, &path, file_name) {
            conversion.draft.set(&path, rest, origin.as_str());
            format!("{entry}: {text}")
        } else {
            conversion.draft.remove(&path);
            text
        };
        conversion.differ(origin, removed);
    }
    Ok(())
}

/// Returns the path of the setting of a problem, if the file can do without it, or with a default.
fn removable(conversion: &KopsConversion, problem: &DraftProblem) -> Option<Vec<String>> {
    let path: Vec<&str> = problem.path.iter().map(String::as_str).collect();
    let setting = conversion.draft.get(&path)?;
    let is_needed = matches!(path.as_slice(), ["name" | "zones" | "state"]);
    let is_of_kops = ["spec.", "metadata.", "InstanceGroup/"].iter().any(|start| setting.origin.starts_with(start));
    (!is_needed && is_of_kops).then(|| problem.path.clone())
}

/// Returns an entry of a list or table that is refused even without the others, and the others.
fn lone_entry(draft: &ClusterDraft, path: &[&str], file_name: &str) -> Option<(String, DraftValue)> {
    let refused = |value: DraftValue| {
        let mut alone = draft.clone();
        alone.set(path, value, "alone");
        alone.write(file_name).is_err_and(|problems| problems.iter().any(|problem| problem.origin == "alone"))
    };
    match &draft.get(path)?.value {
        DraftValue::Texts(texts) if texts.len() > 1 => {
            let wrong = texts.iter().find(|text| refused(vec![(*text).clone()].into()))?;
            Some((wrong.clone(), texts.iter().filter(|text| *text != wrong).cloned().collect::<Vec<_>>().into()))
        }
        DraftValue::Table(table) if table.len() > 1 => {
            let (wrong, _) = table
                .iter()
                .find(|(key, value)| refused(BTreeMap::from([((*key).clone(), (*value).clone())]).into()))?;
            let mut rest = table.clone();
            rest.remove(wrong);
            Some((wrong.clone(), rest.into()))
        }
        _ => None,
    }
}
