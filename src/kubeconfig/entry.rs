//! The entry of one cluster in a kubeconfig.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::yaml::YamlValue;
use crate::pki::Sensitive;

/// A cluster with its address and the credentials of its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeconfigEntry {
    /// The name of the cluster and of its user.
    pub name: String,
    /// The name of the context.
    pub context: String,
    /// The API's URL.
    pub server: String,
    /// The name that the server's certificate is checked for.
    pub tls_server_name: String,
    /// The certificate of the cluster's authority, PEM.
    pub authority: String,
    /// The credentials of the user.
    pub user: KubeconfigUser,
}

/// The credentials of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubeconfigUser {
    /// A credential plugin, which runs for each request of credentials.
    Plugin(ExecPlugin),
    /// A certificate in the file.
    Certificate {
        /// The certificate, PEM.
        certificate: String,
        /// Its private key, PEM.
        key: Sensitive,
    },
}

/// A credential plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecPlugin {
    /// The program: a name on the search path, or a path.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables that are set in its environment.
    pub environment: Vec<(String, String)>,
}

/// The version of the interface between kubectl and credential plugins.
pub(super) const EXEC_VERSION: &str = "client.authentication.k8s.io/v1";

impl KubeconfigEntry {
    /// Returns the cluster: the existing fields, with those of this entry.
    pub(super) fn cluster(&self, there: Option<&YamlValue>) -> YamlValue {
        let mut cluster = there.cloned().unwrap_or(YamlValue::Map(Vec::new()));
        // Either field would override or contradict this entry.
        cluster.remove("certificate-authority");
        cluster.remove("insecure-skip-tls-verify");
        cluster.set("server", YamlValue::text(&self.server));
        cluster.set("tls-server-name", YamlValue::text(&self.tls_server_name));
        cluster.set("certificate-authority-data", encoded(&self.authority));
        cluster
    }

    /// Returns the user. No field of another authentication method is kept.
    pub(super) fn user(&self) -> YamlValue {
        match &self.user {
            KubeconfigUser::Plugin(plugin) => YamlValue::map([("exec", plugin.yaml())]),
            KubeconfigUser::Certificate { certificate, key } => YamlValue::map([
                ("client-certificate-data", encoded(certificate)),
                ("client-key-data", encoded(key.expose())),
            ]),
        }
    }

    /// Returns the context. A namespace that was set is kept.
    pub(super) fn context(&self, there: Option<&YamlValue>) -> YamlValue {
        let mut context = there.cloned().unwrap_or(YamlValue::Map(Vec::new()));
        context.set("cluster", YamlValue::text(&self.name));
        context.set("user", YamlValue::text(&self.name));
        context
    }
}

impl ExecPlugin {
    fn yaml(&self) -> YamlValue {
        let variable = |(name, value): &(String, String)| {
            YamlValue::map([("name", YamlValue::text(name)), ("value", YamlValue::text(value))])
        };
        let mut exec = YamlValue::map([
            ("apiVersion", YamlValue::text(EXEC_VERSION)),
            ("command", YamlValue::text(&self.command)),
            ("args", YamlValue::List(self.arguments.iter().map(YamlValue::text).collect())),
            (
                "installHint",
                YamlValue::text("quorate gives the credentials for this cluster; it is not installed here"),
            ),
            ("interactiveMode", YamlValue::text("Never")),
            ("provideClusterInfo", YamlValue::Bool(false)),
        ]);
        if !self.environment.is_empty() {
            exec.set("env", YamlValue::List(self.environment.iter().map(variable).collect()));
        }
        exec
    }
}

fn encoded(text: &str) -> YamlValue {
    YamlValue::Text(STANDARD.encode(text))
}
