//! A cluster's secrets in its bucket: AWS permissions decide who may read them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::cloud::CloudProvider;
use crate::engine::{ObjectStore, StoredObject, WriteCondition, WriteOutcome};
use crate::pki::{self, ADMINISTRATORS, CertificateAuthority, ClientCertificate, Sensitive};
use crate::resource::SecretContent;
use crate::state::settle;

use super::error::CliError;

/// A cluster's secrets in its bucket.
pub struct ClusterSecrets {
    store: Arc<dyn ObjectStore>,
    cluster: String,
}

impl ClusterSecrets {
    /// Opens the secrets of a cluster, in the store of the bucket that its machines start from.
    pub fn new(store: Arc<dyn ObjectStore>, cluster: impl Into<String>) -> Self {
        Self { store, cluster: cluster.into() }
    }

    /// Returns the certificate of the cluster's authority, PEM.
    ///
    /// # Errors
    /// Returns an error if it does not exist, or the bucket denies access.
    pub async fn certificate(&self) -> Result<String, CliError> {
        Ok(self.read(SecretContent::JoinCa).await?.expose().to_owned())
    }

    /// Issues a certificate that allows the caller everything in Kubernetes.
    ///
    /// # Errors
    /// Returns an error if AWS does not know the caller, or the bucket denies the authority's key: AWS decides who has access.
    pub async fn administrator(
        &self,
        cloud: &dyn CloudProvider,
        lifetime: SignedDuration,
    ) -> Result<ClientCertificate, CliError> {
        let caller = async { cloud.caller().await.map_err(CliError::cloud("asking who you are")) };
        let (caller, authority) = tokio::try_join!(caller, self.read(SecretContent::ClusterCa))?;
        let authority = CertificateAuthority::from_pem(&authority)?;
        Ok(authority.client(&caller, ADMINISTRATORS, Timestamp::now(), lifetime)?)
    }

    /// Replaces the join token with a new one.
    ///
    /// # Errors
    /// Returns an error if there is none, the bucket denies access, or another program has replaced it meanwhile.
    pub async fn rotate_token(&self) -> Result<(), CliError> {
        let key = self.key(SecretContent::JoinToken);
        let old = self.stored(SecretContent::JoinToken).await?;
        let token = pki::make(SecretContent::JoinToken, None, Timestamp::now())?;
        let condition = WriteCondition::Matches(old.etag);
        let written = settle::put(self.store.as_ref(), &key, token.expose().as_bytes(), &condition).await;
        match written.map_err(CliError::cloud("writing the join token"))? {
            WriteOutcome::Yes(_) => Ok(()),
            WriteOutcome::Lost => {
                Err(CliError::refused("the join token was changed by another command at the same time", "run it again"))
            }
        }
    }

    async fn read(&self, content: SecretContent) -> Result<Sensitive, CliError> {
        let stored = self.stored(content).await?;
        Sensitive::from_bytes(stored.bytes).ok_or_else(|| {
            let place = format!("{}/{}", self.store.location(), self.key(content));
            CliError::refused(format!("{place} is not text"), "restore its last good version in the bucket")
        })
    }

    async fn stored(&self, content: SecretContent) -> Result<StoredObject, CliError> {
        let stored = settle::get(self.store.as_ref(), &self.key(content)).await;
        let stored = stored.map_err(CliError::cloud("reading the cluster's secrets"))?;
        stored.ok_or_else(|| {
            let place = self.store.location();
            CliError::Absent {
                message: format!("there is no {} of {} in {place}", content.name(), self.cluster),
                hint: "`quorate plan` shows whether `quorate apply` creates it, or what to do instead".to_owned(),
            }
        })
    }

    fn key(&self, content: SecretContent) -> String {
        format!("{}/{}", self.cluster, content.path())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::engine::{BoxFuture, Etag, Failure, FailureClass};
    use crate::sandbox::{Sandbox, SandboxSettings};
    use crate::store::MemoryStore;

    /// A bucket that denies all access.
    struct SecretsDenied;

    fn denied<T: Send + 'static>() -> BoxFuture<'static, Result<T, Failure>> {
        Box::pin(std::future::ready(Err(Failure {
            class: FailureClass::Denied,
            service: "s3".to_owned(),
            action: "GetObject".to_owned(),
            code: Some("AccessDenied".to_owned()),
            message: "Access Denied".to_owned(),
            request_id: None,
        })))
    }

    impl ObjectStore for SecretsDenied {
        fn location(&self) -> String {
            "s3://closed".to_owned()
        }

        fn get<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<StoredObject>, Failure>> {
            denied()
        }

        fn put<'a>(
            &'a self,
            _: &'a str,
            _: &'a [u8],
            _: &'a WriteCondition,
        ) -> BoxFuture<'a, Result<WriteOutcome, Failure>> {
            denied()
        }

        fn remove<'a>(&'a self, _: &'a str, _: &'a Etag) -> BoxFuture<'a, Result<bool, Failure>> {
            denied()
        }

        fn list<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
            denied()
        }

        fn erase<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
            denied()
        }

        fn purge<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
            denied()
        }
    }

    async fn refused(secrets: &ClusterSecrets) -> CliError {
        let cloud = Sandbox::in_memory(SandboxSettings::new("us-east-1", "c.example.com"));
        secrets.administrator(&cloud, SignedDuration::from_hours(1)).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_denied_key_names_the_missing_permission() {
        let reported = refused(&ClusterSecrets::new(Arc::new(SecretsDenied), "c.example.com")).await.report();
        let text = crate::view::failure::text(&reported, crate::view::TextStyle { width: 80, ..Default::default() });
        assert!(text.contains("s3:GetObject"), "{text}");
    }

    #[tokio::test]
    async fn a_key_that_is_missing_or_broken_is_named_and_not_shown() {
        let store = Arc::new(MemoryStore::new());
        let secrets = ClusterSecrets::new(store.clone(), "c.example.com");
        let missing = refused(&secrets).await.to_string();
        assert!(missing.contains("cluster-ca of c.example.com in memory:"), "{missing}");
        let key = "c.example.com/pki/cluster-ca.pem";
        store.put(key, b"-----BEGIN SECRET-----", &WriteCondition::Absent).await.unwrap();
        let broken = refused(&secrets).await;
        assert!(!format!("{broken:?} {:?}", broken.report()).contains("SECRET"), "{broken:?}");
    }
}
