//! Rules about access to the API and the machines.

use ipnet::Ipv4Net;

use super::super::cluster::{Api, Ssh};
use super::super::diagnostic::{
    Diagnostic,
    Severity::{Error, Warning},
};
use super::super::file::SshFile;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Spanned, all, cidr};
use crate::spec::spanned::List;

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
    title: "the Kubernetes API is open to the whole internet",
    explanation: "Everybody on the internet can then try credentials and exploits against the API. \
        `quorate access open --for 2h` opens it to you when you need it.",
    bad: "api {\n  allow = [\"0.0.0.0/0\"]\n}",
    good: "api {\n  allow = [\"203.0.113.7/32\"]\n}",
};

static SSH_WORLD: Rule = Rule {
    code: "Q0433",
    severity: Warning,
    title: "SSH is open to the whole internet",
    explanation: "Everybody on the internet can then try to log in to the machines.",
    bad: "ssh {\n  allow = [\"0.0.0.0/0\"]\n}",
    good: "ssh {\n  allow = [\"203.0.113.7/32\"]\n  public_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm2cR0sWfVHjhw8EpWZCvKkYpKR0kqQdK1Tj0lYk9cX you@example.com\"\n}",
};

static NO_KEY: Rule = Rule {
    code: "Q0434",
    severity: Warning,
    title: "SSH is open, and login is impossible",
    explanation: "The machines have no password. Without `ssh.public_key` login is impossible, so \
        `ssh.allow` opens a port for nothing.",
    bad: "ssh {\n  allow = [\"203.0.113.7/32\"]\n}",
    good: "ssh {\n  allow      = [\"203.0.113.7/32\"]\n  public_key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm2cR0sWfVHjhw8EpWZCvKkYpKR0kqQdK1Tj0lYk9cX you@example.com\"\n}",
};

pub(super) fn api(context: &mut LoweringContext) -> Result<Api, ErrorReported> {
    let Some(api) = context.file.api.optional()? else { return Ok(Api { allow: Vec::new() }) };
    let allow = allow(context, api.allow.as_ref(), |range, network| warn_world(range, network, &API_WORLD))?;
    Ok(Api { allow: allow.unwrap_or_default() })
}

pub(super) fn ssh(context: &mut LoweringContext) -> Result<Ssh, ErrorReported> {
    let Some(ssh) = context.file.ssh.optional()? else { return Ok(Ssh { allow: Vec::new(), public_key: None }) };
    let allow = allow(context, ssh.allow.as_ref(), |range, network| warn_world(range, network, &SSH_WORLD));
    let public_key = ssh.public_key.as_ref().map(|key| public_key(context, key)).transpose();
    no_key(context, ssh);
    Ok(Ssh { allow: allow?.unwrap_or_default(), public_key: public_key? })
}

fn public_key(context: &mut LoweringContext, written: &Spanned<String>) -> Result<String, ErrorReported> {
    let key = written.value()?;
    if is_public_key(key) {
        return Ok(key.clone());
    }
    let problem = if key.contains("PRIVATE KEY") {
        // The caret would show the key itself, which must not be printed.
        Diagnostic::new(&KEY, written.key.clone(), "this is a private key")
            .note("it is now in a file that others will read: make a new pair")
            .help("write the line of the .pub file")
    } else {
        let problem = Diagnostic::new(&KEY, written.span.clone(), "this is not an OpenSSH public key");
        if is_path(key) {
            problem.note("files are not read").help("write the line from that file")
        } else {
            problem.expected(["a line like \"ssh-ed25519 AAAA… you@example.com\""])
        }
    };
    Err(context.error(problem))
}

fn no_key(context: &mut LoweringContext, ssh: &SshFile) {
    let open = ssh.allow.given().is_some_and(|allow| !allow.is_empty());
    if open && ssh.public_key.is_none() {
        let message = "SSH is open, but login is impossible without a key";
        let problem = Diagnostic::new(&NO_KEY, ssh.allow.key(), message).help("add public_key = \"ssh-ed25519 …\"");
        context.warn(problem);
    }
}

fn is_path(text: &str) -> bool {
    let extension = text.rsplit_once('.').map(|(_, extension)| extension);
    extension == Some("pub") || text.starts_with(['~', '/'])
}

/// The address ranges of a list, sorted, each once; `judge` may warn about one of them.
pub(super) fn allow(
    context: &mut LoweringContext,
    setting: Option<&Spanned<List<String>>>,
    judge: impl Fn(&Spanned<String>, Ipv4Net) -> Option<Diagnostic>,
) -> Result<Option<Vec<Ipv4Net>>, ErrorReported> {
    let Some(listed) = setting.optional()? else { return Ok(None) };
    let mut networks: Vec<Ipv4Net> = all(listed.iter().map(|range| {
        let network = cidr::read(context, range, 32)?;
        if let Some(problem) = judge(range, network) {
            context.warn(problem);
        }
        Ok(network)
    }))?;
    networks.sort();
    networks.dedup();
    Ok(Some(networks))
}

fn warn_world(range: &Spanned<String>, network: Ipv4Net, world: &Rule) -> Option<Diagnostic> {
    let what = if *world == API_WORLD { "the Kubernetes API" } else { "SSH" };
    let problem = Diagnostic::new(world, range.span.clone(), format!("{what} is open to the whole internet"))
        .help("write your own address, for example \"203.0.113.7/32\"");
    (network.prefix_len() == 0).then_some(problem)
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
