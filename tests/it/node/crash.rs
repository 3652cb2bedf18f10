//! A run that dies at any call is finished by the next one.

use std::collections::BTreeMap;
use std::path::Path;

use super::{HOME, ScriptMachine};

/// Returns everything that a boot leaves behind, without times and the test's own files.
fn left(machine: &ScriptMachine) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in ["etc", "var/lib", "world/s3"] {
        gather(machine.root.path(), &machine.path(folder), &mut found);
    }
    for file in ["volume", "device", "disk", "mounted", "records", "tokens", "masquerade"] {
        found.insert(file.to_owned(), machine.read(&format!("world/{file}")));
    }
    found.insert(format!("world/s3/{HOME}/nodes/etcd-a"), String::new());
    let mut status = machine.status();
    status["at"] = "".into();
    found.insert(format!("world/s3/{HOME}/nodes/i-0aaa/status.json"), status.to_string());
    // A member that has data gets `existing`; the run that died may have got `new`. etcd ignores both.
    for text in found.values_mut() {
        *text = text.replace("value: \"new\"", "value: \"existing\"");
    }
    found
}

fn gather(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("it is ours").path();
        if path.is_dir() {
            gather(root, &path, found);
        } else {
            let name = path.strip_prefix(root).expect("below the root").display().to_string();
            found.insert(name, std::fs::read_to_string(&path).expect("it is text"));
        }
    }
}

/// Calls that change something. Dying at a call that only reads is the same as dying at the one before.
const CHANGES: &[&str] = &[
    "aws ec2 attach",
    "aws route53",
    "aws s3 cp --only-show-errors - ",
    "dnf",
    "iptables --wait --table nat --append",
    "kubeadm init",
    "kubeadm join",
    "mkfs",
    "modprobe",
    "mount ",
    "sysctl",
    "systemctl",
];

/// Kills a machine's first boot at every change, and boots it again.
fn die_at_every_change(settings: &str) {
    let machine = || {
        let machine = ScriptMachine::new(settings)?;
        if settings.starts_with("nodes") {
            for file in ["ready", "device", "disk", "mounted", "records"] {
                machine.write(&format!("world/{file}"), "");
            }
            machine.store("nodes/etcd-a", "");
        }
        Some(machine)
    };
    let Some(whole) = machine() else { return };
    whole.boot().must();
    let (calls, wanted) = (whole.calls(), left(&whole));
    let changes = calls.iter().enumerate().filter(|(_, call)| CHANGES.iter().any(|change| call.starts_with(change)));
    for (at, call) in changes {
        let machine = machine().expect("the first one could be made");
        machine.write("world/kill", &(at + 1).to_string());
        let run = machine.boot();
        assert!(!run.done, "killed at `{call}`, it went on: {}", run.messages);
        machine.boot().must();
        assert_eq!(left(&machine), wanted, "killed at `{call}`");
    }
}

#[test]
fn a_master_that_dies_is_finished_by_its_next_boot() {
    die_at_every_change("masters-a");
}

#[test]
fn a_node_that_dies_is_finished_by_its_next_boot() {
    die_at_every_change("nodes-workers");
}
