//! One plan in all views: text, JSON, Markdown, and the flowchart of a picture. The views must agree, and each is read here.

use super::*;
use crate::cli::OutputTarget;
use crate::cli::command::graph::picture_of_plan;
use crate::view::graph::{PictureTheme, mermaid, svg};

/// The tutorial's layout with two services, one of which has a load balancer and a name.
const SERVICES: &str = r#"
dns {
  zone   = "chat.poeticoding.com"
  create = true
}
service "chat" {
  image    = "chat:1"
  replicas = 2
  port     = 4000
  nlb {
    port   = 80
    domain = "www.chat.poeticoding.com"
  }
}
service "redis" {
  image = "redis:8"
  port  = 6379
}
"#;

async fn built() -> SandboxUser {
    let user = SandboxUser { text: format!("{FILE}{SERVICES}"), ..SandboxUser::new() };
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    user
}

/// Returns the JSON of a plan in short: a line for each change, each cost and each cause.
fn shortened(json: &str) -> String {
    let mut document: serde_json::Value = serde_json::from_str(json).unwrap();
    for change in document["plan"]["changes"].as_array_mut().unwrap() {
        let names = change["attributes"].as_array().into_iter().flatten().filter_map(|own| own["name"].as_str());
        let names: Vec<&str> = names.collect();
        let needs = change["needs"].as_array().map_or(0, Vec::len);
        let [address, action] = ["address", "action"].map(|name| change[name].as_str().unwrap());
        let reason = change["reason"]["kind"].as_str().unwrap();
        let attributes = match action {
            "create" | "delete" => names.len().to_string(),
            _ => names.join(", "),
        };
        *change = format!("{action} {address} ({reason}, needs {needs}): {attributes}").into();
    }
    for cost in document.pointer_mut("/cost/changes").and_then(|costs| costs.as_array_mut()).into_iter().flatten() {
        let [before, after] = ["before", "after"].map(|side| cost[side]["monthly"].as_str().unwrap());
        *cost = format!("{}: {before} -> {after}", cost["address"].as_str().unwrap()).into();
    }
    for cause in document.get_mut("causes").and_then(|causes| causes.as_array_mut()).into_iter().flatten() {
        cause["changes"] = cause["changes"].as_array().unwrap().len().into();
    }
    if let Some(availability) = document.get_mut("availability") {
        for side in ["before", "after"] {
            let failures = availability[side]["failures"].as_array().map_or(0, Vec::len);
            availability[side] = failures.into();
        }
    }
    serde_json::to_string_pretty(&document).unwrap()
}

/// Returns the changed parts of a picture: the hint of each marked box.
fn marked(picture: &str) -> String {
    let boxes = picture.lines().filter(|line| line.starts_with("<rect") && line.contains("<title>"));
    let marks = ["created", "changed", "replaced", "deleted", "refused"];
    let mark = |line: &str| {
        let class = line.split('"').nth(1)?;
        let change = class.split(' ').nth(1).filter(|change| marks.contains(change))?;
        let hint = line.split("<title>").nth(1)?.split('<').next()?;
        Some(format!("{change}: {hint}\n"))
    };
    boxes.filter_map(mark).collect()
}

/// Returns the plan in all views.
async fn views(user: &mut SandboxUser, mode: PlanMode) -> String {
    let request = PlanRequest { mode, ..PlanRequest::upgrade(user.upgrade) };
    let text = user.plan_for(mode).await.1;
    user.options.json = true;
    let json = user.plan_for(mode).await.1;
    user.options.json = false;
    let options =
        PlanOptions { request: request.clone(), markdown: Some(OutputTarget::Stdout), ..PlanOptions::default() };
    user.with(async |context| plan(context, options).await).await.unwrap();
    let markdown = user.out.read();
    let mut all = format!("{text}\n=== JSON\n{}\n\n=== Markdown\n{markdown}", shortened(&json));
    if mode != PlanMode::Refresh {
        let picture = user.with(async |context| picture_of_plan(context, &request).await).await;
        let (diagram, title) = picture.unwrap();
        let picture = svg(&diagram, &title, PictureTheme::Light);
        all = format!("{all}\n=== Mermaid\n{}\n=== SVG\n{}", mermaid(&diagram, &title), marked(&picture));
    }
    user.err.read();
    all
}

#[tokio::test(start_paused = true)]
async fn a_first_create() {
    let mut user = SandboxUser { text: format!("{FILE}{SERVICES}"), ..SandboxUser::new() };
    insta::assert_snapshot!(views(&mut user, PlanMode::Apply).await);
}

#[tokio::test(start_paused = true)]
async fn the_layout_of_the_tutorial() {
    let text = include_str!("../../../../examples/tutorial/cluster.hcl").to_owned();
    let mut user = SandboxUser { text, ..SandboxUser::new() };
    insta::assert_snapshot!(views(&mut user, PlanMode::Apply).await);
}

#[tokio::test(start_paused = true)]
async fn nothing_to_do() {
    insta::assert_snapshot!(views(&mut built().await, PlanMode::Apply).await);
}

#[tokio::test(start_paused = true)]
async fn more_nodes() {
    let mut user = built().await;
    user.text = user.text.replace("count = 2", "count = 4");
    insta::assert_snapshot!(views(&mut user, PlanMode::Apply).await);
}

#[tokio::test(start_paused = true)]
async fn another_size_of_the_masters() {
    let mut user = built().await;
    user.text = user.text.replacen("t3.medium", "t3.large", 1);
    insta::assert_snapshot!(views(&mut user, PlanMode::Apply).await);
}

#[tokio::test(start_paused = true)]
async fn an_upgrade() {
    let mut user = SandboxUser { text: format!("{FILE}kubernetes = \"1.35\"\n"), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.text = user.text.replace("1.35", "1.36");
    insta::assert_snapshot!(views(&mut user, PlanMode::Apply).await);
}

#[tokio::test(start_paused = true)]
async fn a_removed_service() {
    let mut user = built().await;
    let start = user.text.find("service \"chat\"").unwrap();
    let end = user.text.find("service \"redis\"").unwrap();
    user.text.replace_range(start..end, "");
    insta::assert_snapshot!(views(&mut user, PlanMode::Apply).await);
}

#[tokio::test(start_paused = true)]
async fn drift() {
    let mut user = built().await;
    let address = "target-group/api".parse().unwrap();
    user.sandbox.set(&address, &"health_check.interval=30".parse().unwrap()).unwrap();
    let plan = views(&mut user, PlanMode::Apply).await;
    insta::assert_snapshot!(plan + "\n=== --refresh-only\n" + &views(&mut user, PlanMode::Refresh).await);
}

#[tokio::test(start_paused = true)]
async fn a_destroy() {
    insta::assert_snapshot!(views(&mut built().await, PlanMode::Destroy).await);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_refuses_a_plan_is_in_its_markdown() {
    let user = SandboxUser {
        limits: PlanLimits { max_monthly_cost: Some("1".parse().unwrap()), ..PlanLimits::default() },
        ..SandboxUser::new()
    };
    let path = user.directory.path().join("comment.md");
    let limits = user.limits;
    let options = PlanOptions { limits, markdown: Some(OutputTarget::File(path.clone())), ..PlanOptions::default() };
    let exit = user.with(async |context| plan(context, options).await).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused);
    let comment = std::fs::read_to_string(&path).unwrap();
    assert!(comment.contains("> [!CAUTION]\n> Refused: the cluster would cost "), "{comment}");
    assert!(user.out.read().contains("Plan: "), "the text is printed too");
}
