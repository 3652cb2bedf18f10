//! A written file says what its draft says, in both languages.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::cluster::{
    Api, Dns, EtcdVolume, ImageId, InstanceSize, Masters, Network, NetworkPlugin, PublicZone, RootVolume, Ssh, Zone,
};
use super::super::kubernetes_version::KubernetesVersion;
use super::super::node_group::{Kubelet, NodeGroup, NodeRoll, Scale};
use super::super::{Cluster, ClusterName, StateLocation, Web, defaults};
use super::*;

const FILES: [&str; 2] = ["cluster.hcl", "cluster.toml"];
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm2cR0sWfVHjhw8EpWZCvKkYpKR0kqQdK1Tj0lYk9cX you@example.com";

fn node_group(scale: Scale, size: InstanceSize, zones: Vec<Zone>, root: RootVolume) -> NodeGroup {
    NodeGroup {
        scale,
        size,
        image: None,
        zones,
        root,
        roll: NodeRoll::default(),
        other_sizes: Vec::new(),
        spot: None,
        labels: BTreeMap::new(),
        taints: Vec::new(),
        kubelet: Kubelet::default(),
    }
}

/// A node group that is asked for.
#[derive(Debug, Clone)]
struct AskedGroup {
    scale: Scale,
    size: Option<&'static str>,
    first_zone_only: bool,
    root_gib: Option<u32>,
}

/// A cluster that is asked for.
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own that is given or not")]
#[derive(Debug, Clone)]
struct Asked {
    name: &'static str,
    letters: usize,
    state: Option<&'static str>,
    account: Option<&'static str>,
    kubernetes: Option<KubernetesVersion>,
    tags: BTreeMap<String, String>,
    masters: Option<u32>,
    master_size: Option<&'static str>,
    master_zones: bool,
    volumes: Option<(u32, u32)>,
    groups: BTreeMap<String, AskedGroup>,
    ranges: Option<[&'static str; 3]>,
    plugin: Option<bool>,
    subnet: bool,
    image: bool,
    allow: Vec<&'static str>,
    ssh: bool,
    dns: PublicZone,
}

fn zone(letter: char) -> Zone {
    Zone::parse(&format!("eu-central-1{letter}")).unwrap()
}

fn size(text: &str) -> InstanceSize {
    InstanceSize::parse(text).unwrap()
}

fn owned(texts: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    texts.into_iter().map(|text| text.to_string()).collect()
}

const IMAGE: &str = "ami-0123456789abcdef0";
const DEFAULT_RANGES: [&str; 3] = ["172.20.0.0/16", "100.96.0.0/11", "100.64.0.0/13"];

impl Asked {
    fn zones(&self) -> Vec<Zone> {
        ('a'..='z').take(self.letters).map(zone).collect()
    }

    fn master_zones(&self) -> Vec<Zone> {
        let count = self.masters.unwrap_or(3) as usize;
        if self.master_zones { vec![zone('a'); count] } else { self.zones().into_iter().cycle().take(count).collect() }
    }

    fn draft(&self) -> ClusterDraft {
        let mut draft = ClusterDraft::default();
        draft.set(&["name"], self.name, "--name");
        draft.set(&["zones"], owned(self.zones()), "--zones");
        let texts = [("state", self.state), ("account", self.account)];
        for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text?))) {
            draft.set(&[name], text, format!("--{name}"));
        }
        if let Some(version) = self.kubernetes {
            draft.set(&["kubernetes"], version.to_string(), "--kubernetes");
        }
        if !self.tags.is_empty() {
            draft.set(&["tags"], self.tags.clone(), "--tag");
        }
        if let Some(count) = self.masters {
            draft.set(&["masters", "count"], count, "--masters");
        }
        if let Some(size) = self.master_size {
            draft.set(&["masters", "size"], size, "--size");
        }
        if self.master_zones {
            draft.set(&["masters", "zones"], owned(self.master_zones()), "");
        }
        if let Some((root, etcd)) = self.volumes {
            draft.set(&["masters", "root", "gib"], root, "");
            draft.set(&["masters", "etcd", "gib"], etcd, "");
        }
        if self.image {
            draft.set(&["masters", "image"], IMAGE, "");
        }
        for (name, group) in &self.groups {
            match group.scale {
                Scale::Count(count) => draft.set(&["nodes", name, "count"], count, ""),
                Scale::Range { min, max } => {
                    draft.set(&["nodes", name, "min"], min, "");
                    draft.set(&["nodes", name, "max"], max, "");
                }
            }
            if let Some(size) = group.size {
                draft.set(&["nodes", name, "size"], size, "");
            }
            if group.first_zone_only {
                draft.set(&["nodes", name, "zones"], owned([zone('a')]), "");
            }
            if let Some(gib) = group.root_gib {
                draft.set(&["nodes", name, "root", "gib"], gib, "");
            }
        }
        for (name, range) in ["cidr", "pods", "services"].iter().zip(self.ranges.iter().flatten()) {
            draft.set(&["network", name], *range, "");
        }
        if let Some(routes) = self.plugin {
            draft.set(&["network", "plugin"], if routes { "routes" } else { "none" }, "");
        }
        if self.subnet {
            let subnets: BTreeMap<String, String> = [(zone('a').to_string(), self.first_subnet())].into();
            draft.set(&["network", "subnets"], subnets, "");
        }
        if !self.allow.is_empty() {
            draft.set(&["api", "allow"], owned(&self.allow), "--api-allow");
        }
        if self.ssh {
            draft.set(&["ssh", "allow"], owned(["203.0.113.0/24"]), "");
            draft.set(&["ssh", "public_key"], KEY, "");
        }
        match &self.dns {
            PublicZone::Existing(zone) => draft.set(&["dns", "zone"], zone.clone(), ""),
            PublicZone::None => draft.set(&["dns", "public"], false, ""),
            _ => {}
        }
        draft.complete(|name| format!("the default of --{name}"));
        draft
    }

    /// The last part of the VPC's range, which no other zone has.
    fn first_subnet(&self) -> String {
        let vpc = self.ranges.unwrap_or(DEFAULT_RANGES)[0];
        if vpc.starts_with("10.") { "10.0.224.0/19".to_owned() } else { "172.20.224.0/19".to_owned() }
    }

    fn cluster(&self) -> Cluster {
        let [cidr, pods, services] = self.ranges.unwrap_or(DEFAULT_RANGES).map(|range| range.parse().unwrap());
        let given: BTreeMap<_, _> =
            self.subnet.then(|| (zone('a'), self.first_subnet().parse().unwrap())).into_iter().collect();
        let (root, etcd) = self.volumes.unwrap_or((30, 20));
        let mut nodes: BTreeMap<String, NodeGroup> = BTreeMap::new();
        for (name, group) in &self.groups {
            let zones = if group.first_zone_only { vec![zone('a')] } else { self.zones() };
            let root = RootVolume { gib: group.root_gib.unwrap_or(60) };
            let size = size(group.size.unwrap_or("t3.large"));
            nodes.insert(name.clone(), node_group(group.scale, size, zones, root));
        }
        if nodes.is_empty() {
            let root = RootVolume { gib: 60 };
            let (scale, size) = (Scale::Count(3), size("t3.large"));
            let group = node_group(scale, size, self.zones(), root);
            nodes.insert("workers".to_owned(), group);
        }
        let mut allow: Vec<_> = self.allow.iter().map(|range| range.parse().unwrap()).collect();
        allow.sort();
        let state = self.state.map_or_else(|| format!("s3://state.{}", self.name), str::to_owned);
        Cluster {
            name: ClusterName::parse(self.name).unwrap(),
            state: StateLocation::parse(&state).unwrap(),
            account: self.account.map(str::to_owned),
            region: "eu-central-1".to_owned(),
            zones: self.zones(),
            kubernetes: self.kubernetes.unwrap_or(KubernetesVersion::DEFAULT),
            kubernetes_given: self.kubernetes.is_some(),
            network: Network {
                cidr,
                subnets: defaults::subnets(defaults::subnet_parts(cidr), &self.zones(), &given),
                given: given.into_keys().collect(),
                pods,
                services,
                plugin: if self.plugin == Some(false) { NetworkPlugin::None } else { NetworkPlugin::Routes },
                private: None,
            },
            masters: Masters {
                size: size(self.master_size.unwrap_or("t3.medium")),
                image: self.image.then(|| ImageId::parse(IMAGE).unwrap()),
                zones: self.master_zones(),
                zones_given: self.master_zones,
                root: RootVolume { gib: root },
                etcd: EtcdVolume { gib: etcd, keep_days: 7 },
            },
            nodes,
            api: Api { allow },
            ssh: Ssh {
                allow: self.ssh.then(|| "203.0.113.0/24".parse().unwrap()).into_iter().collect(),
                public_key: self.ssh.then(|| KEY.to_owned()),
            },
            ssm: true,
            survives: None,
            dns: Dns { zone: self.dns.clone() },
            tags: self.tags.clone(),
            web: Web::default(),
            services: BTreeMap::new(),
            addons: BTreeMap::new(),
        }
    }
}

fn any_group() -> impl Strategy<Value = AskedGroup> {
    let scale = prop_oneof![
        (1u32..6).prop_map(Scale::Count),
        (0u32..3, 0u32..4).prop_map(|(min, more)| Scale::Range { min, max: min + more.max(1) }),
    ];
    let size = prop::option::of(prop::sample::select(vec!["m7g.large", "t3a.small", "c7i.metal-24xl"]));
    (scale, size, any::<bool>(), prop::option::of(10u32..200))
        .prop_map(|(scale, size, first_zone_only, root_gib)| AskedGroup { scale, size, first_zone_only, root_gib })
}

fn any_asked() -> impl Strategy<Value = Asked> {
    let names = prop::sample::select(vec!["chat.example.com", "a.b", "x--1.example.internal", "example.com"]);
    let states =
        prop::option::of(prop::sample::select(vec!["s3://bucket/a/b", "file:./state dir/\"x\"", "s3://state.x"]));
    let versions = prop::option::of(prop::sample::select(KubernetesVersion::SUPPORTED.to_vec()));
    // Everything that a tag may contain; `:` and `/` make it a key in quotes.
    let tags = prop::collection::btree_map("[a-m][a-zA-Z0-9_.:/=+@-]{0,12}", "[a-z0-9_.:/=+@-]{0,12}", 0..4);
    let tags = tags.prop_filter("keys that differ", |tags| {
        let lower: BTreeSet<String> = tags.keys().map(|key| key.to_lowercase()).collect();
        lower.len() == tags.len() && !lower.iter().any(|key| key.starts_with("aws:") || key.starts_with("kubernetes"))
    });
    let top = (names, 1usize..=6, states, prop::option::of(Just("012345678901")), versions, tags);
    let count = prop::option::of(prop::sample::select(vec![1u32, 3, 5, 7]));
    let master_size = prop::option::of(prop::sample::select(vec!["m7g.large", "t3.small"]));
    let masters = (count, master_size, any::<bool>(), prop::option::of((10u32..99, 4u32..99)), any::<bool>());
    let groups = prop::collection::btree_map("[a-z]([a-z0-9-]{0,6}[a-z0-9])?", any_group(), 0..3);
    let ranges = prop::option::of(Just(["10.0.0.0/16", "10.64.0.0/12", "10.1.0.0/20"]));
    let network = (ranges, prop::option::of(any::<bool>()), any::<bool>());
    let allow = prop::sample::subsequence(vec!["203.0.113.7/32", "0.0.0.0/0", "10.0.0.0/8"], 0..=3);
    let dns =
        prop_oneof![Just(PublicZone::Discover), Just(PublicZone::None), Just(PublicZone::Existing(String::new()))];
    (top, masters, groups, network, allow, any::<bool>(), dns).prop_map(
        |(top, masters, groups, network, allow, ssh, dns)| {
            let (name, letters, state, account, kubernetes, tags) = top;
            let (masters, master_size, master_zones, volumes, image) = masters;
            let (ranges, plugin, subnet) = network;
            let dns = if let PublicZone::Existing(_) = dns { PublicZone::Existing(name.to_owned()) } else { dns };
            let dns = if name == "a.b" { PublicZone::Discover } else { dns };
            Asked {
                name,
                letters,
                state,
                account,
                kubernetes,
                tags,
                masters,
                master_size,
                master_zones,
                volumes,
                groups,
                ranges,
                plugin,
                subnet,
                image,
                allow,
                ssh,
                dns,
            }
        },
    )
}

proptest! {
    #[test]
    fn a_written_file_describes_exactly_the_cluster_that_was_asked_for(asked in any_asked()) {
        let (draft, wanted) = (asked.draft(), asked.cluster());
        for file in FILES {
            let written = draft.write(file);
            prop_assert!(written.is_ok(), "{file}: {written:?}");
            let written = written.unwrap();
            prop_assert_eq!(&written.cluster, &wanted, "{}", written.text);
        }
    }

    /// A text that no valid file contains is an error of the setting that it was given for, and of no other.
    #[test]
    fn any_text_is_written_so_that_it_is_read_as_it_was(text in any::<String>()) {
        let mut draft = sample();
        draft.set(&["ssh", "public_key"], text.as_str(), "the key");
        for file in FILES {
            match draft.write(file) {
                Ok(written) => prop_assert_eq!(written.cluster.ssh.public_key.as_ref(), Some(&text)),
                Err(problems) => prop_assert!(problems.iter().all(|it| it.origin == "the key" && it.code == "Q0431"), "{problems:?}"),
            }
        }
    }
}

fn sample() -> ClusterDraft {
    let mut draft = ClusterDraft::default();
    draft.set(&["name"], "chat.example.com", "--name");
    draft.set(&["zones"], owned(["us-east-1a", "us-east-1b", "us-east-1c"]), "--zones");
    draft.complete(|name| format!("the default of --{name}"));
    draft
}

#[test]
fn the_shortest_file() {
    insta::assert_snapshot!("hcl", sample().write("cluster.hcl").unwrap().text);
    insta::assert_snapshot!("toml", sample().write("cluster.toml").unwrap().text);
}

#[test]
fn a_file_with_everything() {
    let group = AskedGroup {
        scale: Scale::Range { min: 0, max: 3 },
        size: Some("m7g.large"),
        first_zone_only: true,
        root_gib: Some(80),
    };
    let workers = AskedGroup { scale: Scale::Count(2), size: None, first_zone_only: false, root_gib: None };
    let asked = Asked {
        name: "prod.example.com",
        letters: 3,
        state: Some("s3://bucket/prefix"),
        account: Some("012345678901"),
        kubernetes: Some(KubernetesVersion::DEFAULT),
        tags: [("team", "chat"), ("example.com/cost", "${not} a %{template}")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        masters: Some(3),
        master_size: Some("m7g.large"),
        master_zones: true,
        volumes: Some((40, 30)),
        groups: [("spare".to_owned(), group), ("workers".to_owned(), workers)].into(),
        ranges: Some(["10.0.0.0/16", "10.64.0.0/12", "10.1.0.0/20"]),
        plugin: Some(true),
        subnet: true,
        image: true,
        allow: vec!["203.0.113.7/32"],
        ssh: true,
        dns: PublicZone::Existing("example.com".to_owned()),
    };
    let mut draft = asked.draft();
    draft.set(&["tags"], BTreeMap::from([("team".to_owned(), "chat".to_owned())]), "--tag");
    draft.remark(
        "A remark about something that the file does not have:\n\n  spec.networking.calico: install it yourself",
    );
    for file in FILES {
        let written = draft.write(file).unwrap();
        let name = file.rsplit('.').next().unwrap();
        insta::assert_snapshot!(format!("full_{name}"), written.text);
    }
}

/// The samples that the file shows as comments are settings once the comment signs are removed.
#[test]
fn the_samples_in_the_file_are_valid() {
    for file in FILES {
        let text = sample().write(file).unwrap().text;
        let is_sample = |line: &str| {
            let rest = line.strip_prefix("# ").unwrap_or_default();
            rest.contains(" = ") || rest.starts_with('[') || rest.ends_with('{') || rest == "}"
        };
        let with_samples: String =
            text.lines().map(|line| if is_sample(line) { &line[2..] } else { line }).collect::<Vec<_>>().join("\n");
        let parsed = parse(file, &with_samples, &BTreeMap::new());
        let cluster = parsed.cluster.clone().unwrap_or_else(|_| panic!("{}", parsed.render(false, 100)));
        assert_eq!(cluster.account.as_deref(), Some("123456789012"));
        assert_eq!((cluster.api.allow.len(), cluster.tags.len()), (1, 1));
        assert_eq!(cluster.dns.zone, PublicZone::Existing("example.com".to_owned()));
    }
}

#[test]
fn every_row_of_the_template_is_a_setting() {
    let known: BTreeSet<String> = super::super::reference::settings().into_iter().collect();
    let blocks = [(&template::TOP, ""), (&template::MASTERS, "masters."), (&template::NODES, "nodes.NAME.")];
    let rest = template::REST.iter().map(|block| (block, format!("{}.", block.name)));
    let blocks = blocks.into_iter().map(|(block, prefix)| (block, prefix.to_owned())).chain(rest);
    for (block, prefix) in blocks {
        for row in block.rows {
            let path = format!("{prefix}{}", row.name);
            assert!(known.contains(&path), "{path}");
        }
    }
}

#[test]
fn an_error_names_the_origin_of_its_setting() {
    let reported = |change: &dyn Fn(&mut ClusterDraft)| {
        let mut draft = sample();
        change(&mut draft);
        let by_language = FILES.map(|file| draft.write(file).map(|written| written.text).unwrap_err());
        let reported = |problems: &[DraftProblem]| -> Vec<(String, &str)> {
            problems.iter().map(|problem| (problem.origin.clone(), problem.code)).collect()
        };
        assert_eq!(reported(&by_language[0]), reported(&by_language[1]));
        let [problems, _] = by_language;
        problems
            .into_iter()
            .map(|it| format!("{}: {} ({})", it.origin, it.message, it.code))
            .collect::<Vec<_>>()
            .join("\n")
    };
    let every = [
        reported(&|draft| draft.set(&["name"], "chat", "--name")),
        reported(&|draft| draft.set(&["zones"], owned(["us-east-1a", "us-east-1", "us-west-2a"]), "--zones")),
        reported(&|draft| draft.set(&["masters", "count"], 4, "--masters")),
        reported(&|draft| draft.set(&["masters", "size"], "t3.meduim", "--size")),
        reported(&|draft| draft.set(&["nodes", "workers", "count"], 0, "--nodes")),
        reported(&|draft| {
            draft.set(&["nodes", "Web", "count"], 1, "the group Web");
            draft.set(&["nodes", "Web", "size"], "t3.large", "the group Web");
        }),
        reported(&|draft| draft.set(&["state"], "bucket", "--state")),
        reported(&|draft| draft.set(&["tags"], BTreeMap::from([("aws:x".to_owned(), "1".to_owned())]), "--tag")),
        reported(&|draft| {
            draft.remove(&["zones"]);
        }),
        reported(&|draft| draft.set(&["kubernetes"], "1.19", "--kubernetes")),
        reported(&|draft| draft.set(&["network", "cidr"], "100.64.0.0/16", "--cidr")),
    ];
    insta::assert_snapshot!(every.join("\n"));
}

#[test]
fn the_default_of_the_state_is_a_bucket_whatever_the_length_of_the_name() {
    assert_eq!(default_state("chat.example.com"), "s3://state.chat.example.com");
    let long = format!("{}.example.com", "a".repeat(50));
    assert_eq!(default_state(&long), format!("s3://{long}"));
    assert_eq!(default_state("Chat"), "s3://state.Chat", "the error is that of the name");
}
