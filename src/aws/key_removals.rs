//! Removals of keys that are wanted at the same moment, made together: one list for each folder, one call for 1000 versions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_s3::types::ObjectIdentifier;
use futures_util::future::try_join_all;
use tokio::sync::oneshot;

use super::AwsProvider;
use super::removal_queue::WantedRemoval;
use super::s3::{remove, versions};
use crate::engine::Failure;

/// Time in which removals gather: the steps of a plan that can start together do so at once.
const GATHERING: Duration = Duration::from_millis(20);

/// Removes every version of one key, together with others that are removed at the same moment.
pub(super) async fn remove_key(aws: &AwsProvider, bucket: &str, key: &str) -> Result<(), Failure> {
    loop {
        let (done, result) = oneshot::channel();
        if let Some(gathering) =
            aws.removals.add(WantedRemoval { bucket: bucket.to_owned(), key: key.to_owned(), done })
        {
            tokio::time::sleep(GATHERING).await;
            remove_all(aws, gathering.end()).await;
        }
        // Without a result, the task that gathered the removals was dropped.
        if let Ok(result) = result.await {
            return result;
        }
    }
}

async fn remove_all(aws: &AwsProvider, wanted: Vec<WantedRemoval>) {
    let mut buckets: BTreeMap<String, Vec<WantedRemoval>> = BTreeMap::new();
    for removal in wanted {
        buckets.entry(removal.bucket.clone()).or_default().push(removal);
    }
    for (bucket, removals) in buckets {
        let keys: Vec<String> = removals.iter().map(|removal| removal.key.clone()).collect();
        let result = remove_keys(aws, &bucket, &keys, &[]).await;
        for removal in removals {
            // Its task may have been dropped.
            let _ = removal.done.send(result.clone());
        }
    }
}

/// Removes every version of these keys, and of all keys below these prefixes.
pub(super) async fn remove_keys(
    aws: &AwsProvider,
    bucket: &str,
    keys: &[String],
    prefixes: &[String],
) -> Result<(), Failure> {
    let is_wanted = |version: &ObjectIdentifier| {
        keys.iter().any(|key| key == version.key()) || prefixes.iter().any(|prefix| version.key().starts_with(prefix))
    };
    let lists = lists(&aws.scope.prefix, keys, prefixes);
    let found = try_join_all(lists.iter().map(|prefix| versions(aws, bucket, prefix))).await?;
    let mut held: Vec<ObjectIdentifier> = found.into_iter().flatten().collect();
    held.retain(is_wanted);
    remove(aws, bucket, &held).await
}

/// Returns the prefixes to list so that every wanted key is listed once: one for each folder of the cluster. The folders that a
/// cluster has beside them may hold many more versions. If whole folders are wanted, one list of the cluster's directory has all.
fn lists(root: &str, keys: &[String], prefixes: &[String]) -> BTreeSet<String> {
    let folder = |key: &str| match key.strip_prefix(root).and_then(|rest| rest.split_once('/')) {
        Some((folder, _)) => format!("{root}{folder}/"),
        None => key.to_owned(),
    };
    let mut folders: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for key in keys.iter().chain(prefixes) {
        let group = if prefixes.is_empty() { folder(key) } else { root.to_owned() };
        folders.entry(group).or_default().push(key);
    }
    folders.into_values().map(|keys| common_prefix(&keys).to_owned()).collect()
}

/// Returns the longest beginning that all texts have.
fn common_prefix<'a>(texts: &[&'a str]) -> &'a str {
    let Some((first, rest)) = texts.split_first() else { return "" };
    let is_shared = |length: usize| {
        first.is_char_boundary(length)
            && rest.iter().all(|text| text.as_bytes().starts_with(&first.as_bytes()[..length]))
    };
    let length = (0..=first.len()).rev().find(|length| is_shared(*length)).unwrap_or(0);
    &first[..length]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(keys: &[&str], prefixes: &[&str]) -> Vec<String> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        lists("dir/c/", &owned(keys), &owned(prefixes)).into_iter().collect()
    }

    #[test]
    fn each_folder_is_listed_once_and_no_other() {
        assert_eq!(listed(&["dir/c/pki/ca.pem"], &[]), ["dir/c/pki/ca.pem"], "one key alone");
        let keys = ["dir/c/pki/ca.pem", "dir/c/bootstrap/1/a", "dir/c/pki/etcd.pem", "dir/c/bootstrap/2/b"];
        assert_eq!(listed(&keys, &[]), ["dir/c/bootstrap/", "dir/c/pki/"]);
        assert_eq!(listed(&["dir/c/state.json", "dir/c/state.lock"], &[]), ["dir/c/state.json", "dir/c/state.lock"]);
    }

    #[test]
    fn whole_folders_are_listed_together() {
        assert_eq!(listed(&["dir/c/pki/ca.pem"], &["dir/c/nodes/", "dir/c/bootstrap/"]), ["dir/c/"]);
        assert_eq!(listed(&[], &["dir/c/nodes/"]), ["dir/c/nodes/"]);
    }

    #[test]
    fn a_common_prefix_ends_between_characters() {
        assert_eq!(common_prefix(&["é", "è"]), "");
        assert_eq!(common_prefix(&["ab", "a"]), "a");
        assert_eq!(common_prefix(&[]), "");
    }
}
