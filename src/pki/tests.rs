//! Comparison of our certificates with kubeadm's, by `openssl`, which is independent of our code.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::*;
use crate::resource::SecretContent::{self, ClusterCa, EtcdCa, FrontProxyCa, JoinCa, JoinToken, ServiceAccount};

fn new(content: SecretContent) -> Sensitive {
    make(content, None, Timestamp::now()).unwrap()
}

fn keep(directory: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Returns the output of openssl for a file.
fn openssl(arguments: &[&str], file: &Path) -> String {
    let ran = Command::new("openssl").args(arguments).arg(file).output();
    let ran = ran.expect("these tests need the program `openssl` (Debian: apt-get install openssl)");
    assert!(ran.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    // Removes the spaces at the ends of lines.
    String::from_utf8(ran.stdout).unwrap().lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Returns the certificate without random parts and dates.
fn described(certificate: &Path) -> String {
    let text = openssl(&["x509", "-noout", "-text", "-nameopt", "RFC2253,show_type", "-in"], certificate);
    let mut lines = Vec::new();
    let mut hidden = false;
    for line in text.lines() {
        let bytes = line.trim().split(':').all(|byte| byte.len() <= 2 && byte.chars().all(|c| c.is_ascii_hexdigit()));
        if bytes && line.contains(':') || line.contains("keyid:") || line.contains("Key Identifier: ") {
            if !hidden {
                lines.push("<bytes>".to_owned());
            }
            hidden = true;
            continue;
        }
        hidden = false;
        let dated = ["Not Before", "Not After", "Serial Number"].iter().any(|word| line.contains(word));
        lines.push(if dated { line.split(':').next().unwrap().to_owned() } else { line.to_owned() });
    }
    lines.join("\n")
}

#[test]
fn authorities_are_what_kubeadm_makes() {
    let directory = tempfile::tempdir().unwrap();
    let mut serials = std::collections::BTreeSet::new();
    for (content, name) in [(ClusterCa, "kubernetes"), (EtcdCa, "etcd-ca"), (FrontProxyCa, "front-proxy-ca")] {
        let file = keep(&directory, name, new(content).expose());
        let subject = openssl(&["x509", "-noout", "-subject", "-issuer", "-nameopt", "RFC2253", "-in"], &file);
        assert_eq!(subject, format!("subject=CN={name}\nissuer=CN={name}\n"));
        let messages = openssl(&["x509", "-noout", "-ext", "subjectAltName,keyUsage,basicConstraints", "-in"], &file);
        for expected in [
            format!("DNS:{name}\n"),
            "X509v3 Key Usage: critical\n    Digital Signature, Key Encipherment, Certificate Sign\n".to_owned(),
            "X509v3 Basic Constraints: critical\n    CA:TRUE\n".to_owned(),
        ] {
            assert!(messages.contains(&expected), "{messages}");
        }
        serials.insert(openssl(&["x509", "-noout", "-serial", "-in"], &file));
    }
    assert_eq!(serials.len(), 3, "every authority has a serial of its own");
    let whole = described(&directory.path().join("kubernetes"));
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("authority", whole) });
}

#[test]
fn an_authority_lasts_ten_years_and_begins_before_slow_clocks() {
    let now: Timestamp = "2026-07-01T12:00:00Z".parse().unwrap();
    let made = make(ClusterCa, None, now).unwrap();
    assert_eq!(end(made.expose()).unwrap().to_string(), "2036-06-28T12:00:00Z");
    let directory = tempfile::tempdir().unwrap();
    let file = keep(&directory, "ca", made.expose());
    assert_eq!(openssl(&["x509", "-noout", "-startdate", "-in"], &file), "notBefore=Jul  1 11:55:00 2026 GMT\n");
}

#[test]
fn a_client_is_known_by_its_authority_and_by_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let arn =
        "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/ada@example.com";
    let authority = CertificateAuthority::from_pem(&new(ClusterCa)).unwrap();
    let now = Timestamp::now();
    let client = authority.client(arn, ADMINISTRATORS, now, SignedDuration::from_hours(1)).unwrap();
    assert_eq!(client.end, now + SignedDuration::from_hours(1));
    assert_eq!(end(&client.certificate).unwrap().as_second(), client.end.as_second());

    let ca = keep(&directory, "ca.pem", &client.authority);
    let certificate = keep(&directory, "client.pem", &client.certificate);
    let key = keep(&directory, "client.key", client.key.expose());
    let verify = ["verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", ca.to_str().unwrap()];
    assert!(openssl(&verify, &certificate).ends_with(": OK\n"));
    let (of_key, of_certificate) =
        (openssl(&["pkey", "-pubout", "-in"], &key), openssl(&["x509", "-noout", "-pubkey", "-in"], &certificate));
    assert_eq!(of_key, of_certificate, "the key is the certificate's");

    let whole = described(&certificate);
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("client", whole) });
    let other = keep(&directory, "other.pem", new(EtcdCa).expose());
    let ran = Command::new("openssl").args(["verify", "-CAfile"]).args([&other, &certificate]).output().unwrap();
    assert!(!ran.status.success(), "etcd's authority does not know it");
}

#[test]
fn a_client_never_outlives_its_authority() {
    let (made, now) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2035-12-29T00:00:00Z".parse().unwrap());
    let authority = CertificateAuthority::from_pem(&make(ClusterCa, None, made).unwrap()).unwrap();
    let client = authority.client("ada", ADMINISTRATORS, now, SignedDuration::MAX).unwrap();
    assert_eq!(client.end, authority.end());
    let later = authority.end() + SignedDuration::from_secs(1);
    let refused = authority.client("ada", ADMINISTRATORS, later, SignedDuration::from_hours(1)).unwrap_err();
    assert_eq!(refused.to_string(), "its certificate ended at 2035-12-30T00:00:00Z");
}

#[test]
fn a_service_accounts_keys_are_a_pair() {
    let directory = tempfile::tempdir().unwrap();
    let file = keep(&directory, "sa", new(ServiceAccount).expose());
    let private = openssl(&["pkey", "-pubout", "-in"], &file);
    assert_eq!(private, openssl(&["pkey", "-pubin", "-pubout", "-in"], &file), "the second half is the public key");
    assert!(openssl(&["pkey", "-noout", "-text", "-in"], &file).contains("NIST CURVE: P-256"));
}

#[test]
fn nodes_get_the_authoritys_certificate_and_not_its_key() {
    let ca = new(ClusterCa);
    let join = make(JoinCa, Some(&ca), Timestamp::now()).unwrap();
    assert!(ca.expose().contains(join.expose()) && join.expose().starts_with("-----BEGIN CERTIFICATE-----\n"));
    assert!(!join.expose().contains("PRIVATE"));
    assert!(matches!(make(JoinCa, None, Timestamp::now()), Err(PkiError::NoSource)));
}

#[test]
fn tokens_have_the_form_that_kubeadm_takes_and_use_every_character() {
    let mut used = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let token = new(JoinToken);
        let (name, secret) = token.expose().trim_end().split_once('.').unwrap();
        assert_eq!((name.len(), secret.len()), (6, 16));
        used.extend(name.chars().chain(secret.chars()));
    }
    assert_eq!(used, ('a'..='z').chain('0'..='9').collect());
    assert_ne!(new(JoinToken), new(JoinToken));
}

#[test]
fn what_is_no_authority_is_refused_without_showing_it() {
    let (one, other) = (new(ClusterCa), new(EtcdCa));
    let mixed = format!("{}\n{}", bundle::key(one.expose()).unwrap(), bundle::certificate(other.expose()).unwrap());
    let broken = one.expose().replacen("MIGH", "XXXX", 1).replacen("MII", "XXX", 1);
    for (text, messages) in [
        (String::new(), "there is no certificate in it"),
        (bundle::certificate(one.expose()).unwrap(), "there is no private key in it"),
        (mixed, "its private key and its certificate do not belong together"),
        (broken, "its private key cannot be read"),
    ] {
        let refused = CertificateAuthority::from_pem(&Sensitive::new(text)).unwrap_err();
        assert_eq!(refused.to_string(), messages);
        assert!(!format!("{refused:?}").contains("BEGIN"));
    }
}

#[test]
fn debug_shows_nothing_of_a_secret() {
    let ca = new(ClusterCa);
    let authority = CertificateAuthority::from_pem(&ca).unwrap();
    let client = authority.client("ada", ADMINISTRATORS, Timestamp::now(), SignedDuration::from_hours(1)).unwrap();
    let shown = format!("{ca:?} {authority:?} {client:?}");
    assert!(!shown.contains("PRIVATE"), "{shown}");
    let key = |text: &str| bundle::key(text).unwrap().lines().nth(1).unwrap().to_owned();
    assert!(!shown.contains(&key(ca.expose())) && !shown.contains(&key(client.key.expose())), "{shown}");
}
