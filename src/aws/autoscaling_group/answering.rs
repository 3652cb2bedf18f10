//! What load balancers say of a group's machines.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;

use crate::aws::Aws;
use crate::aws::target_group::health;
use crate::engine::Failure;

/// What load balancers say of the machines behind some target groups: a group's own, and those of its siblings.
#[derive(Debug, Default)]
pub(super) struct Answering {
    /// Those that answer in every one of them; `None` if there is none.
    pub(super) healthy: Option<BTreeSet<String>>,
    /// Those that should answer somewhere and do not.
    ill: BTreeSet<String>,
}

impl Answering {
    /// Asks about the machines behind these target groups.
    pub(super) async fn ask(aws: &Aws, target_groups: &[String]) -> Result<Self, Failure> {
        let mut all = Self::default();
        for arn in target_groups {
            // Without a listener in front of it nobody checks a target group; what is draining is on its way out.
            let (well, ill): (Vec<_>, Vec<_>) = health(aws, arn)
                .await?
                .into_iter()
                .filter(|target| target.state != "draining")
                .partition(|target| matches!(target.state.as_str(), "healthy" | "unused"));
            let well: BTreeSet<String> = well.into_iter().map(|target| target.instance).collect();
            all.healthy = Some(all.healthy.map_or_else(|| well.clone(), |before| &before & &well));
            all.ill.extend(ill.into_iter().map(|target| target.instance));
        }
        Ok(all)
    }

    /// A machine that does not answer, while this one does: with both away, etcd may have lost its quorum.
    pub(super) fn missing_beside(&self, machine: &str) -> Option<&String> {
        let answers = self.healthy.as_ref().is_some_and(|healthy| healthy.contains(machine));
        self.ill.iter().find(|ill| answers && *ill != machine)
    }

    fn answer(&self, machines: &BTreeSet<String>) -> bool {
        self.healthy.as_ref().is_none_or(|healthy| machines.is_subset(healthy))
    }
}

/// Those of a group's target groups in which a new machine has to answer before the next one goes: where all of these
/// machines, which it replaces, do.
///
/// Where some do not, a service is down, or answers only where its pods are: that is no fault of a new machine.
pub(super) async fn binding(aws: &Aws, group: &Answer, machines: &BTreeSet<String>) -> Result<Vec<String>, Failure> {
    let mut binding = Vec::new();
    for arn in group.target_group_arns() {
        let alone = std::slice::from_ref(arn);
        if Answering::ask(aws, alone).await?.answer(machines) {
            binding.push(arn.clone());
        }
    }
    Ok(binding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_master_that_answers_stays_while_another_one_does_not() {
        let answering = Answering { healthy: Some(names(&["i-a", "i-c"])), ill: names(&["i-b"]) };
        assert_eq!(answering.missing_beside("i-a").map(String::as_str), Some("i-b"));
        assert_eq!(answering.missing_beside("i-b"), None, "the one that is down may be replaced at any time");
        let well = Answering { healthy: Some(names(&["i-a", "i-b", "i-c"])), ill: BTreeSet::new() };
        assert_eq!(well.missing_beside("i-a"), None);
        assert_eq!(Answering::default().missing_beside("i-w"), None, "workers have no quorum");
    }
}
