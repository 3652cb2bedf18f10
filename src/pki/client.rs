//! Certificates for clients of an authority.

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};

use super::{CertificateAuthority, PkiError, Sensitive, authority, dates};

/// The group whose members are allowed everything in Kubernetes.
pub const ADMINISTRATORS: &str = "system:masters";

/// The credentials of a client: the authority that it trusts, and its own certificate and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate of the authority that both sides trust, PEM.
    pub authority: String,
    /// The client's certificate, PEM.
    pub certificate: String,
    /// The client's private key, PEM.
    pub key: Sensitive,
    /// The time at which the certificate expires.
    pub end: Timestamp,
}

impl CertificateAuthority {
    /// Issues a certificate with a new key for a client of this name and group, valid from now on.
    ///
    /// It never outlives the authority.
    ///
    /// # Errors
    /// Returns an error if the authority has expired, or no random numbers are available.
    pub fn client(
        &self,
        name: &str,
        group: &str,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> Result<ClientCertificate, PkiError> {
        if self.end <= now {
            return Err(PkiError::Ended(self.end));
        }
        let end = now.saturating_add(lifetime).map_or(self.end, |end| end.min(self.end));
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        dates::limit(&mut params, now, end);
        params.serial_number = Some(authority::serial()?);
        params.distinguished_name = DistinguishedName::new();
        // Kubernetes reads the organisation as the group, and the common name as the user.
        params.distinguished_name.push(DnType::OrganizationName, group);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        let authority = self.certificate().to_owned();
        Ok(ClientCertificate { authority, certificate, key: Sensitive::new(key.serialize_pem()), end })
    }
}
