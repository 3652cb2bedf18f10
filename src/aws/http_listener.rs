//! Listeners of application load balancers, with their certificates.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Certificate, FixedResponseActionConfig, Listener as ElbListener, ProtocolEnum,
    RedirectActionConfig, RedirectActionStatusCodeEnum,
};

use super::AwsProvider;
use super::elb_snapshot::{DescribedObject, ELB, balancing, known, retag, text, to_elb};
use super::failure::{ErrorCodes, just_made};
use super::kind::{AwsKind, CreateContext, decode, live, updated};
use super::observe_cache::ObserveCache;
use crate::engine::{Failure, FailureClass, Live, ProgressNote, TextInput};
use crate::resource::{HttpListener, Resource};

/// The port that redirected clients connect to.
const HTTPS_PORT: &str = "443";

impl AwsKind for HttpListener {
    const CODES: ErrorCodes = &[
        // A certificate that was issued a moment ago.
        (FailureClass::MaybeNotYetConsistent, &["CertificateNotFound", "UnsupportedCertificate"]),
        (FailureClass::Quota, &["TooManyCertificates"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let snapshot = balancing(cache).await?;
        let described = snapshot.listeners.iter();
        let ours = described.filter_map(|described| {
            Some((described.address(cache, described.object.listener_arn(), Self::KIND.name)?, described))
        });
        ours.map(|(address, described)| {
            let arn = text(described.object.listener_arn());
            let more = snapshot.certificates.get(&arn).map(Vec::as_slice).unwrap_or_default();
            live(address.name(), &arn, &translate(described, more), &[("arn", &arn)])
        })
        .collect()
    }

    async fn create(&self, aws: &AwsProvider, creation: &CreateContext<'_>) -> Result<Live, Failure> {
        let request = aws
            .elb
            .create_listener()
            .set_load_balancer_arn(self.load_balancer.known().map(str::to_owned))
            .protocol(ProtocolEnum::from(self.protocol.as_str()))
            .port(self.port.into())
            .default_actions(self.action())
            .set_certificates(self.own_certificate())
            .set_ssl_policy(self.tls_policy.clone())
            .set_tags(Some(to_elb(&self.tags)));
        let answer = aws.send(ELB, "CreateListener", request.send()).await?;
        let arn = text(answer.listeners().first().and_then(ElbListener::listener_arn));
        add_certificates(aws, &arn, &known(&self.more_certificates)).await.map_err(just_made)?;
        live(creation.object.address.name(), &arn, self, &[("arn", &arn)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        let before: Self = decode(live)?;
        let (had, wanted) = (known(&before.more_certificates), known(&self.more_certificates));
        // Until the default certificate is changed, no host is left without its own.
        let moves = before.certificate.as_ref().and_then(TextInput::known).map(str::to_owned);
        let moves = moves.filter(|_| changed.contains("certificate"));
        let missing: Vec<String> = wanted
            .iter()
            .chain(&moves)
            .filter(|arn| !had.contains(arn))
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        if changed.contains("more_certificates") || moves.is_some() {
            add_certificates(aws, &live.id, &missing).await?;
        }
        if changed.iter().any(|name| name != "tags" && name != "more_certificates") {
            let request = aws
                .elb
                .modify_listener()
                .listener_arn(&live.id)
                .protocol(ProtocolEnum::from(self.protocol.as_str()))
                .port(self.port.into())
                .default_actions(self.action())
                .set_certificates(self.own_certificate())
                .set_ssl_policy(self.tls_policy.clone());
            aws.send(ELB, "ModifyListener", request.send()).await?;
        }
        let surplus: Vec<String> = had.iter().chain(&missing).filter(|arn| !wanted.contains(arn)).cloned().collect();
        if changed.contains("more_certificates") || moves.is_some() {
            remove_certificates(aws, &live.id, &surplus).await?;
        }
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        aws.send(ELB, "DeleteListener", aws.elb.delete_listener().listener_arn(&live.id).send()).await.map(drop)
    }
}

impl HttpListener {
    fn action(&self) -> Action {
        if self.default_action == Self::REDIRECT {
            let redirect = RedirectActionConfig::builder()
                .protocol(ProtocolEnum::Https.as_str())
                .port(HTTPS_PORT)
                .status_code(RedirectActionStatusCodeEnum::Http301);
            return Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(redirect.build()).build();
        }
        let response = FixedResponseActionConfig::builder()
            .status_code("404")
            .content_type("text/plain")
            .message_body("no service has this address\n");
        Action::builder().r#type(ActionTypeEnum::FixedResponse).fixed_response_config(response.build()).build()
    }

    fn own_certificate(&self) -> Option<Vec<Certificate>> {
        let arn = self.certificate.as_ref()?.known()?;
        Some(vec![Certificate::builder().certificate_arn(arn).build()])
    }
}

async fn add_certificates(aws: &AwsProvider, listener: &str, arns: &[String]) -> Result<(), Failure> {
    if arns.is_empty() {
        return Ok(());
    }
    let request = aws.elb.add_listener_certificates().listener_arn(listener).set_certificates(Some(as_elb(arns)));
    aws.send(ELB, "AddListenerCertificates", request.send()).await.map(drop)
}

async fn remove_certificates(aws: &AwsProvider, listener: &str, arns: &[String]) -> Result<(), Failure> {
    if arns.is_empty() {
        return Ok(());
    }
    let request = aws.elb.remove_listener_certificates().listener_arn(listener).set_certificates(Some(as_elb(arns)));
    aws.send(ELB, "RemoveListenerCertificates", request.send()).await.map(drop)
}

fn as_elb(arns: &[String]) -> Vec<Certificate> {
    arns.iter().map(|arn| Certificate::builder().certificate_arn(arn).build()).collect()
}

fn translate(described: &DescribedObject<ElbListener>, more: &[String]) -> HttpListener {
    let listener = &described.object;
    let tls = listener.protocol() == Some(&ProtocolEnum::Https);
    let certificate = listener.certificates().first().and_then(Certificate::certificate_arn);
    HttpListener {
        load_balancer: listener.load_balancer_arn().unwrap_or_default().into(),
        protocol: text(listener.protocol().map(ProtocolEnum::as_str)),
        port: listener.port().and_then(|port| port.try_into().ok()).unwrap_or_default(),
        default_action: action(listener.default_actions()),
        certificate: certificate.filter(|_| tls).map(Into::into),
        more_certificates: more.iter().map(|arn| arn.as_str().into()).collect(),
        tls_policy: tls.then(|| text(listener.ssl_policy())),
        tags: described.tags.clone(),
    }
}

/// Returns the default action; the type of any other than ours.
fn action(actions: &[Action]) -> String {
    let is_redirect = |action: &Action| {
        action.redirect_config().is_some_and(|redirect| {
            redirect.protocol() == Some(ProtocolEnum::Https.as_str())
                && redirect.port() == Some(HTTPS_PORT)
                && redirect.status_code() == Some(&RedirectActionStatusCodeEnum::Http301)
        })
    };
    let is_response =
        |action: &Action| action.fixed_response_config().is_some_and(|response| response.status_code() == Some("404"));
    match actions {
        [one] if is_redirect(one) => HttpListener::REDIRECT.to_owned(),
        [one] if is_response(one) => HttpListener::NOT_FOUND.to_owned(),
        others => {
            let types = others.iter().filter_map(|action| action.r#type().map(ActionTypeEnum::as_str));
            types.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(default_action: &str) -> HttpListener {
        HttpListener {
            load_balancer: "arn:b".into(),
            protocol: "HTTPS".to_owned(),
            port: 443,
            default_action: default_action.to_owned(),
            certificate: Some("arn:c".into()),
            more_certificates: Vec::new(),
            tls_policy: Some("policy".to_owned()),
            tags: [].into(),
        }
    }

    #[test]
    fn a_default_action_is_read_as_it_was_written_and_any_other_is_named_by_its_type() {
        for text in [HttpListener::REDIRECT, HttpListener::NOT_FOUND] {
            assert_eq!(action(&[listener(text).action()]), text);
        }
        let forward = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn("arn:t").build();
        assert_eq!(action(&[forward]), "forward");
        let other = RedirectActionConfig::builder().protocol("HTTPS").port("8443");
        let other = other.status_code(RedirectActionStatusCodeEnum::Http301).build();
        let other = Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(other).build();
        assert_eq!(action(&[other]), "redirect", "to another port");
    }
}
