//! Services whose pods have a volume each, on a living cluster.

use super::*;
use crate::cli::command::availability::availability;

const WITH_DATA: Consent = Consent { yes: true, delete_data: true };

fn queue(replicas: u32, image: u32, volume: bool) -> String {
    let volume = if volume { "  volume \"data\" {\n    path = \"/data\"\n    gib  = 1\n  }\n" } else { "" };
    format!(
        "{FILE}service \"queue\" {{\n  image    = \"queue:{image}\"\n  replicas = {replicas}\n  port     = 5672\n{volume}}}\n"
    )
}

/// Asserts that lines which begin with these texts are in the messages of a user, in this order.
fn assert_order(user: &SandboxUser, wanted: &[&str]) {
    let out = user.err.read();
    let found: Vec<usize> =
        wanted.iter().filter_map(|text| out.lines().position(|line| line.starts_with(text))).collect();
    assert!(found.len() == wanted.len() && found.is_sorted(), "{wanted:?} in {out}");
}

#[tokio::test(start_paused = true)]
async fn pods_get_volumes_and_lose_them_without_a_time_without_pods() {
    let mut user = SandboxUser { text: queue(3, 1, false), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    user.text = queue(3, 1, true);
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert_order(
        &user,
        &["created persistent-volume-claim/data-queue-2", "created stateful-set/queue", "deleted deployment/queue"],
    );
    user.text = queue(3, 1, false);
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused, "{out}");
    let (exit, out) = user.apply(WITH_DATA).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert_order(
        &user,
        &["created deployment/queue", "deleted stateful-set/queue", "deleted persistent-volume-claim/data-queue-0"],
    );
}

#[tokio::test(start_paused = true)]
async fn the_only_pod_of_a_stateful_set_stops_for_a_new_image_and_one_of_several_does_not() {
    let stop = "service queue: its old pods end before the new ones start";
    let of = async |user: &SandboxUser| {
        user.with(async |context| availability(context).await).await.unwrap();
        user.out.read().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let mut user = SandboxUser { text: queue(3, 1, true), ..SandboxUser::new() };
    assert_eq!(user.apply(YES).await.0.unwrap(), Exit::Done);
    assert!(!of(&user).await.contains("data-queue"), "the other pods have the data");
    user.text = queue(3, 2, true);
    let (_, out) = user.plan().await;
    assert!(!out.contains("Availability"), "{out}");

    user.text = queue(1, 1, true);
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap_err().exit(), Exit::Refused, "{out}");
    let (exit, out) = user.apply(WITH_DATA).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert_order(&user, &["updated stateful-set/queue", "deleted persistent-volume-claim/data-queue-1"]);
    let shown = of(&user).await;
    assert!(shown.contains("its volume data-queue-0 may be in the zone"), "{shown}");
    user.text = queue(1, 2, true);
    let (_, out) = user.plan().await;
    let joined = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(joined.contains(stop), "{out}");

    // It is still a stateful set, so that more pods are no other service.
    user.text = queue(3, 1, true);
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}");
    assert_order(&user, &["created persistent-volume-claim/data-queue-1", "updated stateful-set/queue"]);
}
