//! Steps that fail: each names its failure, and the next run completes it.

use super::ScriptMachine;

/// Failures of a master's boot, each once, with the step that each belongs to, in order. Other files have
/// the failures of `names`, `authorities` and `etcd membership`.
const FAULTS: &[(&str, &str)] = &[
    ("kernel", "modprobe *"),
    ("kernel", "sysctl *"),
    ("packages", "curl *repomd.xml.key"),
    ("packages", "dnf *kubelet*"),
    ("containers", "kubeadm config images list *"),
    ("containers", "systemctl enable --quiet --now containerd"),
    ("pod network", "iptables * --append *"),
    ("etcd volume, mount", "dd *"),
    ("etcd volume, mount", "mkfs.ext4 *"),
    ("etcd volume, mount", "blkid --match-tag UUID *"),
    ("etcd volume, mount", "mount *"),
    ("certificates", "kubeadm init phase certs *"),
    ("certificates", "kubeadm init phase kubeconfig *"),
    ("control plane", "kubeadm init phase etcd *"),
    ("control plane", "kubeadm init phase kubelet-start *"),
    ("etcd", "aws s3 cp * *nodes/etcd-a"),
    ("cluster configuration", "kubeadm init phase kubelet-finalize *"),
    ("timers", "systemctl enable --quiet --now quorate-*"),
];

#[test]
fn a_step_that_fails_is_named_and_done_by_the_next_run() {
    let Some(machine) = ScriptMachine::master() else { return };
    let faults: Vec<&str> = FAULTS.iter().map(|(_, fault)| *fault).collect();
    machine.write("world/faults", &(faults.join("\n") + "\n"));
    for (step, fault) in FAULTS {
        let run = machine.boot();
        assert!(!run.done && run.messages.contains(&format!("{step}: failed at line")), "{fault}: {}", run.messages);
        let status = machine.status();
        assert_eq!((&status["state"], &status["step"]), (&"failed".into(), &(*step).into()), "{fault}");
        assert!(!machine.read("world/faults").contains(fault), "it was another call than `{fault}`");
    }
    machine.boot().must();
    assert_eq!(machine.status()["state"], "ready");
}

/// Lasting failures of a master's environment, with their step and message.
const STATES: &[(&str, &str, &str)] = &[
    ("blind", "etcd volume, attach", "the kernel shows no device for it. Terminate this machine"),
    ("strange", "etcd volume, mount", "blkid could not determine if"),
    ("sick", "etcd", "etcd is not healthy. It needs more than half of the masters (a b c) up"),
    ("unready", "API server", "the API server at 172.20.32.10 is not ready"),
];

#[test]
fn what_does_not_come_is_not_waited_for_for_ever() {
    for (state, step, messages) in STATES {
        let Some(machine) = ScriptMachine::master() else { return };
        machine.write(&format!("world/{state}"), "");
        machine.boot().must_not(messages);
        let status = machine.status();
        assert_eq!((&status["state"], &status["step"]), (&"failed".into(), &(*step).into()));
        std::fs::remove_file(machine.path(&format!("world/{state}"))).expect("it is ours");
        machine.boot().must();
    }
}

/// A disk may appear late, so a master waits, and the message names the disk.
#[test]
fn a_device_that_does_not_appear_is_waited_for() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/blind", "");
    machine.write("world/meanwhile", "[[ $(grep --count ^sleep calls) -lt 9 ]] || rm -f blind");
    let run = machine.boot().must();
    assert!(run.messages.contains("waiting for the device of vol-0abc"), "{}", run.messages);
    assert!(machine.calls_of("sleep").len() >= 9, "it waited: {:?}", machine.calls_of("sleep"));
}

/// A disk is never taken from a machine that may still write to it, but the failure is reported.
#[test]
fn a_volume_that_is_not_given_back_is_a_failure_that_is_waited_out() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/volume", "in-use i-0old attached\n");
    machine.boot().must_not("vol-0abc is still in-use, attached by i-0old. A machine that hangs releases its volume");
    let status = machine.status();
    assert_eq!((&status["state"], &status["step"]), (&"failed".into(), &"etcd volume, attach".into()));
    assert_eq!(machine.calls_of("sleep 5").len(), 119, "ten minutes");
    machine.write("world/calls", "");
    machine.write("world/volume", "available None None\n");
    machine.boot().must();
}

/// An answer that never ends must not block a machine for ever.
#[test]
fn nothing_is_asked_without_an_end() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.boot().must();
    machine.run(&["token"]).must();
    let network = machine.calls().into_iter().filter(|call| {
        call.starts_with("curl ") || call.starts_with("kubectl ") && !call.starts_with("kubectl version")
    });
    for call in network {
        assert!(call.contains("--max-time") || call.contains("--request-timeout"), "{call}");
    }
}
