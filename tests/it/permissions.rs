//! The calls of whole runs, and the policies that `iam-policy` prints for them.

use std::collections::BTreeSet;

use quorate::analysis::permissions::{NeededActions, RunPurpose};
use quorate::cli::Exit;

use crate::moto::MotoServer;
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::TestWire;

/// Returns the IAM action of a request; `None` if it needs no permission.
fn iam_action(request: &str) -> Option<String> {
    let (service, call) = request.split_once(':').expect("a request has a service");
    let rest = match service {
        "sts" => return None,
        "s3" => s3_action(call),
        "route53" => route53_action(call),
        _ => call.to_owned(),
    };
    Some(format!("{service}:{rest}"))
}

fn s3_action(call: &str) -> String {
    let (method, path) = call.split_once(' ').expect("a method and a path");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let is_object = path.trim_matches('/').contains('/');
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let action = match (method, is_object) {
        ("GET" | "HEAD", true) => "GetObject",
        ("PUT", true) => "PutObject",
        ("DELETE", true) if has("versionId") => "DeleteObjectVersion",
        ("DELETE", true) => "DeleteObject",
        ("GET", false) if has("versions") => "ListBucketVersions",
        ("GET", false) if has("tagging") => "GetBucketTagging",
        ("GET", false) if has("versioning") => "GetBucketVersioning",
        ("GET", false) if has("publicAccessBlock") => "GetBucketPublicAccessBlock",
        ("GET" | "HEAD", false) => "ListBucket",
        ("PUT", false) if has("tagging") => "PutBucketTagging",
        ("PUT", false) if has("versioning") => "PutBucketVersioning",
        ("PUT", false) if has("encryption") => "PutEncryptionConfiguration",
        ("PUT", false) if has("publicAccessBlock") => "PutBucketPublicAccessBlock",
        ("PUT", false) => "CreateBucket",
        ("DELETE", false) => "DeleteBucket",
        ("POST", false) if has("delete") => "DeleteObjectVersion",
        _ => panic!("{call}: which action is this?"),
    };
    action.to_owned()
}

fn route53_action(call: &str) -> String {
    let (method, path) = call.split_once(' ').expect("a method and a path");
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_matches('/').split('/').skip(1).collect();
    let action = match (method, parts.as_slice()) {
        ("GET", ["hostedzone"]) => "ListHostedZones",
        ("POST", ["hostedzone"]) => "CreateHostedZone",
        ("GET", ["hostedzone", _]) => "GetHostedZone",
        ("POST", ["hostedzone", _]) => "UpdateHostedZoneComment",
        ("DELETE", ["hostedzone", _]) => "DeleteHostedZone",
        ("GET", ["hostedzone", _, "rrset"]) => "ListResourceRecordSets",
        ("POST", ["hostedzone", _, "rrset"]) => "ChangeResourceRecordSets",
        ("POST", ["hostedzone", _, "associatevpc"]) => "AssociateVPCWithHostedZone",
        ("POST", ["hostedzone", _, "disassociatevpc"]) => "DisassociateVPCFromHostedZone",
        ("POST", ["tags", "hostedzone"]) => "ListTagsForResources",
        ("POST", ["tags", "hostedzone", _]) => "ChangeTagsForResource",
        _ => panic!("{call}: which action is this?"),
    };
    action.to_owned()
}

/// Fails if a request is not allowed by the policy for a purpose. Returns the actions.
fn allowed(wire: &TestWire, purpose: RunPurpose) -> BTreeSet<String> {
    let needed = NeededActions::of_purposes(&[purpose], &|_| true);
    let policy: BTreeSet<&str> = needed.actions().collect();
    let sent: BTreeSet<String> = wire.take_log().iter().filter_map(|request| iam_action(request)).collect();
    let refused: Vec<_> = sent.iter().filter(|action| !policy.contains(action.as_str())).collect();
    assert!(refused.is_empty(), "{purpose:?} calls {refused:?}, which its policy does not allow");
    sent
}

#[tokio::test]
async fn every_call_of_a_cluster_from_plan_to_destroy_is_allowed_by_its_policy() {
    let Some(moto) = MotoServer::start() else { return };
    moto.seed();
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), TUTORIAL).await;
    stage.plan().await.must(Exit::Differs);
    allowed(&wire, RunPurpose::Plan);
    stage.apply().await.must(Exit::Done);
    let mut sent = allowed(&wire, RunPurpose::Apply);
    stage.plan().await.must(Exit::Done);
    sent.extend(allowed(&wire, RunPurpose::Plan));
    let service = "service \"chat\" {\n  image = \"chat:1\"\n  port = 4000\n  nlb {\n    port = 80\n    domain = \"chat.poeticoding.com\"\n  }\n}\n";
    let edits = [
        format!("{TUTORIAL}{service}tags = {{ team = \"chat\" }}\n"),
        TUTORIAL.replace("count = 2", "count = 3"),
        TUTORIAL.to_owned(),
    ];
    for edit in &edits {
        stage.edit(edit);
        stage.apply().await.must(Exit::Done);
        sent.extend(allowed(&wire, RunPurpose::Apply));
    }
    moto.tamper("rule-added", "chat.poeticoding.com");
    moto.tamper("policy-added", "chat.poeticoding.com");
    stage.apply().await.must(Exit::Done);
    sent.extend(allowed(&wire, RunPurpose::Apply));
    stage.destroy().await.must(Exit::Done);
    sent.extend(allowed(&wire, RunPurpose::Destroy));
    assert!(sent.len() > 90, "{} different actions were seen: {sent:?}", sent.len());
}
