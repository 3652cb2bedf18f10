//! The failures that clusters survive, as they are planned, built, damaged and changed.

use super::*;
use crate::cli::Requirement;
use crate::cli::command::availability::availability;

impl SandboxUser {
    async fn availability(&self) -> String {
        let exit = self.with(async |context| availability(context).await).await;
        assert_eq!(exit.unwrap(), Exit::Done);
        self.out.read()
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_survives_the_same_before_it_is_built_and_after() {
    let user = SandboxUser::new();
    let before = user.availability().await;
    insta::assert_snapshot!(before);
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert_eq!(user.availability().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_lost_zone_with_two_of_three_masters_is_reported() {
    let user = SandboxUser::built().await;
    user.sandbox.fail_zone("us-east-1d").unwrap();
    let out = user.availability().await;
    assert!(
        out.contains("Now, without a failure:\n  control plane: 2 of 3 masters do not run, so etcd has no quorum"),
        "{out}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_plan_shows_only_the_failures_whose_effect_it_changes() {
    let mut user = SandboxUser::new();
    let (_, out) = user.plan().await;
    let shown = "Availability: does not survive the loss of zone us-east-1d (control plane: 2 of\n              3 masters are lost";
    assert!(out.contains(shown), "{out}");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.text = FILE.replace("count = 2", "count = 4");
    let (_, out) = user.plan().await;
    assert!(!out.contains("Availability"), "{out}");
    user.text = format!("{FILE}service \"chat\" {{\n  image = \"chat:1\"\n  port = 4000\n}}\n");
    let (_, out) = user.plan().await;
    assert!(out.contains("Availability: no longer survives the loss of zone us-east-1f and a node of\n"), "{out}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_does_not_survive_what_it_must_is_refused() {
    let mut user = SandboxUser::new();
    user.limits = PlanLimits { require: Some(Requirement::Zone), ..PlanLimits::default() };
    for (exit, _) in [user.plan().await, user.apply(YES).await] {
        let error = exit.unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        let wanted = "the cluster would not survive the loss of zone us-east-1d (control plane: 2 of 3 masters are lost, \
                    so the API stops until the zone is back): nothing was changed";
        assert_eq!(error.to_string(), wanted);
        let hints = error.report().hints;
        assert_eq!(hints, ["put one master in a third zone; `quorate availability` shows all failures"]);
    }
    user.limits = PlanLimits { require: Some(Requirement::Machine), ..PlanLimits::default() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.limits = PlanLimits { require: Some(Requirement::Zone), ..PlanLimits::default() };
    user.text = FILE.replace("\"us-east-1f\"]", "\"us-east-1f\", \"us-east-1a\"]");
    // Masters of a living cluster keep their zones.
    assert!(user.plan().await.0.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_file_requires_what_every_plan_keeps_to() {
    let three = FILE.replace("[\"us-east-1d\", \"us-east-1f\"]", "[\"us-east-1a\", \"us-east-1d\", \"us-east-1f\"]");
    let require = "require {\n  survives = \"zone\"\n}\n";
    let two = SandboxUser { text: format!("{FILE}{require}"), ..SandboxUser::new() };
    let error = two.apply(YES).await.0.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().contains("as `require` in the cluster file demands: nothing was changed"), "{error}");

    let mut user = SandboxUser { text: format!("{three}{require}"), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done, "{}", user.err.read());
    user.text = format!("{}{require}", three.replace("count = 2", "count = 1"));
    let service = "service \"chat\" {\n  image = \"chat:1\"\n  port = 4000\n}\n";
    user.text.push_str(service);
    assert_eq!(user.apply(YES).await.0.unwrap_err().exit(), Exit::Refused, "one pod does not survive its machine");

    // A cluster that does not keep to it already can be changed.
    let mut user = SandboxUser::built().await;
    user.text = format!("{}{require}", FILE.replace("count = 2", "count = 3"));
    user.err.read();
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    let warning = user.err.read().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(warning.contains("as `require` in the cluster file demands"), "{warning}");
    assert!(warning.contains("It does not now either"), "{warning}");
}

#[tokio::test(start_paused = true)]
async fn a_taint_that_evicts_pods_at_once_is_named_before() {
    let file = |taint: &str| {
        let more = "nodes \"more\" {\n  count = 2\n  size  = \"t3.medium\"\n}\n";
        let service = "service \"chat\" {\n  image    = \"chat:1\"\n  port     = 4000\n  replicas = 4\n}\n";
        let tainted = FILE.replace("nodes \"workers\" {", &format!("nodes \"workers\" {{\n{taint}"));
        format!("{tainted}{more}{service}")
    };
    let mut user = SandboxUser { text: file(""), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.text = file("  taints = [\"dedicated=games:NoSchedule\"]\n");
    assert!(!user.plan().await.1.contains("at once"), "pods that run stay");
    user.text = file("  taints = [\"dedicated=games:NoExecute\"]\n");
    let (_, out) = user.plan().await;
    let plain = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = "a new taint with the effect NoExecute evicts its pods from the nodes workers at once";
    assert!(plain.contains("service chat") && plain.contains(wanted), "{out}");
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert!(!user.plan().await.1.contains("at once"), "it is done");
}
