//! Converts a file that passes every rule to a [`Cluster`]: parses every text, fills in every default.

mod service;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipnet::Ipv4Net;

use super::cluster::{
    Addon, Api, Cluster, ClusterName, Dns, ImageId, InstanceSize, KubernetesVersion, Masters, Network, NetworkPlugin,
    NodeGroup, PublicZone, RootVolume, Scale, Ssh, StateLocation, Zone,
};
use super::defaults;
use super::file::{ClusterFile, DnsFile, MastersFile, NetworkFile, NodesFile, PluginFile, RootFile};

pub(super) use service::{port, secret_key, taint, target};

/// Returns the cluster; `None` only if the file breaks a rule, which is then reported by that rule.
pub(super) fn cluster(file: &ClusterFile) -> Option<Cluster> {
    let zones = zones(file.zones.as_deref()?)?;
    let ssh = file.ssh.as_ref();
    let network = network(file.network.as_ref(), &zones)?;
    Some(Cluster {
        name: ClusterName::parse(file.name.as_deref()?).ok()?,
        state: StateLocation::parse(file.state.as_deref()?).ok()?,
        account: file.account.clone(),
        region: zones.first()?.region().to_owned(),
        kubernetes: match &file.kubernetes {
            Some(version) => KubernetesVersion::parse(version)?,
            None => KubernetesVersion::newest(),
        },
        kubernetes_given: file.kubernetes.is_some(),
        masters: masters(file.masters.as_ref()?, &zones)?,
        nodes: named(file.nodes.as_ref(), |group| node_group(group, &zones))?,
        api: Api { allow: allow(file.api.as_ref().and_then(|api| api.allow.as_deref()))? },
        ssh: Ssh {
            allow: allow(ssh.and_then(|ssh| ssh.allow.as_deref()))?,
            public_key: ssh.and_then(|ssh| ssh.public_key.clone()),
        },
        dns: Dns { zone: public_zone(file.dns.as_ref()) },
        tags: file.tags.clone().unwrap_or_default(),
        services: named(file.service.as_ref(), |file| service::service(file, network.cidr))?,
        network,
        addons: named(file.addon.as_ref(), |addon| {
            Some(Addon { manifest: addon.manifest.clone()?.into(), content: String::new() })
        })?,
        zones,
    })
}

/// Returns the manifest path of each add-on, even for a file with errors.
pub(super) fn manifests(file: &ClusterFile) -> BTreeMap<String, PathBuf> {
    let addons = file.addon.iter().flatten();
    addons.filter_map(|(name, addon)| Some((name.clone(), addon.manifest.clone()?.into()))).collect()
}

fn zones(texts: &[String]) -> Option<Vec<Zone>> {
    texts.iter().map(|text| Zone::parse(text).ok()).collect()
}

fn named<F, T>(files: Option<&BTreeMap<String, F>>, complete: impl Fn(&F) -> Option<T>) -> Option<BTreeMap<String, T>> {
    files.into_iter().flatten().map(|(name, file)| Some((name.clone(), complete(file)?))).collect()
}

fn network(file: Option<&NetworkFile>, zones: &[Zone]) -> Option<Network> {
    let range = |text: Option<&String>, default| text.map_or(Some(default), |text| text.parse().ok());
    let cidr: Ipv4Net = range(file.and_then(|f| f.cidr.as_ref()), defaults::VPC)?;
    let given: BTreeMap<Zone, Ipv4Net> = file
        .and_then(|f| f.subnets.as_ref())
        .into_iter()
        .flatten()
        .map(|(zone, subnet)| Some((Zone::parse(zone).ok()?, subnet.parse().ok()?)))
        .collect::<Option<_>>()?;
    Some(Network {
        cidr,
        subnets: defaults::subnets(cidr, zones, &given),
        given: given.into_keys().collect(),
        pods: range(file.and_then(|f| f.pods.as_ref()), defaults::PODS)?,
        services: range(file.and_then(|f| f.services.as_ref()), defaults::SERVICES)?,
        plugin: match file.and_then(|f| f.plugin) {
            None | Some(PluginFile::Routes) => NetworkPlugin::Routes,
            Some(PluginFile::None) => NetworkPlugin::None,
        },
    })
}

fn masters(file: &MastersFile, zones: &[Zone]) -> Option<Masters> {
    Some(Masters {
        size: InstanceSize::parse(file.size.as_deref()?).ok()?,
        image: file.image.as_deref().map(ImageId::parse).transpose().ok()?,
        zones: match &file.zones {
            Some(listed) => self::zones(listed)?,
            None => defaults::master_zones(file.count.unwrap_or(defaults::MASTERS), zones),
        },
        zones_given: file.zones.is_some(),
        root: root(file.root.as_ref(), defaults::MASTER_ROOT_GIB),
        etcd_gib: file.etcd.as_ref().and_then(|etcd| etcd.gib).unwrap_or(defaults::ETCD_GIB),
        keep_days: file.etcd.as_ref().and_then(|etcd| etcd.keep_days).unwrap_or(defaults::KEEP_DAYS),
    })
}

fn node_group(file: &NodesFile, zones: &[Zone]) -> Option<NodeGroup> {
    Some(NodeGroup {
        scale: match (file.count, file.min, file.max) {
            (Some(count), None, None) => Scale::Count(count),
            (None, Some(min), Some(max)) => Scale::Range { min, max },
            _ => return None,
        },
        size: InstanceSize::parse(file.size.as_deref()?).ok()?,
        image: file.image.as_deref().map(ImageId::parse).transpose().ok()?,
        zones: match &file.zones {
            Some(listed) => self::zones(listed)?,
            None => zones.to_vec(),
        },
        root: root(file.root.as_ref(), defaults::NODE_ROOT_GIB),
    })
}

fn root(file: Option<&RootFile>, default: u32) -> RootVolume {
    RootVolume { gib: file.and_then(|root| root.gib).unwrap_or(default) }
}

fn allow(texts: Option<&[String]>) -> Option<Vec<Ipv4Net>> {
    let mut networks: Vec<Ipv4Net> =
        texts.into_iter().flatten().map(|text| text.parse().ok()).collect::<Option<_>>()?;
    networks.sort();
    networks.dedup();
    Some(networks)
}

fn public_zone(file: Option<&DnsFile>) -> PublicZone {
    let Some(dns) = file else {
        return PublicZone::Discover;
    };
    match (&dns.zone, dns.public, dns.create) {
        (_, Some(false), _) => PublicZone::None,
        (Some(zone), _, Some(true)) => PublicZone::Create(zone.clone()),
        (Some(zone), _, _) => PublicZone::Existing(zone.clone()),
        (None, _, _) => PublicZone::Discover,
    }
}
