//! The cost of clusters as they are planned, built and changed.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::*;
use crate::cli::command::cost::cost;

impl SandboxUser {
    async fn cost(&self) -> (Result<Exit, CliError>, String) {
        let exit = self.with(async |context| cost(context).await).await;
        (exit, self.out.read())
    }

    /// Returns the plan as JSON.
    pub(super) async fn planned(&mut self) -> Json {
        self.options.json = true;
        let (exit, out) = self.plan().await;
        self.options.json = false;
        assert!(matches!(exit.unwrap(), Exit::Done | Exit::Differs), "{out}");
        serde_json::from_str(&out).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_has_a_cost_before_it_is_built_and_the_same_one_after() {
    let user = SandboxUser::new();
    let (exit, before) = user.cost().await;
    assert_eq!(exit.unwrap(), Exit::Done);
    insta::assert_snapshot!(before);
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    let (exit, after) = user.cost().await;
    assert_eq!(exit.unwrap(), Exit::Done);
    assert_eq!(after, before);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_file_is_shown_beside_the_cost_of_what_is_there() {
    let user = SandboxUser::built().await;
    let service = "service \"chat\" {\n  image = \"chat:1\"\n  port  = 4000\n  nlb {\n    port = 80\n  }\n}\n";
    let text = format!("{}{service}", FILE.replace("count = 2", "min = 3\n  max = 9"));
    let user = SandboxUser { text, ..user };
    let (exit, out) = user.cost().await;
    assert_eq!(exit.unwrap(), Exit::Done);
    insta::assert_snapshot!(out);
}

#[tokio::test(start_paused = true)]
async fn a_plan_above_the_limit_is_refused_and_nothing_is_changed() {
    let mut user = SandboxUser::new();
    let before = user.sandbox.inventory().unwrap();
    // The cluster costs 215.915.
    user.limits = PlanLimits { max_monthly_cost: Some("215.91".parse().unwrap()), ..PlanLimits::default() };
    for (exit, out) in [user.plan().await, user.apply(YES).await] {
        let error = exit.unwrap_err();
        assert_eq!(error.exit(), Exit::Refused);
        let reported = "the cluster would cost 215.92 USD per month, and the limit is 215.91: nothing was changed";
        assert_eq!(error.to_string(), reported);
        assert!(out.contains("Cost: 215.92 USD per month."), "the plan is shown: {out}");
    }
    assert_eq!(user.sandbox.inventory().unwrap(), before);
    user.limits = PlanLimits { max_monthly_cost: Some("215.915".parse().unwrap()), ..PlanLimits::default() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
}

#[tokio::test(start_paused = true)]
async fn a_limit_refuses_an_unknown_cost() {
    let mut user = SandboxUser::new();
    user.text = FILE.replacen("t3.medium", "m5.2xlarge", 1);
    user.limits = PlanLimits { max_monthly_cost: Some("100000".parse().unwrap()), ..PlanLimits::default() };
    let (exit, out) = user.plan().await;
    let error = exit.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(error.to_string().contains("the price of m5.2xlarge is unknown"), "{error}");
    assert!(out.contains("Cost: at least 124.81 USD per month. Price unknown: m5.2xlarge."), "{out}");
}

#[tokio::test(start_paused = true)]
async fn a_destroy_takes_the_whole_cost_away() {
    let user = SandboxUser::built().await;
    let (_, out) = user.plan_for(PlanMode::Destroy).await;
    assert!(out.contains("Cost: 215.92 -> 0.00 USD per month (-215.92)."), "{out}");
    let (_, out) = user.plan_for(PlanMode::Refresh).await;
    assert!(!out.contains("Cost:"), "{out}");
}

/// Files that differ in all that has a price.
fn file(random: &mut fastrand::Rng) -> String {
    let size = |random: &mut fastrand::Rng| ["t3.medium", "t3.large", "m5.large", "m5.2xlarge"][random.usize(..4)];
    let scale = match random.u32(..3) {
        0 => "min = 2\n  max = 6".to_owned(),
        1 => "min = 3\n  max = 4".to_owned(),
        _ => format!("count = {}", random.u32(1..5)),
    };
    let mut text = format!(
        "name = \"chat.poeticoding.com\"\nstate = \"s3://state.chat.poeticoding.com\"\nzones = [\"us-east-1d\", \"us-east-1f\"]\n\
         masters {{\n  count = 3\n  size = \"{}\"\n  root {{\n    gib = {}\n  }}\n}}\n\
         nodes \"workers\" {{\n  {scale}\n  size = \"{}\"\n}}\n",
        size(random),
        random.u32(20..40),
        size(random),
    );
    if random.bool() {
        writeln!(text, "nodes \"more\" {{\n  count = {}\n  size = \"t3.medium\"\n}}", random.u32(1..3)).unwrap();
    }
    if random.bool() {
        writeln!(
            text,
            "service \"web\" {{\n  image = \"web:1\"\n  port = 80\n  nlb {{\n    port = 80\n    internal = {}\n  }}\n}}",
            random.bool()
        )
        .unwrap();
    }
    if random.bool() {
        let nlb = if random.bool() { "  nlb {\n    port = 5432\n  }\n" } else { "" };
        writeln!(
            text,
            "service \"db\" {{\n  image = \"db:1\"\n  port = 5432\n  volume \"data\" {{\n    path = \"/data\"\n    gib = 9\n  \
             }}\n{nlb}}}"
        )
        .unwrap();
    }
    text
}

#[tokio::test(start_paused = true)]
async fn the_cost_after_a_plan_is_the_cost_before_the_next_one() {
    let mut random = fastrand::Rng::with_seed(20_261_129);
    for life in 0..4 {
        let mut user = SandboxUser { text: file(&mut random), ..SandboxUser::new() };
        let mut after = Json::Null;
        let consent = Consent { yes: true, delete_data: true };
        for step in 0..5 {
            let plan = user.planned().await;
            if step > 0 {
                assert_eq!(plan["cost"]["before"], after, "life {life}, step {step}:\n{}", user.text);
            }
            if plan["summary"]["refuse"] == 0 {
                let (exit, out) = user.apply(consent).await;
                assert_eq!(exit.unwrap(), Exit::Done, "{out}{}\n{}", user.err.read(), user.text);
                after = plan["cost"]["after"].clone();
                let next = user.planned().await;
                assert_eq!(next["cost"]["before"], after, "life {life}, step {step}:\n{}", user.text);
                assert_eq!((&next["cost"]["after"], &next["cost"]["difference"]), (&after, &"0.00".into()));
            } else {
                after = plan["cost"]["before"].clone();
            }
            user.text = file(&mut random);
        }
    }
}
