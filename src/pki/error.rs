//! The errors of keys and certificates.

/// The reason why a key or a certificate cannot be created or read. It never shows the contents.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The text lacks an expected part.
    #[error("there is no {0} in it")]
    Missing(&'static str),
    /// The certificate cannot be read.
    #[error("its certificate cannot be read")]
    Certificate,
    /// The key cannot be read. The library's own message is left out, because it is about a private key.
    #[error("its private key cannot be read")]
    Key,
    /// Key and certificate do not belong together.
    #[error("its private key and its certificate do not belong together")]
    Mismatch,
    /// The certificate has expired.
    #[error("its certificate ended at {0}")]
    Ended(jiff::Timestamp),
    /// A certificate cannot be created.
    #[error("the certificate cannot be made")]
    Making(#[from] rcgen::Error),
    /// The operating system provides no random numbers.
    #[error("the operating system gives no randomness")]
    Randomness(#[from] getrandom::Error),
    /// The secret is created from another one, which is missing.
    #[error("what it is made from is missing")]
    NoSource,
}
