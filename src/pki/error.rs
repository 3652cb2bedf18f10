//! What can be wrong with keys and certificates.

/// Why a key or a certificate cannot be made or read. It never shows what was read.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The text is not what it should be.
    #[error("there is no {0} in it")]
    Missing(&'static str),
    /// The certificate cannot be read.
    #[error("its certificate cannot be read")]
    Certificate,
    /// The key cannot be read. The library's own words are left out: they are about a private key.
    #[error("its private key cannot be read")]
    Key,
    /// Key and certificate do not belong together.
    #[error("its private key and its certificate do not belong together")]
    Mismatch,
    /// The certificate has ended.
    #[error("its certificate ended at {0}")]
    Ended(jiff::Timestamp),
    /// A certificate cannot be made.
    #[error("the certificate cannot be made")]
    Making(#[from] rcgen::Error),
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    Randomness(#[from] getrandom::Error),
    /// It is made from another secret, which was not given.
    #[error("what it is made from is missing")]
    NoSource,
}
