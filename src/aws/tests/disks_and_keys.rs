//! Volumes and key pairs.

use super::*;
use crate::resource::{EbsVolume, KeyPair};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

#[tokio::test]
async fn a_volume_is_created_grown_corrected_and_deleted() {
    let Some(moto) = moto("volume").await else { return };
    let wanted = EbsVolume {
        zone: "us-east-1a".to_owned(),
        volume_type: "gp3".to_owned(),
        gib: 20,
        encrypted: true,
        tags: moto.tags::<EbsVolume>("a"),
    };
    let made = moto.make("a", &wanted).await;
    moto.calls.take();
    let larger = EbsVolume { gib: 30, ..wanted };
    assert_eq!(moto.correct("a", &larger).await, ["gib"]);
    assert_eq!(moto.calls.take(), ["DescribeVolumes", "DescribeVolumes", "ModifyVolume"]);

    let name = aws_sdk_ec2::types::Tag::builder().key("Name").value("renamed").build();
    moto.aws.ec2.create_tags().resources(&made.id).tags(name).send().await.unwrap();
    assert_eq!(moto.correct("a", &larger).await, ["tags"]);
    assert_eq!(moto.see::<EbsVolume>("a").await.id, made.id);
    moto.unmake::<EbsVolume>("a").await;
}

#[tokio::test]
async fn tags_of_others_stay() {
    let Some(moto) = moto("tags").await else { return };
    let tags = moto.tags::<EbsVolume>("a");
    let wanted =
        EbsVolume { zone: "us-east-1a".to_owned(), volume_type: "gp3".to_owned(), gib: 1, encrypted: true, tags };
    let made = moto.make("a", &wanted).await;
    let theirs = aws_sdk_ec2::types::Tag::builder().key("cost").value("42").build();
    moto.aws.ec2.create_tags().resources(&made.id).tags(theirs).send().await.unwrap();
    let without_name = wanted.tags.iter().filter(|(key, _)| *key != "Name");
    let without_name =
        EbsVolume { tags: without_name.map(|(k, v)| (k.clone(), v.clone())).collect(), ..wanted.clone() };
    // The engine passes our tags as they were last time, and not the others.
    let object = without_name.object("a").unwrap();
    let live = Live { attributes: wanted.attributes().unwrap(), ..made };
    moto.aws.update(&live, &object, &["tags".to_owned()].into()).await.unwrap();
    let left = crate::resource::tags_of(&moto.see::<EbsVolume>("a").await.attributes);
    assert_eq!(left.keys().collect::<Vec<_>>(), ["cost", CLUSTER_TAG, OBJECT_TAG]);
    moto.unmake::<EbsVolume>("a").await;
}

#[tokio::test]
async fn a_key_pair_is_imported_and_removed() {
    let Some(moto) = moto("key").await else { return };
    let name = format!("ssh.{}", moto.aws.scope.cluster);
    let wanted = KeyPair { name: name.clone(), public_key: KEY.to_owned(), tags: moto.tags::<KeyPair>("ssh") };
    let made = moto.make("ssh", &wanted).await;
    assert_eq!(made.outputs["name"], name);
    moto.unmake::<KeyPair>("ssh").await;
}
