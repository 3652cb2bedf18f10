//! Listeners, each of which forwards to one target group.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Certificate, Listener as ElbListener, ProtocolEnum,
};

use super::AwsProvider;
use super::elb_snapshot::{DescribedObject, ELB, balancing, retag, text, to_elb};
use super::failure::ErrorCodes;
use super::kind::{AwsKind, CreateContext, live, updated};
use super::observe_cache::ObserveCache;
use crate::engine::{Failure, FailureClass, Live, ProgressNote};
use crate::resource::{Listener, Resource};

impl AwsKind for Listener {
    const CODES: ErrorCodes = &[
        (FailureClass::Gone, &["ListenerNotFound"]),
        (FailureClass::AlreadyExists, &["DuplicateListener"]),
        (FailureClass::Quota, &["TooManyListeners"]),
    ];

    async fn observe(cache: &ObserveCache<'_>) -> Result<Vec<Live>, Failure> {
        let snapshot = balancing(cache).await?;
        let described = snapshot.listeners.iter();
        let ours = described.filter_map(|described| {
            Some((described.address(cache, described.object.listener_arn(), Self::KIND.name)?, described))
        });
        ours.map(|(address, described)| {
            let arn = text(described.object.listener_arn());
            live(address.name(), &arn, &translate(described), &[("arn", &arn)])
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
            .set_certificates(self.certificates())
            .set_ssl_policy(self.tls_policy.clone())
            .set_tags(Some(to_elb(&self.tags)));
        let answer = aws.send(ELB, "CreateListener", request.send()).await?;
        let arn = text(answer.listeners().first().and_then(ElbListener::listener_arn));
        live(creation.object.address.name(), &arn, self, &[("arn", &arn)])
    }

    async fn update(&self, aws: &AwsProvider, live: &Live, changed: &BTreeSet<String>) -> Result<Live, Failure> {
        if changed.iter().any(|name| name != "tags") {
            // What TLS needs goes by itself when the protocol is another one.
            let request = aws
                .elb
                .modify_listener()
                .listener_arn(&live.id)
                .protocol(ProtocolEnum::from(self.protocol.as_str()))
                .port(self.port.into())
                .default_actions(self.action())
                .set_certificates(self.certificates())
                .set_ssl_policy(self.tls_policy.clone());
            aws.send(ELB, "ModifyListener", request.send()).await?;
        }
        retag(aws, live, &self.tags, changed.contains("tags")).await?;
        updated(live, self)
    }

    async fn delete(aws: &AwsProvider, live: &Live, _note: ProgressNote<'_>) -> Result<(), Failure> {
        aws.send(ELB, "DeleteListener", aws.elb.delete_listener().listener_arn(&live.id).send()).await.map(drop)
    }
}

impl Listener {
    fn action(&self) -> Action {
        let target = self.target_group.known().map(str::to_owned);
        Action::builder().r#type(ActionTypeEnum::Forward).set_target_group_arn(target).build()
    }

    fn certificates(&self) -> Option<Vec<Certificate>> {
        let arn = self.certificate.as_ref()?;
        Some(vec![Certificate::builder().certificate_arn(arn).build()])
    }
}

fn translate(described: &DescribedObject<ElbListener>) -> Listener {
    let listener = &described.object;
    // AWS may return a policy for a listener that does not use TLS.
    let tls = listener.protocol() == Some(&ProtocolEnum::Tls);
    Listener {
        load_balancer: listener.load_balancer_arn().unwrap_or_default().into(),
        protocol: text(listener.protocol().map(ProtocolEnum::as_str)),
        port: listener.port().and_then(|port| port.try_into().ok()).unwrap_or_default(),
        target_group: targets(listener.default_actions()).into(),
        certificate: tls.then(|| text(listener.certificates().first().and_then(Certificate::certificate_arn))),
        tls_policy: tls.then(|| text(listener.ssl_policy())),
        tags: described.tags.clone(),
    }
}

/// Returns the target group that connections go to: all of them, if it was changed to several.
pub(super) fn targets(actions: &[Action]) -> String {
    let mut arns = BTreeSet::new();
    for action in actions {
        arns.extend(action.target_group_arn());
        arns.extend(
            action
                .forward_config()
                .iter()
                .flat_map(|forward| forward.target_groups().iter().filter_map(|target| target.target_group_arn())),
        );
    }
    arns.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use aws_sdk_elasticloadbalancingv2::types::{ForwardActionConfig, TargetGroupTuple};

    use super::*;

    fn forward(arns: &[&str]) -> Action {
        let tuples = arns.iter().map(|arn| TargetGroupTuple::builder().target_group_arn(*arn).build());
        let config = ForwardActionConfig::builder().set_target_groups(Some(tuples.collect())).build();
        Action::builder().r#type(ActionTypeEnum::Forward).forward_config(config).build()
    }

    #[test]
    fn only_tls_has_a_certificate_and_a_policy() {
        let described = |protocol| {
            let certificate = Certificate::builder().certificate_arn("arn:c").build();
            let listener = ElbListener::builder().protocol(protocol).certificates(certificate).ssl_policy("policy");
            translate(&DescribedObject { object: listener.build(), attributes: [].into(), tags: [].into() })
        };
        let tls = described(ProtocolEnum::Tls);
        assert_eq!((tls.certificate.as_deref(), tls.tls_policy.as_deref()), (Some("arn:c"), Some("policy")));
        let plain = described(ProtocolEnum::Tcp);
        assert_eq!((plain.certificate, plain.tls_policy), (None, None));
    }

    #[test]
    fn one_target_group_listed_twice_is_one() {
        let described = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn("arn:a");
        let both = described.forward_config(forward(&["arn:a"]).forward_config.unwrap()).build();
        assert_eq!(targets(&[both]), "arn:a");
        assert_eq!(targets(&[forward(&["arn:a"])]), "arn:a");
    }

    #[test]
    fn a_second_target_group_is_detected() {
        assert_eq!(targets(&[forward(&["arn:b", "arn:a"])]), "arn:a, arn:b");
        assert_eq!(targets(&[]), "");
    }
}
