//! Machines that are replaced, and new ones that do not start.

use std::collections::BTreeSet;

use super::*;
use crate::cli::MachineSelection;

/// Returns the tutorial's cluster with larger workers.
fn larger_workers() -> String {
    let (masters, workers) = FILE.split_once("nodes").unwrap();
    format!("{masters}nodes{}", workers.replace("t3.medium", "t3.large"))
}

async fn workers(user: &SandboxUser) -> BTreeSet<String> {
    let machines = user.machines().await.into_iter();
    machines.filter(|(_, group)| group == "nodes-workers").map(|(machine, _)| machine).collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_worker_that_never_gets_ready_stops_the_roll_after_one() {
    let mut user = SandboxUser::built().await;
    let group = "autoscaling-group/nodes-workers".parse().unwrap();
    user.sandbox.fail_boot(&group).unwrap();
    let before = workers(&user).await;
    user.text = larger_workers();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Partly, "{out}");
    let messages = user.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(messages.contains("does not become ready, so the 2 machines before it in workers.nodes"), "{messages}");
    let after = workers(&user).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (3, 2), "one was started, both others stay");

    // Nor does another run take the next one: it puts another machine in the place of the one that failed.
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Partly, "{out}");
    let again = workers(&user).await;
    assert_eq!((again.len(), again.intersection(&after).count()), (3, 2));
    assert_eq!(again.intersection(&before).count(), 2);

    user.sandbox.restore_boot(&group).unwrap();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    let after = workers(&user).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (2, 0));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_did_not_come_up_is_in_the_plan_until_it_does() {
    let user = SandboxUser::built().await;
    let group = "autoscaling-group/nodes-workers".parse().unwrap();
    user.sandbox.fail_boot(&group).unwrap();
    user.sandbox.terminate(workers(&user).await.first().unwrap()).unwrap();
    for _ in 0..2 {
        // Its group notices, and the new machine boots.
        user.sandbox.pass(std::time::Duration::from_mins(5)).unwrap();
    }
    let before = workers(&user).await;

    let (exit, out) = user.validate(std::time::Duration::ZERO).await;
    assert_eq!(exit.unwrap(), Exit::Differs, "{out}");
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("does not become ready"), "{out}");

    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs, "{out}");
    assert!(out.contains("~> autoscaling-group/nodes-workers"), "{out}");
    assert!(out.contains("does not become ready\" -> 1"), "{out}");
    assert!(out.contains("Plan: 1 to roll."), "{out}");

    // Another one in its place fails too, and the next plan shows that.
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Partly, "a machine was replaced");
    let after = workers(&user).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (2, 1));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Differs);

    // It tries again meanwhile: then nothing is left to do.
    user.sandbox.restore_boot(&group).unwrap();
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
    assert_eq!(workers(&user).await, after);
}

/// The tutorial's cluster with one worker.
fn one_worker(file: &str) -> String {
    let (masters, workers) = file.split_once("nodes").unwrap();
    format!("{masters}nodes{}", workers.replace("count = 2", "count = 1"))
}

async fn with_one_worker() -> SandboxUser {
    let user = SandboxUser { text: one_worker(FILE), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user
}

pub(super) fn watched(user: &SandboxUser) {
    user.sandbox.witness(|witness| witness.watching = true);
}

fn problems(user: &SandboxUser) -> Vec<String> {
    user.sandbox.witness(|witness| std::mem::take(&mut witness.problems))
}

#[tokio::test(start_paused = true)]
async fn the_only_worker_goes_when_another_one_is_ready() {
    let mut user = with_one_worker().await;
    let before = workers(&user).await;
    user.text = one_worker(&larger_workers());
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs, "{out}");
    let messages = user.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        messages.contains("the only machine of nodes-workers is replaced: a second one is started first"),
        "{messages}"
    );
    assert!(!messages.contains("without nodes"), "{messages}");
    watched(&user);
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(problems(&user), Vec::<String>::new());
    let after = workers(&user).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (1, 0));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn the_only_worker_stays_while_the_other_one_does_not_get_ready() {
    let mut user = with_one_worker().await;
    let before = workers(&user).await;
    let group = "autoscaling-group/nodes-workers".parse().unwrap();
    user.sandbox.fail_boot(&group).unwrap();
    user.text = one_worker(&larger_workers());
    watched(&user);
    for _ in 0..2 {
        let (exit, out) = user.apply(YES).await;
        assert_ne!(exit.unwrap(), Exit::Done, "{out}");
        assert_eq!(workers(&user).await.intersection(&before).count(), 1, "{out}");
    }
    user.sandbox.restore_boot(&group).unwrap();
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert_eq!(problems(&user), Vec::<String>::new());
    let after = workers(&user).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (1, 0));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_roll_of_the_only_worker_that_is_killed_at_any_call_takes_no_last_node() {
    let account = with_one_worker().await;
    let text = one_worker(&larger_workers());
    let person = |call: u64| {
        let faults = crate::sandbox::FaultRates {
            crash: Some(crate::sandbox::CrashPoint { call, after: true }),
            ..crate::sandbox::FaultRates::default()
        };
        let sandbox = account.sandbox.fork();
        let sandbox = sandbox.again(SandboxSettings { faults, ..sandbox.settings().clone() });
        let user = SandboxUser { sandbox, text: text.clone(), ..SandboxUser::new() };
        watched(&user);
        user
    };
    let whole = person(u64::MAX);
    assert_eq!(whole.apply(YES).await.0.unwrap(), Exit::Done);
    let calls: u64 = whole.sandbox.calls().values().sum();
    let mut deaths = 0;
    for call in 1..=calls {
        let dying = person(call);
        let died = tokio::select! {
            biased;
            () = dying.sandbox.crashed() => true,
            _ = dying.apply(YES) => false,
        };
        if !died {
            continue;
        }
        deaths += 1;
        assert_eq!(problems(&dying), Vec::<String>::new(), "call {call}");
        let next = dying.sandbox.again(SandboxSettings {
            faults: crate::sandbox::FaultRates::default(),
            ..dying.sandbox.settings().clone()
        });
        let next = SandboxUser { sandbox: next, text: text.clone(), ..SandboxUser::new() };
        watched(&next);
        next.put_away_lease().await;
        let (exit, out) = next.apply(YES).await;
        assert_eq!(exit.unwrap(), Exit::Done, "call {call}: {out}{}", next.err.read());
        assert_eq!(problems(&next), Vec::<String>::new(), "call {call}");
        assert_eq!(workers(&next).await.len(), 1, "call {call}");
        assert_eq!(next.plan().await.0.unwrap(), Exit::Done, "call {call}");
    }
    assert!(deaths > 20, "only {deaths} moments were tried");
}

/// Returns the text in one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl SandboxUser {
    async fn plan_of(&self, request: PlanRequest) -> (Result<Exit, CliError>, String) {
        let options = PlanOptions { request, detailed: true, ..PlanOptions::default() };
        let exit = self.with(async |context| plan(context, options).await).await;
        (exit, self.out.read())
    }

    async fn apply_of(&self, plan: PlanRequest) -> (Result<Exit, CliError>, String) {
        self.apply_with(ApplyRequest { consent: YES, plan, ..ApplyRequest::default() }).await
    }
}

async fn masters(user: &SandboxUser) -> BTreeSet<String> {
    let machines = user.machines().await.into_iter();
    machines.filter(|(_, group)| group.starts_with("masters-")).map(|(machine, _)| machine).collect()
}

#[tokio::test(start_paused = true)]
async fn a_roll_of_a_group_replaces_its_machines_and_no_others() {
    let user = SandboxUser::built().await;
    let (before, others) = (workers(&user).await, masters(&user).await);
    let request = PlanRequest::replace(MachineSelection::Group("workers".to_owned()));
    let (exit, out) = user.plan_of(request.clone()).await;
    assert_eq!(exit.unwrap(), Exit::Differs, "{out}");
    insta::assert_snapshot!(out);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "a plan records no request");
    assert_eq!(user.apply_of(request).await.0.unwrap(), Exit::Done);
    let after = workers(&user).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (2, 0));
    assert_eq!(masters(&user).await, others);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "and only once");
}

#[tokio::test(start_paused = true)]
async fn one_machine_is_replaced_on_request() {
    let user = SandboxUser::built().await;
    for (group, name) in [("nodes-workers", None), ("masters-b", Some("master-b"))] {
        let before = user.machines().await;
        let (victim, _) = before.iter().find(|(_, of)| of == group).unwrap().clone();
        let request = PlanRequest::replace(MachineSelection::Machine(name.map_or(victim.clone(), str::to_owned)));
        let (exit, out) = user.apply_of(request).await;
        assert_eq!(exit.unwrap(), Exit::Done, "{out}");
        assert!(line(&out).contains(&format!("{victim} is to be replaced in the")), "{out}");
        let after = user.machines().await;
        assert_eq!(after.len(), before.len());
        let gone: Vec<_> = before.iter().filter(|machine| !after.contains(machine)).collect();
        assert_eq!(gone, [&(victim, group.to_owned())]);
        assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_for_machines_that_do_not_exist_names_those_that_do() {
    let user = SandboxUser::built().await;
    for (selection, known) in [
        (MachineSelection::Group("batch".to_owned()), "its groups are masters and workers"),
        (MachineSelection::Machine("i-0123".to_owned()), "its machines are: i-"),
        (MachineSelection::Machine("workers".to_owned()), "name one by its instance: i-"),
    ] {
        let error = user.apply_of(PlanRequest::replace(selection)).await.0.unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.report().hints.join(" ").contains(known), "{:?}", error.report());
    }
    let new = SandboxUser::new();
    let error = new.apply_of(PlanRequest::replace(MachineSelection::All)).await.0.unwrap_err();
    assert!(error.to_string().contains("no machines yet"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_roll_that_was_interrupted_is_continued_by_an_apply() {
    let user = SandboxUser::built().await;
    let before = workers(&user).await;
    let group = "autoscaling-group/nodes-workers".parse().unwrap();
    user.sandbox.fail_boot(&group).unwrap();
    let request = PlanRequest::replace(MachineSelection::Group("workers".to_owned()));
    assert_ne!(user.apply_of(request).await.0.unwrap(), Exit::Done);
    user.sandbox.restore_boot(&group).unwrap();
    assert_eq!(workers(&user).await.intersection(&before).count(), 2);
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs, "{out}");
    assert!(line(&out).contains("2 machines are to be replaced"), "{out}");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    let after = workers(&user).await;
    assert_eq!((after.len(), after.intersection(&before).count()), (2, 0));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn no_roll_leaves_machines_and_the_next_plan_shows_them_again() {
    let mut user = SandboxUser::built().await;
    let before = user.machines().await;
    user.text = larger_workers().replace("count = 2", "count = 1");
    let request = PlanRequest::default().without_rolls(true);
    let (exit, out) = user.plan_of(request.clone()).await;
    assert_eq!(exit.unwrap(), Exit::Differs, "{out}");
    let note = line(&user.err.read());
    assert!(note.contains("the machines of nodes-workers stay as they are because of --no-roll"), "{note}");
    assert_eq!(user.apply_of(request.clone()).await.0.unwrap(), Exit::Done);
    let after = user.machines().await;
    assert_eq!(after.len(), before.len() - 1, "the size of the group is another matter");
    assert!(after.iter().all(|machine| before.contains(machine)));
    assert_eq!(user.plan_of(request).await.0.unwrap(), Exit::Done, "nothing else is left");

    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs, "{out}");
    assert!(out.contains("Plan: 1 to roll."), "{out}");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert!(workers(&user).await.iter().all(|machine| !after.iter().any(|(id, _)| id == machine)));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn no_roll_does_not_upgrade_kubernetes() {
    let mut user = SandboxUser::new();
    user.text = format!("{FILE}kubernetes = \"1.35\"\n");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.text = format!("{FILE}kubernetes = \"1.36\"\n");
    let error = user.apply_of(PlanRequest::default().without_rolls(true)).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().contains("in an order that keeps them compatible"), "{error}");
}

/// The limits of the file: the number of machines during a roll is between them.
#[tokio::test(start_paused = true)]
async fn a_roll_keeps_to_the_limits_of_the_file() {
    for (limits, most, least) in [
        ("max_surge = 2", 6, 4),
        ("max_surge = 0", 4, 3),
        ("max_surge = 0\n max_unavailable = 3", 4, 3),
        ("max_surge = 1\n max_unavailable = 1", 5, 4),
    ] {
        let file = |size: &str| {
            let workers = format!("count = 4\n  size  = \"{size}\"\n  roll {{\n {limits}\n }}");
            FILE.replace("count = 2\n  size  = \"t3.medium\"", &workers)
        };
        let mut user = SandboxUser { text: file("t3.medium"), ..SandboxUser::new() };
        assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
        user.text = file("t3.large");
        watched(&user);
        assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
        let sizes = user.sandbox.witness(|witness| witness.sizes).unwrap();
        assert_eq!(sizes, (least, most), "{limits}");
        assert_eq!(problems(&user), Vec::<String>::new(), "{limits}");
        assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "{limits}");
    }
}
