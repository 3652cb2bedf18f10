//! Whether a cluster is well: what was found out about it, judged. Pure.

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
