//! Clusters that share a name, an account, a zone, a bucket: each finds only its own objects.

use super::*;
use crate::blueprint;
use crate::engine::Value;
use crate::sandbox::AccountObject;

const ACCOUNT: &str = "123456789012";
pub(super) const ALL: Consent = Consent { yes: true, delete_data: true };

/// Returns a cluster file.
pub(super) fn base(name: &str, state: &str, zone: &str) -> String {
    format!(
        "name  = \"{name}\"\nstate = \"{state}\"\nzones = [\"{zone}\"]\nmasters {{\n  count = 1\n  size  = \"t3.medium\"\n}}\n\
         nodes \"w\" {{\n  count = 1\n  size  = \"t3.large\"\n}}\n"
    )
}

fn east() -> String {
    base("a.example.com", "s3://a-state", "us-east-1a")
}

/// Returns the user with this file, in an account that others use too.
pub(super) fn person(account: &SandboxUser, text: &str) -> SandboxUser {
    let cluster = spec::parse("cluster.hcl", text, &BTreeMap::new()).cluster.unwrap();
    let location = blueprint::location(&cluster, ACCOUNT);
    let mut settings = SandboxSettings::new(cluster.region.as_str(), cluster.name.as_str());
    settings.bucket = Some(location.bucket().to_owned());
    settings.location = Some(location);
    SandboxUser { sandbox: account.sandbox.again(settings), text: text.to_owned(), ..SandboxUser::new() }
}

pub(super) fn inventory(user: &SandboxUser) -> Vec<AccountObject> {
    user.sandbox.inventory().unwrap()
}

/// Checks that the run is refused and changes nothing except what a run writes into buckets.
async fn assert_refused(user: &SandboxUser, message: &str, hint: &str) {
    let before = inventory(user);
    let reported = [
        user.plan().await.0,
        user.plan_for(PlanMode::Destroy).await.0,
        user.apply(ALL).await.0,
        user.destroy(true).await.0,
        user.plan_for(PlanMode::Refresh).await.0,
    ];
    for reported in reported {
        let error = reported.unwrap_err();
        assert_eq!(error.exit(), Exit::Refused, "{error}");
        assert!(error.to_string().contains(message), "{error}");
        let hints = error.report().hints.join("\n");
        assert!(hints.contains(hint), "{hints}");
    }
    assert_eq!(inventory(user), before, "nothing was touched");
}

pub(super) async fn assert_quiet(user: &SandboxUser) {
    let (exit, out) = user.plan().await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
}

pub(super) async fn built(account: &SandboxUser, text: &str) -> SandboxUser {
    let user = person(account, text);
    let (exit, out) = user.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
    assert_quiet(&user).await;
    user
}

const LIVES: &str = "a.example.com lives in us-east-1, its state is in s3://a-state";

#[tokio::test(start_paused = true)]
async fn a_name_that_lives_in_another_region_is_refused_with_its_place() {
    let account = SandboxUser::new();
    let east = built(&account, &self::east()).await;
    let west = person(&account, &base("a.example.com", "s3://west-state", "us-west-2a"));
    assert_refused(&west, LIVES, "another name").await;
    assert_quiet(&east).await;
    assert_eq!(east.destroy(true).await.0.unwrap(), Exit::Done);
    assert_eq!(west.apply(YES).await.0.unwrap(), Exit::Done, "once it is gone, the name is free");
    assert_refused(&person(&account, &self::east()), "a.example.com lives in us-west-2", "another name").await;
}

/// Objects of releases without these tags are identified by their policies, their network and their target.
#[tokio::test(start_paused = true)]
async fn objects_without_these_tags_are_identified_by_their_content() {
    let account = SandboxUser::new();
    let east = built(&account, &self::east()).await;
    let objects = ["role/masters", "role/nodes", "instance-profile/masters", "instance-profile/nodes", "vpc/main"];
    for address in objects {
        let address = address.parse().unwrap();
        east.sandbox.set(&address, &"tags={}".parse().unwrap()).unwrap();
    }
    let kept = r#"tags={"quorate.dev/cluster":"a.example.com","quorate.dev/object":"hosted-zone/internal"}"#;
    east.sandbox.set(&"hosted-zone/internal".parse().unwrap(), &kept.parse().unwrap()).unwrap();
    let west = person(&account, &base("a.example.com", "s3://west-state", "us-west-2a"));
    assert_refused(&west, LIVES, "another name").await;
    let moved = person(&account, &base("a.example.com", "s3://other-state", "us-east-1a"));
    assert_refused(&moved, LIVES, "put `state` back").await;
    // Each of them is enough.
    for address in ["role/masters", "role/nodes"] {
        let edit = "policies={}".parse().unwrap();
        east.sandbox.set(&address.parse().unwrap(), &edit).unwrap();
    }
    assert_refused(&west, "a.example.com lives in us-east-1", "another name").await;
    // Its own file finds all of it, and puts the tags back.
    assert_eq!(east.apply(YES).await.0.unwrap(), Exit::Done);
    assert_quiet(&east).await;
    assert_refused(&west, LIVES, "another name").await;
}

#[tokio::test(start_paused = true)]
async fn another_state_for_a_living_cluster_is_refused_with_the_way() {
    let account = SandboxUser::new();
    let east = built(&account, &self::east()).await;
    for state in ["s3://other-state", "s3://a-state/prefix"] {
        let moved = person(&account, &base("a.example.com", state, "us-east-1a"));
        assert_refused(&moved, LIVES, "put `state` back").await;
    }
    assert_quiet(&east).await;
}

#[tokio::test(start_paused = true)]
async fn a_state_in_a_directory_does_not_make_two_regions_one() {
    let account = SandboxUser::new();
    let store = || Some(Arc::new(MemoryStore::new()) as Arc<dyn ObjectStore>);
    let mut east = person(&account, &base("a.example.com", "file:./state", "us-east-1a"));
    east.store = store();
    let (exit, out) = east.apply(YES).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", east.err.read());
    let mut west = person(&account, &base("a.example.com", "file:./state", "us-west-2a"));
    west.store = store();
    assert_refused(&west, "a.example.com lives in us-east-1, its machines start from s3://quorate-a-", "another name")
        .await;
    // The same file in a second directory has no record, and the bucket names the directory of the record.
    let mut twin = person(&account, &east.text);
    twin.store = store();
    assert_refused(&twin, "the state of a.example.com is in /", "copy that directory to file:./state").await;
    assert_quiet(&east).await;
    let note = account.sandbox.store("quorate-a-example-com-123456789012", "");
    note.erase("a.example.com/state.note").await.unwrap();
    let (exit, out) = twin.plan().await;
    assert_eq!(exit.unwrap(), Exit::Differs);
    assert!(!out.contains("create ") && out.contains("adopt"), "{out}");
    // Where the directory was moved with its record, it is the cluster's.
    assert_eq!(east.apply(YES).await.0.unwrap(), Exit::Done);
    let mut moved = person(&account, &east.text.replace("./state", "./elsewhere"));
    moved.store = east.store.clone();
    assert_quiet(&moved).await;
    assert_refused(&twin, "the state of a.example.com is in /", "copy that directory to file:./state").await;
    let (exit, out) = moved.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", moved.err.read());
    assert!(out.contains("0 resources left"), "{out}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_record_is_no_other_cluster() {
    let account = SandboxUser::new();
    let east = built(&account, &self::east()).await;
    east.with(async |context| context.store.erase("a.example.com/state.json").await).await.unwrap();
    assert_eq!(east.apply(YES).await.0.unwrap(), Exit::Done);
    assert_quiet(&east).await;
}

/// A cluster here, and one of the same name elsewhere that owns the roles: both were created before this was refused.
#[tokio::test(start_paused = true)]
async fn a_cluster_with_a_record_can_be_destroyed_beside_its_namesake() {
    let account = SandboxUser::new();
    let west = built(&account, &base("a.example.com", "s3://west-state", "us-west-2a")).await;
    for (kind, name) in
        [("role", "masters"), ("role", "nodes"), ("instance-profile", "masters"), ("instance-profile", "nodes")]
    {
        let address = crate::engine::Address::new(kind, name);
        let tags = r#"tags={"quorate.dev/region":"us-east-1","quorate.dev/state":"s3://a-state"}"#;
        west.sandbox.set(&address, &tags.parse().unwrap()).unwrap();
    }
    for reported in [west.plan().await.0, west.apply(ALL).await.0] {
        assert_eq!(reported.unwrap_err().exit(), Exit::Refused);
    }
    let (exit, out) = west.destroy(true).await;
    assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", west.err.read());
    assert!(out.contains("0 resources left"), "{out}");
    let left: Vec<String> = inventory(&west)
        .into_iter()
        .filter(|left| left.cluster.is_some())
        .map(|left| left.address.unwrap().to_string())
        .collect();
    assert_eq!(left, ["instance-profile/masters", "instance-profile/nodes", "role/masters", "role/nodes"]);
}

/// One account, one bucket and prefix, one public zone, one VPC range: names of which each is the beginning or the end of
/// another's.
#[tokio::test(start_paused = true)]
async fn clusters_that_share_everything_but_their_name_never_meet() {
    let account = SandboxUser::new();
    let before = inventory(&account);
    let names =
        ["a.example.com", "aa.example.com", "a.a.example.com", "internal.a.example.com", "masters.a.example.com"];
    let mut labs = Vec::new();
    for name in names {
        labs.push(built(&account, &base(name, "s3://a-state/team", "us-east-1a")).await);
    }
    for user in &labs {
        assert_quiet(user).await;
    }
    while let Some(user) = labs.pop() {
        let (exit, out) = user.destroy(true).await;
        assert_eq!(exit.unwrap(), Exit::Done, "{out}{}", user.err.read());
        for other in &labs {
            assert_quiet(other).await;
        }
    }
    let left: Vec<AccountObject> = inventory(&account).into_iter().filter(|left| !before.contains(left)).collect();
    assert_eq!(left, []);
}

#[tokio::test(start_paused = true)]
async fn of_two_first_applies_one_ends_as_held() {
    let account = SandboxUser::new();
    let (one, other) = (person(&account, &self::east()), person(&account, &self::east()));
    let (one_run, other_run) = tokio::join!(Box::pin(one.apply(YES)), Box::pin(other.apply(YES)));
    let mut ends: Vec<Exit> =
        [one_run.0, other_run.0].into_iter().map(|end| end.unwrap_or_else(|error| error.exit())).collect();
    ends.sort_by_key(|end| *end != Exit::Done);
    assert_eq!(ends, [Exit::Done, Exit::Held], "{}{}", one.err.read(), other.err.read());
    assert_quiet(&one).await;
}

#[tokio::test(start_paused = true)]
async fn every_global_object_carries_the_location_of_its_cluster() {
    let account = SandboxUser::new();
    let east = built(&account, &self::east()).await;
    let global = ["role", "instance-profile", "hosted-zone"];
    let ours: Vec<AccountObject> = inventory(&east)
        .into_iter()
        .filter(|found| found.cluster.is_some() && global.contains(&found.kind.as_str()))
        .collect();
    assert_eq!(ours.len(), 5);
    for object in ours {
        let Value::Map(tags) = &object.attributes["tags"] else { panic!("{object:?}") };
        let tag = |key: &str| tags[key].as_text().unwrap().to_owned();
        assert_eq!(tag("quorate.dev/region"), "us-east-1", "{}", object.id);
        assert_eq!(tag("quorate.dev/state"), "s3://a-state", "{}", object.id);
    }
}
