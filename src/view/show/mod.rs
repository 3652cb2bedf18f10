//! A cluster as tables: its machines, node groups and services; and the list of all objects.

mod machine;
mod objects;
mod service;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::{Address, Live, RecordedObject};
use crate::resource::KubernetesState;
use crate::words;

use self::machine::{ClusterMachines, machine_lines, node_group_lines};
use self::objects::object_lines;
use self::service::{service_lines, services};
use super::line::{StyledLine, TextRole, paragraph, screen};
use super::{ClusterHeading, FORMAT, TextStyle, endpoint, value};

pub use self::machine::{MachineRole, MachineRow, MachineState, NodeGroupRow};
pub use self::service::{ServicePort, ServiceRow};

/// The text of a value that is not known.
const UNKNOWN: &str = "-";

/// The observed state of a cluster.
pub struct ShownCluster<'a> {
    /// The existing objects.
    pub live: Vec<Live>,
    /// The objects in the record.
    pub recorded: &'a BTreeMap<Address, RecordedObject>,
    /// The URL of the Kubernetes API, if it was created.
    pub endpoint: Option<String>,
    /// The nodes and pods, or the reason why they are not known.
    pub kubernetes: Result<KubernetesState, String>,
}

/// A cluster with its heading, in a versioned format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterDocument {
    /// The version of the format.
    pub format: u32,
    /// The cluster and its account and region.
    #[serde(flatten)]
    pub heading: ClusterHeading,
    /// The URL of the Kubernetes API, if it was created.
    pub endpoint: Option<String>,
    /// The reason why the nodes and pods are not known; `None` if the Kubernetes API answered.
    pub kubernetes_unknown: Option<String>,
    /// The machines: masters, then nodes by their group.
    pub machines: Vec<MachineRow>,
    /// The node groups, sorted by name.
    pub node_groups: Vec<NodeGroupRow>,
    /// The services, sorted by name.
    pub services: Vec<ServiceRow>,
    /// Number of existing objects.
    pub object_count: usize,
    /// The existing objects, sorted by address, if they were requested.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub objects: Option<Vec<Live>>,
}

impl ClusterDocument {
    /// Creates the document of a cluster; with every object if `all`.
    pub fn new(heading: ClusterHeading, cluster: ShownCluster<'_>, all: bool) -> Self {
        let ShownCluster { mut live, recorded, endpoint, kubernetes } = cluster;
        live.sort_by(|a, b| (&a.address, &a.id).cmp(&(&b.address, &b.id)));
        let known = kubernetes.as_ref().ok();
        let machines = ClusterMachines::new(&live, recorded, known);
        Self {
            format: FORMAT,
            heading,
            endpoint,
            machines: machines.machines(),
            node_groups: machines.node_groups(),
            services: services(&live, known),
            kubernetes_unknown: kubernetes.err(),
            object_count: live.len(),
            objects: all.then_some(live),
        }
    }

    /// Returns `true` if a value is shown as not known because the Kubernetes API did not answer.
    fn lacks_kubernetes(&self) -> bool {
        let exists = |machine: &MachineRow| machine.instance.is_some();
        self.kubernetes_unknown.is_some() && (self.machines.iter().any(exists) || !self.services.is_empty())
    }
}

/// Returns the cluster as text; ages are those at `now`.
pub fn text(document: &ClusterDocument, now: Timestamp, style: TextStyle) -> String {
    let mut lines = document.heading.lines();
    if let Some(endpoint) = &document.endpoint {
        lines.push(StyledLine::at(0).ink(TextRole::Faint, format!("{:<9}", "API")).plain(value::safe(endpoint)));
    }
    lines.push(StyledLine::default());
    if document.object_count == 0 && document.machines.is_empty() {
        lines.push(StyledLine::at(0).plain("Nothing of this cluster exists."));
        return screen(&lines, style);
    }
    let width = style.width;
    for table in [
        (!document.machines.is_empty()).then(|| machine_lines(&document.machines, now, width)),
        (!document.node_groups.is_empty()).then(|| node_group_lines(&document.node_groups, width)),
        (!document.services.is_empty()).then(|| service_lines(&document.services, width)),
        document.lacks_kubernetes().then(|| unknown_lines(document, style)),
        document.objects.as_deref().map(|objects| object_lines(objects, document.heading.sandbox)),
    ] {
        let table = table.unwrap_or_default();
        if !table.is_empty() {
            lines.extend(table);
            lines.push(StyledLine::default());
        }
    }
    lines.push(total(document));
    screen(&lines, style)
}

/// Returns the reason why some values are not known, and the remark about simulated names.
fn unknown_lines(document: &ClusterDocument, style: TextStyle) -> Vec<StyledLine> {
    let reason = document.kubernetes_unknown.as_deref().unwrap_or_default();
    let text = format!("{UNKNOWN} not known: {}", value::safe(reason));
    let mut lines = paragraph(0, TextRole::Faint, &text, style);
    let named = document.services.iter().filter(|service| !service.addresses.is_empty()).count();
    let remark = endpoint::nowhere(document.heading.sandbox, named).filter(|_| named > 0);
    lines.extend(remark.map(|remark| StyledLine::at(0).ink(TextRole::Faint, remark)));
    lines
}

fn total(document: &ClusterDocument) -> StyledLine {
    let objects = words::count(document.object_count, "object");
    let machines = document.machines.iter().filter(|machine| machine.instance.is_some()).count();
    let more = if document.objects.is_some() { "" } else { "; `quorate show --all` lists the objects" };
    StyledLine::at(0).plain(format!("{objects}, {}{more}", words::count(machines, "machine")))
}

/// Returns a value, or the mark of one that is not known.
fn or_unknown(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or(UNKNOWN).to_owned()
}

#[cfg(test)]
mod tests;
