//! The health of a cluster: the evidence that was collected, and the checks that judge it. Pure.

mod checks;
mod etcd;
mod evidence;
mod kubernetes;
mod preflight;
mod upgrade;

#[cfg(test)]
mod tests;

pub use checks::{CheckArea, CheckStatus, HealthFinding, examine, examine_boot};
pub use evidence::{
    ApiState, BalancerTarget, CertificateState, ControlPlaneState, DnsName, EtcdMember, EtcdStatus, HealthEvidence,
    JoinProgress, MachineStatus, NodeState, ObservedGroup, ObservedMachine, PodState, StatusReport,
};
pub use preflight::{
    Answer, BucketFinding, CallerIdentity, DelegationFinding, HostedZoneFinding, LeaseFinding, NoAnswer, PreflightArea,
    PreflightCheck, PreflightEvidence, PreflightStatus, QuotaFinding, RegionFindings, preflight,
};
pub use upgrade::{DisruptionBudget, RemovedVersion, UpgradeEvidence, UpgradeFinding, examine_upgrade};
