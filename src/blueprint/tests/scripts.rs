//! The scripts against the permissions of who runs them, and against what fills them.

use std::collections::BTreeSet;

use super::clusters::{all, object, objects, text, tutorial};
use crate::resource::{LaunchTemplate, Role};

const NODE: &str = include_str!("../../bootstrap/node.sh");
const USER_DATA: &str = include_str!("../../bootstrap/user-data.sh");

/// The AWS calls of a script, as IAM actions: `aws ec2 attach-volume` is `ec2:AttachVolume`.
fn calls(script: &str) -> BTreeSet<String> {
    let lines = script.lines().filter(|line| !line.trim_start().starts_with('#'));
    let commands = lines.flat_map(|line| line.match_indices("aws ").map(|(at, _)| line[at + 4..].to_owned()));
    commands.filter_map(|command| action(&mut command.split(' '))).collect()
}

fn action<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    match (words.next()?, words.next()?) {
        ("s3", "cp") => Some("s3:GetObject".to_owned()),
        (service, call) => {
            let name: String = call
                .split('-')
                .map(|word| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default())
                .collect();
            Some(format!("{service}:{name}"))
        }
    }
}

/// The statements of the masters' policy that are there for the scripts; the others are the controllers'.
const FOR_SCRIPTS: &[&str] =
    &["ReadBootstrap", "SeeVolumes", "AttachEtcdVolume", "AttachToMaster", "WriteInternalNames"];

/// The actions of some statements of a role's policies.
fn allowed(role: &str, sids: &[&str]) -> BTreeSet<String> {
    let role = all::<Role>(&objects(tutorial())).remove(role).unwrap();
    role.policies
        .values()
        .flat_map(|document| {
            let json: serde_json::Value = serde_json::from_str(&text(document)).unwrap();
            json["Statement"].as_array().unwrap().clone()
        })
        .filter(|statement| sids.contains(&statement["Sid"].as_str().unwrap()))
        .flat_map(|statement| statement["Action"].as_array().unwrap().clone())
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn masters_may_do_what_their_scripts_do_and_no_more() {
    let made = &calls(NODE) | &calls(USER_DATA);
    assert_eq!(made, allowed("masters", FOR_SCRIPTS));
    assert!(made.len() > 3, "{made:?}");
}

#[test]
fn nodes_may_fetch_their_scripts() {
    assert_eq!(calls(USER_DATA), allowed("nodes", &["ReadBootstrap"]));
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
