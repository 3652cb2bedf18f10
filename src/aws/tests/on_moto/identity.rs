//! Roles and instance profiles.

use super::{MotoAccount, object, site};
use crate::engine::{Live, Provider, TextInput};
use crate::resource::{InstanceProfile, Resource, Role};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a b/%41+ü/*"}]}"#;
const ADMIN: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const MANAGED: &str = "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess";

fn role(site: &MotoAccount, name: &str) -> Role {
    Role {
        name: format!("{name}.{}", site.cluster),
        path: format!("/quorate/{}/role/{name}/", site.cluster),
        trust: TRUST.to_owned(),
        policies: [("read".to_owned(), READ.into())].into(),
        attached: vec![MANAGED.to_owned()],
        tags: site.tags(&Role::address(name)),
    }
}

fn profile(site: &MotoAccount, role: &str) -> InstanceProfile {
    InstanceProfile {
        name: format!("nodes.{}", site.cluster),
        path: format!("/quorate/{}/instance-profile/nodes/", site.cluster),
        role: role.into(),
        tags: site.tags(&InstanceProfile::address("nodes")),
    }
}

#[tokio::test]
async fn a_role_is_created_observed_corrected_and_deleted() {
    let Some(site) = site("us-east-1").await else { return };
    let mut nodes = role(&site, "nodes");
    let made = site.create_and_find(&object(&nodes, "nodes"), &[]).await;
    assert!(made.outputs["arn"].ends_with(&format!("role/quorate/{0}/role/nodes/nodes.{0}", site.cluster)));

    // A policy is added outside: the observation shows it, and the update removes it.
    let iam = &site.aws.iam;
    iam.put_role_policy().role_name(&nodes.name).policy_name("more").policy_document(ADMIN).send().await.unwrap();
    let observed: Role = Role::from_attributes(&site.find(&made.address).await.attributes).unwrap();
    assert_eq!(observed.policies["more"], TextInput::from(ADMIN));
    site.update_and_find(&object(&nodes, "nodes"), &["policies"], &[]).await;

    nodes.policies = [("write".to_owned(), ADMIN.into())].into();
    nodes.attached = Vec::new();
    nodes.trust = TRUST.replace("ec2", "ssm");
    let live = site.update_and_find(&object(&nodes, "nodes"), &["policies", "attached", "trust"], &[]).await;

    // A policy that came since the plan was made does not hold the role.
    iam.put_role_policy().role_name(&nodes.name).policy_name("late").policy_document(READ).send().await.unwrap();
    site.delete(&live).await;
    assert!(site.is_gone(&live.address).await);
}

#[tokio::test]
async fn a_half_made_role_is_found_and_finished() {
    let Some(site) = site("us-east-1").await else { return };
    let nodes = role(&site, "nodes");
    let request = site.aws.iam.create_role().role_name(&nodes.name).path(&nodes.path);
    request.assume_role_policy_document(TRUST).send().await.unwrap();
    assert!(site.find(&Role::address("nodes")).await.proven);
    let live = site.update_and_find(&object(&nodes, "nodes"), &["policies", "attached", "tags"], &[]).await;
    let changed = [("team", "data"), ("Name", "other")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let retagged = Role { tags: nodes.tags.clone().into_iter().chain(changed).collect(), ..nodes.clone() };
    site.update_and_find(&object(&retagged, "nodes"), &["tags"], &[]).await;
    let live = Live { attributes: retagged.attributes().unwrap(), ..live };
    site.update(&live, &object(&nodes, "nodes"), &["tags"]).await;
    let tags = site.aws.iam.list_role_tags().role_name(&nodes.name).send().await.unwrap().tags;
    assert_eq!(tags.len(), nodes.tags.len());
    site.delete(&live).await;
}

#[tokio::test]
async fn an_instance_profile_changes_its_role() {
    let Some(site) = site("us-east-1").await else { return };
    let (one, other) = (role(&site, "nodes"), role(&site, "masters"));
    let roles = [site.create(&object(&one, "nodes")).await, site.create(&object(&other, "masters")).await];
    let made = site.create_and_find(&object(&profile(&site, &one.name), "nodes"), &[]).await;

    let swapped = object(&profile(&site, &other.name), "nodes");
    site.update_and_find(&swapped, &["role"], &[]).await;
    // Once more, as after an answer that got lost.
    site.update(&made, &swapped, &["role"]).await;
    site.update_and_find(&swapped, &["role", "tags"], &[]).await;

    // After the role was removed by hand, the observation shows none.
    let iam = &site.aws.iam;
    iam.remove_role_from_instance_profile()
        .instance_profile_name(&made.id)
        .role_name(&other.name)
        .send()
        .await
        .unwrap();
    assert_eq!(site.find(&made.address).await.attributes["role"].as_text(), Some(""));
    site.update_and_find(&swapped, &["role"], &[]).await;

    site.delete(&made).await;
    assert!(site.is_gone(&made.address).await);
    for role in &roles {
        site.delete(role).await;
    }
}

#[tokio::test]
async fn roles_cost_three_hops_of_few_calls() {
    let Some(site) = site("us-east-1").await else { return };
    let lives =
        [site.create(&object(&role(&site, "a"), "a")).await, site.create(&object(&role(&site, "b"), "b")).await];
    site.calls.take();
    site.aws.find(&lives[0].address).await.unwrap();
    let log = site.calls.take();
    let (attached, inline, tags) = ("ListAttachedRolePolicies", "ListRolePolicies", "ListRoleTags");
    assert_eq!(log, ["GetRolePolicy", "GetRolePolicy", attached, attached, inline, inline, tags, tags, "ListRoles"]);
    for live in &lives {
        site.delete(live).await;
    }
}
