//! Keys and certificates: what a cluster trusts, made once and as kubeadm makes it, and certificates for its clients.
//!
//! Knows no cloud, no disk and no clock: who calls says what time it is. What is secret is [`Sensitive`].

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

pub use authority::Authority;
pub use client::{ADMINISTRATORS, ClientCertificate};
pub use content::make;
pub use dates::end;
pub use error::PkiError;
pub use sensitive::Sensitive;
