//! Recorded versions, and newer ones: machine images, the patch version of Kubernetes, add-ons.

use serde::{Deserialize, Serialize};

use super::{BlueprintNote, Pins};
use crate::resource::{Facts, PublishedImage, VersionChange};
use crate::spec::{Architecture, Cluster, KubernetesRelease, KubernetesVersion};
use crate::words;

/// The recorded versions that a plan replaces by the newest ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// The machine images.
    pub images: bool,
    /// The patch version of Kubernetes.
    pub patch: bool,
    /// The versions of the built-in add-ons.
    pub addons: bool,
    /// The minor version of Kubernetes, for a file that names none.
    pub kubernetes: Option<KubernetesVersion>,
}

impl Upgrade {
    /// Replaces everything but the minor version of Kubernetes.
    pub const ALL: Self = Self { images: true, patch: true, addons: true, kubernetes: None };

    /// Returns the cluster with the minor version of the upgrade, as if the file named it.
    #[must_use]
    pub fn cluster(&self, cluster: &Cluster) -> Cluster {
        match self.kubernetes {
            Some(kubernetes) => Cluster { kubernetes, kubernetes_given: true, ..cluster.clone() },
            None => cluster.clone(),
        }
    }

    /// Returns the pins after the upgrade. No version becomes older.
    #[must_use]
    pub fn pins(&self, mut pins: Pins, facts: &Facts) -> Pins {
        if self.images {
            for (architecture, image) in &mut pins.images {
                if let Some(newest) = facts.images.get(architecture) {
                    image.clone_from(newest);
                }
            }
        }
        if self.patch {
            pins.release = pins.release.map(|release| release.max(newest_release(release.version, facts)));
        }
        if let Some(addons) = pins.addons.as_mut().filter(|_| self.addons) {
            for (component, _, newest) in addons.newer() {
                addons.versions.insert(component, newest);
            }
        }
        pins
    }
}

/// Returns the release that machines install: the recorded one as long as it is of this minor version, or the newest known.
pub(super) fn release(version: KubernetesVersion, facts: &Facts, pins: &Pins) -> KubernetesRelease {
    let recorded = pins.release.filter(|release| release.version == version);
    recorded.unwrap_or_else(|| newest_release(version, facts))
}

/// Returns the newest known release of a minor version.
fn newest_release(version: KubernetesVersion, facts: &Facts) -> KubernetesRelease {
    let listed = facts.releases.iter().copied().filter(|release| release.version == version);
    listed.fold(version.newest_release(), KubernetesRelease::max)
}

/// Returns the recorded versions that a plan changes.
pub fn version_changes(before: &Pins, after: &Pins) -> Vec<VersionChange> {
    let mut changes = Vec::new();
    if let (Some(from), Some(to)) = (before.release, after.release)
        && from != to
    {
        changes.push(VersionChange {
            component: VersionChange::KUBERNETES.to_owned(),
            from: from.to_string(),
            to: to.to_string(),
        });
    } else if let (Some(pinned), Some(to)) = (before.kubernetes, after.release)
        && pinned.reached < pinned.wanted
        && to.version == pinned.wanted
    {
        // An earlier apply began this upgrade, and did not finish it.
        changes.push(VersionChange {
            component: VersionChange::KUBERNETES.to_owned(),
            from: pinned.reached.to_string(),
            to: to.to_string(),
        });
    }
    for (architecture, image) in &before.images {
        changes.extend(after.images.get(architecture).and_then(|newest| other_image(*architecture, image, newest)));
    }
    if let (Some(before), Some(after)) = (&before.addons, &after.addons) {
        for (component, from) in &before.versions {
            if let Some(to) = after.versions.get(component).filter(|to| *to != from) {
                changes.push(VersionChange { component: component.clone(), from: from.clone(), to: to.clone() });
            }
        }
    }
    changes
}

/// Returns the note about newer versions than those that the cluster has, if there are any.
pub(super) fn note(pins: &Pins, facts: &Facts) -> Option<BlueprintNote> {
    let upgraded = Upgrade::ALL.pins(pins.clone(), facts);
    let newer = version_changes(pins, &upgraded);
    let replaces_machines = (&pins.images, pins.release) != (&upgraded.images, upgraded.release);
    (!newer.is_empty()).then_some(BlueprintNote::NewerComponents { newer, replaces_machines })
}

/// Returns the change from one image to another one; `None` if they are the same.
fn other_image(architecture: Architecture, image: &PublishedImage, newest: &PublishedImage) -> Option<VersionChange> {
    if newest.id == image.id {
        return None;
    }
    let described = |image: &PublishedImage| match image.published {
        Some(date) => format!("{} of {date}", image.id),
        None => image.id.clone(),
    };
    let days = image.published.zip(newest.published).map(|(old, new)| old.duration_until(new).as_hours() / 24);
    let days = days.and_then(|days| usize::try_from(days).ok()).filter(|days| *days > 0);
    let age = days.map(|days| format!(" ({} newer)", words::count(days, "day")));
    Some(VersionChange {
        component: format!("machine image ({architecture})"),
        from: described(image),
        to: format!("{}{}", described(newest), age.unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;

    use insta::assert_snapshot;
    use jiff::civil::date;

    use super::*;
    use crate::blueprint::PinnedAddons;
    use crate::blueprint::tests::clusters::facts;

    fn release(text: &str) -> KubernetesRelease {
        text.parse().unwrap()
    }

    fn pins() -> Pins {
        let image = PublishedImage { id: "ami-0old".to_owned(), published: Some(date(2026, 1, 20)) };
        let mut addons = PinnedAddons::newest(KubernetesVersion::DEFAULT);
        addons.versions.insert("ebs-csi-driver".to_owned(), "v1.40.0".to_owned());
        Pins {
            images: BTreeMap::from([(Architecture::X86_64, image)]),
            release: Some(release("1.36.1")),
            addons: Some(addons),
            ..Pins::default()
        }
    }

    #[test]
    fn newer_versions_are_named_and_used_only_by_an_upgrade() {
        let facts = Facts { releases: vec![release("1.36.7"), release("1.37.9")], ..facts() };
        let note = note(&pins(), &facts).unwrap().to_string();
        assert_snapshot!(note, @"newer versions are available: Kubernetes 1.36.1 -> 1.36.7; machine image (x86_64) ami-0old of 2026-01-20 -> ami-0000000000000086a; ebs-csi-driver v1.40.0 -> v1.46.0. `quorate plan --upgrade` shows the changes, `quorate upgrade` makes them and replaces all machines, one after the other");
        assert_eq!(Upgrade::default().pins(pins(), &facts), pins());
        let upgraded = Upgrade::ALL.pins(pins(), &facts);
        assert_eq!(upgraded.release, Some(release("1.36.7")));
        assert_eq!(upgraded.images[&Architecture::X86_64], facts.images[&Architecture::X86_64]);
        assert_eq!(super::note(&upgraded, &facts), None);
        let patch = Upgrade { patch: true, ..Upgrade::default() }.pins(pins(), &facts);
        assert_eq!(patch, Pins { release: Some(release("1.36.7")), ..pins() }, "and nothing else");
    }

    #[test]
    fn no_version_becomes_older() {
        let ahead = Pins { release: Some(release("1.36.99")), ..pins() };
        let upgraded = Upgrade::ALL.pins(ahead.clone(), &facts());
        assert_eq!(upgraded.release, ahead.release);
    }

    #[test]
    fn another_minor_version_has_its_own_release() {
        let next = KubernetesVersion::DEFAULT.next();
        assert_eq!(super::release(next, &facts(), &pins()), next.newest_release());
        assert_eq!(super::release(KubernetesVersion::DEFAULT, &facts(), &pins()), release("1.36.1"));
    }
}
