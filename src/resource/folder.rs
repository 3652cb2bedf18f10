//! Where a cluster keeps things in the bucket that its machines start from, beside its record and lease.

/// Declares the folders: whoever goes through all of them forgets none.
macro_rules! folders {
    ($($(#[$doc:meta])* $name:ident = $path:literal),* $(,)?) => {
        /// Things of one sort in a cluster's bucket.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Folder {
            $($(#[$doc])* $name,)*
        }

        impl Folder {
            /// Every folder of a cluster.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What its keys begin with, below the cluster's.
            pub const fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)*
                }
            }
        }
    };
}

folders! {
    /// What machines start from: a script and their settings, each below the hash of its content.
    Bootstrap = "bootstrap/",
    /// What machines say of themselves, and which members etcd has.
    Nodes = "nodes/",
    /// Snapshots of etcd, which begin with their year: other backups may stand beside them.
    Snapshots = "backups/etcd/20",
    /// Keys and certificates. Another tool may keep its own beside them.
    Pki = "pki/",
}

impl Folder {
    /// The key of something in it, below the cluster's: `nodes/i-1/status.json`.
    pub fn key(self, rest: &str) -> String {
        format!("{}{rest}", self.path())
    }
}

/// The file in which a machine says how far it is.
pub const STATUS: &str = "status.json";
/// The file in which a master says how etcd is.
pub const ETCD_STATUS: &str = "etcd.json";

/// The key of what a machine says of itself, below the cluster's.
pub fn machine_file(machine: &str, file: &str) -> String {
    Folder::Nodes.key(&format!("{machine}/{file}"))
}

/// The beginning of all keys of a cluster, without a slash at its end. The prefix is the state's, and may be empty.
pub fn root(prefix: &str, cluster: &str) -> String {
    if prefix.is_empty() { cluster.to_owned() } else { format!("{prefix}/{cluster}") }
}
