//! Copying what machines read and write from one place to another. Contents are secrets: none is ever shown.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::cli::ClusterContext;
use crate::cli::error::CliError;
use crate::cli::run::wait::patiently;
use crate::engine::{WriteCondition, WriteOutcome};
use crate::resource::{KeyPrefix, SecretContent};
use crate::state::settle;
use crate::words;

/// The objects of the cluster in a place that move. Files that machines start from are made again by the next
/// apply: their names hold the place.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// The keys, sorted.
    keys: BTreeSet<String>,
    /// The names of the secrets among them.
    pub(super) secrets: BTreeSet<String>,
    snapshots: usize,
}

impl Inventory {
    /// Lists a place.
    pub(super) async fn of(context: &ClusterContext<'_>) -> Result<Self, CliError> {
        let prefix = format!("{}/", context.name());
        let found = context.interrupt.or(patiently(context, || context.bucket.list(&prefix))).await?;
        let found = found.map_err(CliError::cloud("listing the objects of the state"))?;
        let mut inventory = Self::default();
        for key in found {
            let Some(path) = key.strip_prefix(&prefix) else { continue };
            // Another tool may keep its own beside the keys.
            let secret = path.strip_prefix(KeyPrefix::Pki.path()).and_then(SecretContent::of_file);
            let is_snapshot = path.starts_with(KeyPrefix::Snapshots.path());
            if secret.is_none() && !is_snapshot && !path.starts_with(KeyPrefix::Nodes.path()) {
                continue;
            }
            inventory.secrets.extend(secret.map(|secret| secret.name().to_owned()));
            inventory.snapshots += usize::from(is_snapshot);
            inventory.keys.insert(key);
        }
        Ok(inventory)
    }

    /// Describes what is copied.
    pub(super) fn summary(&self) -> String {
        let files = self.keys.len() - self.secrets.len() - self.snapshots;
        format!(
            "{}, {} of etcd and {} of machines are copied,\nand compared by digest. Then the record moves.\n\n",
            words::count(self.secrets.len(), "secret"),
            words::count(self.snapshots, "snapshot"),
            words::count(files, "report"),
        )
    }
}

/// Copies everything that moves and compares the digests of both sides. Returns how many objects there are now.
pub(super) async fn copy(
    old: &ClusterContext<'_>,
    new: &ClusterContext<'_>,
    held: impl Fn() -> Result<(), CliError>,
) -> Result<usize, CliError> {
    let there = Inventory::of(old).await?;
    let mut copied = 0;
    for key in &there.keys {
        held()?;
        new.interrupt.or(std::future::ready(())).await?;
        copied += usize::from(copy_one(old, new, key).await?);
    }
    Ok(copied)
}

/// Copies one object, unless the same is there, and reads it back. `false` if a machine has removed it meanwhile.
async fn copy_one(old: &ClusterContext<'_>, new: &ClusterContext<'_>, key: &str) -> Result<bool, CliError> {
    let doing = || CliError::cloud("copying the state");
    let Some(source) = patiently(old, || old.bucket.get(key)).await.map_err(doing())? else { return Ok(false) };
    let there = patiently(new, || new.bucket.get(key)).await.map_err(doing())?;
    if there.as_ref().is_some_and(|there| there.bytes == source.bytes) {
        return Ok(true);
    }
    let condition = there.map_or(WriteCondition::Absent, |there| WriteCondition::Matches(there.etag));
    let written = settle::put(new.bucket.as_ref(), key, &source.bytes, &condition).await.map_err(doing())?;
    let read = patiently(new, || new.bucket.get(key)).await.map_err(doing())?;
    let same = read.is_some_and(|read| digest(&read.bytes) == digest(&source.bytes));
    if same && written != WriteOutcome::Lost {
        return Ok(true);
    }
    let place = new.bucket.location();
    Err(CliError::refused(
        format!("{place}/{key} is not what was copied there, so the state stays where it is"),
        "find out which program writes there, stop it, then run `quorate state move` again",
    ))
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
