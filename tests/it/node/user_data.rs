//! The first script of a machine, which trusts nothing but the launch template.

use quorate::engine::TextInput;
use quorate::resource::{LaunchTemplate, Resource};

use super::{ScriptMachine, blueprint_of, cluster};

/// Returns a node before its user data, with the bucket as `apply` leaves it.
fn bare() -> Option<ScriptMachine> {
    let machine = ScriptMachine::new("nodes-workers")?;
    for file in ["opt/quorate/node.sh", "etc/quorate/settings", "etc/quorate/machine"] {
        std::fs::remove_file(machine.path(file)).expect("it is ours");
    }
    std::fs::create_dir_all(machine.path("etc/systemd/system")).expect("it is ours");
    for object in blueprint_of(&cluster()) {
        if object.address.to_string() == "launch-template/nodes-workers" {
            let template = LaunchTemplate::from_attributes(&object.attributes).expect("it is a template");
            let TextInput::Known(script) = template.user_data else { panic!("a node needs no id") };
            machine.write("var/lib/user-data", &script);
            machine.executable("var/lib/user-data");
        } else if let (Some(payload), Some(key)) = (object.payload, object.attributes.get("key")) {
            let key = serde_json::to_value(key).expect("it is text");
            let text = String::from_utf8(payload.0.to_vec()).expect("it is text");
            machine.write(&format!("world/s3/{}", key.as_str().expect("it is text")), &text);
        }
    }
    Some(machine)
}

/// Returns the key of node.sh below the world's bucket.
fn script(machine: &ScriptMachine) -> String {
    let user_data = machine.read("var/lib/user-data");
    let (_, rest) = user_data.split_once("fetch '").expect("it fetches");
    format!("world/s3/{}", rest.split('\'').next().unwrap_or_default())
}

#[test]
fn a_machine_gets_what_its_template_names() {
    let Some(machine) = bare() else { return };
    machine.run_script("/var/lib/user-data", &[]).must();
    assert!(machine.read("opt/quorate/node.sh").starts_with("#!/bin/bash"));
    assert!(machine.read("etc/quorate/settings").contains("QUORATE_ROLE='node'"));
    assert_eq!(
        machine.calls_of("systemctl").last().map(String::as_str),
        Some("systemctl start --no-block quorate-node.service")
    );
}

#[test]
fn a_script_that_was_changed_is_not_used_until_it_is_right_again() {
    let Some(machine) = bare() else { return };
    let key = script(&machine);
    let right = machine.read(&key);
    machine.write(&key, "touch /taken");
    machine.write("world/right", &right);
    machine.write(
        "world/meanwhile",
        &format!("[[ $(grep --count ^sleep calls) -lt 3 ]] || cp right {}", &key["world/".len()..]),
    );
    let run = machine.run_script("/var/lib/user-data", &[]).must();
    assert!(run.messages.contains("does not have the hash that the launch template names"), "{}", run.messages);
    let status = machine.status();
    assert_eq!(
        (&status["state"], &status["role"], &status["name"]),
        (&"failed".into(), &"node".into(), &"workers".into())
    );
    assert!(status["step"].as_str().is_some_and(|step| step.contains("/node.sh does not have the hash")), "{status}");
    assert_eq!(machine.read("opt/quorate/node.sh"), right);
}

#[test]
fn a_machine_that_gets_nowhere_makes_room_for_another() {
    let Some(machine) = bare() else { return };
    machine.write(&script(&machine), "touch /taken");
    machine.run_script("/var/lib/user-data", &[]).must_not("switching this machine off");
    assert_eq!(machine.calls_of("systemctl"), ["systemctl poweroff"]);
    assert_eq!(machine.calls_of("sleep").len(), 239, "an hour");
    let reports = machine.calls_of("aws s3 cp").into_iter().filter(|call| call.contains("status.json"));
    assert_eq!(reports.count(), 1, "it reports the same thing once");
    assert!(!machine.path("opt/quorate/node.sh").exists());
}
