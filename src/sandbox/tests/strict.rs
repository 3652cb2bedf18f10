//! Calls that AWS refuses, and the sandbox refuses too.

use super::*;
use crate::engine::Value;

async fn refused(builder: &mut ObjectBuilder, object: &Object) -> Failure {
    builder.attempt(object).await.unwrap_err()
}

#[tokio::test]
async fn a_value_that_waits_for_another_object_is_refused() {
    let sandbox = sandbox();
    let failure =
        sandbox.create(&subnet("us-east-1a", "172.20.32.0/19"), &IdempotencyToken("t".to_owned())).await.unwrap_err();
    assert_eq!((code(&failure), failure.class), ("UnresolvedValue", FailureClass::Invalid));
}

#[tokio::test]
async fn a_reference_to_nothing_is_refused_with_the_error_of_its_service() {
    let sandbox = sandbox();
    let cases: [(&str, &str); 13] = [
        ("subnet", "InvalidVpcID.NotFound"),
        ("instance-profile", "NoSuchEntity"),
        ("bucket-object", "NoSuchBucket"),
        ("secret", "NoSuchBucket"),
        ("security-group-rules", "InvalidGroup.NotFound"),
        ("autoscaling-group", "InvalidLaunchTemplateId.NotFound"),
        ("load-balancer", "InvalidSubnetID.NotFound"),
        ("listener", "LoadBalancerNotFound"),
        ("record", "NoSuchHostedZone"),
        ("certificate", "NoSuchHostedZone"),
        ("application-load-balancer", "InvalidSubnetID.NotFound"),
        ("http-listener", "LoadBalancerNotFound"),
        ("listener-rule", "ListenerNotFound"),
    ];
    for (kind, expected) in cases {
        let object = cluster().into_iter().find(|object| object.address.kind() == kind).unwrap();
        let object = object.resolve(&|reference| Some(format!("no-{}", reference.output)));
        let failure = sandbox.create(&object, &IdempotencyToken("t".to_owned())).await.unwrap_err();
        assert_eq!((code(&failure), failure.class), (expected, FailureClass::MaybeNotYetConsistent), "{kind}");
    }
}

/// Every object that another one refers to stays, and the refusal names the other one.
#[tokio::test]
async fn what_others_use_cannot_be_deleted() {
    let sandbox = sandbox();
    let builder = ObjectBuilder::whole(&sandbox).await;
    let cases = [
        ("vpc/main", "DependencyViolation", "internet-gateway/main"),
        ("internet-gateway/main", "DependencyViolation", "route-table/main"),
        ("subnet/us-east-1d", "DependencyViolation", "route-table/main"),
        ("security-group/masters", "DependencyViolation", "security-group-rules/nodes"),
        ("role/nodes", "DeleteConflict", "instance-profile/nodes"),
        ("instance-profile/nodes", "DeleteConflict", "launch-template/nodes"),
        ("key-pair/ssh", "DependencyViolation", "launch-template/nodes"),
        ("launch-template/nodes", "DependencyViolation", "autoscaling-group/nodes"),
        ("target-group/api", "ResourceInUse", "autoscaling-group/nodes"),
        ("hosted-zone/public", "HostedZoneNotEmpty", "record/api"),
        ("target-group/web/chat", "ResourceInUse", "listener-rule/chat.poeticoding.com"),
        ("certificate/chat.poeticoding.com", "ResourceInUseException", "http-listener/web/443"),
        ("bucket/state", "BucketNotEmpty", "pki/cluster-ca.pem"),
    ];
    for (address, expected, holder) in cases {
        let failure = builder.delete(address).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Held, "{address}");
        assert!(failure.message.contains(holder), "{address}: {failure}");
        assert_eq!(code(&failure), expected, "{address}");
    }
    assert_eq!(sandbox.observe().await.unwrap().live.len(), cluster().len(), "a refused deletion changes nothing");
}

#[tokio::test]
async fn a_group_that_only_its_own_rules_name_can_be_deleted_and_they_go_with_it() {
    let sandbox = sandbox();
    let mut builder = ObjectBuilder::new(&sandbox);
    for object in [vpc(), security_group("masters"), rules("masters", &["masters"])] {
        builder.make(&object).await;
    }
    builder.delete("security-group/masters").await.unwrap();
    assert_eq!(sandbox.observe().await.unwrap().live.len(), 1);
}

#[tokio::test]
async fn a_listener_goes_with_its_load_balancer() {
    let sandbox = sandbox();
    let builder = ObjectBuilder::whole(&sandbox).await;
    builder.delete("load-balancer/api").await.unwrap();
    assert_eq!(sandbox.find(&Listener::address("api")).await.unwrap(), []);
}

/// A machine keeps its subnet and its groups until it ends, whatever its template is by then.
#[tokio::test]
async fn what_a_machine_uses_cannot_be_deleted() {
    let sandbox = sandbox();
    let mut builder = ObjectBuilder::whole(&sandbox).await;
    builder.make(&security_group("new")).await;
    let template = LaunchTemplate { security_groups: vec![of::<SecurityGroup>("new", "id")], ..template() };
    builder.update(&template.object("nodes").unwrap(), &["security_groups"]).await.unwrap();
    builder.delete("security-group-rules/masters").await.unwrap();
    let failure = builder.delete("security-group/nodes").await.unwrap_err();
    assert!(failure.message.contains("the instance i-"), "{failure}");
    assert!(failure.message.contains("autoscaling-group/nodes"), "{failure}");
}

#[tokio::test]
async fn names_are_unique_where_aws_requires_it() {
    let sandbox = sandbox();
    let mut builder = ObjectBuilder::whole(&sandbox).await;
    let cases = [
        ("role", "EntityAlreadyExists"),
        ("instance-profile", "EntityAlreadyExists"),
        ("autoscaling-group", "AlreadyExists"),
        ("load-balancer", "DuplicateLoadBalancerName"),
        ("target-group", "DuplicateTargetGroupName"),
        ("key-pair", "InvalidKeyPair.Duplicate"),
        ("security-group", "InvalidGroup.Duplicate"),
        ("bucket", "BucketAlreadyOwnedByYou"),
        ("internet-gateway", "Resource.AlreadyAssociated"),
        ("listener", "DuplicateListener"),
        ("record", "InvalidChangeBatch"),
        ("launch-template", "InvalidLaunchTemplateName.AlreadyExistsException"),
    ];
    for (kind, expected) in cases {
        let object = cluster().into_iter().find(|object| object.address.kind() == kind).unwrap();
        let twin = Object { address: Address::new(kind, "twin"), ..object };
        let failure = refused(&mut builder, &twin).await;
        assert_eq!((code(&failure), failure.class), (expected, FailureClass::AlreadyExists), "{kind}");
    }
}

#[tokio::test]
async fn a_bucket_name_of_another_account_is_taken() {
    let mut builder = ObjectBuilder::new(&sandbox());
    let bucket = storage().remove(0);
    let name = Value::Text("data-team-exports".to_owned());
    let bucket =
        Object { attributes: bucket.attributes.into_iter().chain([("name".to_owned(), name)]).collect(), ..bucket };
    assert_eq!(code(&refused(&mut builder, &bucket).await), "BucketAlreadyExists");
}

#[tokio::test]
async fn ranges_of_subnets_fit_into_the_vpc_and_beside_each_other() {
    let mut builder = ObjectBuilder::new(&sandbox());
    builder.make(&vpc()).await;
    builder.make(&subnet("us-east-1a", "172.20.32.0/19")).await;
    let cases = [
        ("172.20.32.0/20", "InvalidSubnet.Conflict"),
        ("172.20.0.0/17", "InvalidSubnet.Conflict"),
        ("172.21.0.0/19", "InvalidSubnet.Range"),
        ("172.20.64.0/29", "InvalidSubnet.Range"),
        ("172.20.64.1/19", "InvalidParameterValue"),
        ("everywhere", "InvalidParameterValue"),
    ];
    for (cidr, expected) in cases {
        assert_eq!(code(&refused(&mut builder, &subnet("us-east-1b", cidr)).await), expected, "{cidr}");
    }
    assert_eq!(code(&refused(&mut builder, &subnet("us-east-1z", "172.20.64.0/19")).await), "InvalidParameterValue");
    builder.make(&subnet("us-east-1b", "172.20.64.0/19")).await;
}

#[tokio::test]
async fn a_file_matches_its_hash() {
    let mut builder = ObjectBuilder::new(&sandbox());
    let [bucket, file, _] = storage().try_into().unwrap();
    builder.make(&bucket).await;
    let without = Object { payload: None, ..file.clone() };
    assert_eq!(code(&refused(&mut builder, &without).await), "MissingContent");
    let other = Object { payload: Some(Payload(Arc::from(b"other".as_slice()))), ..file.clone() };
    assert_eq!(code(&refused(&mut builder, &other).await), "BadDigest");
    builder.make(&file).await;
}

#[tokio::test]
async fn what_is_chosen_on_creation_cannot_be_changed() {
    let builder = ObjectBuilder::whole(&sandbox()).await;
    for (object, attribute) in [(vpc(), "cidr"), (security_group("nodes"), "description")] {
        let failure = builder.update(&object, &[attribute]).await.unwrap_err();
        assert_eq!(code(&failure), "UnsupportedOperation");
    }
}

/// The table in AWS's pages on target groups of network load balancers.
#[tokio::test]
async fn a_listener_forwards_to_a_target_group_of_its_protocol() {
    let builder = ObjectBuilder::whole(&sandbox()).await;
    let listener = cluster().into_iter().find(|object| object.address.kind() == "listener").unwrap();
    for (protocol, fits) in [("TLS", true), ("TCP", true), ("UDP", false), ("TCP_UDP", false)] {
        let mut listener = listener.clone();
        listener.attributes.insert("protocol".to_owned(), Value::Text(protocol.to_owned()));
        let outcome = builder.update(&listener, &["protocol"]).await;
        let code = outcome.as_ref().err().map(|failure| (code(failure), failure.class));
        assert_eq!(code, (!fits).then_some(("IncompatibleProtocols", FailureClass::Invalid)), "{protocol}");
    }
}

#[tokio::test]
async fn impossible_groups_are_refused() {
    let mut builder = ObjectBuilder::whole(&sandbox()).await;
    let upside_down = AutoScalingGroup { min: 3, max: 2, ..group(3) };
    let failure = builder.update(&upside_down.object("nodes").unwrap(), &["min", "max"]).await.unwrap_err();
    assert_eq!(code(&failure), "ValidationError");
    let future = AutoScalingGroup { name: "other".to_owned(), version: "7".into(), ..group(1) };
    let failure = refused(&mut builder, &future.object("other").unwrap()).await;
    assert!(failure.message.contains("no version `7`"), "{failure}");
}

/// A token makes a creation idempotent, once: afterwards it is used up.
#[tokio::test]
async fn client_tokens_are_honoured() {
    let sandbox = sandbox();
    let volume = storage().pop().unwrap();
    let token = IdempotencyToken("a".to_owned());
    let first = sandbox.create(&volume, &token).await.unwrap();
    assert_eq!(sandbox.create(&volume, &token).await.unwrap().id, first.id);
    let other = Object { address: Address::new("volume", "etcd-b"), ..volume.clone() };
    assert_eq!(code(&sandbox.create(&other, &token).await.unwrap_err()), "IdempotentParameterMismatch");
    sandbox.delete(&first, &quiet).await.unwrap();
    assert_eq!(code(&sandbox.create(&volume, &token).await.unwrap_err()), "IdempotentParameterMismatch");
    let second = sandbox.create(&volume, &IdempotencyToken("b".to_owned())).await.unwrap();
    assert_ne!(second.id, first.id);
}

/// A change that a version counts creates a new one; another change does not.
#[tokio::test]
async fn a_template_counts_its_versions() {
    let builder = ObjectBuilder::whole(&sandbox()).await;
    let larger = LaunchTemplate { instance_size: "t3.large".to_owned(), ..template() }.object("nodes").unwrap();
    assert_eq!(builder.update(&larger, &["instance_size"]).await.unwrap().outputs["version"], "2");
    let renamed = LaunchTemplate { tags: tags("renamed"), ..template() }.object("nodes").unwrap();
    assert_eq!(builder.update(&renamed, &["tags"]).await.unwrap().outputs["version"], "2");
}

/// Tags of others stay; those that were ours and are no longer wanted are removed.
#[tokio::test]
async fn an_update_of_tags_leaves_those_of_others_alone() {
    let sandbox = sandbox();
    let mut builder = ObjectBuilder::new(&sandbox);
    let ours = builder.make(&vpc()).await;
    sandbox.set(&Vpc::address("main"), &"tags.team=web".parse().unwrap()).unwrap();
    let mut next = vpc();
    let tags = BTreeMap::from([("stage".to_owned(), Value::Text("prod".to_owned()))]);
    next.attributes.insert("tags".to_owned(), Value::Map(tags));
    builder.made.insert(next.address.clone(), ours);
    let live = builder.update(&next, &["tags"]).await.unwrap();
    assert_eq!(
        crate::resource::tags_of(&live.attributes),
        Tags::from([("stage".to_owned(), "prod".to_owned()), ("team".to_owned(), "web".to_owned())])
    );
}

/// Returns the objects up to the first of a kind, and that object.
fn up_to(kind: &str) -> (Vec<Object>, Object) {
    let mut objects = cluster();
    let at = objects.iter().position(|object| object.address.kind() == kind).unwrap();
    let object = objects.remove(at);
    objects.truncate(at);
    (objects, object)
}

#[tokio::test]
async fn an_application_load_balancer_needs_subnets_in_two_zones() {
    let sandbox = sandbox();
    let mut builder = ObjectBuilder::new(&sandbox);
    let (before, mut balancer) = up_to("application-load-balancer");
    for object in before {
        builder.make(&object).await;
    }
    let Some(Value::List(subnets)) = balancer.attributes.get_mut("subnets") else { panic!("it has subnets") };
    subnets.truncate(1);
    let failure = refused(&mut builder, &balancer).await;
    assert_eq!((code(&failure), failure.class), ("ValidationError", FailureClass::Invalid));
    assert!(failure.message.contains("two different zones"), "{failure}");
}

#[tokio::test]
async fn a_listener_of_https_needs_a_certificate_that_is_issued() {
    let sandbox = sandbox();
    let mut builder = ObjectBuilder::new(&sandbox);
    let (before, listener) = up_to("http-listener");
    for object in before.iter().filter(|object| object.address.kind() != "certificate") {
        builder.make(object).await;
    }
    let certificate = before.iter().find(|object| object.address.kind() == "certificate").unwrap();
    let requested =
        sandbox.create(&builder.resolve(certificate), &IdempotencyToken("certificate".to_owned())).await.unwrap();
    builder.made.insert(certificate.address.clone(), requested.clone());
    assert_eq!(requested.phase, crate::engine::ObjectPhase::Pending);
    let failure = refused(&mut builder, &listener).await;
    assert_eq!(code(&failure), "UnsupportedCertificate");
    assert!(failure.message.contains("is not issued"), "{failure}");
    let mut without = listener.clone();
    without.attributes.remove("certificate");
    assert_eq!(code(&refused(&mut builder, &without).await), "CertificateNotFound");
    sandbox.ready(&requested, &|_| ()).await.unwrap();
    builder.attempt(&listener).await.unwrap();
}

#[tokio::test]
async fn two_rules_of_a_listener_cannot_have_one_priority_and_forward_http_alone() {
    let sandbox = sandbox();
    let mut builder = ObjectBuilder::whole(&sandbox).await;
    let rule = cluster().into_iter().find(|object| object.address.kind() == "listener-rule").unwrap();
    let other = Object { address: "listener-rule/other".parse().unwrap(), ..rule.clone() };
    let failure = refused(&mut builder, &other).await;
    assert_eq!((code(&failure), failure.class), ("PriorityInUse", FailureClass::Held), "it may be free a moment later");
    let api: Value = serde_json::from_value(serde_json::to_value(of::<TargetGroup>("api", "arn")).unwrap()).unwrap();
    let mut other = other;
    other.attributes.insert("priority".to_owned(), Value::Integer(1));
    other.attributes.insert("target_group".to_owned(), api);
    assert_eq!(code(&refused(&mut builder, &other).await), "IncompatibleProtocols");
}
