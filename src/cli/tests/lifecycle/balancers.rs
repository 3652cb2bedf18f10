//! Load balancers of services, changed on a living cluster.

use super::*;
use crate::cli::command::show::show;

/// Returns a service behind a load balancer with these settings, on these ports.
fn game(ports: &str, nlb: &str) -> String {
    format!(
        "{FILE}\nservice \"game\" {{\n  image    = \"game:1\"\n  replicas = 2\n  {ports}\n  nlb {{\n{nlb}\n  }}\n}}\n"
    )
}

impl SandboxUser {
    /// Returns the changes of a plan: `update listener/service-game/80`.
    async fn changes(&mut self) -> Vec<String> {
        self.options.json = true;
        let (exit, out) = self.plan().await;
        self.options.json = false;
        exit.unwrap();
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        let text = |change: &serde_json::Value, name: &str| change[name].as_str().unwrap_or_default().to_owned();
        let line = |change| format!("{} {}", text(change, "action"), text(change, "address"));
        document["plan"]["changes"].as_array().unwrap().iter().map(line).collect()
    }

    /// Applies a new file in the sandbox, and checks that nothing is left to do.
    async fn follow(&mut self, text: String) -> Vec<String> {
        self.text = text;
        let planned = self.changes().await;
        let (exit, out) = self.apply(YES).await;
        assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", self.err.read());
        assert_eq!(self.plan().await.0.unwrap(), Exit::Done, "after an apply the plan is empty");
        planned
    }
}

#[tokio::test(start_paused = true)]
async fn an_apply_ends_with_the_names_that_the_cluster_is_reached_by() {
    let mut user = SandboxUser::new();
    user.text = game("port = 7000", "port = 80\ndomain = \"game.poeticoding.com\"");
    for _ in 0..2 {
        let (exit, out) = user.apply(YES).await;
        assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
        let (_, names) = out.split_once("\nReached by name:\n").unwrap_or_else(|| panic!("{out}"));
        let rows: Vec<&str> = names.lines().map(str::trim_start).collect();
        assert!(rows[0].starts_with("Kubernetes API  api.chat.poeticoding.com"), "{names}");
        assert!(rows[2].starts_with("service game    game.poeticoding.com"), "{names}");
        assert!(rows[3].ends_with(".elb.us-east-1.amazonaws.com"), "{names}");
        assert_eq!(rows[4..], ["(simulated: these names resolve to nothing)"], "{names}");
    }
    user.options.json = true;
    let reported: serde_json::Value = serde_json::from_str(&user.apply(YES).await.1).unwrap();
    assert_eq!(reported["endpoints"][1]["domains"], serde_json::json!(["game.poeticoding.com"]));
    let (_, out) = user.destroy(true).await;
    assert!(!out.contains("endpoints"), "{out}");
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_changes_in_place() {
    let mut user = SandboxUser::new();
    user.follow(game("port = 7000", "port = 80")).await;

    let all = user
        .follow(game("port = 7000", "port = 80\nsticky = true\ncross_zone = false\nallow = [\"10.0.0.0/8\"]"))
        .await;
    assert_eq!(
        all,
        [
            "update load-balancer/service-game",
            "update security-group-rules/service-game",
            "update service/game",
            "update target-group/service-game",
        ]
    );

    let all = user.follow(game("port = 7000", "port = 80\npreserve_client_ip = true")).await;
    assert!(all.iter().all(|change| change.starts_with("update ")), "{all:?}");
    let health = ["update deployment/game", "update security-group-rules/nodes", "update target-group/service-game"];
    assert!(health.iter().all(|change| all.contains(&(*change).to_owned())), "{all:?}");

    let tls = "port = 443\nprotocol = \"TLS\"\n\
               certificate = \"arn:aws:acm:us-east-1:123456789012:certificate/1\"\nlistener \"plain\" {\nport = 80\n}";
    let all = user.follow(game("port = 7000", tls)).await;
    assert!(all.contains(&"create listener/service-game/443".to_owned()), "{all:?}");
    assert!(!all.iter().any(|change| change.starts_with("delete") || change.starts_with("replace")), "{all:?}");
    let all = user.follow(game("port = 7000", "port = 443\nlistener \"other\" {\nport = 80\n}")).await;
    assert_eq!(all, ["update listener/service-game/443"], "TLS goes; what a block is called does not matter");

    let all = user.follow(game("port = 7001", "port = 443\nlistener \"other\" {\nport = 80\n}")).await;
    assert_eq!(all, ["update deployment/game", "update service/game"], "AWS does not see where a container listens");
}

#[tokio::test(start_paused = true)]
async fn ports_come_with_their_target_groups_and_go_with_them() {
    let mut user = SandboxUser::new();
    user.follow(game("port = 7000", "port = 80")).await;
    let play = "port = 80\nlistener \"play\" {\nport = 7777\ntarget = \"play\"\n}";
    let udp = user.follow(game("port = 7000\n  ports = { play = \"7777/udp\" }", play)).await;
    for wanted in ["create listener/service-game/7777", "create target-group/service-game/play"] {
        assert!(udp.contains(&wanted.to_owned()), "{udp:?}");
    }
    let both = user.follow(game("port = 7000\n  ports = { play = \"7777/tcp+udp\" }", play)).await;
    assert!(both.contains(&"replace target-group/service-game/play".to_owned()), "{both:?}");
    assert!(both.contains(&"update listener/service-game/7777".to_owned()), "{both:?}");
    let back = user.follow(game("port = 7000", "port = 80")).await;
    for wanted in ["delete listener/service-game/7777", "delete target-group/service-game/play"] {
        assert!(back.contains(&wanted.to_owned()), "{back:?}");
    }
    let before = SandboxUser::new().sandbox.inventory().unwrap();
    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert_eq!(user.sandbox.inventory().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_renamed_gets_a_port_that_is_free_already() {
    let mut user = SandboxUser::new();
    user.follow(game("port = 7000", "port = 80")).await;
    let renamed = game("port = 7000", "port = 80").replace("\"game\"", "\"match\"");
    user.follow(renamed).await;
    let shown =
        user.with(async |context| context.store.get("chat.poeticoding.com/state.json").await).await.unwrap().unwrap();
    let record = String::from_utf8(shown.bytes).unwrap();
    assert!(record.contains("\"match\": 30001"), "30000 was still taken when it came");
}

/// Returns a file with services on the web: each with its settings in `http`, or in another block.
fn web(services: &[(&str, &str)]) -> String {
    let service = |(name, block): &(&str, &str)| {
        format!(
            "\nservice \"{name}\" {{\n  image    = \"{name}:1\"\n  replicas = 2\n  port     = 8080\n  {block}\n}}\n"
        )
    };
    services.iter().map(service).fold(FILE.to_owned(), |file, service| file + &service)
}

const CHAT: &str = "http {\n    host = \"talk\"\n  }";

fn owned(changes: &[&str]) -> Vec<String> {
    changes.iter().map(|change| (*change).to_owned()).collect()
}

/// The sandbox refuses a certificate that is not issued or in use, a priority that is taken, and a target group in use: each step
/// that gets through proves its place in the order.
#[tokio::test(start_paused = true)]
async fn services_share_the_web_and_leave_nothing() {
    let before = SandboxUser::new().sandbox.inventory().unwrap();
    let mut user = SandboxUser::new();
    let made = user.follow(web(&[("chat", CHAT)])).await;
    for wanted in [
        "create application-load-balancer/web",
        "create certificate/talk.chat.poeticoding.com",
        "create http-listener/web/80",
        "create listener-rule/talk.chat.poeticoding.com",
        "create record/talk.chat.poeticoding.com",
    ] {
        assert!(made.contains(&wanted.to_owned()), "{made:?}");
    }
    // A second service behind it, at a path of the same host.
    let api = "http {\n    host = \"talk\"\n    path = \"/api\"\n  }";
    let more = user.follow(web(&[("chat", CHAT), ("shop", api)])).await;
    assert!(more.contains(&"create listener-rule/talk.chat.poeticoding.com/api".to_owned()), "{more:?}");
    assert!(!more.iter().any(|change| change.contains("certificate/") || change.contains("record/")), "{more:?}");
    // The path moves to another service: its rule does not.
    let moved = user.follow(web(&[("chat", api), ("shop", CHAT)])).await;
    let rules =
        ["update listener-rule/talk.chat.poeticoding.com", "update listener-rule/talk.chat.poeticoding.com/api"];
    assert_eq!(moved, owned(&rules));
    // Another host that sorts first: its certificate is the default one, and the former one is deleted after that.
    let hosts = "http {\n    hosts = [\"a\", \"b.poeticoding.com\"]\n  }";
    let renamed = user.follow(web(&[("chat", hosts)])).await;
    assert!(renamed.contains(&"delete certificate/talk.chat.poeticoding.com".to_owned()), "{renamed:?}");
    assert!(renamed.contains(&"update http-listener/web/443".to_owned()), "{renamed:?}");
    let without = user.follow(web(&[])).await;
    assert!(without.contains(&"delete application-load-balancer/web".to_owned()), "{without:?}");
    assert!(without.contains(&"delete certificate/b.poeticoding.com".to_owned()), "{without:?}");
    user.follow(web(&[("chat", CHAT)])).await;
    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert_eq!(user.sandbox.inventory().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn a_service_moves_to_the_web_in_one_step_with_a_warning_or_in_two_without() {
    const NLB: &str = "nlb {\n    port   = 80\n    domain = \"talk.chat.poeticoding.com\"\n  }";
    const BOTH: &str = "nlb {\n    port = 80\n  }\n  http {\n    host = \"talk\"\n  }";
    let warning = "moves to the load balancer of the web and is not reached";
    let mut user = SandboxUser::new();
    user.follow(web(&[("chat", NLB)])).await;
    user.text = web(&[("chat", CHAT)]);
    let (_, out) = user.plan().await;
    let words = |out: &str| out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&out).contains(warning), "{out}");
    user.text = web(&[("chat", BOTH)]);
    let (_, out) = user.plan().await;
    assert!(!words(&out).contains("is not reached"), "{out}");
    let first = user.follow(web(&[("chat", BOTH)])).await;
    assert!(first.contains(&"update record/talk.chat.poeticoding.com".to_owned()), "{first:?}");
    assert!(!first.iter().any(|change| change.starts_with("delete ")), "{first:?}");
    user.text = web(&[("chat", CHAT)]);
    let (_, out) = user.plan().await;
    assert!(!words(&out).contains("is not reached"), "{out}");
    let second = user.follow(web(&[("chat", CHAT)])).await;
    assert!(second.contains(&"delete load-balancer/service-chat".to_owned()), "{second:?}");
    assert!(!second.iter().any(|change| change.contains("record/")), "{second:?}");
    user.text = web(&[("chat", NLB)]);
    let (_, out) = user.plan().await;
    assert!(words(&out).contains("moves to a load balancer of its own and is not reached"), "{out}");
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_waited_for_and_a_missing_validation_record_is_drift() {
    let mut user = SandboxUser::new();
    user.follow(web(&[("chat", CHAT)])).await;
    user.with(async |context| show(context, false).await).await.unwrap();
    let out = user.out.read();
    assert!(out.contains("443 HTTPS  https://talk.chat.poeticoding.com"), "{out}");
    let certificate = "certificate/talk.chat.poeticoding.com".parse().unwrap();
    user.sandbox.set(&certificate, &"zone=".parse().unwrap()).unwrap();
    assert_eq!(user.changes().await, ["update certificate/talk.chat.poeticoding.com"]);
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
}
