//! Kinds that few clusters have: an observation looks for them only where the file or the record has them.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The optional kinds that observations look for. Objects of others are found by the record that names them, and by a destroy.
#[derive(Debug, Default)]
pub(super) struct ExpectedKinds(Mutex<KnownKinds>);

#[derive(Debug, Default)]
struct KnownKinds {
    /// The kinds that the file has; `None` until a run has set them.
    expected: Option<BTreeSet<&'static str>>,
    /// The kinds that an observation of this run has looked for in vain.
    absent: BTreeSet<&'static str>,
}

impl ExpectedKinds {
    fn known(&self) -> MutexGuard<'_, KnownKinds> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the kinds that the file has.
    pub(super) fn set(&self, kinds: BTreeSet<&'static str>) {
        self.known().expected = Some(kinds);
    }

    /// Returns `true` if the file may have an optional kind: always, until a run has set its kinds.
    pub(super) fn has(&self, kind: &str) -> bool {
        self.known().expected.as_ref().is_none_or(|kinds| kinds.contains(kind))
    }

    /// Notes that the cluster has no object of a kind.
    pub(super) fn note_absent(&self, kind: &'static str) {
        self.known().absent.insert(kind);
    }

    /// Returns `true` if the cluster is known to have no object of a kind that the file does not have.
    pub(super) fn is_absent(&self, kind: &str) -> bool {
        !self.has(kind) && self.known().absent.contains(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_expected_until_a_run_names_those_of_its_file() {
        let expected = ExpectedKinds::default();
        assert!(expected.has("certificate"));
        expected.set(BTreeSet::from(["certificate"]));
        assert!(expected.has("certificate") && !expected.has("nat-gateway"));
    }

    #[test]
    fn a_kind_of_the_file_is_never_absent() {
        let expected = ExpectedKinds::default();
        expected.note_absent("certificate");
        assert!(!expected.is_absent("certificate"));
        expected.set(BTreeSet::new());
        assert!(expected.is_absent("certificate") && !expected.is_absent("nat-gateway"));
    }
}
