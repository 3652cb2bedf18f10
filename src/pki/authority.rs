//! Certificate authorities, created like kubeadm's.

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType, SerialNumber,
};

use super::{PkiError, Sensitive, bundle, dates};

/// Lifetime of an authority: ten years, as in kubeadm.
const LIFETIME: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

/// An authority that can sign.
#[derive(Debug)]
pub struct CertificateAuthority {
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) end: Timestamp,
    certificate: String,
}

impl CertificateAuthority {
    /// Reads the text that [`make`](super::make) returned: private key and certificate.
    ///
    /// # Errors
    /// Returns an error if the text is not of this form, or if the key and the certificate do not belong together.
    pub fn from_pem(text: &Sensitive) -> Result<Self, PkiError> {
        let certificate = bundle::certificate(text.expose())?;
        let key = KeyPair::from_pem(&bundle::key(text.expose())?).map_err(|_| PkiError::Key)?;
        if public_key(&certificate)? != key.der_bytes() {
            return Err(PkiError::Mismatch);
        }
        let end = dates::end(&certificate)?;
        let issuer = Issuer::from_ca_cert_pem(&certificate, key).map_err(|_| PkiError::Certificate)?;
        Ok(Self { issuer, end, certificate })
    }

    /// Returns its certificate, PEM. It contains no secret.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Returns the time at which it expires.
    pub fn end(&self) -> Timestamp {
        self.end
    }
}

/// Creates an authority with this name: its private key, then its certificate.
pub(super) fn found(name: &str, now: Timestamp) -> Result<Sensitive, PkiError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    dates::limit(&mut params, now, now.saturating_add(LIFETIME).unwrap_or(now));
    params.serial_number = Some(serial()?);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, DnValue::PrintableString(name.try_into()?));
    params.subject_alt_names = vec![SanType::DnsName(name.try_into()?)];
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // No key of this kind can encipher; kubeadm sets this usage nevertheless, and does not check it.
    params.key_usages =
        vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment, KeyUsagePurpose::KeyCertSign];
    Ok(bundle::of(&key, &params.self_signed(&key)?.pem()))
}

/// Returns a serial number as kubeadm chooses it: positive, of 63 random bits.
pub(super) fn serial() -> Result<SerialNumber, PkiError> {
    let random = getrandom::u64()? >> 1;
    Ok(SerialNumber::from(random.max(1)))
}

/// Returns the bits of the public key in a certificate.
fn public_key(certificate: &str) -> Result<Vec<u8>, PkiError> {
    let (_, block) = x509_parser::pem::parse_x509_pem(certificate.as_bytes()).map_err(|_| PkiError::Certificate)?;
    let certificate = block.parse_x509().map_err(|_| PkiError::Certificate)?;
    Ok(certificate.public_key().subject_public_key.data.to_vec())
}
