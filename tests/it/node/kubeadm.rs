//! kubeadm's configuration against its types, as strict as kubeadm itself: an unknown field is an error.
//!
//! There is no published schema. The types are those of Kubernetes' source, `cmd/kubeadm/app/apis/kubeadm/v1beta4/types.go`
//! (1.31 to 1.36), `apis/bootstraptoken/v1/types.go`, and of the kubelet's and kube-proxy's fields those that we set.
#![allow(dead_code, reason = "the types are there to be filled")]

use std::collections::{BTreeMap, BTreeSet};

use quorate::spec::{Cluster, KubernetesVersion};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{ScriptMachine, cluster, files_of};

macro_rules! strict {
    ($(struct $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {$(
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        struct $name { $($(#[$attribute])* $field: $type,)* }
    )*};
}

strict! {
    struct InitConfiguration {
        api_version: String,
        kind: String,
        bootstrap_tokens: Option<Vec<BootstrapToken>>,
        dry_run: Option<bool>,
        node_registration: Option<NodeRegistration>,
        #[serde(rename = "localAPIEndpoint")]
        local_api_endpoint: Option<ApiEndpoint>,
        certificate_key: Option<String>,
        skip_phases: Option<Vec<String>>,
        patches: Option<Patches>,
        timeouts: Option<BTreeMap<String, String>>,
    }
    struct ClusterConfiguration {
        api_version: String,
        kind: String,
        etcd: Option<Etcd>,
        networking: Option<Networking>,
        kubernetes_version: Option<String>,
        control_plane_endpoint: Option<String>,
        api_server: Option<ApiServer>,
        controller_manager: Option<Component>,
        scheduler: Option<Component>,
        dns: Option<Image>,
        proxy: Option<BTreeMap<String, bool>>,
        certificates_dir: Option<String>,
        image_repository: Option<String>,
        feature_gates: Option<BTreeMap<String, bool>>,
        cluster_name: Option<String>,
        encryption_algorithm: Option<Algorithm>,
        certificate_validity_period: Option<String>,
        ca_certificate_validity_period: Option<String>,
    }
    struct JoinConfiguration {
        api_version: String,
        kind: String,
        dry_run: Option<bool>,
        node_registration: Option<NodeRegistration>,
        ca_cert_path: Option<String>,
        discovery: Discovery,
        skip_phases: Option<Vec<String>>,
        patches: Option<Patches>,
        timeouts: Option<BTreeMap<String, String>>,
    }
    struct BootstrapToken {
        token: String,
        description: Option<String>,
        ttl: Option<String>,
        expires: Option<String>,
        usages: Option<Vec<String>>,
        groups: Option<Vec<String>>,
    }
    struct NodeRegistration {
        name: Option<String>,
        cri_socket: Option<String>,
        taints: Option<Vec<Taint>>,
        kubelet_extra_args: Option<Vec<Arg>>,
        ignore_preflight_errors: Option<Vec<String>>,
        image_pull_policy: Option<String>,
        image_pull_serial: Option<bool>,
    }
    struct Taint { key: String, value: Option<String>, effect: String, }
    struct Arg { name: String, value: String, }
    struct ApiEndpoint { advertise_address: Option<String>, bind_port: Option<i32>, }
    struct Patches { directory: Option<String>, }
    struct Etcd { local: Option<LocalEtcd>, }
    struct LocalEtcd {
        image_repository: Option<String>,
        image_tag: Option<String>,
        data_dir: String,
        extra_args: Option<Vec<Arg>>,
        #[serde(rename = "serverCertSANs")]
        server_cert_sans: Option<Vec<String>>,
        #[serde(rename = "peerCertSANs")]
        peer_cert_sans: Option<Vec<String>>,
    }
    struct Networking { service_subnet: Option<String>, pod_subnet: Option<String>, dns_domain: Option<String>, }
    struct ApiServer {
        extra_args: Option<Vec<Arg>>,
        #[serde(rename = "certSANs")]
        cert_sans: Option<Vec<String>>,
    }
    struct Component { extra_args: Option<Vec<Arg>>, }
    struct Image { image_repository: Option<String>, image_tag: Option<String>, }
    struct Discovery { file: Option<FileDiscovery>, tls_bootstrap_token: Option<String>, }
    struct FileDiscovery { kube_config_path: String, }
    struct KubeletConfiguration {
        api_version: String,
        kind: String,
        cgroup_driver: String,
        rotate_certificates: bool,
        #[serde(rename = "serverTLSBootstrap")]
        server_tls_bootstrap: bool,
        shutdown_grace_period: String,
        shutdown_grace_period_critical_pods: String,
    }
    struct KubeProxyConfiguration { api_version: String, kind: String, mode: String, }
}

#[derive(Debug, Deserialize)]
enum Algorithm {
    #[serde(rename = "RSA-2048")]
    Rsa2048,
    #[serde(rename = "RSA-3072")]
    Rsa3072,
    #[serde(rename = "RSA-4096")]
    Rsa4096,
    #[serde(rename = "ECDSA-P256")]
    EcdsaP256,
}

/// Returns the document of a kind, if its version and all of its fields are known.
#[track_caller]
fn document<T: DeserializeOwned>(text: &str, kind: &str, version: &str) -> T {
    let head = format!("apiVersion: {version}\nkind: {kind}\n");
    let found: Vec<&str> = text.split("---\n").filter(|document| document.contains(&head)).collect();
    assert_eq!(found.len(), 1, "one {kind} of {version} in:\n{text}");
    serde_saphyr::from_str(found[0]).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

/// Returns kubeadm's configuration for machines of a cluster, before the machines fill in their own values.
fn configuration(cluster: &Cluster, settings: &str) -> String {
    let settings = &files_of(cluster)[settings];
    let (_, rest) = settings.split_once("QUORATE_KUBEADM='").expect("the settings hold it");
    // The only slot whose value is no text.
    rest.split_once("\n'").expect("it has an end").0.replace("@TAINTS@", "[]") + "\n"
}

fn no_name_twice(args: &[Arg]) {
    let names: BTreeSet<&str> = args.iter().map(|arg| arg.name.as_str()).collect();
    assert_eq!(names.len(), args.len(), "{args:?}");
}

#[test]
fn kubeadm_knows_every_field() {
    for version in KubernetesVersion::SUPPORTED {
        let cluster = Cluster { kubernetes: version, ..cluster() };
        for master in ["masters-a", "masters-b", "masters-c"] {
            let text = configuration(&cluster, master);
            let init: InitConfiguration = document(&text, "InitConfiguration", "kubeadm.k8s.io/v1beta4");
            let whole: ClusterConfiguration = document(&text, "ClusterConfiguration", "kubeadm.k8s.io/v1beta4");
            let _: KubeletConfiguration = document(&text, "KubeletConfiguration", "kubelet.config.k8s.io/v1beta1");
            let _: KubeProxyConfiguration =
                document(&text, "KubeProxyConfiguration", "kubeproxy.config.k8s.io/v1alpha1");
            let etcd = whole.etcd.and_then(|etcd| etcd.local).expect("etcd runs on masters");
            no_name_twice(&etcd.extra_args.expect("etcd has names"));
            no_name_twice(&init.node_registration.and_then(|node| node.kubelet_extra_args).expect("a provider id"));
        }
        let text = configuration(&cluster, "nodes-workers");
        let join: JoinConfiguration = document(&text, "JoinConfiguration", "kubeadm.k8s.io/v1beta4");
        no_name_twice(&join.node_registration.and_then(|node| node.kubelet_extra_args).expect("a provider id"));
    }
}

#[test]
fn masters_differ_in_their_own_name_and_in_nothing_else() {
    let of = |letter: &str| configuration(&cluster(), &format!("masters-{letter}"));
    let alike = |letter: &str| {
        of(letter).replace(&format!("etcd-{letter}"), "etcd-?").replace(&format!("member={letter}"), "member=?")
    };
    assert_ne!(of("a"), of("b"));
    assert_eq!((alike("a"), alike("b")), (alike("c"), alike("c")));
}

#[test]
fn an_architecture_makes_no_difference() {
    let mut arm64 = cluster();
    for group in arm64.nodes.values_mut() {
        group.size = serde_json::from_value("t4g.medium".into()).expect("a size");
    }
    assert_eq!(files_of(&arm64), files_of(&cluster()));
}

#[test]
fn machines_fill_every_slot() {
    for settings in ["masters-b", "nodes-workers"] {
        let Some(machine) = ScriptMachine::new(settings) else { return };
        machine.write("world/ready", "");
        machine.boot().must();
        let file = if settings == "masters-b" { "etc/quorate/kubeadm.yaml" } else { "world/joined" };
        let text = machine.read(file);
        assert!(!text.contains('@'), "{text}");
        insta::assert_snapshot!(settings, text);
    }
}
