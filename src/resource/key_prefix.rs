//! The prefixes of a cluster's keys in the bucket that its machines start from, beside its record and lease.

/// Declares the folders, so that a loop over all of them is complete.
macro_rules! folders {
    ($($(#[$doc:meta])* $name:ident = $path:literal),* $(,)?) => {
        /// A prefix for keys of one sort in a cluster's bucket.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum KeyPrefix {
            $($(#[$doc])* $name,)*
        }

        impl KeyPrefix {
            /// All folders of a cluster.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Returns the prefix of its keys, below the cluster's.
            pub const fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)*
                }
            }
        }
    };
}

folders! {
    /// Files that machines start from: a script and their settings, each below the hash of its content.
    Bootstrap = "bootstrap/",
    /// Reports of machines, and the members of etcd.
    Nodes = "nodes/",
    /// Snapshots of etcd, whose names begin with the year: other backups may be stored beside them.
    Snapshots = "backups/etcd/20",
    /// Keys and certificates. Other tools may store their own beside them.
    Pki = "pki/",
}

impl KeyPrefix {
    /// Returns the key of an object in the folder, below the cluster's: `nodes/i-1/status.json`.
    pub fn key(self, rest: &str) -> String {
        format!("{}{rest}", self.path())
    }
}

/// The file with a machine's progress.
pub const STATUS: &str = "status.json";
/// The file with a master's etcd report.
pub const ETCD_STATUS: &str = "etcd.json";

/// Returns the key of a machine's report, below the cluster's.
pub fn machine_file(machine: &str, file: &str) -> String {
    KeyPrefix::Nodes.key(&format!("{machine}/{file}"))
}

/// Returns the prefix of all keys of a cluster, without a slash at its end. `prefix` is the state's, and may be empty.
pub fn root(prefix: &str, cluster: &str) -> String {
    if prefix.is_empty() { cluster.to_owned() } else { format!("{prefix}/{cluster}") }
}
