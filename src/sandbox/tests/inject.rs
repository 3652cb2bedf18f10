//! Failures injected on purpose.

use super::*;
use crate::engine::Value;

async fn edited(address: &str, edit: &str) -> Result<Live, Box<dyn std::error::Error>> {
    let sandbox = sandbox();
    ObjectBuilder::whole(&sandbox).await;
    let address: Address = address.parse().unwrap();
    sandbox.set(&address, &edit.parse()?)?;
    Ok(sandbox.find(&address).await.unwrap().remove(0))
}

fn json(live: &Live, attribute: &str) -> String {
    serde_json::to_string(&live.attributes[attribute]).unwrap()
}

#[tokio::test]
async fn attributes_are_changed_behind_our_back() {
    let cases = [
        ("autoscaling-group/nodes", "desired=2", "desired", "3", "desired in range"),
        ("autoscaling-group/nodes", "max=5", "max", "5", ""),
        ("vpc/main", "dns_support=false", "dns_support", "false", ""),
        ("target-group/api", "health_check.interval=30", "health_check", r#""interval":30"#, ""),
        ("volume/etcd-a", "tags.Name=mine", "tags", r#""Name":"mine""#, ""),
        ("volume/etcd-a", "tags.example.com/team=web", "tags", r#""example.com/team":"web""#, ""),
        ("volume/etcd-a", "tags-=Name", "tags", "{}", ""),
        ("role/nodes", r#"policies.extra={"Version":"2012-10-17"}"#, "policies", r#""extra":"{\"Version\""#, ""),
        ("role/nodes", "attached+=arn:aws:iam::aws:policy/AdministratorAccess", "attached", "AdministratorAccess", ""),
        (
            "security-group-rules/masters",
            r#"ingress+={"protocol":"tcp","ports":"22","peer":"0.0.0.0/0","description":""}"#,
            "ingress",
            r#""peer":"0.0.0.0/0""#,
            "",
        ),
        ("security-group-rules/nodes", "ingress-=0", "ingress", "[]", ""),
        ("security-group-rules/nodes", "ingress.0.ports=all", "ingress", r#""ports":"all""#, ""),
        ("launch-template/nodes", "metadata_hops=2", "metadata_hops", "2", ""),
    ];
    for (address, edit, attribute, expected, why) in cases {
        let live = edited(address, edit).await.unwrap();
        assert!(json(&live, attribute).contains(expected), "{edit}: {} {why}", json(&live, attribute));
    }
    let live = edited("launch-template/nodes", "metadata_hops=2").await.unwrap();
    assert_eq!(live.outputs["version"], "2", "a change in the console is a new version too");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_a_way_out() {
    let cases = [
        ("vpc/main", "dns_support=maybe"),
        ("vpc/main", "dns_support=3"),
        ("vpc/main", "colour=red"),
        ("vpc/main", "cidr.first=1"),
        ("vpc/main", "cidr+=1"),
        ("security-group-rules/nodes", "ingress-=7"),
        ("security-group-rules/nodes", "ingress.7.ports=all"),
        ("vpc/other", "cidr=1"),
        ("planet/earth", "cidr=1"),
        ("vpc/main", "cidr"),
        ("vpc/main", "=1"),
    ];
    let mut messages = Vec::new();
    for (address, edit) in cases {
        messages.push(edited(address, edit).await.unwrap_err().to_string());
    }
    insta::assert_snapshot!(messages.join("\n"));
}

#[tokio::test]
async fn an_object_without_its_tags_is_not_found() {
    let sandbox = sandbox();
    ObjectBuilder::whole(&sandbox).await;
    for address in ["vpc/main", "role/nodes", "security-group/nodes"] {
        sandbox.untag(&address.parse().unwrap()).unwrap();
    }
    let gone = ["vpc/main", "security-group/nodes", "security-group-rules/nodes"];
    for address in gone {
        assert_eq!(sandbox.find(&address.parse().unwrap()).await.unwrap(), [], "{address}");
    }
    assert_eq!(sandbox.find(&"role/nodes".parse().unwrap()).await.unwrap().len(), 1, "its path still says whose it is");
}

#[tokio::test]
async fn removing_by_hand_meets_the_same_rules() {
    let sandbox = sandbox();
    ObjectBuilder::whole(&sandbox).await;
    let held = sandbox.remove(&Vpc::address("main")).await.unwrap_err();
    assert!(matches!(held, InjectError::Refused(Failure { class: FailureClass::Held, .. })), "{held}");
    sandbox.remove(&EbsVolume::address("etcd-a")).await.unwrap();
    assert!(matches!(sandbox.remove(&EbsVolume::address("etcd-a")).await, Err(InjectError::NoSuchObject(_))));
}

/// A record set and a bucket do not prove who owns them.
#[tokio::test]
async fn objects_of_others_are_found_where_they_block_a_name() {
    let sandbox = Sandbox::in_memory(SandboxSettings { bucket: Some("data-team-exports".to_owned()), ..settings() });
    let observed = sandbox.observe().await.unwrap().live;
    assert_eq!(observed.len(), 1);
    assert_eq!((observed[0].address.to_string().as_str(), observed[0].proven), ("bucket/state", false));

    let builder = ObjectBuilder::whole(&sandbox).await;
    let other = sandbox.again(SandboxSettings { cluster: "other.example.com".to_owned(), ..settings() });
    assert_eq!(other.observe().await.unwrap().live, [], "another cluster does not see what is ours");
    assert!(!builder.made.is_empty());
}

#[tokio::test]
async fn a_reset_leaves_the_account_as_it_was_found() {
    let sandbox = sandbox();
    let before = sandbox.inventory().unwrap();
    ObjectBuilder::whole(&sandbox).await;
    assert_ne!(sandbox.inventory().unwrap(), before);
    sandbox.reset().await.unwrap();
    assert_eq!(sandbox.inventory().unwrap(), before);
}

#[test]
fn a_value_takes_the_type_of_what_is_there() {
    let edit: AttributeEdit = "cidr=17".parse().unwrap();
    let mut attributes = vpc().attributes;
    edit.apply(account::kind("vpc").unwrap(), &mut attributes).unwrap();
    assert_eq!(attributes["cidr"], Value::Text("17".to_owned()));
}
