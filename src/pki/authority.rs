//! Certificate authorities, as kubeadm makes them.

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType, SerialNumber,
};

use super::{PkiError, Sensitive, bundle, dates};

/// How long an authority lasts: kubeadm's ten years.
const LIFETIME: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

/// An authority that can sign.
#[derive(Debug)]
pub struct Authority {
    pub(super) issuer: Issuer<'static, KeyPair>,
    pub(super) end: Timestamp,
    certificate: String,
}

impl Authority {
    /// Reads the text that [`make`](super::make) made: private key and certificate.
    ///
    /// # Errors
    /// When it is no such text, or key and certificate do not belong together.
    pub fn from_pem(text: &Sensitive) -> Result<Self, PkiError> {
        let certificate = bundle::certificate(text.expose())?.to_owned() + "\n";
        let key = KeyPair::from_pem(bundle::key(text.expose())?).map_err(|_| PkiError::Key)?;
        if public_key(&certificate)? != key.der_bytes() {
            return Err(PkiError::Mismatch);
        }
        let end = dates::end(&certificate)?;
        let issuer = Issuer::from_ca_cert_pem(&certificate, key).map_err(|_| PkiError::Certificate)?;
        Ok(Self { issuer, end, certificate })
    }

    /// Its certificate, PEM. Nothing about it is secret.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// When it ends.
    pub fn end(&self) -> Timestamp {
        self.end
    }
}

/// A new authority of this name: its private key, then its certificate.
pub(super) fn found(name: &str, now: Timestamp) -> Result<Sensitive, PkiError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    dates::limit(&mut params, now, now.saturating_add(LIFETIME).unwrap_or(now));
    params.serial_number = Some(serial()?);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, DnValue::PrintableString(name.try_into()?));
    params.subject_alt_names = vec![SanType::DnsName(name.try_into()?)];
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // No key of this kind can encipher; kubeadm says it all the same, and checks nothing.
    params.key_usages =
        vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment, KeyUsagePurpose::KeyCertSign];
    Ok(bundle::of(&key, &params.self_signed(&key)?.pem()))
}

/// A serial number as kubeadm chooses one: positive, of 63 random bits.
pub(super) fn serial() -> Result<SerialNumber, PkiError> {
    let random = getrandom::u64()? >> 1;
    Ok(SerialNumber::from(random.max(1)))
}

/// The public key in a certificate, as its own bits.
fn public_key(certificate: &str) -> Result<Vec<u8>, PkiError> {
    let (_, block) = x509_parser::pem::parse_x509_pem(certificate.as_bytes()).map_err(|_| PkiError::Certificate)?;
    let certificate = block.parse_x509().map_err(|_| PkiError::Certificate)?;
    Ok(certificate.public_key().subject_public_key.data.to_vec())
}
