//! Saved plans: an apply makes exactly their changes, or none.

use std::path::PathBuf;

use super::*;
use crate::cli::run::saved_plan::check_overwritten;
use crate::cli::{OutputTarget, PlanFile};

impl SandboxUser {
    fn plan_path(&self) -> PathBuf {
        self.directory.path().join("plan.json")
    }

    async fn save(&self, request: PlanRequest) -> Result<Exit, CliError> {
        let options = PlanOptions { request, out: Some(self.plan_path()), ..PlanOptions::default() };
        self.with(async |context| plan(context, options).await).await
    }

    async fn apply_saved(&self) -> Result<Exit, CliError> {
        self.with(async |context| {
            let saved = PlanFile::read(&self.plan_path(), context)?;
            let plan = PlanRequest { choices: saved.choices()?, ..PlanRequest::default() };
            apply(context, ApplyRequest { plan, saved: Some(saved), ..ApplyRequest::default() }).await
        })
        .await
    }

    /// Returns the error of an apply of the saved plan, as it is shown in one line.
    async fn refusal(&self) -> String {
        let error = self.apply_saved().await.unwrap_err();
        assert_eq!(error.exit(), Exit::Refused, "{error}");
        let report = error.report();
        format!("{} [{}] {}", report.message, report.causes.join(", "), report.hints.join(" "))
    }
}

fn more_nodes(text: &str) -> String {
    text.replacen("count = 2", "count = 3", 1)
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_is_applied_once_without_a_question() {
    let mut user = SandboxUser::new();
    assert_eq!(user.save(PlanRequest::default()).await.unwrap(), Exit::Done);
    assert_eq!(user.apply_saved().await.unwrap(), Exit::Done, "{}", user.err.read());
    assert!(user.refusal().await.contains("was used already"));
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "nothing is left to change");

    user.text = more_nodes(&user.text);
    user.save(PlanRequest::default()).await.unwrap();
    assert_eq!(user.apply_saved().await.unwrap(), Exit::Done);
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
    user.save(PlanRequest::default()).await.unwrap();
    assert_eq!(user.apply_saved().await.unwrap(), Exit::Done, "an empty plan is one too");
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_is_refused_after_another_apply() {
    let mut user = SandboxUser::built().await;
    user.text = more_nodes(&user.text);
    user.save(PlanRequest::default()).await.unwrap();
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    let refusal = user.refusal().await;
    assert!(refusal.contains("the record changed since: it has serial 4"), "{refusal}");
    assert!(refusal.contains("make another plan"), "{refusal}");
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_is_refused_when_the_file_or_a_live_object_changed() {
    let mut user = SandboxUser::built().await;
    let (before, machines) = (user.text.clone(), user.machines().await);
    user.text = more_nodes(&before);
    user.save(PlanRequest::default()).await.unwrap();
    user.text = before.replacen("count = 2", "count = 4", 1);
    let refusal = user.refusal().await;
    assert!(
        refusal.contains("autoscaling-group/nodes-workers: `desired`, `max` and `min` would get another value"),
        "{refusal}"
    );

    user.text = more_nodes(&before);
    user.sandbox.set(&"autoscaling-group/nodes-workers".parse().unwrap(), &"max=9".parse().unwrap()).unwrap();
    let refusal = user.refusal().await;
    assert!(refusal.contains("autoscaling-group/nodes-workers: `max` of the live object changed since"), "{refusal}");
    assert_eq!(user.machines().await, machines, "nothing is changed");
}

#[tokio::test(start_paused = true)]
async fn a_saved_upgrade_is_applied_with_its_versions_or_refused() {
    let user = SandboxUser::built().await;
    user.sandbox.publish_images().unwrap();
    user.save(PlanRequest::upgrade(Upgrade::ALL)).await.unwrap();
    user.sandbox.publish_images().unwrap();
    let refusal = user.refusal().await;
    assert!(refusal.contains("launch-template/masters-a: `image` would get another value"), "{refusal}");
    assert!(!refusal.contains("the order of the change"), "what follows from it is not listed: {refusal}");
    user.save(PlanRequest::upgrade(Upgrade::ALL)).await.unwrap();
    assert_eq!(user.apply_saved().await.unwrap(), Exit::Done, "{}", user.err.read());
}

/// Who can write the file of a saved plan cannot choose what machines start.
#[tokio::test(start_paused = true)]
async fn an_edited_saved_plan_brings_no_other_image_or_version() {
    let user = SandboxUser::built().await;
    user.sandbox.publish_images().unwrap();
    user.save(PlanRequest::upgrade(Upgrade::ALL)).await.unwrap();
    let written = std::fs::read_to_string(user.plan_path()).unwrap();
    let plan: serde_json::Value = serde_json::from_str(&written).unwrap();
    let changes =
        plan["plan"]["changes"].as_array().unwrap().iter().filter_map(|change| change["attributes"].as_array());
    let image = changes.flatten().find(|attribute| attribute["name"] == "image").unwrap()["after"].as_str().unwrap();
    std::fs::write(user.plan_path(), written.replace(image, "ami-0bad0bad0bad0bad0")).unwrap();
    let refusal = user.refusal().await;
    assert!(refusal.contains("`image` would get another value"), "{refusal}");

    let mut pinned = plan.clone();
    pinned["choices"]["pins"] = serde_json::json!({ "images": { "x86_64": "ami-0bad0bad0bad0bad0" } });
    std::fs::write(user.plan_path(), pinned.to_string()).unwrap();
    let error = user.apply_saved().await.unwrap_err();
    assert!(error.to_string().contains("unknown field `pins`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_has_no_secret_and_notices_another_one() {
    let mut user = SandboxUser::built().await;
    let chat = |password: &str| {
        format!("{FILE}\nservice \"chat\" {{\n  image = \"chat:1\"\n  env = {{ PASSWORD = \"{password}\" }}\n}}\n")
    };
    user.text = chat("correct-horse");
    user.save(PlanRequest::default()).await.unwrap();
    let written = std::fs::read_to_string(user.plan_path()).unwrap();
    assert!(!written.contains("correct-horse"), "{written}");
    assert!(written.contains("\"hidden\""), "{written}");
    user.text = chat("battery-staple");
    let refusal = user.refusal().await;
    assert!(refusal.contains("the values of environment variables"), "{refusal}");
    user.text = chat("correct-horse");
    assert_eq!(user.apply_saved().await.unwrap(), Exit::Done, "{}", user.err.read());
}

#[tokio::test(start_paused = true)]
async fn a_killed_apply_of_a_saved_plan_is_continued_by_an_apply() {
    let user = SandboxUser::new();
    user.save(PlanRequest::default()).await.unwrap();
    user.interrupt.stop.cancel();
    assert!(user.apply_saved().await.is_err());
    let user = SandboxUser { interrupt: Interrupt::default(), ..user };
    assert_eq!(user.apply_saved().await.unwrap(), Exit::Done, "a run that changed nothing has not used the plan");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_cannot_be_applied_is_not_saved() {
    let mut user = SandboxUser::built().await;
    user.text = format!("{FILE}\nnetwork {{\n  cidr = \"10.0.0.0/16\"\n}}\n");
    let error = user.save(PlanRequest::default()).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Refused);
    assert!(!user.plan_path().exists());
}

/// A typing error in a path makes no directories, and `-` no file.
#[tokio::test(start_paused = true)]
async fn a_plan_is_written_to_an_existing_directory() {
    let user = SandboxUser::new();
    let directory = user.plan_path().with_extension("absent");
    for (path, message) in
        [(directory.join("plan.json"), "there is no directory"), (PathBuf::from("-"), "--out writes a file")]
    {
        let error = check_overwritten(&path).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.to_string().contains(message), "{error}");
    }
    let markdown = Some(OutputTarget::File(directory.join("plan.md")));
    let checked = user.with(async |context| OutputTarget::check(&markdown, context.ui).map(|()| Exit::Done)).await;
    assert_eq!(checked.unwrap_err().exit(), Exit::Usage);
    assert!(!directory.exists());
}

#[tokio::test(start_paused = true)]
async fn another_file_is_never_overwritten_by_a_plan() {
    let user = SandboxUser::new();
    std::fs::write(user.plan_path(), FILE).unwrap();
    let error = user.save(PlanRequest::default()).await.unwrap_err();
    assert!(error.to_string().contains("is not a saved plan, so it was not overwritten"), "{error}");
    assert_eq!(std::fs::read_to_string(user.plan_path()).unwrap(), FILE);
    std::fs::remove_file(user.plan_path()).unwrap();
    user.save(PlanRequest::default()).await.unwrap();
    user.save(PlanRequest::default()).await.unwrap();
}
