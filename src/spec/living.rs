//! Effects of changing each setting of a living cluster. A test makes the changes (`cli/tests/lifecycle/living.rs`).

use OnLiving::{InPlace, LosesData, Moved, Nothing, Pods, Refused, Replaced, Roll};

/// The effect of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OnLiving {
    /// No object changes.
    Nothing,
    /// Objects are changed, added or removed where they are; machines and pods stay.
    InPlace,
    /// Pods are replaced by a rollout of Kubernetes.
    Pods,
    /// Machines are replaced one after the other.
    Roll,
    /// The new object is ready before the old one is deleted.
    Replaced,
    /// Data moves with the object that holds it.
    Moved,
    /// Data is lost: the plan names it, and needs `--delete-data`.
    LosesData,
    /// The plan is refused; the message names the alternative.
    Refused,
}

/// One setting of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LivingSetting {
    /// Its path, with `NAME` for any name.
    pub(crate) path: &'static str,
    /// All effects that a change of it may have.
    pub(crate) effects: &'static [OnLiving],
    /// An additional note.
    pub(crate) note: &'static str,
}

const fn row(path: &'static str, effects: &'static [OnLiving], note: &'static str) -> LivingSetting {
    LivingSetting { path, effects, note }
}

const OTHER: &str = "the id of another account is refused before anything is changed";
const SHRINKS: &str = "it grows in place; a smaller one is refused";
const AGAIN: &str = "the job runs again before pods are replaced";
const ADDRESSES: &str = "every address of the cluster depends on it";

/// Every setting, sorted.
pub(crate) static SETTINGS: &[LivingSetting] = &[
    row("account", &[Nothing, Refused], OTHER),
    row(
        "addon.NAME",
        &[InPlace],
        "objects are created and deleted; those with data are deleted only with `--delete-data`",
    ),
    row(
        "addon.NAME.manifest",
        &[InPlace],
        "objects are created and deleted; those with data are deleted only with `--delete-data`",
    ),
    row("api.allow", &[InPlace], ""),
    row("dns.create", &[Replaced], "the records move to the other zone"),
    row("dns.public", &[InPlace], "the records are created or deleted"),
    row("dns.zone", &[Replaced], "the records move to the other zone"),
    row("kubernetes", &[Roll, Refused], "one minor version up; a skipped or older one is refused"),
    row(
        "masters.count",
        &[Roll, Refused],
        "new masters join one at a time, then the other masters are rolled with the new member list; fewer are refused",
    ),
    row("masters.etcd.gib", &[InPlace, Refused], SHRINKS),
    row("masters.etcd.keep_days", &[Roll], ""),
    row("masters.image", &[Roll], ""),
    row("masters.root.gib", &[Roll], ""),
    row("masters.size", &[Roll], ""),
    row(
        "masters.zones",
        &[Nothing, Moved],
        "only masters whose zone is no longer listed move, one at a time; another order moves none",
    ),
    row("name", &[], "another name is another cluster; this one stays as it is"),
    row("network.cidr", &[Refused], ADDRESSES),
    row("network.plugin", &[Refused], "pods of both networks would not reach each other"),
    row(
        "network.nat",
        &[Replaced, InPlace],
        "the new gateway is ready before the routes move to it; the address changes",
    ),
    row("network.pods", &[Refused], ADDRESSES),
    row("network.private_subnets", &[Refused], "a zone keeps its range"),
    row("network.services", &[Refused], ADDRESSES),
    row("network.subnets", &[Refused], "a zone keeps its range"),
    row("network.topology", &[Refused], "AWS ends machines at once when their group leaves a subnet, the masters too"),
    row("nodes.NAME", &[Replaced], "the machines of the new group join before those of the old group are drained"),
    row("nodes.NAME.count", &[InPlace], ""),
    row("nodes.NAME.image", &[Roll], ""),
    row("nodes.NAME.kubelet.eviction.disk", &[Roll], ""),
    row("nodes.NAME.kubelet.eviction.memory", &[Roll], ""),
    row("nodes.NAME.kubelet.max_pods", &[Roll], ""),
    row("nodes.NAME.kubelet.reserved.cpu", &[Roll], ""),
    row("nodes.NAME.kubelet.reserved.memory", &[Roll], ""),
    row("nodes.NAME.labels", &[InPlace], "running nodes get them within minutes"),
    row("nodes.NAME.max", &[InPlace], ""),
    row("nodes.NAME.min", &[InPlace], ""),
    row("nodes.NAME.roll.max_surge", &[Nothing], "the next roll keeps to it"),
    row("nodes.NAME.roll.max_unavailable", &[Nothing], "the next roll keeps to it"),
    row("nodes.NAME.root.gib", &[Roll], ""),
    row("nodes.NAME.size", &[Roll, Refused], "other processors are refused: add a second group first"),
    row(
        "nodes.NAME.sizes",
        &[InPlace, Roll, Refused],
        "new machines have them; another first size rolls all, and other processors are refused",
    ),
    row("nodes.NAME.spot", &[Roll], ""),
    row("nodes.NAME.spot.on_demand_base", &[InPlace], "new machines keep to it"),
    row("nodes.NAME.spot.on_demand_percent", &[InPlace], "new machines keep to it"),
    row("nodes.NAME.spot.strategy", &[InPlace], "new machines keep to it"),
    row("nodes.NAME.taints", &[InPlace], "running nodes get them within minutes"),
    row("nodes.NAME.zones", &[InPlace], "Auto Scaling replaces the machines in other zones"),
    row("require.survives", &[Nothing], "a plan that does not keep to it is refused"),
    row(
        "service.NAME",
        &[Replaced],
        "another name is another service; its volumes are deleted only with `--delete-data`",
    ),
    row("service.NAME.args", &[Pods], ""),
    row("service.NAME.command", &[Pods], ""),
    row("service.NAME.cpu", &[Pods], ""),
    row("service.NAME.env", &[Pods], ""),
    row("service.NAME.files", &[Pods], ""),
    row("service.NAME.grace_seconds", &[Pods], ""),
    row("service.NAME.health.path", &[Pods], ""),
    row("service.NAME.health.port", &[Pods], ""),
    row("service.NAME.http.certificate", &[InPlace], ""),
    row("service.NAME.http.health_path", &[InPlace], ""),
    row("service.NAME.http.host", &[Replaced], "with its record and its certificate"),
    row("service.NAME.http.hosts", &[InPlace], "records and certificates are created or deleted"),
    row("service.NAME.http.path", &[Replaced], ""),
    row("service.NAME.http.target", &[Replaced], ""),
    row("service.NAME.image", &[Pods], ""),
    row("service.NAME.job.NAME", &[InPlace], "a new job without a schedule runs first"),
    row("service.NAME.job.NAME.args", &[Replaced], AGAIN),
    row("service.NAME.job.NAME.command", &[Replaced], AGAIN),
    row("service.NAME.job.NAME.cpu", &[Replaced], AGAIN),
    row("service.NAME.job.NAME.env", &[Replaced], AGAIN),
    row("service.NAME.job.NAME.image", &[Replaced], AGAIN),
    row("service.NAME.job.NAME.memory", &[Replaced], AGAIN),
    row("service.NAME.job.NAME.retries", &[InPlace], ""),
    row(
        "service.NAME.job.NAME.schedule",
        &[InPlace],
        "a job without a schedule becomes a cron job, or a cron job a job",
    ),
    row("service.NAME.job.NAME.secrets", &[Replaced], AGAIN),
    row("service.NAME.job.NAME.time_zone", &[InPlace], ""),
    row("service.NAME.job.NAME.timeout_seconds", &[InPlace], ""),
    row("service.NAME.max", &[InPlace], ""),
    row("service.NAME.memory", &[Pods], ""),
    row("service.NAME.min", &[InPlace], ""),
    row("service.NAME.namespace", &[Replaced, LosesData], "the volumes of a service stay in their namespace"),
    row("service.NAME.nlb.allow", &[InPlace], ""),
    row("service.NAME.nlb.certificate", &[InPlace], ""),
    row("service.NAME.nlb.cross_zone", &[InPlace], ""),
    row("service.NAME.nlb.domain", &[InPlace], "the records are created or deleted"),
    row("service.NAME.nlb.internal", &[Replaced], "its DNS record is updated"),
    row("service.NAME.nlb.listener.NAME", &[InPlace], ""),
    row("service.NAME.nlb.listener.NAME.certificate", &[InPlace], ""),
    row("service.NAME.nlb.listener.NAME.port", &[Replaced], ""),
    row("service.NAME.nlb.listener.NAME.protocol", &[InPlace], ""),
    row("service.NAME.nlb.listener.NAME.target", &[Replaced], ""),
    row("service.NAME.nlb.listener.NAME.tls_policy", &[InPlace], ""),
    row("service.NAME.nlb.port", &[Replaced], ""),
    row("service.NAME.nlb.preserve_client_ip", &[Pods], ""),
    row("service.NAME.nlb.protocol", &[InPlace], ""),
    row("service.NAME.nlb.sticky", &[InPlace], ""),
    row("service.NAME.nlb.target", &[Replaced], ""),
    row("service.NAME.nlb.tls_policy", &[InPlace], ""),
    row("service.NAME.placement.nodes", &[Pods], ""),
    row("service.NAME.placement.tolerate", &[Pods], ""),
    row("service.NAME.placement.zones", &[Pods], ""),
    row("service.NAME.priority_class", &[Pods], ""),
    row("service.NAME.pull_secrets", &[Pods], ""),
    row("service.NAME.service_account", &[Pods], ""),
    row("service.NAME.port", &[Pods], ""),
    row("service.NAME.ports", &[Pods], ""),
    row(
        "service.NAME.replicas",
        &[InPlace, LosesData, Refused],
        "with volumes, a further pod gets new ones, a pod that goes loses its own, and a service that began with one pod keeps one",
    ),
    row("service.NAME.secrets", &[Pods], ""),
    row("service.NAME.security.capabilities", &[Pods], ""),
    row("service.NAME.security.fs_group", &[Pods], ""),
    row("service.NAME.security.privilege_escalation", &[Pods], ""),
    row("service.NAME.security.read_only_root", &[Pods], ""),
    row("service.NAME.security.run_as_group", &[Pods], ""),
    row("service.NAME.security.run_as_user", &[Pods], ""),
    row("service.NAME.security.seccomp", &[Pods], ""),
    row("service.NAME.security.writable", &[Pods], ""),
    row("service.NAME.sidecar.NAME", &[Pods], ""),
    row("service.NAME.sidecar.NAME.args", &[Pods], ""),
    row("service.NAME.sidecar.NAME.command", &[Pods], ""),
    row("service.NAME.sidecar.NAME.cpu", &[Pods], ""),
    row("service.NAME.sidecar.NAME.env", &[Pods], ""),
    row("service.NAME.sidecar.NAME.image", &[Pods], ""),
    row("service.NAME.sidecar.NAME.memory", &[Pods], ""),
    row("service.NAME.sidecar.NAME.ports", &[Pods], ""),
    row("service.NAME.sidecar.NAME.secrets", &[Pods], ""),
    row("service.NAME.stateful", &[Nothing], ""),
    row("service.NAME.volume.NAME", &[LosesData], "a new volume is added; a removed volume is deleted with its data"),
    row("service.NAME.volume.NAME.class", &[Refused], "a new volume needs a new name"),
    row("service.NAME.volume.NAME.gib", &[InPlace, Refused], SHRINKS),
    row("service.NAME.volume.NAME.path", &[Pods], "a service with a volume stops before it starts again"),
    row("ssh.allow", &[InPlace], ""),
    row("ssh.public_key", &[Roll], ""),
    row("ssm", &[InPlace], "the roles of the machines get or lose its permissions"),
    row(
        "state",
        &[],
        "refused until `quorate state move` has moved the record and the keys; then the machines are rolled",
    ),
    row("tags", &[InPlace], "also set on running machines and their volumes"),
    row("web.allow", &[InPlace], ""),
    row("web.idle_seconds", &[InPlace], ""),
    row("web.redirect", &[InPlace], "the listener on port 80 is created or deleted"),
    row("web.tls_policy", &[InPlace], ""),
    row(
        "zones",
        &[Nothing, InPlace, Moved],
        "only the masters of a removed zone move, one at a time; another order moves nothing",
    ),
];

impl OnLiving {
    /// Returns the description of the effect.
    fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::InPlace => "in place",
            Self::Pods => "rolls its pods",
            Self::Roll => "rolls the machines",
            Self::Replaced => "replaced, the new one ready first",
            Self::Moved => "moved with its data",
            Self::LosesData => "deletes data after confirmation",
            Self::Refused => "refused",
        }
    }
}

impl LivingSetting {
    /// Returns the setting of this path.
    pub(crate) fn find(path: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.path == path)
    }

    /// Returns the text of the row.
    pub(crate) fn cell(&self) -> String {
        let effects: Vec<&str> = self.effects.iter().map(|effect| effect.words()).collect();
        let parts = [effects.join(" or "), self.note.to_owned()];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(": ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::spec::reference;

    #[test]
    fn every_setting_of_the_schema_has_a_row_and_every_row_a_setting() {
        let schema: BTreeSet<String> = reference::settings().into_iter().collect();
        let rows: BTreeSet<String> = SETTINGS.iter().map(|setting| setting.path.to_owned()).collect();
        assert_eq!(schema, rows);
        assert_eq!(rows.len(), SETTINGS.len(), "each once");
    }
}
