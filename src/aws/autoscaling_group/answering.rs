//! The health of a group's machines, as reported by load balancers.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types::AutoScalingGroup as Answer;

use crate::aws::AwsProvider;
use crate::aws::target_group::{health, of_machines};
use crate::engine::Failure;
use crate::resource::TargetHealth;

/// The health of the machines behind some target groups: a group's own, and those of its siblings.
#[derive(Debug, Default)]
pub(super) struct TargetStates {
    /// The machines that are healthy in every one of them; `None` if there is no target group.
    pub(super) healthy: Option<BTreeSet<String>>,
    /// The machines that are unhealthy in at least one of them.
    unhealthy: BTreeSet<String>,
}

impl TargetStates {
    /// Reads the health of the machines behind these target groups.
    pub(super) async fn ask(aws: &AwsProvider, target_groups: &[String]) -> Result<Self, Failure> {
        let mut all = Self::default();
        for arn in target_groups {
            all.add(health(aws, arn).await?);
        }
        Ok(all)
    }

    /// Adds the health of the machines behind one more target group.
    pub(super) fn add(&mut self, targets: Vec<TargetHealth>) {
        // A target group without a listener has no health checks (`unused`); a draining target is being deregistered.
        let (healthy, unhealthy): (Vec<_>, Vec<_>) = targets
            .into_iter()
            .filter(|target| target.state != "draining")
            .partition(|target| matches!(target.state.as_str(), "healthy" | "unused"));
        let healthy: BTreeSet<String> = healthy.into_iter().map(|target| target.instance).collect();
        self.healthy = Some(self.healthy.take().map_or_else(|| healthy.clone(), |before| &before & &healthy));
        self.unhealthy.extend(unhealthy.into_iter().map(|target| target.instance));
    }

    /// Returns an unhealthy machine, if this one is healthy: with both of them gone, etcd may have lost its quorum.
    pub(super) fn missing_beside(&self, machine: &str) -> Option<&String> {
        let answers = self.healthy.as_ref().is_some_and(|healthy| healthy.contains(machine));
        self.unhealthy.iter().find(|unhealthy| answers && *unhealthy != machine)
    }

    fn answer(&self, machines: &BTreeSet<String>) -> bool {
        self.healthy.as_ref().is_none_or(|healthy| machines.is_subset(healthy))
    }
}

/// Returns those of a group's target groups in which a new machine must be healthy before the next one is replaced: the
/// groups in which all of these machines, which it replaces, are healthy.
///
/// If some are unhealthy, a service is down: that is not caused by a new machine. A target group that asks whether a machine has
/// pods of a service never counts: a new machine has none until those of an old one move.
pub(super) async fn binding(
    aws: &AwsProvider,
    group: &Answer,
    machines: &BTreeSet<String>,
) -> Result<Vec<String>, Failure> {
    let mut binding = Vec::new();
    for arn in &of_machines(aws, group.target_group_arns()).await? {
        let alone = std::slice::from_ref(arn);
        if TargetStates::ask(aws, alone).await?.answer(machines) {
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
        let answering = TargetStates { healthy: Some(names(&["i-a", "i-c"])), unhealthy: names(&["i-b"]) };
        assert_eq!(answering.missing_beside("i-a").map(String::as_str), Some("i-b"));
        assert_eq!(answering.missing_beside("i-b"), None, "the one that is down may be replaced at any time");
        let answering = TargetStates { healthy: Some(names(&["i-a", "i-b", "i-c"])), unhealthy: BTreeSet::new() };
        assert_eq!(answering.missing_beside("i-a"), None);
        assert_eq!(TargetStates::default().missing_beside("i-w"), None, "workers have no quorum");
    }
}
