//! AWS limits on names, for any cluster.

use proptest::prelude::*;
use serde_json::json;

use super::clusters::{all, any_cluster, any_name, cluster, example, objects, text, tutorial};
use crate::limits::{AllowedValue, AttributeLimit};
use crate::resource::{
    AutoScalingGroup, Bucket, DnsRecord, HostedZone, InstanceProfile, KeyPair, LaunchTemplate, LoadBalancer, Role,
    SecurityGroup, SecurityGroupRules, TargetGroup, limits, tag_limits, tags_of,
};
use crate::spec::InboundRules;

/// Checks one name: its length, and that it holds only letters, digits and `others`.
fn check(what: &str, name: &str, lengths: std::ops::RangeInclusive<usize>, others: &str) {
    assert!(lengths.contains(&name.len()), "{what} `{name}` has {} characters", name.len());
    let odd = name.chars().find(|c| !c.is_ascii_alphanumeric() && !others.contains(*c));
    assert_eq!(odd, None, "{what} `{name}`");
}

/// Characters that AWS allows in the description of a security group and of its rules, beside letters and digits.
const DESCRIPTION: &str = " ._-:/()#,@[]+=&;{}!$*";

fn check_all(objects: &[crate::engine::Object]) {
    for (_, group) in all::<SecurityGroup>(objects) {
        check("security group", &group.name, 1..=255, DESCRIPTION);
        assert!(!group.name.starts_with("sg-"), "reserved");
        check("description", &group.description, 1..=255, DESCRIPTION);
    }
    for (_, rules) in all::<SecurityGroupRules>(objects) {
        for rule in rules.ingress.iter().chain(&rules.egress) {
            check("description", &rule.description, 0..=255, DESCRIPTION);
        }
    }
    for (_, role) in all::<Role>(objects) {
        check("role", &role.name, 1..=64, "_+=,.@-");
        check("path", &role.path, 1..=512, "/.-");
        let size: usize = role.policies.values().map(|document| text(document).len()).sum();
        assert!(size <= 10_240, "a role's inline policies are {size} characters together");
    }
    for (_, profile) in all::<InstanceProfile>(objects) {
        check("instance profile", &profile.name, 1..=128, "_+=,.@-");
    }
    for (_, key) in all::<KeyPair>(objects) {
        check("key pair", &key.name, 1..=255, ".-");
    }
    for (_, template) in all::<LaunchTemplate>(objects) {
        check("launch template", &template.name, 3..=128, "()./_-");
        assert!(text(&template.user_data).len() < 16 * 1024);
    }
    for (_, group) in all::<AutoScalingGroup>(objects) {
        check("Auto Scaling group", &group.name, 1..=255, ".-");
    }
    for name in names_of_load_balancing(objects) {
        check("load balancing", &name, 1..=32, "-");
        assert!(!name.starts_with('-') && !name.ends_with('-') && !name.starts_with("internal-"), "{name}");
    }
    for (_, bucket) in all::<Bucket>(objects) {
        check("bucket", &bucket.name, 3..=63, ".-");
        assert!(bucket.name.chars().all(|c| !c.is_ascii_uppercase()));
    }
    for (_, zone) in all::<HostedZone>(objects) {
        check_domain(&zone.name);
        assert!(zone.comment.len() <= 256);
    }
    for (_, record) in all::<DnsRecord>(objects) {
        check_domain(&record.name);
    }
    for object in objects {
        let kind = object.address.kind();
        let tags = tags_of(&object.attributes);
        assert_eq!(crate::limits::tags::check(tag_limits(kind), &tags), Ok(()), "{}", object.address);
        for limit in limits(kind) {
            assert_limit(object, limit);
        }
    }
}

/// Checks a text of an object against the limit that the sandbox enforces.
fn assert_limit(object: &crate::engine::Object, limit: &AttributeLimit) {
    let ([name], AllowedValue::Text(takes)) = (limit.path, limit.takes) else { return };
    if let Some(text) = object.attributes.get(*name).and_then(|value| value.as_text()) {
        assert_eq!(takes.check(text), Ok(()), "{name} of {}", object.address);
    }
}

fn names_of_load_balancing(objects: &[crate::engine::Object]) -> Vec<String> {
    let balancers = all::<LoadBalancer>(objects).into_values().map(|balancer| balancer.name);
    balancers.chain(all::<TargetGroup>(objects).into_values().map(|group| group.name)).collect()
}

fn check_domain(name: &str) {
    check("domain", name, 1..=253, ".-");
    assert!(name.split('.').all(|label| (1..=63).contains(&label.len())), "{name}");
}

/// Checks that the file's rule counts as many rules of each group as the group then has.
fn check_inbound(json: &serde_json::Value) {
    let inbound = InboundRules::of(&cluster(json.clone()));
    let built = all::<SecurityGroupRules>(&objects(json.clone()));
    let rules = |group: &str| built.get(group).map(|rules| rules.ingress.len());
    assert_eq!(rules("api"), Some(inbound.api));
    assert_eq!(rules("masters"), Some(inbound.masters));
    assert_eq!(rules("nodes"), Some(inbound.nodes));
    for (service, counted) in inbound.services {
        assert_eq!(rules(&format!("service-{service}")), Some(counted), "{service}");
    }
}

#[test]
fn rules_of_security_groups_are_counted_before_they_are_made() {
    let mut many = example("many", include_str!("../../../tests/broken/quota-security-group.hcl"));
    check_inbound(&many);
    many["services"]["game"]["nlb"]["preserve_client_ip"] = json!(true);
    many["network"]["plugin"] = json!("none");
    many["ssh"]["allow"] = json!(["203.0.113.0/24", "198.51.100.0/24"]);
    check_inbound(&many);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_name_is_one_that_aws_takes(cluster in any_cluster()) {
        check_inbound(&cluster);
        check_all(&objects(cluster));
    }

    #[test]
    fn clusters_of_one_account_share_no_name(one in any_name(), other in any_name()) {
        prop_assume!(one != other);
        let names = |name: &str| {
            let mut cluster = tutorial();
            cluster["name"] = json!(name);
            cluster["state"] = json!({ "directory": "state" });
            unique_names(&objects(cluster))
        };
        let (one, other) = (names(&one), names(&other));
        prop_assert!(one.iter().all(|name| !other.contains(name)), "{one:?} {other:?}");
    }
}

/// Returns the names that must be unique in a region, an account or all of AWS.
fn unique_names(objects: &[crate::engine::Object]) -> Vec<(&'static str, String)> {
    let mut names = Vec::new();
    names.extend(all::<Role>(objects).into_values().map(|role| ("role", role.name)));
    names.extend(all::<InstanceProfile>(objects).into_values().map(|profile| ("profile", profile.name)));
    names.extend(all::<LaunchTemplate>(objects).into_values().map(|template| ("template", template.name)));
    names.extend(all::<AutoScalingGroup>(objects).into_values().map(|group| ("group", group.name)));
    names.extend(all::<Bucket>(objects).into_values().map(|bucket| ("bucket", bucket.name)));
    names.extend(names_of_load_balancing(objects).into_iter().map(|name| ("load balancing", name)));
    names
}

#[test]
fn the_longest_name_fits_everywhere() {
    let mut cluster = tutorial();
    cluster["name"] = json!(format!("{}.{}", "a".repeat(31), "b".repeat(31)));
    cluster["nodes"] = json!({ "n".repeat(63): cluster["nodes"]["workers"] });
    for state in [json!({ "directory": "state" }), json!({ "s3": { "bucket": "state", "prefix": "p".repeat(200) } })] {
        cluster["state"] = state;
        check_all(&objects(cluster.clone()));
    }
}

#[test]
fn many_node_groups_do_not_outgrow_a_policy() {
    let mut cluster = tutorial();
    let workers = cluster["nodes"]["workers"].clone();
    cluster["nodes"] = (0..60).map(|index| (format!("group-{index}"), workers.clone())).collect();
    check_all(&objects(cluster));
}

#[test]
fn another_key_is_another_name() {
    // AWS makes the new key pair before it removes the old one: both exist for a moment.
    let name = |key: &str| {
        let mut cluster = tutorial();
        cluster["ssh"]["public_key"] = json!(key);
        all::<KeyPair>(&objects(cluster))["ssh"].name.clone()
    };
    assert_ne!(name("ssh-ed25519 AAAA"), name("ssh-ed25519 BBBB"));
    assert_eq!(name("ssh-ed25519 AAAA"), name("ssh-ed25519 AAAA somebody@somewhere"), "a comment is not the key");
}

#[test]
fn a_state_on_a_laptop_gets_a_bucket_for_bootstrap() {
    let mut cluster = tutorial();
    cluster["state"] = json!({ "directory": "./state" });
    assert_eq!(all::<Bucket>(&objects(cluster))["state"].name, "quorate-chat-poeticoding-com-111122223333");
}
