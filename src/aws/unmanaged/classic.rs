//! Load balancers of the older API ("classic"), which the cloud controller manager creates by default.
//!
//! Both APIs have one endpoint, one protocol and one signature: the client of the newer one sends these few calls, with
//! another form as the body. So three calls need no second client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_elasticloadbalancingv2::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_elasticloadbalancingv2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_elasticloadbalancingv2::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use futures_util::future::try_join_all;

use super::{SERVICE_TAG, is_unmanaged, unmanaged_object};
use crate::aws::AwsProvider;
use crate::aws::elb_snapshot::{ELB, from_elb};
use crate::aws::failure::if_there;
use crate::engine::{Failure, Live};
use crate::resource::LoadBalancer;

/// The version of the older API.
const VERSION: &str = "2012-06-01";

/// Returns `true` if the identifier of a load balancer is one of the older API: a name instead of an ARN.
pub(in crate::aws) fn is_classic(id: &str) -> bool {
    !id.starts_with("arn:")
}

/// Removes a load balancer of the older API. If it does not exist, the call succeeds.
pub(in crate::aws) async fn delete(aws: &AwsProvider, name: &str) -> Result<(), Failure> {
    let form = form("DeleteLoadBalancer", &[("LoadBalancerName", name)]);
    let request = aws.elb.delete_load_balancer().customize().mutate_request(move |request| fill(request, &form));
    aws.send(ELB, "DeleteLoadBalancer", request.send()).await.map(drop)
}

/// Returns those that controllers of the cluster created.
pub(super) async fn load_balancers(aws: &AwsProvider) -> Result<Vec<Live>, Failure> {
    let names = names(aws).await?;
    let found = try_join_all(names.iter().map(|name| found(aws, name))).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Returns the names of all load balancers of the older API in the region.
async fn names(aws: &AwsProvider) -> Result<Vec<String>, Failure> {
    let (mut names, mut marker) = (Vec::new(), String::new());
    loop {
        let heard = ResponseText::default();
        let request = || {
            let form = form("DescribeLoadBalancers", &[("Marker", &marker)]);
            let request = aws.elb.describe_load_balancers().customize().interceptor(heard.clone());
            request.mutate_request(move |request| fill(request, &form)).send()
        };
        let answer = aws.read(ELB, "DescribeLoadBalancers", request).await?;
        names.extend(elements(&heard.text(), "LoadBalancerName"));
        match answer.next_marker() {
            Some(next) if !next.is_empty() => next.clone_into(&mut marker),
            _ => return Ok(names),
        }
    }
}

/// Returns a load balancer, if its tags show that it belongs to the cluster.
async fn found(aws: &AwsProvider, name: &str) -> Result<Option<Live>, Failure> {
    let request = || {
        let form = form("DescribeTags", &[("LoadBalancerNames.member.1", name)]);
        aws.elb.describe_tags().customize().mutate_request(move |request| fill(request, &form)).send()
    };
    let Some(answer) = if_there(aws.read(ELB, "DescribeTags", request).await)? else { return Ok(None) };
    let tags = answer.tag_descriptions().iter().flat_map(|described| from_elb(described.tags())).collect();
    if !is_unmanaged(aws, &tags) {
        return Ok(None);
    }
    let named = tags.get(SERVICE_TAG).map_or(name, String::as_str);
    Ok(Some(unmanaged_object::<LoadBalancer>(named, name, "arn", BTreeMap::new())))
}

/// Returns the body of a call; parameters without a value are left out.
fn form(action: &str, parameters: &[(&str, &str)]) -> String {
    let parameters = parameters.iter().filter(|(_, value)| !value.is_empty());
    let pairs = parameters.map(|(name, value)| format!("{name}={}", encoded(value)));
    let head = [format!("Action={action}"), format!("Version={VERSION}")];
    head.into_iter().chain(pairs).collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect::<Vec<_>>().concat()
}

fn fill(request: &mut HttpRequest, form: &str) {
    request.headers_mut().insert("content-length", form.len().to_string());
    *request.body_mut() = SdkBody::from(form);
}

/// Returns the content of all elements of this name in an answer. Names of load balancers hold nothing that XML escapes.
fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let pieces = xml.split(&open).skip(1).filter_map(|rest| rest.split(&close).next());
    pieces.map(|text| text.trim().to_owned()).collect()
}

/// Keeps an answer's text: the newer API's client skips what only the older one has.
#[derive(Debug, Clone, Default)]
struct ResponseText(Arc<Mutex<String>>);

impl ResponseText {
    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Intercept for ResponseText {
    fn name(&self) -> &'static str {
        "Heard"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let text = context.response().body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text.into_owned();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_holds_what_has_a_value() {
        assert_eq!(form("DescribeLoadBalancers", &[("Marker", "")]), "Action=DescribeLoadBalancers&Version=2012-06-01");
        assert!(form("DescribeTags", &[("Name", "a b&c=d")]).ends_with("&Name=a%20b%26c%3Dd"));
    }

    #[test]
    fn names_are_found_wherever_they_stand() {
        let xml = "<a><m><LoadBalancerName>one</LoadBalancerName><b/></m><m><LoadBalancerName> two\n</LoadBalancerName></m></a>";
        assert_eq!(elements(xml, "LoadBalancerName"), ["one", "two"]);
        assert!(elements("<a/>", "LoadBalancerName").is_empty());
    }

    #[test]
    fn an_arn_is_no_name() {
        assert!(is_classic("a1b2c3") && !is_classic("arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/a/b"));
    }
}
