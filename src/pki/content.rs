//! The contents of a cluster's secrets.

use jiff::Timestamp;
use rcgen::KeyPair;

use super::{CertificateAuthority, PkiError, Sensitive, authority, bundle, token};
use crate::resource::SecretContent;

/// Creates the content of a secret. `source` is the content of [`SecretContent::source`], if it has one.
///
/// # Errors
/// Returns an error if the source is missing or invalid, or no random numbers are available.
pub fn make(content: SecretContent, source: Option<&Sensitive>, now: Timestamp) -> Result<Sensitive, PkiError> {
    match content {
        // The names are kubeadm's.
        SecretContent::ClusterCa => authority::found("kubernetes", now),
        SecretContent::EtcdCa => authority::found("etcd-ca", now),
        SecretContent::FrontProxyCa => authority::found("front-proxy-ca", now),
        SecretContent::ServiceAccount => {
            let key = KeyPair::generate()?;
            Ok(bundle::of(&key, &key.public_key_pem()))
        }
        SecretContent::JoinCa => {
            let source = CertificateAuthority::from_pem(source.ok_or(PkiError::NoSource)?)?;
            Ok(Sensitive::new(source.certificate()))
        }
        SecretContent::JoinToken => token::token(),
    }
}
