//! Keys, certificates and tokens that machines read from the bucket.

use serde::{Deserialize, Serialize};

use super::{Attribute, KeyPrefix, Kind, KindCalls, OutputSpec, Resource, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// A secret in the bucket. Its content is created with the object, and is not an attribute: no plan and no record contains
/// it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Secret {
    /// The bucket.
    pub bucket: TextInput,
    /// Its key, `<prefix>/<cluster>/pki/<file>`.
    pub key: String,
    /// The content of the secret.
    pub content: SecretContent,
}

impl Resource for Secret {
    const KIND: Kind = Kind {
        name: "secret",
        title: "secret",
        attributes: &[Attribute::replace("bucket"), Attribute::replace("key"), Attribute::replace("content")],
        outputs: &[OutputSpec::attribute("key")],
        data: false,
        shared: false,
        seconds: 1,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["s3:GetObject", "s3:ListBucket"],
        create: &["s3:PutObject"],
        update: &["s3:PutObject"],
        delete: &["s3:DeleteObjectVersion", "s3:ListBucketVersions"],
    };

    const LIMITS: &'static [AttributeLimit] =
        &[AttributeLimit::new(&["key"], AllowedValue::Text(aws::OBJECT_KEY), "KeyTooLongError")];
}

/// The content of a secret. The names are the objects' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretContent {
    /// Key and certificate of the authority that signs for the Kubernetes API and its clients.
    ClusterCa,
    /// Key and certificate of the authority that signs for etcd and its clients.
    EtcdCa,
    /// Key and certificate of the authority that signs for API servers which pass requests on.
    FrontProxyCa,
    /// Private and public key that service accounts' tokens are signed with.
    ServiceAccount,
    /// The cluster authority's certificate, without its key: a node verifies the API server with it.
    JoinCa,
    /// The token with which a new node authenticates to the API server.
    JoinToken,
}

/// The reason why a secret that machines use is not created again.
const LOST: &str = "every machine trusts the lost one, and a new one would lock them out; the bucket keeps old \
                    versions: remove the delete marker of its key. If no version is left, destroy the cluster and \
                    make it anew";

impl SecretContent {
    /// All secrets of a cluster.
    pub const ALL: [Self; 6] =
        [Self::ClusterCa, Self::EtcdCa, Self::FrontProxyCa, Self::ServiceAccount, Self::JoinCa, Self::JoinToken];

    /// Returns the name of its object.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClusterCa => "cluster-ca",
            Self::EtcdCa => "etcd-ca",
            Self::FrontProxyCa => "front-proxy-ca",
            Self::ServiceAccount => "service-account",
            Self::JoinCa => "join-ca",
            Self::JoinToken => "join-token",
        }
    }

    /// Returns the last part of its key.
    pub const fn file(self) -> &'static str {
        match self {
            Self::ClusterCa => "cluster-ca.pem",
            Self::EtcdCa => "etcd-ca.pem",
            Self::FrontProxyCa => "front-proxy-ca.pem",
            Self::ServiceAccount => "service-account.pem",
            Self::JoinCa => "join.pem",
            Self::JoinToken => "join-token",
        }
    }

    /// Returns its path below the cluster's prefix.
    pub fn path(self) -> String {
        KeyPrefix::Pki.key(self.file())
    }

    /// Returns the secret with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|content| content.name() == name)
    }

    /// Returns the secret whose key ends in this file name.
    pub fn of_file(file: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|content| content.file() == file)
    }

    /// Returns the secret that this one is derived from; `None` if it is random.
    pub const fn source(self) -> Option<Self> {
        match self {
            Self::JoinCa => Some(Self::ClusterCa),
            _ => None,
        }
    }

    /// Returns what to do instead of creating it again while machines use it; `None` if a new one works as well.
    pub const fn instead(self) -> Option<&'static str> {
        match self {
            Self::JoinCa | Self::JoinToken => None,
            _ => Some(LOST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_files_lead_back_to_the_secret() {
        for content in SecretContent::ALL {
            assert_eq!(SecretContent::named(content.name()), Some(content));
            assert_eq!(SecretContent::of_file(content.file()), Some(content));
            assert_eq!(serde_json::to_value(content).ok(), Some(content.name().into()), "the attribute says the name");
        }
        assert_eq!(SecretContent::of_file("private/ca/key"), None);
    }
}
