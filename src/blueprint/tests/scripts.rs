//! The scripts against the permissions of the machines that run them, and against the values that fill them.

use std::collections::BTreeSet;

use super::clusters::{all, object, objects, text, tutorial};
use super::isolation::{covers, statements, strings};
use crate::blueprint::bootstrap_store::NODE;
use crate::resource::{LaunchTemplate, Role};

const USER_DATA: &str = include_str!("../../bootstrap/user-data.sh");
/// The part of node.sh that the kubelet runs.
const IMAGES: &str = include_str!("../../bootstrap/node/25-images.sh");
/// The part of node.sh that only nodes run.
const JOIN: &str = include_str!("../../bootstrap/node/70-node.sh");

/// Returns the commands of a script that begin with `aws`, each on one line.
fn commands(script: &str) -> Vec<String> {
    let joined = script.replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines
        .flat_map(|line| line.match_indices("aws ").map(|(at, _)| line[at + 4..].to_owned()).collect::<Vec<_>>())
        .collect()
}

/// Returns the AWS calls of a script, as IAM actions: `aws ec2 attach-volume` is `ec2:AttachVolume`.
fn calls(script: &str) -> BTreeSet<String> {
    commands(script).iter().flat_map(|command| action(command).into_iter().chain(follows(command))).collect()
}

/// Returns actions that use the answer of a call: the password of a registry lets containerd pull from it.
fn follows(command: &str) -> impl Iterator<Item = String> {
    let pull: &[&str] = if command.starts_with("ecr ") { &["BatchGetImage", "GetDownloadUrlForLayer"] } else { &[] };
    pull.iter().map(|call| format!("ecr:{call}"))
}

fn action(command: &str) -> Option<String> {
    let mut words = command.split_whitespace();
    let (service, call) = (words.next()?, words.next()?);
    let name = match (service, call) {
        // To the bucket from standard input or a file, or from the bucket.
        ("s3", "cp") if uploaded(command).is_some() => "PutObject".to_owned(),
        ("s3", "cp") => "GetObject".to_owned(),
        ("s3api", "list-objects-v2") => "ListBucket".to_owned(),
        ("s3api", "list-object-versions") => "ListBucketVersions".to_owned(),
        ("ecr", "get-login-password") => "GetAuthorizationToken".to_owned(),
        ("s3api", "delete-object") if command.contains("--version-id") => "DeleteObjectVersion".to_owned(),
        _ => call.split('-').map(capitalised).collect(),
    };
    Some(format!("{}:{name}", service.trim_end_matches("api")))
}

fn capitalised(word: &str) -> String {
    word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default()
}

/// Returns the key below the cluster's that a copy writes: its last argument names the bucket. A file that may be large
/// is uploaded in one piece.
fn uploaded(command: &str) -> Option<String> {
    // node.sh and user-data.sh know the folder by other names.
    let command = command.replace("s3://$bucket/$folder/", "$STORE/");
    let command = match command.split_once(" --key \"$QUORATE_FOLDER/") {
        Some((put, rest)) if put.starts_with("s3api put-object ") => {
            format!(" \"$STORE/{}", rest.split(" --").next().unwrap_or_default())
        }
        _ => command,
    };
    let last = command.split(" ||").next()?.split(" \"$STORE/").last()?;
    let key = last.trim().strip_suffix('"')?;
    let key = key.replace("$instance", "i-0123456789abcdef0").replace("$QUORATE_NAME", "a");
    // A copy from the bucket has more arguments after the key.
    (!key.contains('"')).then(|| key.replace("$(stamp now)", "20260101T000000Z"))
}

/// Returns the objects of pki/ that a script asks for.
fn fetched(script: &str) -> BTreeSet<String> {
    let words = |name: &'static str| script.split(name).skip(1).filter_map(|rest| rest.split([' ', ')', '\n']).next());
    let names = words("  pair ").chain(words("(fetch ")).filter(|name| !name.contains(['"', '$']));
    names.map(str::to_owned).collect()
}

/// The statements of the masters' policy for the scripts; the others are for the controllers.
const FOR_SCRIPTS: &[&str] = &[
    "ReadStore",
    "WriteMarkers",
    "KeepBackups",
    "ListStore",
    "Read",
    "PullImages",
    "AttachEtcdVolume",
    "WriteInternalNames",
    "CloseAccess",
];

/// Returns `true` if a role may do something with an object of the tutorial's cluster.
fn may(role: &str, action: &str, key: &str) -> bool {
    let key = format!("arn:aws:s3:::state.chat.poeticoding.com/chat.poeticoding.com/{key}");
    let statements = statements(&objects(tutorial()), role);
    let of_action = statements.iter().filter(|statement| strings(&statement["Action"]).iter().any(|a| a == action));
    of_action
        .flat_map(|statement| strings(&statement["Resource"]))
        .any(|pattern| covers(&pattern.replace('?', "*"), &key))
}

/// Returns the actions of some statements of a role's policies.
fn allowed(role: &str, sids: &[&str]) -> BTreeSet<String> {
    let role = all::<Role>(&objects(tutorial())).remove(role).unwrap();
    role.policies
        .values()
        .flat_map(|document| {
            let json: serde_json::Value = serde_json::from_str(&text(document)).unwrap();
            json["Statement"].as_array().unwrap().clone()
        })
        .filter(|statement| sids.contains(&statement["Sid"].as_str().unwrap()))
        .flat_map(|statement| strings(&statement["Action"]))
        .collect()
}

#[test]
fn masters_may_do_what_their_scripts_do_and_no_more() {
    let made = &calls(NODE) | &calls(USER_DATA);
    assert_eq!(made, allowed("masters", FOR_SCRIPTS));
    assert!(made.len() > 3, "{made:?}");
}

#[test]
fn masters_may_touch_the_objects_that_their_script_names() {
    let keys = fetched(NODE);
    assert_eq!(keys.len(), 6, "all of pki/: {keys:?}");
    for key in keys {
        assert!(may("masters", "s3:GetObject", &format!("pki/{key}")), "{key}");
    }
    let written: BTreeSet<String> = commands(NODE).iter().filter_map(|command| uploaded(command)).collect();
    assert_eq!(
        written.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "backups/etcd/20260101T000000Z-a.db",
            "nodes/etcd-a",
            "nodes/i-0123456789abcdef0/etcd.json",
            "nodes/i-0123456789abcdef0/status.json"
        ]
    );
    for key in written {
        assert!(may("masters", "s3:PutObject", &key), "{key}");
    }
    assert!(may("masters", "s3:DeleteObjectVersion", "backups/etcd/20260101T000000Z-a.db"));
    assert!(may("masters", "s3:GetObject", "backups/etcd/20260101T000000Z-a.db"), "restore");
    assert!(
        may("masters", "s3:DeleteObjectVersion", "nodes/i-0123456789abcdef0/status.json"),
        "of a machine that is gone"
    );
    assert!(may("masters", "s3:DeleteObjectVersion", "nodes/i-0123456789abcdef0/etcd.json"), "the one before");
    assert!(!may("nodes", "s3:PutObject", "nodes/i-0123456789abcdef0/etcd.json"), "a node knows nothing of etcd");
    for kept in ["state.json", "nodes/etcd-a", "pki/cluster-ca.pem"] {
        assert!(!may("masters", "s3:DeleteObjectVersion", kept), "{kept}");
    }
}

#[test]
fn nodes_may_fetch_what_they_start_from_and_report_their_status() {
    let made = &calls(USER_DATA) | &calls(IMAGES);
    assert_eq!(made, allowed("nodes", &["ReadBootstrap", "WriteStatus", "PullImages"]));
    assert_eq!(fetched(JOIN), BTreeSet::from(["join-token", "join.pem"].map(str::to_owned)));
    for key in ["pki/join.pem", "pki/join-token"] {
        assert!(may("nodes", "s3:GetObject", key), "{key}");
    }
    assert!(may("nodes", "s3:PutObject", "nodes/i-0123456789abcdef0/status.json"));
    assert!(!may("nodes", "s3:PutObject", "nodes/etcd-a"), "a node must not pass for a member of etcd");
}

#[test]
fn every_slot_is_filled() {
    for (name, template) in all::<LaunchTemplate>(&objects(tutorial())) {
        let user_data = text(&template.user_data);
        let slot = user_data.split('@').nth(1);
        assert_eq!(slot, None, "{name}: {user_data}");
    }
}

#[test]
fn what_the_script_needs_is_in_the_settings() {
    let needed = |marker: &str| -> BTreeSet<String> {
        let lines = NODE.lines().filter(|line| line.contains(": \"${QUORATE_") && line.starts_with(marker));
        let words = lines.flat_map(|line| line.split("${").skip(1)).filter_map(|rest| rest.split(':').next());
        words.map(str::to_owned).collect()
    };
    let given = |name: &str| -> BTreeSet<String> {
        let objects = objects(tutorial());
        let payload = object(&objects, &format!("bucket-object/{name}")).payload.clone().unwrap();
        let settings = String::from_utf8(payload.0.to_vec()).unwrap();
        let user_data = text(&all::<LaunchTemplate>(&objects)[name].user_data);
        let lines = settings.lines().chain(user_data.lines()).filter(|line| line.starts_with("QUORATE_"));
        lines.filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect()
    };
    let (everywhere, on_masters) = (needed(":"), needed("  :"));
    assert_eq!(given("nodes-workers"), everywhere);
    assert_eq!(given("masters-a"), &everywhere | &on_masters);
}

#[test]
fn a_node_has_no_volume_and_no_zone_of_its_own() {
    let user_data = text(&all::<LaunchTemplate>(&objects(tutorial()))["nodes-workers"].user_data);
    assert!(!user_data.contains("${"), "{user_data}");
}
