//! What a kubeconfig says of one cluster.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::yaml::Yaml;
use crate::pki::Sensitive;

/// A cluster, how to reach it, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
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
    /// As whom.
    pub user: User,
}

/// How a user shows who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum User {
    /// A program is asked each time.
    Plugin(Plugin),
    /// A certificate that stands in the file.
    Certificate {
        /// The certificate, PEM.
        certificate: String,
        /// Its private key, PEM.
        key: Sensitive,
    },
}

/// A program that gives credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// The program: a name on the path, or a path.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What is set in its environment.
    pub environment: Vec<(String, String)>,
}

/// The version of the interface between kubectl and such programs.
pub(super) const EXEC_VERSION: &str = "client.authentication.k8s.io/v1";

impl Entry {
    /// The cluster: what is known of it already, with our words in it.
    pub(super) fn cluster(&self, there: Option<&Yaml>) -> Yaml {
        let mut cluster = there.cloned().unwrap_or(Yaml::Map(Vec::new()));
        // Either would win over, or contradict, what we say.
        cluster.remove("certificate-authority");
        cluster.remove("insecure-skip-tls-verify");
        cluster.set("server", Yaml::text(&self.server));
        cluster.set("tls-server-name", Yaml::text(&self.tls_server_name));
        cluster.set("certificate-authority-data", encoded(&self.authority));
        cluster
    }

    /// The user: nothing of another way to sign in may stay.
    pub(super) fn user(&self) -> Yaml {
        match &self.user {
            User::Plugin(plugin) => Yaml::map([("exec", plugin.yaml())]),
            User::Certificate { certificate, key } => Yaml::map([
                ("client-certificate-data", encoded(certificate)),
                ("client-key-data", encoded(key.expose())),
            ]),
        }
    }

    /// The context: its namespace stays as somebody chose it.
    pub(super) fn context(&self, there: Option<&Yaml>) -> Yaml {
        let mut context = there.cloned().unwrap_or(Yaml::Map(Vec::new()));
        context.set("cluster", Yaml::text(&self.name));
        context.set("user", Yaml::text(&self.name));
        context
    }
}

impl Plugin {
    fn yaml(&self) -> Yaml {
        let variable =
            |(name, value): &(String, String)| Yaml::map([("name", Yaml::text(name)), ("value", Yaml::text(value))]);
        let mut exec = Yaml::map([
            ("apiVersion", Yaml::text(EXEC_VERSION)),
            ("command", Yaml::text(&self.command)),
            ("args", Yaml::List(self.arguments.iter().map(Yaml::text).collect())),
            ("installHint", Yaml::text("quorate gives the credentials for this cluster; it is not installed here")),
            ("interactiveMode", Yaml::text("Never")),
            ("provideClusterInfo", Yaml::Bool(false)),
        ]);
        if !self.environment.is_empty() {
            exec.set("env", Yaml::List(self.environment.iter().map(variable).collect()));
        }
        exec
    }
}

fn encoded(text: &str) -> Yaml {
    Yaml::Text(STANDARD.encode(text))
}
