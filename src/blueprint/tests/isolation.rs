//! Resources that an attacker on a machine must not reach.

use serde_json::{Value as Json, json};

use super::clusters::{all, any_cluster, ha, objects, text, tutorial};
use crate::blueprint::names::sha256;
use crate::engine::{Object, TextInput};
use crate::resource::{BucketObject, GroupRule, LaunchTemplate, Role, SecurityGroupRules, is_kubernetes};
use proptest::prelude::*;

/// Returns the statements of a role.
pub(super) fn statements(objects: &[Object], role: &str) -> Vec<Json> {
    let role = all::<Role>(objects).remove(role).unwrap();
    let documents = role.policies.values().map(|document| serde_json::from_str::<Json>(&text(document)).unwrap());
    documents.flat_map(|document| document["Statement"].as_array().unwrap().clone()).collect()
}

/// Returns the values of a list in a document; one value may stand alone.
pub(super) fn strings(json: &Json) -> Vec<String> {
    let items = json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice);
    items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// Returns `true` if an IAM pattern covers a text: `*` is anything, `${*}` is a star.
pub(super) fn covers(pattern: &str, text: &str) -> bool {
    let pattern = pattern.replace("${*}", "\u{1}");
    let text = text.replace('*', "\u{1}");
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut pieces: Vec<_> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

fn may_read(objects: &[Object], role: &str, key: &str) -> bool {
    let statements = statements(objects, role);
    let reads = statements.iter().filter(|statement| strings(&statement["Action"]).iter().any(|a| a == "s3:GetObject"));
    reads
        .flat_map(|statement| strings(&statement["Resource"]))
        .any(|pattern| covers(&pattern, &format!("arn:aws:s3:::state.chat.poeticoding.com/{key}")))
}

/// Returns the rules of a group that open a port.
fn open(objects: &[Object], group: &str, protocol: &str, port: u32) -> Vec<GroupRule> {
    let rules = all::<SecurityGroupRules>(objects).remove(group).unwrap();
    rules.ingress.into_iter().filter(|rule| rule_covers(rule, protocol, port)).collect()
}

fn rule_covers(rule: &GroupRule, protocol: &str, port: u32) -> bool {
    let ports: Vec<u32> = rule.ports.split('-').filter_map(|port| port.parse().ok()).collect();
    let in_range = match ports[..] {
        [only] => only == port,
        [first, last] => (first..=last).contains(&port),
        _ => true,
    };
    in_range && (rule.protocol == "all" || rule.protocol == protocol)
}

fn peers(rules: &[GroupRule]) -> Vec<String> {
    rules.iter().map(|rule| text(&rule.peer)).collect()
}

const MASTERS: &str = "${security-group/masters.id}";

/// The actions of the agent of Systems Manager: no others, and not the managed policy.
const SYSTEMS_MANAGER: [&str; 5] = [
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn only_masters_reach_etcd_and_the_kubelets_of_masters(cluster in any_cluster()) {
        let objects = objects(cluster);
        for port in [2379, 2380, 10250] {
            prop_assert_eq!(peers(&open(&objects, "masters", "tcp", port)), [MASTERS]);
        }
    }

    #[test]
    fn a_node_may_only_read_and_report_its_status(cluster in any_cluster()) {
        let name = cluster["name"].as_str().unwrap().to_owned();
        for statement in statements(&objects(cluster), "nodes") {
            if statement["Sid"] == "UseStoreKey" {
                prop_assert!(is_of_the_store(&statement, &name), "{}", statement);
                continue;
            }
            if statement["Sid"] == "PullImages" {
                let pull = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
                prop_assert_eq!(strings(&statement["Action"]), pull);
                continue;
            }
            if statement["Sid"] == "ConnectToSystemsManager" {
                prop_assert_eq!(strings(&statement["Action"]), SYSTEMS_MANAGER);
                continue;
            }
            if statement["Sid"] == "ListBootstrap" {
                prop_assert_eq!(strings(&statement["Action"]), ["s3:ListBucket"]);
                let prefixes = strings(&statement["Condition"]["StringEquals"]["s3:prefix"]);
                prop_assert!(prefixes.iter().all(|prefix| prefix.ends_with(&format!("{name}/bootstrap/"))), "{}", statement);
                continue;
            }
            let status = strings(&statement["Resource"]).iter().all(|resource| resource.ends_with("/nodes/i-*/status.json"));
            let allowed = if status { "s3:PutObject" } else { "s3:GetObject" };
            prop_assert_eq!(strings(&statement["Action"]), [allowed]);
        }
    }

    #[test]
    fn what_masters_change_is_this_clusters(cluster in any_cluster()) {
        let name = cluster["name"].as_str().unwrap().to_owned();
        for statement in statements(&objects(cluster), "masters") {
            let reads = |action: &String| {
                [":Describe", ":List", ":Get", ":BatchGet"].iter().any(|verb| action.contains(verb))
            };
            if statement["Sid"] == "ConnectToSystemsManager" {
                prop_assert_eq!(strings(&statement["Action"]), SYSTEMS_MANAGER);
            } else if !strings(&statement["Action"]).iter().all(reads) {
                prop_assert!(is_bound(&statement, &name), "{}", statement);
            }
        }
    }

    #[test]
    fn only_ranges_of_the_file_have_access_from_outside(cluster in any_cluster()) {
        let allowed = cluster["api"]["allow"].clone();
        let pods = cluster["network"]["pods"].clone();
        for rules in all::<SecurityGroupRules>(&objects(cluster)).into_values() {
            for rule in rules.ingress {
                if let TextInput::Known(range) = rule.peer {
                    prop_assert!(pods == json!(range) || allowed.as_array().unwrap().contains(&json!(range)));
                }
            }
        }
    }
}

/// Returns `true` if a statement that changes something is limited to a cluster: by tag, by a zone or a key prefix of it, or
/// to the call that creates the object, whose own statement requires the tag.
fn is_bound(statement: &Json, cluster: &str) -> bool {
    let conditions = &statement["Condition"];
    let equals = &conditions["StringEquals"];
    let tagged = |key: String, value: &str| equals[key] == value;
    let kubernetes = format!("kubernetes.io/cluster/{cluster}");
    tagged("aws:ResourceTag/quorate.dev/cluster".to_owned(), cluster)
        || tagged(format!("aws:ResourceTag/{kubernetes}"), "owned")
        || tagged(format!("aws:RequestTag/{kubernetes}"), "owned")
        || equals.get("ec2:CreateAction").or_else(|| equals.get("elasticloadbalancing:CreateAction")).is_some()
        || strings(&statement["Resource"])
            .iter()
            .all(|resource| resource.starts_with("arn:aws:s3:::") && resource.contains(&format!("/{cluster}/")))
        || strings(&statement["Resource"]) == ["arn:aws:route53:::hostedzone/${hosted-zone/internal.id}"]
        || is_of_the_store(statement, cluster)
}

/// Returns `true` if a KMS key is used by S3 alone, and only for this cluster's objects, or for the bucket as a whole if
/// it has a bucket key.
fn is_of_the_store(statement: &Json, cluster: &str) -> bool {
    let like = &statement["Condition"]["StringLike"];
    let encrypted = like.get("kms:EncryptionContext:aws:s3:arn").map(strings).unwrap_or_default();
    strings(&statement["Action"]) == ["kms:Decrypt", "kms:GenerateDataKey"]
        && like["kms:ViaService"] == "s3.*"
        && encrypted.len() == 2
        && !encrypted[0].contains('/')
        && encrypted[1].starts_with(&format!("{}/", encrypted[0]))
        && encrypted[1].ends_with(&format!("/{cluster}/*"))
}

#[test]
fn without_ssm_no_machine_has_a_permission_for_it() {
    let given = |ssm: bool| {
        let mut cluster = tutorial();
        cluster["ssm"] = json!(ssm);
        let objects = objects(cluster);
        ["masters", "nodes"].map(|role| {
            let actions = statements(&objects, role).iter().flat_map(|one| strings(&one["Action"])).collect::<Vec<_>>();
            actions
                .into_iter()
                .filter(|action| action.starts_with("ssm") || action.starts_with("ec2messages"))
                .collect::<Vec<String>>()
        })
    };
    let nothing: [Vec<String>; 2] = [Vec::new(), Vec::new()];
    assert_eq!(given(false), nothing);
    assert_eq!(given(true), [SYSTEMS_MANAGER.map(str::to_owned).to_vec(), SYSTEMS_MANAGER.map(str::to_owned).to_vec()]);
    assert_eq!(all::<Role>(&objects(tutorial()))["nodes"].attached, Vec::<String>::new(), "no managed policy");
}

#[test]
fn machines_read_the_files_of_their_own_role() {
    let objects = objects(tutorial());
    let key = |name: &str| all::<BucketObject>(&objects)[name].key.clone();
    assert!(may_read(&objects, "nodes", &key("nodes-workers")));
    assert!(may_read(&objects, "nodes", &key("node.sh")));
    assert!(may_read(&objects, "masters", &key("masters-a")));
    assert!(may_read(&objects, "masters", &key("node.sh")));
    for key in ["cluster-ca.pem", "etcd-ca.pem", "front-proxy-ca.pem", "service-account.pem"] {
        let key = format!("chat.poeticoding.com/pki/{key}");
        assert!(may_read(&objects, "masters", &key), "{key}");
        assert!(!may_read(&objects, "nodes", &key), "{key}");
    }
    for key in ["join.pem", "join-token"] {
        let key = format!("chat.poeticoding.com/pki/{key}");
        assert!(may_read(&objects, "masters", &key) && may_read(&objects, "nodes", &key), "{key}");
    }
    for secret in [
        &key("masters-a"),
        "chat.poeticoding.com/state.json",
        "chat.poeticoding.com/pki/ca.key",
        "other.poeticoding.com/bootstrap/00/nodes-workers",
        "x/chat.poeticoding.com/bootstrap/00/node.sh",
    ] {
        assert!(!may_read(&objects, "nodes", secret), "{secret}");
    }
    assert!(!may_read(&objects, "masters", "chat.poeticoding.com/state.json"));
}

#[test]
fn a_star_in_the_prefix_reads_no_other_prefix() {
    let mut cluster = tutorial();
    cluster["state"]["s3"]["prefix"] = json!("team-*");
    let objects = objects(cluster);
    let key = |team: &str| format!("{team}/chat.poeticoding.com/bootstrap/00/node.sh");
    assert!(may_read(&objects, "nodes", &key("team-*")));
    assert!(!may_read(&objects, "nodes", &key("team-red")));
}

#[test]
fn a_closed_api_is_closed() {
    assert_eq!(all::<SecurityGroupRules>(&objects(tutorial()))["api"].ingress, []);
    assert_eq!(peers(&open(&objects(ha()), "api", "tcp", 443)), ["203.0.113.0/24"]);
}

#[test]
fn ssh_is_closed_even_to_pods_on_masters() {
    assert_eq!(open(&objects(tutorial()), "masters", "tcp", 22), []);
}

#[test]
fn pods_cannot_take_the_role_of_their_machine() {
    for (name, template) in all::<LaunchTemplate>(&objects(tutorial())) {
        assert_eq!(template.metadata_hops, 1, "{name}");
    }
}

#[test]
fn contents_are_not_in_the_attributes() {
    // What is uploaded never shows in a plan or a record: only its hash does.
    for object in objects(tutorial()).iter().filter(|object| !is_kubernetes(object.address.kind())) {
        let uploaded = object.address.kind() == "bucket-object";
        assert_eq!(object.payload.is_some(), uploaded, "{}", object.address);
    }
}

#[test]
fn a_file_is_stored_under_its_hash() {
    let objects = objects(tutorial());
    for (name, stored) in all::<BucketObject>(&objects) {
        let object = super::clusters::object(&objects, &format!("bucket-object/{name}"));
        let hash = sha256(&object.payload.as_ref().unwrap().0);
        assert_eq!(stored.sha256, hash);
        // The key's last part is the address's name: AWS lists keys without tags, and the next run has to know them.
        assert_eq!(stored.key, format!("chat.poeticoding.com/bootstrap/{hash}/{name}"));
    }
}

#[test]
fn masters_close_the_api_and_never_open_it() {
    let statements = statements(&objects(tutorial()), "masters");
    let of = |action: &str| {
        let with = statements.iter().filter(|statement| strings(&statement["Action"]).iter().any(|a| a == action));
        with.collect::<Vec<_>>()
    };
    let object = format!("aws:ResourceTag/{}", crate::resource::OBJECT_TAG);
    let of_the_api = |statement: &&&Json| statement["Condition"]["StringEquals"][&object] == "security-group/api";
    assert_eq!(of("ec2:RevokeSecurityGroupIngress").iter().filter(of_the_api).count(), 1);
    for opens in of("ec2:AuthorizeSecurityGroupIngress") {
        let named = !opens["Condition"]["StringEquals"][&object].is_null();
        assert!(!of_the_api(&&opens), "{opens}");
        assert!(named || opens["Condition"]["Null"][&object] == "true", "any group: {opens}");
    }
}
