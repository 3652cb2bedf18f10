//! Objects of the cluster's own controllers are deleted with the cluster; those of another cluster's controllers stay.

use super::*;

const CLUSTER: &str = "chat.poeticoding.com";

/// Returns the text of a screen as one line.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn a_destroy_names_and_removes_what_controllers_made() {
    let user = SandboxUser::built().await;
    let before = SandboxUser::new().sandbox.inventory().unwrap();
    user.sandbox.controllers_make(CLUSTER, "web").unwrap();
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done, "they are no part of the cluster's plan");
    let (_, out) = user.plan_for(PlanMode::Destroy).await;
    for kind in ["load-balancer", "target-group", "security-group", "volume"] {
        assert!(out.contains(&format!("{kind}/by-kubernetes/default/web")), "{kind}: {out}");
    }
    assert!(flat(&out).contains("The EBS volume and its data are deleted permanently"), "{out}");
    let (exit, out) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert!(out.ends_with("0 resources left.\n"), "{out}");
    assert_eq!(user.sandbox.inventory().unwrap(), before);
}

#[tokio::test(start_paused = true)]
async fn what_another_clusters_controllers_made_stays_and_is_not_named() {
    let user = SandboxUser::built().await;
    user.sandbox.controllers_make("other.example.com", "web").unwrap();
    let theirs = |user: &SandboxUser| {
        let tags = |resident: &crate::sandbox::AccountObject| format!("{:?}", resident.attributes.get("tags"));
        let all = user.sandbox.inventory().unwrap().into_iter();
        all.filter(|resident| tags(resident).contains("other.example.com")).count()
    };
    assert_eq!(theirs(&user), 4);
    let (_, out) = user.plan_for(PlanMode::Destroy).await;
    assert!(!out.contains("by-kubernetes"), "{out}");
    // They are in our network: it cannot be deleted with them in it, and that is reported.
    let (exit, _) = user.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Partly);
    assert_eq!(theirs(&user), 4);
}
