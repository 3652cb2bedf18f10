//! The health of a cluster: the evidence that was collected, and the checks that judge it. Pure.

mod checks;
mod etcd;
mod evidence;
mod kubernetes;

#[cfg(test)]
mod tests;

pub use checks::{Area, Check, Verdict, examine};
pub use evidence::{
    Api, Census, Certificate, EtcdMember, EtcdStatus, Evidence, Group, Machine, Name, Node, Pod, Progress, Report,
    Status, Target,
};
