//! Rules about access to the API and the machines.

use super::super::diagnostic::Severity::{Error, Warning};
use super::{FileCheck, Rule, cidr};

pub(super) static RULES: [&Rule; 4] = [&KEY, &API_WORLD, &SSH_WORLD, &NO_KEY];

/// The key types that OpenSSH on Amazon Linux 2023 and EC2 both accept.
const KEY_TYPES: [&str; 2] = ["ssh-ed25519", "ssh-rsa"];

static KEY: Rule = Rule {
    code: "Q0431",
    severity: Error,
    title: "that is not an OpenSSH public key",
    explanation: "A public key is one line: its type, the key in base64, and perhaps a comment. EC2 \
        takes ed25519 and RSA keys.",
    bad: "ssh {\n  public_key = \"~/.ssh/id_ed25519.pub\"\n}",
    good: "ssh {\n  public_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm2cR0sWfVHjhw8EpWZCvKkYpKR0kqQdK1Tj0lYk9cX you@example.com\"\n}",
};

static API_WORLD: Rule = Rule {
    code: "Q0432",
    severity: Warning,
    title: "the Kubernetes API is open to the world",
    explanation: "Everybody on the internet can then try credentials and exploits against the API. \
        `quorate access open --for 2h` opens it to you when you need it.",
    bad: "api {\n  allow = [\"0.0.0.0/0\"]\n}",
    good: "api {\n  allow = [\"203.0.113.7/32\"]\n}",
};

static SSH_WORLD: Rule = Rule {
    code: "Q0433",
    severity: Warning,
    title: "SSH is open to the world",
    explanation: "Everybody on the internet can then try to log in to the machines.",
    bad: "ssh {\n  allow = [\"0.0.0.0/0\"]\n}",
    good: "ssh {\n  allow = [\"203.0.113.7/32\"]\n  public_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm2cR0sWfVHjhw8EpWZCvKkYpKR0kqQdK1Tj0lYk9cX you@example.com\"\n}",
};

static NO_KEY: Rule = Rule {
    code: "Q0434",
    severity: Warning,
    title: "SSH is open, and nobody can log in",
    explanation: "The machines have no password. Without `ssh.public_key` nobody can log in, so \
        `ssh.allow` opens a port for nothing.",
    bad: "ssh {\n  allow = [\"203.0.113.7/32\"]\n}",
    good: "ssh {\n  allow      = [\"203.0.113.7/32\"]\n  public_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm2cR0sWfVHjhw8EpWZCvKkYpKR0kqQdK1Tj0lYk9cX you@example.com\"\n}",
};

pub(super) fn check(check: &mut FileCheck) {
    allow(check, &["api", "allow"], &API_WORLD, "the Kubernetes API is open to the whole internet");
    allow(check, &["ssh", "allow"], &SSH_WORLD, "SSH is open to the whole internet");
    let Some(ssh) = &check.file.ssh else { return };
    if let Some(key) = &ssh.public_key
        && !is_public_key(key)
    {
        let problem = check.at(&KEY, &["ssh", "public_key"], "this is not an OpenSSH public key");
        let problem = if key.contains("PRIVATE KEY") {
            // The caret would show the key itself, which must not be printed.
            super::Diagnostic::new(&KEY, check.tree.key_span(&["ssh", "public_key"]), "this is a private key")
                .note("it is now in a file that others will read: make a new pair")
                .help("write the line of the .pub file")
        } else if is_path(key) {
            problem.note("files are not read").help("write the line that stands in that file")
        } else {
            problem.expected(["a line like \"ssh-ed25519 AAAA… you@example.com\""])
        };
        check.report(problem);
    }
    let open = check.tree.find(&["ssh", "allow", "0"]).is_some();
    if open && check.tree.find(&["ssh", "public_key"]).is_none() {
        let problem = check
            .at_key(&NO_KEY, &["ssh", "allow"], "SSH is open, but nobody can log in without a key")
            .help("add public_key = \"ssh-ed25519 …\"");
        check.report(problem);
    }
}

fn is_path(text: &str) -> bool {
    let extension = text.rsplit_once('.').map(|(_, extension)| extension);
    extension == Some("pub") || text.starts_with(['~', '/'])
}

fn allow(check: &mut FileCheck, path: &[&str], world: &Rule, message: &str) {
    for (text, span) in check.texts(path) {
        match cidr::read(&text, &span, 32) {
            Err(problem) => check.report(*problem),
            Ok(network) if network.prefix_len() == 0 => {
                let problem = super::Diagnostic::new(world, span, message)
                    .help("write your own address, for example \"203.0.113.7/32\"");
                check.report(problem);
            }
            Ok(_) => {}
        }
    }
}

fn is_public_key(text: &str) -> bool {
    let mut parts = text.split(' ');
    let kind = parts.next().unwrap_or_default();
    let key = parts.next().unwrap_or_default();
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    KEY_TYPES.contains(&kind)
        && key.len() >= 64
        && key.starts_with("AAAA")
        && key.bytes().all(base64)
        && !text.contains(['\n', '\r'])
}
