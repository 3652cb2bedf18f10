//! Keys and certificates: the authorities of a cluster, created once and like kubeadm's, and certificates for its clients.
//!
//! Uses no cloud, no disk and no clock: the caller passes the time. Secret text is [`Sensitive`].

mod authority;
mod bundle;
mod client;
mod content;
mod dates;
mod error;
mod sensitive;
mod token;

#[cfg(test)]
mod tests;

pub use authority::CertificateAuthority;
pub use client::{ADMINISTRATORS, ClientCertificate};
pub use content::make;
pub use dates::end;
pub use error::PkiError;
pub use sensitive::Sensitive;
