//! The output of a credential plugin for kubectl.

use serde_json::json;

use super::entry::EXEC_VERSION;
use crate::pki::ClientCertificate;

/// Returns the credential in JSON, on a line of its own: the only text that shows a private key on purpose.
pub fn credential(client: &ClientCertificate) -> String {
    let document = json!({
        "apiVersion": EXEC_VERSION,
        "kind": "ExecCredential",
        "spec": { "interactive": false },
        "status": {
            "expirationTimestamp": client.end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "clientCertificateData": client.certificate,
            "clientKeyData": client.key.expose(),
        },
    });
    format!("{document}\n")
}
