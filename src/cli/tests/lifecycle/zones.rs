//! Zones that are added and removed on a living cluster.

use super::*;
use crate::resource::{Resource, Subnet};

/// Returns the range of each zone's subnet.
async fn ranges(user: &SandboxUser) -> BTreeMap<String, String> {
    let live = user.with(async |context| context.cloud.observe().await).await.unwrap().live;
    let subnets = live.iter().filter(|live| live.address.kind() == Subnet::KIND.name);
    let range = |live: &crate::engine::Live| live.attributes["cidr"].as_text().unwrap().to_owned();
    subnets.map(|live| (live.address.name().to_owned(), range(live))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_zone_takes_the_place_of_another_one_under_a_living_cluster() {
    let mut user = SandboxUser::built().await;
    let before = ranges(&user).await;
    // Master `b` moves, and gets its data from the others.
    let consent = YES;
    user.text = FILE.replace("us-east-1f", "us-east-1a");
    let (exit, out) = user.apply(consent).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert_eq!(user.plan().await.0.unwrap(), Exit::Done);
    let after = ranges(&user).await;
    assert_eq!(after["us-east-1d"], before["us-east-1d"]);
    assert_eq!((after.len(), after["us-east-1a"].as_str()), (2, "172.20.96.0/19"), "beside the one that it replaces");

    user.text = FILE.to_owned();
    let (exit, out) = user.apply(consent).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert_eq!(ranges(&user).await, before, "and back again");
}
