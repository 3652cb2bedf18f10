//! The validity periods of certificates.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::CertificateParams;
use x509_parser::pem::parse_x509_pem;

use super::{PkiError, bundle};

/// Time before its creation from which a certificate is valid: other clocks may be behind.
const BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// Returns the time at which the certificate in a PEM text expires.
///
/// # Errors
/// Returns an error if there is no certificate, or it cannot be read.
pub fn end(pem: &str) -> Result<Timestamp, PkiError> {
    let (_, block) = parse_x509_pem(bundle::certificate(pem)?.as_bytes()).map_err(|_| PkiError::Certificate)?;
    let certificate = block.parse_x509().map_err(|_| PkiError::Certificate)?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).map_err(|_| PkiError::Certificate)
}

/// Sets the validity of a certificate: from shortly before `now` until `end`.
pub(super) fn limit(params: &mut CertificateParams, now: Timestamp, end: Timestamp) {
    let begin = now.saturating_sub(BEFORE).unwrap_or(now);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch(begin);
    params.not_after = epoch + since_epoch(end);
}

/// Converts a time to the form of X.509: whole seconds.
fn since_epoch(time: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(time.as_second()).unwrap_or_default())
}
