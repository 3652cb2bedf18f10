#![allow(clippy::unwrap_used, reason = "tests")]

use aws_sdk_autoscaling::types::builders::AutoScalingGroupBuilder;
use aws_sdk_autoscaling::types::{Instance, LifecycleState};

use super::reports::MachineReports;
use super::roll::{Outdated, RollState, RollStep, next};
use super::*;
use crate::engine::Value;
use crate::health::{JoinProgress, MachineStatus};
use crate::resource::{OBJECT_TAG, PurchaseOption, RollLimits};

fn template(id: &str, version: &str) -> Template {
    Template::builder().launch_template_id(id).version(version).build()
}

fn machine(id: &str, version: &str, state: LifecycleState) -> Instance {
    let machine = Instance::builder().instance_id(id).availability_zone("us-east-1a").lifecycle_state(state);
    machine.launch_template(template("lt-1", version)).build()
}

fn tags(propagate: bool) -> Vec<TagDescription> {
    [(CLUSTER_TAG, "c"), (OBJECT_TAG, "autoscaling-group/workers"), ("Name", "workers")]
        .map(|(key, value)| TagDescription::builder().key(key).value(value).propagate_at_launch(propagate).build())
        .into()
}

fn group(size: i32) -> AutoScalingGroupBuilder {
    Answer::builder()
        .auto_scaling_group_name("workers")
        .auto_scaling_group_arn("arn:workers")
        .launch_template(template("lt-1", "3"))
        .min_size(1)
        .max_size(9)
        .desired_capacity(size)
        .vpc_zone_identifier("subnet-1,subnet-2")
        .target_group_arns("arn:api")
        .set_tags(Some(tags(true)))
}

fn read(group: AutoScalingGroupBuilder) -> Live {
    live_of(ObservationScope::Tagged("c"), &group.build(), EqualVersions::default()).unwrap().unwrap()
}

fn text<'l>(live: &'l Live, attribute: &str) -> &'l str {
    live.attributes[attribute].as_text().unwrap()
}

mod reading {
    use super::*;

    #[test]
    fn a_group_reads_as_what_was_asked_for() {
        let live = read(group(1).instances(machine("i-1", "3", LifecycleState::InService)));
        let wanted = AutoScalingGroup {
            name: "workers".to_owned(),
            launch_template: "lt-1".into(),
            version: "3".into(),
            machines: "3".into(),
            sizes: Vec::new(),
            purchase: PurchaseOption::OnDemand,
            subnets: vec!["subnet-1".into(), "subnet-2".into()],
            min: 1,
            max: 9,
            desired: Some(1),
            target_groups: vec!["arn:api".into()],
            max_surge: None,
            max_unavailable: None,
            replace: Vec::new(),
            tags: from_autoscaling(&tags(true)),
        };
        assert_eq!(live.attributes, wanted.attributes().unwrap());
        assert_eq!(live.outputs["arn"], "arn:workers");
        assert_eq!((live.id.as_str(), live.phase, live.members.len()), ("workers", ObjectPhase::Ready, 1));
    }

    #[test]
    fn the_oldest_machine_counts_and_numbers_are_compared_as_numbers() {
        let state = LifecycleState::InService;
        let live = read(group(2).instances(machine("i-1", "10", state.clone())).instances(machine("i-2", "9", state)));
        assert_eq!(text(&live, "machines"), "9");
    }

    #[test]
    fn a_group_without_machines_has_its_own_version() {
        assert_eq!(text(&read(group(0)), "machines"), "3");
        let leaving = machine("i-1", "1", LifecycleState::TerminatingWait);
        assert_eq!(text(&read(group(0).instances(leaving)), "machines"), "3");
    }

    #[test]
    fn a_machine_of_another_template_is_older_than_all() {
        let state = LifecycleState::InService;
        let stranger = Instance::builder().instance_id("i-2").launch_template(template("lt-0", "3"));
        let live = read(
            group(2)
                .instances(machine("i-1", "1", state.clone()))
                .instances(stranger.lifecycle_state(state.clone()).build()),
        );
        assert_eq!(text(&live, "machines"), "lt-0:3");
        let unknown = Instance::builder().instance_id("i-3").lifecycle_state(state).build();
        assert_eq!(text(&read(group(1).instances(unknown)), "machines"), "unknown");
    }

    #[test]
    fn a_group_that_was_changed_outside_differs() {
        let live = read(group(0).set_launch_template(None).launch_configuration_name("old"));
        assert_eq!(text(&live, "launch_template"), "launch configuration old");
        let live = read(group(0).launch_template(Template::builder().launch_template_id("lt-1").build()));
        assert_eq!(text(&live, "version"), "$Default");
    }

    #[test]
    fn a_tag_that_machines_do_not_get_differs() {
        let live = read(group(0).set_tags(Some(tags(false))));
        let Value::Map(tags) = &live.attributes["tags"] else { unreachable!() };
        assert_eq!(tags["Name"].as_text(), Some("workers (machines do not get it)"));
    }

    #[test]
    fn the_phase_follows_the_machines() {
        assert_eq!(read(group(1)).phase, ObjectPhase::Pending);
        assert_eq!(read(group(1).instances(machine("i-1", "3", LifecycleState::Pending))).phase, ObjectPhase::Pending);
        assert_eq!(read(group(0)).phase, ObjectPhase::Ready);
        assert_eq!(read(group(0).status("Delete in progress")).phase, ObjectPhase::Deleting);
    }
}

mod rolling {
    use super::*;

    fn reports(reported: &[(&str, JoinProgress)]) -> MachineReports {
        let mut reports = MachineReports::default();
        for (machine, state) in reported {
            let status = MachineStatus {
                step: "join".to_owned(),
                state: *state,
                at: jiff::Timestamp::UNIX_EPOCH,
                certificates_end: None,
            };
            reports.add(machine, Some(status), tokio::time::Instant::now());
        }
        reports
    }

    /// Decides with these reports of machines.
    fn hearing(
        reported: &[(&str, JoinProgress)],
        machines: &[(&str, &str, LifecycleState)],
        replaced: &[&str],
        healthy: Option<&[&str]>,
    ) -> RollStep {
        let instances = machines.iter().map(|(id, version, state)| machine(id, version, state.clone())).collect();
        let group = group(2).set_instances(Some(instances)).build();
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
        let (replaced, healthy) = (set(replaced), healthy.map(set));
        let reports = reports(reported);
        next(
            &group,
            &RollState {
                outdated: Outdated { wanted: EqualVersions { first: "3", last: "3" }, requested: &[] },
                size: 2,
                limits: RollLimits { surge: 0, unavailable: 1 },
                replaced: &replaced,
                postponed: &BTreeMap::new(),
                healthy: healthy.as_ref(),
                reports: &reports,
            },
        )
    }

    /// Decides where every new machine has reported that it is ready.
    fn decide(machines: &[(&str, &str, LifecycleState)], replaced: &[&str], healthy: Option<&[&str]>) -> RollStep {
        let reported: Vec<_> = machines.iter().filter(|(_, version, _)| *version == "3").collect();
        let reported: Vec<_> = reported.into_iter().map(|(id, ..)| (*id, JoinProgress::Ready)).collect();
        hearing(&reported, machines, replaced, healthy)
    }

    const UP: LifecycleState = LifecycleState::InService;

    fn replace(machine: &str) -> RollStep {
        RollStep::Replace { machine: machine.to_owned(), shrinks: false }
    }

    #[test]
    fn one_old_machine_after_the_other_goes() {
        let step = decide(&[("i-1", "2", UP), ("i-2", "2", UP)], &[], None);
        assert_eq!(step, replace("i-1"));
        let step = decide(&[("i-2", "2", UP), ("i-3", "3", UP)], &["i-1"], None);
        assert_eq!(step, replace("i-2"));
        assert_eq!(decide(&[("i-3", "3", UP), ("i-4", "3", UP)], &["i-1", "i-2"], None), RollStep::Done);
    }

    #[test]
    fn nothing_goes_before_the_one_before_it_is_replaced() {
        // Auto Scaling still shows the terminated machine.
        let step = decide(&[("i-1", "2", UP), ("i-2", "2", UP)], &["i-1"], None);
        assert_eq!(step, RollStep::Wait("1 of 2 machines there".to_owned()));
        let step = decide(&[("i-1", "2", LifecycleState::Terminating), ("i-2", "2", UP)], &["i-1"], None);
        assert!(matches!(step, RollStep::Wait(_)), "{step:?}");
        let step = decide(&[("i-2", "2", UP), ("i-3", "3", LifecycleState::Pending)], &["i-1"], None);
        assert_eq!(step, RollStep::Wait("i-3: Pending; 1 machine to replace".to_owned()));
    }

    #[test]
    fn a_new_machine_must_answer_in_its_target_group() {
        let step = decide(&[("i-2", "2", UP), ("i-3", "3", UP)], &["i-1"], Some(&["i-2"]));
        assert!(matches!(step, RollStep::Wait(_)), "{step:?}");
        let step = decide(&[("i-2", "2", UP), ("i-3", "3", UP)], &["i-1"], Some(&["i-2", "i-3"]));
        assert_eq!(step, replace("i-2"));
        // Nor is the roll over before the last one does.
        let step = decide(&[("i-3", "3", UP), ("i-4", "3", UP)], &["i-1", "i-2"], Some(&["i-3"]));
        assert!(matches!(step, RollStep::Wait(_)), "{step:?}");
    }

    #[test]
    fn a_machine_that_does_no_work_goes_first() {
        let step = decide(&[("i-1", "2", UP), ("i-2", "2", UP)], &[], Some(&["i-1"]));
        assert_eq!(step, replace("i-2"));
    }

    #[test]
    fn a_new_machine_must_report_that_it_is_ready() {
        let machines = [("i-2", "2", UP), ("i-3", "3", UP)];
        for reported in [&[][..], &[("i-3", JoinProgress::Working)], &[("i-3", JoinProgress::Failed)]] {
            assert_eq!(hearing(reported, &machines, &["i-1"], None), RollStep::Hear("i-3".to_owned()), "{reported:?}");
        }
        let step = hearing(&[("i-3", JoinProgress::Ready)], &machines, &["i-1"], None);
        assert_eq!(step, replace("i-2"));
        // Nor is the roll over before the last one does.
        assert_eq!(hearing(&[], &[("i-3", "3", UP), ("i-4", "3", UP)], &[], None), RollStep::Hear("i-3".to_owned()));
    }

    #[test]
    fn an_old_machine_that_reports_a_failure_goes_first_and_one_without_reports_does_not() {
        let machines = [("i-1", "2", UP), ("i-2", "2", UP)];
        let step = hearing(&[("i-1", JoinProgress::Ready), ("i-2", JoinProgress::Failed)], &machines, &[], None);
        assert_eq!(step, replace("i-2"));
        assert_eq!(hearing(&[("i-1", JoinProgress::Ready)], &machines, &[], None), replace("i-1"));
    }

    #[test]
    fn a_machine_that_drains_has_its_time() {
        let leaving = LifecycleState::TerminatingWait;
        let step = decide(&[("i-1", "2", leaving), ("i-2", "2", UP), ("i-3", "3", UP)], &["i-1"], None);
        assert_eq!(step, RollStep::Wait("i-1: Terminating:Wait; 1 machine to replace".to_owned()));
    }
}

mod simulation;
