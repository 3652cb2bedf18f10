//! Rules about the listeners of load balancers: ports, protocols, certificates.

use std::collections::BTreeMap;

use super::super::cluster::Zone;
use super::super::complete::target;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::{ListenerFile, NlbFile, ProtocolFile, ServiceFile};
use super::super::service::{Port, Transport};
use super::{FileCheck, Rule, nodes, ports};

pub(super) static RULES: [&Rule; 7] = [&NOTHING, &TWICE, &TARGET, &PROTOCOL, &TLS, &CERTIFICATE, &STICKY];

/// Maximum length of the name of a listener's block.
const LONGEST_NAME: usize = 32;

static NOTHING: Rule = Rule {
    code: "Q0520",
    severity: Error,
    title: "a load balancer that listens on nothing",
    explanation: "`nlb.port` is the port that clients connect to; `listener` blocks add more. Without either there is \
        nothing to connect to, and nothing that `target`, `protocol`, `certificate` or `tls_policy` could be about.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {}\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port = 80\n  }\n}",
};

static TWICE: Rule = Rule {
    code: "Q0521",
    severity: Error,
    title: "two listeners on one port",
    explanation: "A load balancer has one listener for each port, whatever it speaks. TCP and UDP on one port are one \
        listener: its target is a port that speaks both (`53/tcp+udp`).",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port = 80\n    listener \"more\" {\n      port = 80\n    }\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port = 80\n    listener \"more\" {\n      port = 8080\n    }\n  }\n}",
};

static TARGET: Rule = Rule {
    code: "Q0522",
    severity: Error,
    title: "a listener that leads to no port of its service",
    explanation: "A listener's `target` is the name of one of its service's ports; `main` is that of `port`. It can be left \
        out when the service has one port, or when `main` is meant.",
    bad: "service \"game\" {\n  image = \"game:1\"\n  ports = { play = \"7777/udp\", chat = \"7000\" }\n  nlb {\n    port = 7777\n  }\n}",
    good: "service \"game\" {\n  image = \"game:1\"\n  ports = { play = \"7777/udp\", chat = \"7000\" }\n  nlb {\n    port   = 7777\n    target = \"play\"\n  }\n}",
};

static PROTOCOL: Rule = Rule {
    code: "Q0523",
    severity: Error,
    title: "a listener that speaks what its target does not",
    explanation: "A listener passes on what it hears, so the port behind it has to speak the same: `TCP_UDP` goes to a port \
        of `tcp+udp`, and `TLS` to one of `tcp` alone. Without `protocol`, a listener speaks what its target speaks.",
    bad: "service \"game\" {\n  image = \"game:1\"\n  port  = 7777\n  nlb {\n    port     = 7777\n    protocol = \"UDP\"\n  }\n}",
    good: "service \"game\" {\n  image = \"game:1\"\n  ports = { play = \"7777/udp\" }\n  nlb {\n    port = 7777\n  }\n}",
};

static TLS: Rule = Rule {
    code: "Q0524",
    severity: Error,
    title: "TLS without a certificate, or a certificate without TLS",
    explanation: "With `protocol = \"TLS\"` the load balancer ends the encryption, so it needs a certificate to show. With \
        `TCP` it passes everything on as it is, and the container has to have the certificate; `certificate` and \
        `tls_policy` mean nothing there.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port     = 443\n    protocol = \"TLS\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port        = 443\n    protocol    = \"TLS\"\n    certificate = \"arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012\"\n  }\n}",
};

static CERTIFICATE: Rule = Rule {
    code: "Q0525",
    severity: Error,
    title: "a certificate or a TLS policy that a load balancer cannot use",
    explanation: "A certificate is named by its ARN: one of the Certificate Manager in the cluster's region, or a server \
        certificate of IAM. A policy is one of ELB's own, whose names begin with `ELBSecurityPolicy-`.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port        = 443\n    protocol    = \"TLS\"\n    certificate = \"arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port        = 443\n    protocol    = \"TLS\"\n    certificate = \"arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012\"\n  }\n}",
};

static STICKY: Rule = Rule {
    code: "Q0526",
    severity: Error,
    title: "sticky connections by TLS",
    explanation: "A network load balancer keeps connections of one address together for TCP and UDP, not where it ends TLS \
        itself. Pass TLS on to the container as TCP, or let the pods share what makes them different.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port        = 443\n    protocol    = \"TLS\"\n    certificate = \"arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012\"\n    sticky      = true\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 443\n  nlb {\n    port   = 443\n    sticky = true\n  }\n}",
};

/// Settings that describe a listener, so they are wrong without one.
const ABOUT_A_LISTENER: [&str; 4] = ["target", "protocol", "certificate", "tls_policy"];

pub(super) fn check(check: &mut FileCheck, name: &str, service: &ServiceFile, nlb: &NlbFile) {
    nothing(check, name);
    let ports = ports::known(service);
    let mut first: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (label, file) in nlb.listeners() {
        if let Some(label) = label {
            let path = ["service", name, "nlb", "listener", label];
            nodes::check_name(check, &path, LONGEST_NAME, "a listener");
        }
        let at = ListenerField { service: name, label };
        if let Some(port) = file.port
            && let Some(path) = first.insert(port, at.path("port"))
        {
            let problem = at
                .problem(check, &TWICE, "port", format!("two listeners of `service.{name}` have the port {port}"))
                .related(check.tree.span(&path.iter().map(String::as_str).collect::<Vec<_>>()), "first here");
            check.report(problem);
        }
        protocol(check, &at, &file, &ports);
        tls(check, &at, &file, nlb);
    }
}

/// The place of a listener in the file.
struct ListenerField<'a> {
    service: &'a str,
    label: Option<&'a str>,
}

impl ListenerField<'_> {
    fn path(&self, setting: &str) -> Vec<String> {
        let above = ["service", self.service, "nlb"].into_iter();
        let own = self.label.map(|label| ["listener", label]).into_iter().flatten();
        above.chain(own).chain([setting]).map(str::to_owned).collect()
    }

    /// Returns a problem with a setting, or with the listener that lacks it.
    fn problem(&self, check: &FileCheck, rule: &Rule, setting: &str, message: String) -> Diagnostic {
        let path = self.path(setting);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let there = check.span(&path).is_some();
        let above = &path[..path.len() - 1];
        if there { check.at(rule, &path, message) } else { check.at_key(rule, above, message) }
    }
}

/// Reports settings that describe a listener that does not exist.
fn nothing(check: &mut FileCheck, name: &str) {
    let there = |setting: &&str| check.tree.find(&["service", name, "nlb", setting]).is_some();
    if there(&"port") {
        return;
    }
    let stray = ABOUT_A_LISTENER.iter().find(|setting| there(setting));
    let problem = match stray {
        Some(setting) => check
            .at_key(
                &NOTHING,
                &["service", name, "nlb", setting],
                format!("`{setting}` is about `port`, which is missing"),
            )
            .help("add a port, or move it into the `listener` that it is about"),
        None if there(&"listener") => return,
        None => check
            .at_key(&NOTHING, &["service", name, "nlb"], format!("the load balancer of `service.{name}` has no port"))
            .help("add the port that clients connect to, for example: port = 80"),
    };
    check.report(problem);
}

fn protocol(check: &mut FileCheck, at: &ListenerField<'_>, file: &ListenerFile, ports: &BTreeMap<String, Port>) {
    let Some(target) = target(file.target.as_deref(), ports) else {
        let known = || ports.keys().map(String::as_str);
        let problem = match &file.target {
            Some(named) => at
                .problem(check, &TARGET, "target", format!("`service.{}` has no port `{named}`", at.service))
                .expected(known().map(|name| format!("{name:?}")))
                .did_you_mean_as(named, known(), |name| format!("{name:?}")),
            None => at
                .problem(
                    check,
                    &TARGET,
                    "port",
                    format!("`service.{}` has several ports, and none is `main`", at.service),
                )
                .expected(known().map(|name| format!("target = {name:?}"))),
        };
        // Ports that cannot be read are reported already.
        if !ports.is_empty() {
            check.report(problem);
        }
        return;
    };
    let Some((wanted, behind)) = file.protocol.zip(ports.get(target)).map(|(wanted, port)| (wanted, port.transport))
    else {
        return;
    };
    let fits = match wanted {
        ProtocolFile::Tcp => behind != Transport::Udp,
        ProtocolFile::Udp => behind != Transport::Tcp,
        ProtocolFile::Both => behind == Transport::Both,
        ProtocolFile::Tls => behind == Transport::Tcp,
    };
    if !fits {
        let problem = at
            .problem(check, &PROTOCOL, "protocol", format!("the port `{target}` behind it speaks {}", behind.as_str()))
            .help("remove `protocol`, or let the container listen by the same one");
        check.report(problem);
    }
}

fn tls(check: &mut FileCheck, at: &ListenerField<'_>, file: &ListenerFile, nlb: &NlbFile) {
    if file.protocol != Some(ProtocolFile::Tls) {
        for (setting, value) in [("certificate", &file.certificate), ("tls_policy", &file.tls_policy)] {
            if value.is_some() {
                let problem = at
                    .problem(
                        check,
                        &TLS,
                        setting,
                        format!("`{setting}` is for TLS, which this listener does not speak"),
                    )
                    .help(format!("add protocol = \"TLS\", or remove `{setting}`"));
                check.report(problem);
            }
        }
        return;
    }
    match file.certificate.as_deref() {
        None => {
            let problem = at
                .problem(check, &TLS, "protocol", "TLS needs a certificate".to_owned())
                .help("add the certificate's ARN: certificate = \"arn:aws:acm:…\"");
            check.report(problem);
        }
        Some(arn) => certificate(check, at, arn),
    }
    if let Some(policy) = file.tls_policy.as_deref().filter(|policy| !is_policy(policy)) {
        let problem = at
            .problem(check, &CERTIFICATE, "tls_policy", format!("{policy:?} is not one of ELB's security policies"))
            .expected(["for example \"ELBSecurityPolicy-TLS13-1-2-2021-06\""]);
        check.report(problem);
    }
    if nlb.sticky == Some(true) {
        let problem = check
            .at_key(&STICKY, &["service", at.service, "nlb", "sticky"], "connections by TLS cannot be sticky")
            .related(at.problem(check, &STICKY, "protocol", String::new()).span, "ends TLS")
            .help("remove `sticky`, or pass TLS on to the container with protocol = \"TCP\"");
        check.report(problem);
    }
}

fn certificate(check: &mut FileCheck, at: &ListenerField<'_>, arn: &str) {
    let region = check.zones.first().map(Zone::region).unwrap_or_default().to_owned();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let problem = match parts.as_slice() {
        ["arn", _, "acm", place, account, rest] if is_account(account) && rest.starts_with("certificate/") => {
            // Zones that cannot be read are reported already.
            if *place == region || region.is_empty() {
                return;
            }
            at.problem(
                check,
                &CERTIFICATE,
                "certificate",
                format!("the certificate is in {place}, the cluster in {region}"),
            )
            .note("a load balancer takes certificates of its own region alone")
            .help(format!("request one in {region}, or import it there"))
        }
        ["arn", _, "iam", "", account, rest] if is_account(account) && rest.starts_with("server-certificate/") => {
            return;
        }
        _ => at
            .problem(check, &CERTIFICATE, "certificate", format!("{arn:?} is not the ARN of a certificate"))
            .expected(["an ARN, for example \"arn:aws:acm:us-east-1:123456789012:certificate/…\""]),
    };
    check.report(problem);
}

fn is_policy(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    name.strip_prefix("ELBSecurityPolicy-").is_some_and(|rest| !rest.is_empty() && rest.chars().all(allowed))
}
