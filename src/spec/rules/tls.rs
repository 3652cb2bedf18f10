//! The TLS settings of listeners: certificates and policies.

use super::super::cluster::Zone;
use super::super::defaults;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::ProtocolFile;
use super::super::service::Tls;
use super::listeners::ListenerSettings;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Spanned, all};

pub(super) static TLS: Rule = Rule {
    code: "Q0524",
    severity: Error,
    title: "TLS without a certificate, or a certificate without TLS",
    explanation: "With `protocol = \"TLS\"` the load balancer ends the encryption, so it needs a certificate to show. With \
        `TCP` it passes everything on as it is, and the container has to have the certificate; `certificate` and \
        `tls_policy` mean nothing there.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port     = 443\n    protocol = \"TLS\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port        = 443\n    protocol    = \"TLS\"\n    certificate = \"arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012\"\n  }\n}",
};

pub(super) static CERTIFICATE: Rule = Rule {
    code: "Q0525",
    severity: Error,
    title: "a certificate or a TLS policy that a load balancer cannot use",
    explanation: "A certificate is named by its ARN: one of the Certificate Manager in the cluster's region, or a server \
        certificate of IAM. A policy is one of ELB's own, whose names begin with `ELBSecurityPolicy-`.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port        = 443\n    protocol    = \"TLS\"\n    certificate = \"arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port        = 443\n    protocol    = \"TLS\"\n    certificate = \"arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012\"\n  }\n}",
};

pub(super) static STICKY: Rule = Rule {
    code: "Q0526",
    severity: Error,
    title: "sticky connections by TLS",
    explanation: "A network load balancer keeps connections of one address together for TCP and UDP, not where it ends TLS \
        itself. Pass TLS on to the container as TCP, or let the pods share what makes them different.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port        = 443\n    protocol    = \"TLS\"\n    certificate = \"arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012\"\n    sticky      = true\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 443\n  nlb {\n    port   = 443\n    sticky = true\n  }\n}",
};

/// Reads the TLS settings of a listener that speaks TLS.
pub(super) fn read(context: &mut LoweringContext, settings: &ListenerSettings) -> Result<Option<Tls>, ErrorReported> {
    if settings.protocol.optional()? != Some(&ProtocolFile::Tls) {
        let stray = [("certificate", settings.certificate), ("tls_policy", settings.tls_policy)];
        let stray = stray.into_iter().filter_map(|(name, setting)| Some((name, setting?)));
        return all(stray.map(|(name, written)| {
            written.value()?;
            let message = format!("`{name}` is for TLS, and this listener has another protocol");
            let problem = Diagnostic::new(&TLS, written.span.clone(), message);
            Err(context.error(problem.help(format!("add protocol = \"TLS\", or remove `{name}`"))))
        }))
        .map(|()| None);
    }
    let certificate = if let Some(written) = settings.certificate {
        certificate(context, written)
    } else {
        let problem = Diagnostic::new(&TLS, settings.protocol.place(), "TLS needs a certificate");
        Err(context.error(problem.help("add the certificate's ARN: certificate = \"arn:aws:acm:…\"")))
    };
    let policy = policy(context, settings.tls_policy);
    if settings.sticky.given() == Some(&true) {
        let problem = Diagnostic::new(&STICKY, settings.sticky.key(), "connections by TLS cannot be sticky")
            .related(settings.protocol.place(), "ends TLS")
            .help("remove `sticky`, or pass TLS on to the container with protocol = \"TCP\"");
        return Err(context.error(problem));
    }
    Ok(Some(Tls { certificate: certificate?, policy: policy? }))
}

pub(super) fn policy(
    context: &mut LoweringContext,
    setting: Option<&Spanned<String>>,
) -> Result<String, ErrorReported> {
    let Some(policy) = setting.optional()? else { return Ok(defaults::TLS_POLICY.to_owned()) };
    if is_policy(policy) {
        return Ok(policy.clone());
    }
    let message = format!("{policy:?} is not one of ELB's security policies");
    let problem = Diagnostic::new(&CERTIFICATE, setting.place(), message);
    Err(context.error(problem.expected(["for example \"ELBSecurityPolicy-TLS13-1-2-2021-06\""])))
}

pub(super) fn certificate(context: &mut LoweringContext, written: &Spanned<String>) -> Result<String, ErrorReported> {
    let arn = written.value()?;
    let region = context.zones.first().map(Zone::region).unwrap_or_default();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let problem = match parts.as_slice() {
        ["arn", _, "acm", place, account, rest] if is_account(account) && rest.starts_with("certificate/") => {
            // Zones that cannot be read are reported already.
            if *place == region || region.is_empty() {
                return Ok(arn.clone());
            }
            let message = format!("the certificate is in {place}, the cluster in {region}");
            Diagnostic::new(&CERTIFICATE, written.span.clone(), message)
                .note("a load balancer takes certificates of its own region alone")
                .help(format!("request one in {region}, or import it there"))
        }
        ["arn", _, "iam", "", account, rest] if is_account(account) && rest.starts_with("server-certificate/") => {
            return Ok(arn.clone());
        }
        _ => Diagnostic::new(&CERTIFICATE, written.span.clone(), format!("{arn:?} is not the ARN of a certificate"))
            .expected(["an ARN, for example \"arn:aws:acm:us-east-1:123456789012:certificate/…\""]),
    };
    Err(context.error(problem))
}

fn is_policy(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    name.strip_prefix("ELBSecurityPolicy-").is_some_and(|rest| !rest.is_empty() && rest.chars().all(allowed))
}
