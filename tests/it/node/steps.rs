//! From a bare machine to Ready, and the result when a step cannot do its work.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use quorate::spec::KubernetesVersion;

use super::{CERTIFICATE, HOME, PACKAGE_KEY, PRIVATE, PUBLIC, RELEASE, ScriptMachine, TOKEN, package_key};

#[test]
fn a_master_comes_up() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.boot().must();
    let phases: Vec<String> = machine.calls_of("kubeadm init phase").iter().map(|call| phase(call)).collect();
    assert_eq!(
        phases,
        [
            "certs all",
            "kubeconfig all",
            "etcd local",
            "control-plane all",
            "kubelet-start",
            "upload-config all with super-admin.conf",
            "addon all with super-admin.conf",
            "mark-control-plane",
            "bootstrap-token with super-admin.conf",
            "kubelet-finalize all",
        ]
    );
    let status = machine.status();
    assert_eq!(status["state"], "ready", "{status}");
    assert_eq!((&status["role"], &status["name"]), (&"master".into(), &"a".into()));
    assert!(machine.stored("nodes/etcd-a").ends_with("Z\n"), "etcd has been healthy");
    assert!(machine.read("world/records").contains("etcd-a.internal.chat.poeticoding.com"));
}

/// Returns a phase without its configuration, and the kubeconfig that it was given, if any.
fn phase(call: &str) -> String {
    let words = call.replace("kubeadm init phase ", "").replace(" --config /etc/quorate/kubeadm.yaml", "");
    words.replace(" --skip-token-print", "").replace("--kubeconfig /etc/kubernetes/", "with ")
}

#[test]
fn keys_are_split_and_kept_from_others() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.boot().must();
    for (file, text, mode) in [
        ("ca.key", PRIVATE, 0o600),
        ("ca.crt", CERTIFICATE, 0o644),
        ("etcd/ca.key", PRIVATE, 0o600),
        ("etcd/ca.crt", CERTIFICATE, 0o644),
        ("front-proxy-ca.key", PRIVATE, 0o600),
        ("front-proxy-ca.crt", CERTIFICATE, 0o644),
        ("sa.key", PRIVATE, 0o600),
        ("sa.pub", PUBLIC, 0o644),
    ] {
        let path = format!("etc/kubernetes/pki/{file}");
        assert_eq!(machine.read(&path), text, "{file}");
        let found = fs::metadata(machine.path(&path)).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(found, mode, "{file}");
    }
    let configuration = fs::metadata(machine.path("etc/quorate/kubeadm.yaml")).expect("it is there").permissions();
    assert_eq!(configuration.mode() & 0o777, 0o600, "it holds the join token");
}

#[test]
fn no_secret_is_logged_or_passed_as_an_argument() {
    for settings in ["masters-a", "nodes-workers"] {
        let Some(machine) = ScriptMachine::new(settings) else { return };
        machine.write("world/ready", "");
        let run = machine.boot().must();
        for secret in ["c2VjcmV0", "0123456789abcdef"] {
            assert!(!run.messages.contains(secret), "{}", run.messages);
            assert!(!machine.read("world/calls").contains(secret), "{}", machine.read("world/calls"));
        }
    }
}

#[test]
fn a_node_joins_once() {
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    machine.boot().must();
    assert!(machine.read("world/joined").contains(TOKEN), "kubeadm got the token by its configuration");
    assert!(!machine.path("etc/quorate/kubeadm.yaml").exists(), "the token stays on no node");
    let discovery = machine.read("etc/quorate/discovery.conf");
    assert!(discovery.contains("https://api.internal.chat.poeticoding.com:6443"));
    let user = "users:\n  - name: discovery\n    user: {}\n";
    assert!(discovery.contains(user), "kubeadm refuses a context whose user is not there: {discovery}");
    assert_eq!(machine.status()["state"], "ready");
    machine.boot().must();
    assert_eq!(machine.calls_of("kubeadm join").len(), 1, "a reboot does not join again");
    assert_eq!(machine.calls_of("systemctl start kubelet").len(), 1);
}

#[test]
fn a_node_that_half_joined_joins_again() {
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    machine.write("etc/kubernetes/bootstrap-kubelet.conf", "left by a run that died");
    machine.write("etc/kubernetes/pki/ca.crt", "left by a run that died");
    machine.boot().must();
}

#[test]
fn a_node_waits_for_the_api() {
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/meanwhile", "touch ready");
    machine.boot().must();
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.boot().must_not("no API server responds at api.internal.chat.poeticoding.com:6443");
    assert_eq!((&machine.status()["state"], &machine.status()["step"]), (&"failed".into(), &"join".into()));
}

#[test]
fn a_node_joins_when_its_token_is_known_and_not_before() {
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    machine.write("world/strangers", "");
    machine.write("world/meanwhile", "rm -f strangers");
    let run = machine.boot().must();
    assert_eq!(machine.calls_of("kubeadm join").len(), 1, "it did not try in vain");
    assert!(!run.messages.contains("failed"), "{}", run.messages);
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    machine.write("world/strangers", "");
    machine.boot().must_not("the API does not accept the join token");
}

#[test]
fn a_token_that_is_replaced_while_a_node_waits_is_read_again() {
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    machine.write("world/strangers", "");
    machine.write(
        "world/meanwhile",
        "rm -f strangers; echo fedcba.fedcba9876543210 > s3/chat.poeticoding.com/pki/join-token",
    );
    machine.boot().must();
    assert!(machine.read("world/joined").contains("fedcba.fedcba9876543210"));
}

#[test]
fn an_older_master_leaves_the_configuration_of_a_newer_one() {
    let upload = "kubeadm init phase upload-config";
    for (published, uploads) in [("v1.36.10", 0), ("v1.36.2", 1), ("v1.36.1", 1), ("v1.35.9", 1)] {
        let Some(machine) = ScriptMachine::master() else { return };
        machine.write("world/published", published);
        let run = machine.boot().must();
        assert_eq!(machine.calls_of(upload).len(), uploads, "{published}: {}", run.messages);
        assert_eq!(machine.calls_of("kubeadm init phase addon").len(), uploads, "{published}");
        assert_eq!(machine.calls_of("kubeadm init phase mark-control-plane").len(), 1, "that is its own Node");
    }
}

#[test]
fn a_new_version_waits_for_the_last_api_server() {
    for (others, uploads) in [
        (&[("172.20.64.10", "v1.35.9"), ("172.20.96.10", "v1.36.2")][..], 0),
        // A patch is no other version, and who does not answer is gone.
        (&[("172.20.64.10", "v1.36.0"), ("172.20.96.10", "")], 1),
    ] {
        let Some(machine) = ScriptMachine::master() else { return };
        machine.write("world/published", "v1.35.9");
        for (host, version) in others {
            machine.write(&format!("world/servers/{host}"), version);
        }
        let run = machine.boot().must();
        for phase in ["upload-config", "addon"] {
            let calls = machine.calls_of(&format!("kubeadm init phase {phase}"));
            assert_eq!(calls.len(), uploads, "{phase} beside {others:?}: {}", run.messages);
        }
        assert_eq!(run.messages.contains("an API server is of v1.35.9 still"), uploads == 0, "{}", run.messages);
    }
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/servers/172.20.64.10", "v1.35.9");
    machine.fault("kubectl *get endpointslices*");
    machine.boot().must_not("cluster configuration: not finished");
    assert_eq!(machine.calls_of("kubeadm init phase addon"), Vec::<String>::new(), "who else there is, is not known");
}

#[test]
fn pods_get_the_range_that_their_node_has_now() {
    const NETWORK: &str = "etc/cni/net.d/10-containerd-net.conflist";
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    machine.write(NETWORK, "of the boot before");
    machine.boot().must();
    assert!(!machine.path(NETWORK).exists(), "containerd would keep it");
    assert_eq!(machine.calls_of("systemctl try-restart containerd").len(), 1, "it has read it");
    machine.write(NETWORK, "of this boot");
    machine.boot().must();
    assert!(machine.path(NETWORK).exists(), "pods have addresses of it");
    assert_eq!(machine.calls_of("systemctl try-restart containerd").len(), 1);
}

#[test]
fn an_image_with_everything_downloads_nothing() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/packages", &format!("v{RELEASE}\n"));
    for plugin in ["host-local", "loopback", "portmap", "ptp"] {
        machine.write(&format!("opt/cni/bin/{plugin}"), "");
        machine.executable(&format!("opt/cni/bin/{plugin}"));
    }
    machine.boot().must();
    assert_eq!(machine.calls_of("dnf"), Vec::<String>::new());
    assert!(machine.read("etc/quorate/kubeadm.yaml").contains(&format!("kubernetesVersion: \"v{RELEASE}\"")));
}

#[test]
fn an_image_without_the_programs_for_pods_networks_is_not_complete() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/packages", &format!("v{RELEASE}\n"));
    machine.boot().must();
    assert_eq!(machine.calls_of("dnf").len(), 1);
    assert!(machine.path("opt/cni/bin/ptp").exists());
}

#[test]
fn another_release_is_replaced_by_the_recorded_one() {
    for installed in ["v1.3.6", "v1.36.1", "v1.36.20"] {
        let Some(machine) = ScriptMachine::master() else { return };
        machine.write("world/packages", &format!("{installed}\n"));
        machine.boot().must();
        assert!(machine.read("etc/quorate/kubeadm.yaml").contains(&format!("kubernetesVersion: \"v{RELEASE}\"")));
        let installs = machine.calls_of("dnf");
        let wanted = ["kubelet", "kubeadm", "kubectl"].map(|package| format!("{package}-{RELEASE}"));
        assert!(installs.len() == 1 && wanted.iter().all(|package| installs[0].contains(package)), "{installs:?}");
    }
}

#[test]
fn a_machine_with_another_release_than_the_recorded_one_does_not_go_on() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/version", "v1.36.1\n");
    machine.boot().must_not(&format!("not all of them are Kubernetes {RELEASE}"));
}

#[test]
fn etcd_is_saved_before_the_first_api_server_of_another_minor_version() {
    let folder = format!("world/s3/{HOME}/backups/etcd");
    for (served, saves) in [(Some("1.35.9"), 1), (Some("1.36.0"), 0), (None, 1)] {
        let Some(machine) = ScriptMachine::master() else { return };
        machine.write("var/lib/etcd/marked", "");
        machine.write("var/lib/etcd/member/wal/0.wal", "log");
        machine.write("world/mounted", "");
        if let Some(served) = served {
            machine.write("var/lib/etcd/kubernetes-release", served);
        }
        machine.boot().must();
        let saved = fs::read_dir(machine.path(&folder)).map_or(0, Iterator::count);
        assert_eq!(saved, saves, "{served:?}");
        assert_eq!(machine.read("var/lib/etcd/kubernetes-release"), format!("{RELEASE}\n"));
        let calls = machine.calls_of("");
        let at = |text: &str| calls.iter().position(|call| call.contains(text));
        assert!(saves == 0 || at("snapshot save") < at("phase control-plane"), "the snapshot is first: {calls:?}");
    }
    let Some(machine) = ScriptMachine::master() else { return };
    machine.boot().must();
    assert!(!machine.path(&folder).exists(), "a new cluster has nothing to save");
}

#[test]
fn an_upgrade_whose_snapshot_fails_starts_no_api_server() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("var/lib/etcd/marked", "");
    machine.write("var/lib/etcd/kubernetes-release", "1.35.9");
    machine.write("world/mounted", "");
    machine.fault("aws s3api put-object*");
    machine.boot().must_not("control plane: not finished");
    assert!(machine.calls_of("kubeadm init phase control-plane").is_empty());
    assert_eq!(machine.read("var/lib/etcd/kubernetes-release"), "1.35.9");
}

#[test]
fn packages_of_another_key_are_not_installed() {
    let other = package_key("AAAABBBBCCCCDDDDEEEEFFFF0000111122223333", "4102444800");
    let ended = package_key(PACKAGE_KEY, "1730543706");
    for (key, messages) in [
        (other.clone(), "is AAAABBBBCCCCDDDDEEEEFFFF0000111122223333, not DE15B14486CD377B9E876E1A234654DA9A296436"),
        (package_key(PACKAGE_KEY, "4102444800") + &other, "offers 2 keys, not only DE15"),
        (String::new(), "is none, not DE15"),
        (ended, "ended on 2024-11-02: nothing is installed"),
    ] {
        let Some(machine) = ScriptMachine::master() else { return };
        machine.write("world/key", &key);
        machine.boot().must_not(messages);
        assert_eq!(machine.calls_of("dnf"), Vec::<String>::new());
        for left in ["kubernetes.gpg", "kubernetes.gpg.offered"] {
            assert!(!machine.path("etc/quorate").join(left).exists(), "{left}");
        }
    }
}

#[test]
fn a_key_without_an_end_is_good() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/key", &package_key(PACKAGE_KEY, ""));
    machine.boot().must();
}

/// The repository of an unsupported version keeps the key as it was then: kubernetes/release#3818.
#[test]
fn the_key_comes_from_the_newest_version_that_there_is() {
    let Some(machine) = ScriptMachine::master() else { return };
    let settings =
        machine.read("etc/quorate/settings").replace("QUORATE_KUBERNETES='1.36'", "QUORATE_KUBERNETES='1.34'");
    machine.write("etc/quorate/settings", &settings);
    machine.boot().must();
    let newest = KubernetesVersion::SUPPORTED.last().expect("there is one");
    let asked = machine.calls_of("curl").into_iter().find(|call| call.contains("repomd.xml.key"));
    assert!(asked.is_some_and(|call| call.contains(&format!("/v{newest}/"))), "{:?}", machine.calls_of("curl"));
    assert!(machine.read("etc/yum.repos.d/kubernetes.repo").contains("/v1.34/rpm/\n"));
}

#[test]
fn a_missing_key_is_named() {
    for (key, messages) in [
        ("pki/etcd-ca.pem", "cannot read s3://state.chat.poeticoding.com/chat.poeticoding.com/pki/etcd-ca.pem"),
        ("pki/join-token", "`quorate apply` creates it"),
    ] {
        let Some(machine) = ScriptMachine::master() else { return };
        fs::remove_file(machine.path(&format!("world/s3/chat.poeticoding.com/{key}"))).expect("it is ours");
        machine.boot().must_not(messages);
        assert_eq!((&machine.status()["state"], &machine.status()["step"]), (&"failed".into(), &"authorities".into()));
    }
}

#[test]
fn half_a_key_is_not_used() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.store("pki/service-account.pem", PRIVATE);
    machine.boot().must_not("pki/service-account.pem does not contain a private key and a public key");
    assert!(!machine.path("etc/kubernetes/pki/sa.key").exists());
    let Some(machine) = ScriptMachine::master() else { return };
    machine.store("pki/join-token", "abcdef\n");
    machine.boot().must_not("does not contain a join token");
}

#[test]
fn an_unknown_role_does_nothing() {
    let Some(machine) = ScriptMachine::master() else { return };
    let settings = machine.read("etc/quorate/settings").replace("QUORATE_ROLE='master'", "QUORATE_ROLE='king'");
    machine.write("etc/quorate/settings", &settings);
    machine.boot().must_not("unknown role: king");
    assert_eq!(machine.calls_of("kubeadm"), Vec::<String>::new());
}

#[test]
fn a_call_that_is_throttled_is_made_again_by_the_next_run() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.fault("aws route53 *");
    machine.boot().must_not("names: failed");
    assert_eq!(machine.status()["state"], "failed");
    machine.boot().must();
    assert_eq!(machine.status()["state"], "ready");
}

#[test]
fn no_status_stops_a_machine() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.fault("aws s3 cp*status.json");
    let run = machine.boot().must();
    assert!(run.messages.contains("the status could not be written; continuing"), "{}", run.messages);
}

#[test]
fn a_volume_that_is_not_free_is_waited_for() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/volume", "in-use i-0old attached\n");
    // The master before this one is gone after a while, and the first call to attach comes a moment too early.
    machine.write(
        "world/meanwhile",
        "[[ $(cat volume) != *i-0old* || $(grep --count ^sleep calls) -lt 3 ]] || echo 'available None None' > volume",
    );
    machine.fault("aws ec2 attach-volume *");
    let run = machine.boot().must();
    assert!(run.messages.contains("waiting for vol-0abc: it is in-use, attached by i-0old"), "{}", run.messages);
    assert!(run.messages.contains("it could not be attached yet"), "{}", run.messages);
}

#[test]
fn a_disk_with_data_is_never_formatted() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/disk", "");
    machine.boot().must();
    assert_eq!(machine.calls_of("mkfs"), Vec::<String>::new());
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/strange", "");
    machine.boot().must_not("it was not changed");
    assert_eq!(machine.calls_of("mkfs"), Vec::<String>::new());
    let Some(machine) = ScriptMachine::master() else { return };
    machine.fault("dd *");
    machine.boot().must_not("etcd volume, mount");
    assert_eq!(machine.calls_of("mkfs"), Vec::<String>::new(), "what cannot be read may hold data");
}

#[test]
fn a_network_of_the_users_own_is_left_to_the_user() {
    let Some(machine) = ScriptMachine::master() else { return };
    let settings = machine.read("etc/quorate/settings").replace("QUORATE_PLUGIN='routes'", "QUORATE_PLUGIN='none'");
    machine.write("etc/quorate/settings", &settings);
    machine.boot().must();
    assert!(!machine.read("etc/containerd/config.toml").contains("conf_template"));
    assert!(!machine.path("etc/containerd/cni.conflist.template").exists());
    assert_eq!(machine.calls_of("iptables"), Vec::<String>::new());
}

#[test]
fn crictl_is_configured_with_the_socket_of_containerd() {
    let Some(machine) = ScriptMachine::new("nodes-workers") else { return };
    machine.write("world/ready", "");
    machine.boot().must();
    let socket = "unix:///run/containerd/containerd.sock";
    let reported = machine.read("etc/crictl.yaml");
    assert_eq!(reported, format!("runtime-endpoint: {socket}\nimage-endpoint: {socket}\n"));
}

#[test]
fn both_pods_that_answer_for_names_are_never_on_one_machine() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.boot().must();
    let calls = machine.calls();
    let at = |phase: &str| calls.iter().position(|call| call.starts_with(phase)).expect("it was called");
    assert!(at("kubeadm init phase control-plane all") < at("kubeadm init phase addon all"), "{calls:?}");
    assert!(machine.read("etc/quorate/kubeadm.yaml").contains("patches:\n  directory: /etc/quorate/patches\n"));
    insta::assert_snapshot!("coredns", machine.read("etc/quorate/patches/corednsdeployment+strategic.yaml"));
}

#[test]
fn containerds_configuration() {
    let Some(machine) = ScriptMachine::master() else { return };
    machine.boot().must();
    insta::assert_snapshot!("containerd", machine.read("etc/containerd/config.toml"));
    insta::assert_snapshot!("cni", machine.read("etc/containerd/cni.conflist.template"));
    insta::assert_snapshot!("packages", machine.read("etc/yum.repos.d/kubernetes.repo"));
    machine.boot().must();
    assert_eq!(machine.calls_of("systemctl try-restart containerd").len(), 1, "only when something changed");
}

#[test]
fn containerd_is_new_enough_and_configured_in_its_own_format() {
    for (version, messages) in
        [("v2 v2.0.7 8fdc", "bin_dir = \"/opt/cni/bin\""), ("v2 2.10.0 8fdc", "bin_dirs = [\"/opt/cni/bin\"]")]
    {
        let Some(machine) = ScriptMachine::master() else { return };
        machine.write("world/containerd", &format!("containerd github.com/containerd/containerd/{version}\n"));
        machine.boot().must();
        assert!(machine.read("etc/containerd/config.toml").contains(messages), "{version}");
    }
    let Some(machine) = ScriptMachine::master() else { return };
    machine.write("world/containerd", "containerd github.com/containerd/containerd 1.7.28 8fdc\n");
    machine.boot().must_not("containerd is 1.7; Kubernetes 1.36 needs 2.0 or later");
    assert_eq!(machine.calls_of("systemctl enable --quiet --now containerd"), Vec::<String>::new());
}
