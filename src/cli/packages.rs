//! The releases of Kubernetes in the package repository that machines install from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::aws::{self, HttpDocument};
use crate::engine::Failure;
use crate::spec::{KubernetesRelease, KubernetesVersion};

use super::Session;

/// The environment variable with another repository, such as a mirror.
const VARIABLE: &str = "QUORATE_PACKAGES";
/// The repository of the Kubernetes project. Machines install the RPM packages; the index of the Debian packages lists the
/// same releases, as one plain text.
const REPOSITORY: &str = "https://pkgs.k8s.io/core:/stable:";
/// The packages that a release needs.
const PACKAGES: [&str; 3] = ["kubeadm", "kubectl", "kubelet"];

/// The index of a package repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRepository {
    url: String,
}

impl PackageRepository {
    /// Returns the repository of a session. The sandbox has none, unless the environment names one.
    pub(super) fn of(session: &Session) -> Option<Self> {
        let default = (!session.is_sandbox()).then_some(REPOSITORY);
        let url = session.environment.get(VARIABLE).map(|url| url.trim_end_matches('/')).or(default)?;
        Some(Self { url: url.to_owned() })
    }

    /// Lists the releases of a minor version, by one request.
    ///
    /// # Errors
    /// Returns an error if the repository does not answer.
    pub(super) async fn releases(&self, version: KubernetesVersion) -> Result<Vec<KubernetesRelease>, Failure> {
        let url = format!("{}/v{version}/deb/Packages", self.url);
        let document = HttpDocument {
            url: &url,
            action: "list the releases of Kubernetes",
            timeout: Duration::from_secs(15),
            max_bytes: 8 << 20,
        };
        let index = aws::get(document).await?;
        Ok(releases(&String::from_utf8_lossy(&index), version))
    }
}

/// Returns the releases of a minor version that an index has all packages of, sorted.
fn releases(index: &str, version: KubernetesVersion) -> Vec<KubernetesRelease> {
    let mut packages: BTreeMap<KubernetesRelease, BTreeSet<&str>> = BTreeMap::new();
    for paragraph in index.split("\n\n") {
        let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let (Some(package), Some(text)) = (field("Package"), field("Version")) else { continue };
        // `1.36.4-1.1`: the release, and the revision of the package.
        let release = text.split_once('-').map_or(text, |(release, _)| release).parse::<KubernetesRelease>();
        if let Some(name) = PACKAGES.iter().find(|name| **name == package.trim())
            && let Ok(release) = release
            && release.version == version
        {
            packages.entry(release).or_default().insert(name);
        }
    }
    packages.into_iter().filter(|(_, found)| found.len() == PACKAGES.len()).map(|(release, _)| release).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn entry(package: &str, version: &str) -> String {
        format!("Package: {package}\nArchitecture: amd64\nVersion: {version}\nDescription: text\n Version: 9.9.9\n")
    }

    #[test]
    fn only_releases_with_all_packages_count() {
        let version = KubernetesVersion::parse("1.36").unwrap();
        let mut index: Vec<String> = Vec::new();
        for release in ["1.36.10-1.1", "1.36.9-1.1", "1.36.11-1.1"] {
            index.extend(["kubelet", "kubeadm", "kubectl"].map(|package| entry(package, release)));
        }
        index.extend([
            entry("kubelet", "1.36.12-1.1"),
            entry("kubeadm", "1.36.12-1.1"),
            entry("cri-tools", "1.36.13-1.1"),
        ]);
        index.extend(["kubelet", "kubeadm", "kubectl"].map(|package| entry(package, "1.37.1-1.1")));
        index.extend(["kubelet", "kubeadm", "kubectl"].map(|package| entry(package, "1.36.14~rc.1-1.1")));
        let found: Vec<String> = releases(&index.join("\n"), version).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["1.36.9", "1.36.10", "1.36.11"]);
        assert_eq!(releases("<html>not found</html>", version), []);
    }
}
