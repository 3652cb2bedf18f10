//! The location of a cluster, and the traces of it in objects.
//!
//! IAM and Route 53 are global: a name or a path there does not show the region of a cluster. Two clusters of one
//! name are distinguished by their location: the region, and the S3 prefix that the machines start from. Global objects have
//! both in tags. Objects of releases before these tags are distinguished by their content.

use std::fmt::{self, Write as _};

use serde_json::Value as Json;

use super::{DnsRecord, HostedZone, Resource, Role, Tags, balancer_stem, root, tags_of};
use crate::engine::{Live, Value};

/// The tag with the region of a global object's cluster.
pub const REGION_TAG: &str = "quorate.dev/region";
/// The tag with the S3 location of the files that the machines of an object's cluster start from.
pub const STATE_TAG: &str = "quorate.dev/state";

/// Maximum number of characters of a tag's value.
const LONGEST_VALUE: usize = 256;

/// The location of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterLocation {
    /// The region, for example `us-east-1`.
    pub region: String,
    /// The S3 location that the machines start from, for example `s3://bucket/prefix`. If the state is in S3, it is there
    /// too.
    pub state: String,
}

/// The traces of a cluster's location in an object. Missing ones are `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocationTraces {
    /// The region.
    pub region: Option<String>,
    /// The location in S3.
    pub state: Option<String>,
}

impl ClusterLocation {
    /// Creates the location of a cluster from its region, its bucket and the prefix of its keys there.
    pub fn new(region: &str, bucket: &str, prefix: &str) -> Self {
        Self { region: region.to_owned(), state: place(bucket, prefix) }
    }

    /// Returns the tags with the location.
    pub fn tags(&self) -> Tags {
        Tags::from([(REGION_TAG.to_owned(), self.region.clone()), (STATE_TAG.to_owned(), value(&self.state))])
    }

    /// Returns the bucket.
    pub fn bucket(&self) -> &str {
        let rest = self.state.strip_prefix("s3://").unwrap_or(&self.state);
        rest.split('/').next().unwrap_or_default()
    }

    /// The beginning of all keys of a cluster in the bucket, without a slash at its end.
    pub fn root(&self, cluster: &str) -> String {
        let rest = self.state.strip_prefix("s3://").unwrap_or(&self.state);
        root(rest.split_once('/').map_or("", |(_, prefix)| prefix), cluster)
    }

    /// Returns `true` if a key of a bucket belongs to this cluster.
    pub fn holds(&self, cluster: &str, bucket: &str, key: &str) -> bool {
        format!("s3://{bucket}/{key}").starts_with(&format!("{}/{cluster}/", self.state))
    }

    /// Returns `true` if these traces show another location.
    pub fn contradicts(&self, traces: &LocationTraces) -> bool {
        let differs =
            |recorded: &Option<String>, own: &str| recorded.as_deref().is_some_and(|recorded| recorded != own);
        differs(&traces.region, &self.region) || differs(&traces.state, &value(&self.state))
    }
}

impl fmt::Display for ClusterLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.region, self.state)
    }
}

impl LocationTraces {
    /// Returns the traces in an object of a cluster: its tags first, otherwise its content.
    pub fn of(cluster: &str, live: &Live) -> Self {
        let tags = tags_of(&live.attributes);
        let content = match live.address.kind() {
            kind if kind == Role::KIND.name => in_policies(cluster, live.attributes.get("policies")),
            kind if kind == HostedZone::KIND.name => Self { region: in_vpcs(text(live, "vpc")), state: None },
            kind if kind == DnsRecord::KIND.name => {
                Self { region: in_target(cluster, text(live, "target")), state: None }
            }
            _ => Self::default(),
        };
        Self {
            region: tags.get(REGION_TAG).cloned().or(content.region),
            state: tags.get(STATE_TAG).cloned().or(content.state),
        }
    }

    /// Fills missing traces with those of another object.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { region: self.region.or(other.region), state: self.state.or(other.state) }
    }
}

/// Returns the id of a VPC as an attribute of a zone: with its region if that is not the cluster's.
pub fn vpc_in(id: &str, region: &str, own: &str) -> String {
    if region.is_empty() || region == own { id.to_owned() } else { format!("{id} ({region})") }
}

fn place(bucket: &str, prefix: &str) -> String {
    let prefix = prefix.trim_matches('/');
    if prefix.is_empty() { format!("s3://{bucket}") } else { format!("s3://{bucket}/{prefix}") }
}

/// Encodes a location as the value of a tag. IAM does not allow every character of an S3 key: others become `=`
/// and their code.
fn value(place: &str) -> String {
    let is_taken = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    let mut value = String::with_capacity(place.len());
    for character in place.chars() {
        if is_taken(character) {
            value.push(character);
        } else {
            // A write to a string cannot fail.
            let _ = write!(value, "={:x}", u32::from(character));
        }
    }
    value.chars().take(LONGEST_VALUE).collect()
}

fn text<'a>(live: &'a Live, attribute: &str) -> &'a str {
    live.attributes.get(attribute).and_then(Value::as_text).unwrap_or_default()
}

/// Returns the region and the bucket in the policies of a role.
fn in_policies(cluster: &str, policies: Option<&Value>) -> LocationTraces {
    let Some(Value::Map(policies)) = policies else { return LocationTraces::default() };
    let mut arns = Vec::new();
    for policy in policies.values().filter_map(Value::as_text) {
        if let Ok(document) = serde_json::from_str::<Json>(policy) {
            resources(&document, &mut arns);
        }
    }
    let region = arns.iter().find_map(|arn| {
        let mut parts = arn.split(':').skip(2);
        let (service, region) = (parts.next()?, parts.next()?);
        (matches!(service, "ec2" | "elasticloadbalancing") && !region.is_empty()).then(|| region.to_owned())
    });
    let state = arns.iter().find_map(|arn| keys_of(cluster, arn));
    LocationTraces { region, state }
}

/// Collects every `Resource` of a policy document.
fn resources(document: &Json, found: &mut Vec<String>) {
    let statements = match document.get("Statement") {
        Some(Json::Array(statements)) => statements.as_slice(),
        Some(statement) => std::slice::from_ref(statement),
        None => return,
    };
    for resource in statements.iter().filter_map(|statement| statement.get("Resource")) {
        match resource {
            Json::String(arn) => found.push(arn.clone()),
            Json::Array(arns) => found.extend(arns.iter().filter_map(Json::as_str).map(str::to_owned)),
            _ => {}
        }
    }
}

/// Returns the S3 location of a cluster's keys, from the ARN of some of them, as the value of a tag.
fn keys_of(cluster: &str, arn: &str) -> Option<String> {
    let (bucket, key) = arn.split_once(":s3:::")?.1.split_once('/')?;
    // In a policy, `${*}` is a literal star.
    let key = ["*", "?", "$"].iter().fold(key.to_owned(), |key, sign| key.replace(&format!("${{{sign}}}"), sign));
    let folder = format!("{cluster}/");
    let prefix = if key.starts_with(&folder) { "" } else { key.split_once(&format!("/{folder}"))?.0 };
    Some(value(&place(bucket, prefix)))
}

/// Returns the region of a zone's VPCs, if they are all in another region.
fn in_vpcs(vpcs: &str) -> Option<String> {
    let regions = vpcs.split(", ").map(|vpc| Some(vpc.split_once(" (")?.1.trim_end_matches(')').to_owned()));
    regions.collect::<Option<Vec<_>>>()?.into_iter().next()
}

/// Returns the region of the load balancer that a record points to, if its name is one that the cluster gives.
fn in_target(cluster: &str, target: &str) -> Option<String> {
    if !target.starts_with(&balancer_stem(cluster)) {
        return None;
    }
    let labels: Vec<&str> = target.split('.').collect();
    let elb = labels.iter().position(|label| *label == "elb")?;
    // A network load balancer is `NAME.elb.REGION.…`, others are `NAME.REGION.elb.…`.
    let around = [elb.checked_add(1), elb.checked_sub(1)].into_iter().flatten();
    let region = around.filter_map(|at| labels.get(at)).find(|label| is_region(label))?;
    Some((*region).to_owned())
}

/// Returns `true` if a label has the form of a region: `us-east-1`.
fn is_region(label: &str) -> bool {
    let mut parts = label.split('-');
    let first = parts.next().is_some_and(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_lowercase()));
    first && label.matches('-').count() >= 2 && parts.next_back().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::{Address, ObjectPhase};

    const NAME: &str = "a.example.com";

    fn live(kind: &str, attributes: &Json) -> Live {
        Live {
            address: Address::new(kind, "api"),
            id: "x".to_owned(),
            attributes: serde_json::from_value(attributes.clone()).unwrap(),
            outputs: BTreeMap::new(),
            phase: ObjectPhase::Ready,
            proven: true,
            created: None,
            members: Vec::new(),
        }
    }

    fn traces(kind: &str, attributes: &Json) -> (Option<String>, Option<String>) {
        let LocationTraces { region, state } = LocationTraces::of(NAME, &live(kind, attributes));
        (region, state)
    }

    fn described(region: &str, state: &str) -> (Option<String>, Option<String>) {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        (some(region), some(state))
    }

    #[test]
    fn tags_carry_the_location_of_a_cluster() {
        let location = ClusterLocation::new("us-east-1", "a-state", "");
        let tags = serde_json::json!({ "tags": location.tags() });
        for kind in ["role", "instance-profile", "hosted-zone", "vpc"] {
            assert_eq!(traces(kind, &tags), described("us-east-1", "s3://a-state"), "{kind}");
        }
        assert!(!location.contradicts(&LocationTraces::of(NAME, &live("role", &tags))));
        for other in
            [ClusterLocation::new("us-west-2", "a-state", ""), ClusterLocation::new("us-east-1", "a-state", "x")]
        {
            assert!(other.contradicts(&LocationTraces::of(NAME, &live("role", &tags))), "{other}");
        }
    }

    #[test]
    fn a_home_holds_the_keys_of_its_cluster_alone() {
        let location = ClusterLocation::new("us-east-1", "b", "team/");
        assert_eq!((location.bucket(), location.to_string().as_str()), ("b", "us-east-1 (s3://b/team)"));
        assert_eq!(location.root(NAME), "team/a.example.com");
        assert_eq!(ClusterLocation::new("us-east-1", "b", "").root(NAME), NAME);
        assert!(location.holds(NAME, "b", "team/a.example.com/pki/ca.crt"));
        for other in
            ["a.example.com/pki/ca.crt", "team/a.example.com.br/x", "team/aa.example.com/x", "team/a.example.com"]
        {
            assert!(!location.holds(NAME, "b", other), "{other}");
        }
        assert!(!location.holds(NAME, "bb", "team/a.example.com/pki/ca.crt"));
    }

    #[test]
    fn an_object_without_traces_contradicts_nothing() {
        let nothing = serde_json::json!({ "tags": {}, "policies": {}, "vpc": "vpc-1", "target": "192.0.2.1" });
        for kind in ["role", "instance-profile", "hosted-zone", "record", "subnet"] {
            assert_eq!(traces(kind, &nothing), (None, None), "{kind}");
        }
        assert!(!ClusterLocation::new("us-east-1", "b", "").contradicts(&LocationTraces::default()));
    }

    #[test]
    fn policies_of_older_releases_name_the_bucket_and_the_region() {
        let policy = |resources: &[&str]| {
            let document = serde_json::json!({ "Statement": [{ "Resource": resources }, { "Resource": "*" }] });
            serde_json::json!({ "policies": { "quorate": document.to_string() } })
        };
        let key = "arn:aws:s3:::a-state/a.example.com/bootstrap/*";
        assert_eq!(traces("role", &policy(&[key])), described("", "s3://a-state"));
        let below = "arn:aws-cn:s3:::a-state/team/x/a.example.com/pki/*";
        let volume = "arn:aws-cn:ec2:cn-north-1:123456789012:volume/*";
        assert_eq!(traces("role", &policy(&[volume, below])), described("cn-north-1", "s3://a-state/team/x"));
        let star = "arn:aws:s3:::a-state/odd${*}/a.example.com/pki/*";
        assert_eq!(traces("role", &policy(&[star])), described("", &value("s3://a-state/odd*")));
        // A longer name that ends or begins like the cluster's belongs to another cluster.
        for other in ["arn:aws:s3:::b/aa.example.com/pki/*", "arn:aws:s3:::b/a.example.com.br/pki/*"] {
            assert_eq!(traces("role", &policy(&[other])), (None, None), "{other}");
        }
    }

    #[test]
    fn a_record_leads_to_a_region() {
        let stem = balancer_stem(NAME);
        for (target, region) in [
            (format!("{stem}api-1.elb.us-west-2.amazonaws.com"), "us-west-2"),
            (format!("{stem}api-1.us-gov-west-1.elb.amazonaws.com"), "us-gov-west-1"),
            (format!("{stem}api-1.elb.amazonaws.com"), ""),
            ("other-api-1.elb.us-west-2.amazonaws.com".to_owned(), ""),
        ] {
            assert_eq!(traces("record", &serde_json::json!({ "target": target })), described(region, ""), "{target}");
        }
    }

    #[test]
    fn a_zone_is_where_its_vpcs_are() {
        for (vpcs, region) in [
            ("vpc-1", ""),
            ("vpc-1 (us-west-2)", "us-west-2"),
            ("vpc-1, vpc-2 (us-west-2)", ""),
            ("vpc-1 (us-west-2), vpc-2 (us-west-2)", "us-west-2"),
        ] {
            assert_eq!(traces("hosted-zone", &serde_json::json!({ "vpc": vpcs })), described(region, ""), "{vpcs}");
        }
        assert_eq!(vpc_in("vpc-1", "us-west-2", "us-east-1"), "vpc-1 (us-west-2)");
        assert_eq!(vpc_in("vpc-1", "us-east-1", "us-east-1"), "vpc-1");
    }

    #[test]
    fn a_place_is_a_value_that_iam_takes() {
        assert_eq!(value("s3://a-state/Team_1/x"), "s3://a-state/Team_1/x");
        assert_eq!(value("s3://a/(odd)*"), "s3://a/=28odd=29=2a");
        assert_eq!(value(&"x".repeat(300)).len(), LONGEST_VALUE);
        assert_ne!(ClusterLocation::new("r", "b", "a*").tags(), ClusterLocation::new("r", "b", "a?").tags());
    }
}
