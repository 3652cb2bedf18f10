//! A complete machine restarts by itself: the answers of AWS are on its disk.

use super::ScriptMachine;

fn booted(settings: &str) -> Option<ScriptMachine> {
    let machine = ScriptMachine::new(settings)?;
    machine.write("world/ready", "");
    machine.boot().must();
    machine.write("world/calls", "");
    machine.write("world/away", "");
    Some(machine)
}

#[test]
fn a_master_starts_again_without_aws() {
    let Some(machine) = booted("masters-a") else { return };
    let before = machine.read("etc/quorate/kubeadm.yaml");
    let run = machine.boot().must();
    assert!(run.messages.contains("EC2 does not answer, but the disk of vol-0abc is attached"), "{}", run.messages);
    let after = machine.read("etc/quorate/kubeadm.yaml");
    assert_eq!(after, before.replace("\"new\"", "\"existing\""), "the token is the one of the last boot");
    assert_eq!(
        machine.calls_of("kubeadm init phase bootstrap-token"),
        Vec::<String>::new(),
        "it may have been replaced"
    );
    assert_eq!(machine.calls_of("aws s3 cp").iter().filter(|call| call.contains("status.json")).count(), 2);
}

#[test]
fn a_node_starts_again_without_aws() {
    let Some(machine) = booted("nodes-workers") else { return };
    machine.boot().must();
    assert_eq!(machine.calls_of("kubeadm join"), Vec::<String>::new());
    assert_eq!(machine.calls_of("systemctl start kubelet").len(), 1);
}

#[test]
fn a_master_that_was_never_through_does_not_start_without_aws() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/away", "");
    machine.boot().must_not("names: not finished");
}

#[test]
fn a_machine_of_another_address_gives_its_names_again() {
    let Some(machine) = booted("masters-a") else { return };
    machine.write("world/metadata/local-ipv4", "172.20.32.99");
    machine.boot().must_not("names: not finished");
}

#[test]
fn a_volume_that_is_emptied_needs_its_marker_again() {
    let Some(machine) = booted("masters-a") else { return };
    // As docs/machines.md describes for a cluster that begins anew: another volume, and the markers are removed.
    std::fs::remove_dir_all(machine.path("var/lib/etcd")).expect("it is ours");
    std::fs::remove_file(machine.path("world/away")).expect("it is ours");
    std::fs::remove_file(machine.path("world/s3/chat.poeticoding.com/nodes/etcd-a")).expect("it is ours");
    machine.fault("aws s3 cp*nodes/etcd-a");
    machine.boot().must_not("etcd: not finished");
}

#[test]
fn a_volume_on_its_way_out_is_not_taken_for_attached() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/volume", "in-use i-0aaa detaching\n");
    machine.write("world/meanwhile", "[[ $(cat volume) != *detaching ]] || echo 'available None None' > volume");
    let run = machine.boot().must();
    assert!(run.messages.contains("waiting for vol-0abc: it is in-use, detaching by i-0aaa"), "{}", run.messages);
    assert_eq!(machine.calls_of("aws ec2 attach-volume").len(), 1);
}
