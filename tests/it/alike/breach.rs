//! Objects that break one limit each, made from the limits of the kinds.

use std::collections::BTreeMap;

use quorate::engine::{Address, Object, Value};
use quorate::limits::{AllowedValue, AttributeLimit};
use quorate::resource::{self, balancer_stem};

use super::cluster::{CLUSTER, objects};
use super::is_text;

/// A creation that has to be refused.
pub(super) struct RefusedCreation {
    pub(super) question: String,
    pub(super) object: Object,
}

/// Returns attempts that break every limit of every kind in every way.
pub(super) fn attempts() -> Vec<RefusedCreation> {
    let mut all = Vec::new();
    for object in objects() {
        let kind = object.address.kind().to_owned();
        // The keys of secrets are limited as those of other objects are, and their names are not free.
        if all.iter().any(|attempt: &RefusedCreation| attempt.object.address.kind() == kind) || kind == "secret" {
            continue;
        }
        let odd = odd(object);
        for limit in resource::limits(&kind) {
            let place = limit.path.join(".");
            all.extend(
                breaches(limit, &odd)
                    .into_iter()
                    .map(|(how, object)| RefusedCreation { question: format!("{kind} with {place}: {how}"), object }),
            );
        }
        if odd.attributes.contains_key("tags") {
            all.extend(tag_breaches(&kind, &odd));
        }
    }
    all
}

/// Returns another object of the kind with an unused name.
fn odd(object: Object) -> Object {
    let kind = object.address.kind().to_owned();
    let mut odd = Object { address: Address::new(&kind, "odd"), ..object };
    let is_named = is_text(odd.attributes.get("name"));
    let mut set = |name: &str, value: &str| odd.attributes.insert(name.to_owned(), Value::Text(value.to_owned()));
    match kind.as_str() {
        "hosted-zone" => {
            set("name", "odd.example.com");
            odd.attributes.remove("vpc");
        }
        // An address has one gateway, and a regional gateway has none of its own.
        "nat-gateway" => {
            set("mode", "regional");
            set("subnet", "");
            set("address", "");
        }
        "record" => drop(set("name", &format!("odd.{CLUSTER}"))),
        "role" | "instance-profile" => {
            set("name", "odd");
            set("path", &format!("/quorate/{CLUSTER}/{kind}/odd/"));
        }
        // Those of load balancing are found by how their names begin.
        "load-balancer" | "application-load-balancer" | "target-group" => {
            drop(set("name", &format!("{}odd", balancer_stem(CLUSTER))));
        }
        "bucket-object" => drop(set("key", &format!("{CLUSTER}/bootstrap/0/odd"))),
        "subnet" => drop(set("cidr", "172.20.128.0/20")),
        "listener" | "http-listener" => drop(odd.attributes.insert("port".to_owned(), Value::Integer(8443))),
        "listener-rule" => drop(odd.attributes.insert("priority".to_owned(), Value::Integer(7))),
        "certificate" => drop(set("domain", &format!("odd.{CLUSTER}"))),
        // A group without rules of its own is there for them.
        "security-group-rules" => {
            odd.address = Address::new(&kind, "spare");
            odd.attributes.insert("group".to_owned(), super::cluster::spare());
        }
        _ if is_named => drop(set("name", "odd")),
        _ => {}
    }
    let address = odd.address.to_string();
    if let Some(Value::Map(tags)) = odd.attributes.get_mut("tags") {
        tags.insert("quorate.dev/object".to_owned(), Value::Text(address));
    }
    odd
}

/// Returns the object with each value that a limit forbids.
fn breaches(limit: &AttributeLimit, object: &Object) -> Vec<(String, Object)> {
    let text = |text: String| Value::Text(text);
    let values: Vec<(String, Value)> = match limit.takes {
        AllowedValue::Text(takes) => {
            let slash = if limit.path == ["path"] { "/" } else { "" };
            let long = format!("{slash}{}{slash}", "a".repeat(takes.most + 1 - 2 * slash.len()));
            let mut values = vec![(format!("{} characters", takes.most + 1), text(long))];
            if takes.least > 0 {
                values.push((format!("{} characters", takes.least - 1), text("a".repeat(takes.least - 1))));
            }
            // Half a kilobyte of domain is one label too many as well.
            let odd = ['é', '"', ' ', ':'].into_iter().find(|c| !(takes.allowed)(*c));
            values.extend(odd.map(|c| (format!("the character {c:?}"), text(format!("{slash}odd{c}odd{slash}")))));
            values
        }
        AllowedValue::Number(least, most) => {
            [least - 1, most + 1].map(|number| (number.to_string(), Value::Integer(number))).into()
        }
        AllowedValue::Count(most) => vec![(format!("{} items", most + 1), items(limit, most + 1))],
        AllowedValue::Together(most) => vec![(format!("more than {most} characters"), text(policy(limit, most)))],
        AllowedValue::OneOf(_) => vec![("nonsense".to_owned(), text("nonsense".to_owned()))],
    };
    let breached = |(how, value): (String, Value)| {
        let mut object = object.clone();
        let (first, rest) = limit.path.split_first().unwrap();
        let attribute = object.attributes.entry((*first).to_owned()).or_insert(Value::Map(BTreeMap::new()));
        set(attribute, rest, value);
        (how, object)
    };
    values.into_iter().map(breached).collect()
}

/// Sets the value at a path; of several items, the first.
fn set(place: &mut Value, path: &[&str], value: Value) {
    match (path.split_first(), place) {
        (None, place) => *place = value,
        (Some((&"*", rest)), Value::List(items)) => set(items.first_mut().unwrap(), rest, value),
        (Some((&"*", rest)), Value::Map(items)) => set(items.values_mut().next().unwrap(), rest, value),
        (Some((key, rest)), Value::Map(items)) => {
            set(items.entry((*key).to_owned()).or_insert(Value::Map(BTreeMap::new())), rest, value);
        }
        (path, place) => panic!("{path:?} is not in {place:?}"),
    }
}

/// Returns this number of items of a list.
fn items(limit: &AttributeLimit, count: usize) -> Value {
    let item = |number: usize| match limit.path {
        ["routes"] => {
            let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
            let target = super::cluster::gateway();
            let destination = Value::Text(format!("10.{high}.{low}.0/24"));
            Value::Map(BTreeMap::from([("destination".to_owned(), destination), ("target".to_owned(), target)]))
        }
        ["ingress" | "egress"] => Value::Map(
            [("protocol", "tcp"), ("ports", &(1000 + number).to_string()), ("peer", "10.0.0.0/8"), ("description", "")]
                .map(|(name, text)| (name.to_owned(), Value::Text(text.to_owned())))
                .into(),
        ),
        ["attached"] => Value::Text(format!("arn:aws:iam::aws:policy/{}", MANAGED[number])),
        ["security_groups"] => Value::Text(format!("sg-{number:017x}")),
        _ => Value::Text(format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/t{number}/0")),
    };
    Value::List((0..count).map(item).collect())
}

/// Policies of AWS's own.
const MANAGED: [&str; 11] = [
    "AmazonEC2FullAccess",
    "AmazonEC2ReadOnlyAccess",
    "AmazonRDSFullAccess",
    "AmazonRDSReadOnlyAccess",
    "AmazonRoute53FullAccess",
    "AmazonRoute53ReadOnlyAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonSNSFullAccess",
    "AmazonSNSReadOnlyAccess",
    "AmazonSQSFullAccess",
];

/// Returns a policy document that is longer than allowed.
fn policy(limit: &AttributeLimit, most: usize) -> String {
    let who = if limit.path == ["trust"] {
        r#""Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole""#.to_owned()
    } else {
        format!(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::b/{}""#, "a".repeat(1000))
    };
    let statement = format!(r#"{{"Effect":"Allow",{who}}}"#);
    let statements = vec![statement.as_str(); most / statement.len() + 1].join(",");
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn tag_breaches(kind: &str, object: &Object) -> Vec<RefusedCreation> {
    let pair = |key: String, value: String| (key, Value::Text(value));
    let own = match object.attributes.get("tags") {
        Some(Value::Map(tags)) => tags.len(),
        _ => 0,
    };
    let limits = resource::tag_limits(kind);
    let many = (0..=limits.most - own).map(|number| pair(format!("t{number}"), "x".to_owned())).collect();
    let mut all: Vec<(&str, Vec<(String, Value)>)> = vec![
        ("a key of 129 characters", vec![pair("k".repeat(129), String::new())]),
        ("a value of 257 characters", vec![pair("k".to_owned(), "v".repeat(257))]),
        ("a key with a star", vec![pair("a*b".to_owned(), String::new())]),
        ("a key of AWS's", vec![pair("aws:k".to_owned(), String::new())]),
        ("one too many", many),
    ];
    if limits.ignores_case {
        all.push(("keys that differ in case", vec![pair("name".to_owned(), String::new())]));
    }
    let attempt = |(how, more): (&str, Vec<(String, Value)>)| {
        let mut object = object.clone();
        if let Some(Value::Map(tags)) = object.attributes.get_mut("tags") {
            tags.extend(more);
        }
        RefusedCreation { question: format!("{kind} with tags: {how}"), object }
    };
    all.into_iter().map(attempt).collect()
}
