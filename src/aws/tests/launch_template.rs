//! Launch templates.

use super::*;
use crate::aws::kind::AwsKind as _;
use crate::aws::observe_cache::ObserveCache;
use crate::resource::LaunchTemplate;

pub(super) fn template(moto: &MotoCluster, name: &str) -> LaunchTemplate {
    LaunchTemplate {
        name: format!("{name}.{}", moto.aws.scope.cluster),
        image: "ami-12c6146b".to_owned(),
        instance_size: "t3.medium".to_owned(),
        profile: "masters".into(),
        security_groups: Vec::new(),
        public_address: true,
        key: "".into(),
        user_data: "#!/bin/sh\necho \"hällo\"\n".into(),
        root_device: "/dev/xvda".to_owned(),
        root_gib: 20,
        metadata_hops: 1,
        instance_tags: [("Name".to_owned(), name.to_owned()), ("role".to_owned(), "master".to_owned())].into(),
        tags: moto.tags::<LaunchTemplate>(name),
    }
}

#[tokio::test]
async fn a_template_is_created_renewed_corrected_and_deleted() {
    let Some(moto) = moto("template").await else { return };
    let wanted = LaunchTemplate { key: "ssh".into(), ..template(&moto, "a") };
    let made = moto.make("a", &wanted).await;
    assert_eq!(made.outputs["version"], "1");

    let larger =
        LaunchTemplate { instance_size: "t3.large".to_owned(), key: "".into(), metadata_hops: 2, ..wanted.clone() };
    moto.calls.take();
    assert_eq!(moto.correct("a", &larger).await, ["instance_size", "key", "metadata_hops"]);
    let reads = ["DescribeLaunchTemplateVersions"; 2];
    let calls = [&["CreateLaunchTemplateVersion"], &reads[..], &["DescribeLaunchTemplates"; 2]].concat();
    assert_eq!(moto.calls.take(), [&calls[..], &["ModifyLaunchTemplate"]].concat());
    assert_eq!(moto.see::<LaunchTemplate>("a").await.outputs["version"], "2");

    // A version may not be known at once: the engine comes again, with a third one.
    moto.calls.refuse("ModifyLaunchTemplate", "InvalidLaunchTemplateId.VersionNotFound");
    let live = moto.see::<LaunchTemplate>("a").await;
    let failure = moto.aws.update(&live, &larger.object("a").unwrap(), &["image".to_owned()].into()).await.unwrap_err();
    assert_eq!(failure.class, crate::engine::FailureClass::NotYetConsistent);

    // The first version is set as the default one outside.
    let request = moto.aws.ec2.modify_launch_template().launch_template_id(&made.id).default_version("1");
    request.send().await.unwrap();
    assert_eq!(moto.correct("a", &larger).await, ["instance_size", "key", "metadata_hops"]);
    assert_eq!(moto.see::<LaunchTemplate>("a").await.outputs["version"], "4");

    let tagged = LaunchTemplate {
        tags: moto.tags::<LaunchTemplate>("a").into_iter().chain([("x".to_owned(), "y".to_owned())]).collect(),
        ..larger
    };
    let live = moto.see::<LaunchTemplate>("a").await;
    moto.calls.take();
    let live = moto.aws.update(&live, &tagged.object("a").unwrap(), &["tags".to_owned()].into()).await.unwrap();
    // moto keeps tags, and always returns the first ones.
    assert_eq!((moto.calls.take(), live.outputs["version"].as_str()), (vec!["CreateTags".to_owned()], "4"));

    // Machines of the version before one whose tags alone are new are as good as those of the new one.
    let mut retagged = tagged.clone();
    retagged.instance_tags.insert("team".to_owned(), "data".to_owned());
    let object = retagged.object("a").unwrap();
    for version in ["5", "6"] {
        let live = moto.see::<LaunchTemplate>("a").await;
        let live = moto.aws.update(&live, &object, &["instance_tags".to_owned()].into()).await.unwrap();
        assert_eq!((live.outputs["version"].as_str(), live.outputs["generation"].as_str()), (version, "4"));
        assert_eq!(moto.see::<LaunchTemplate>("a").await.outputs, live.outputs);
    }
    let smaller = LaunchTemplate { instance_size: "t3.small".to_owned(), ..retagged };
    let changed = ["instance_size".to_owned(), "instance_tags".to_owned()].into();
    let live = moto.aws.update(&live, &smaller.object("a").unwrap(), &changed).await.unwrap();
    assert_eq!((live.outputs["version"].as_str(), live.outputs["generation"].as_str()), ("7", "7"));
    moto.unmake::<LaunchTemplate>("a").await;
}

#[tokio::test]
async fn more_templates_than_a_page_are_read_in_two_calls() {
    let Some(moto) = moto("templates").await else { return };
    let names: Vec<String> = (0..20).map(|n| format!("t{n}")).collect();
    for name in &names {
        let object = template(&moto, name).object(name).unwrap();
        moto.aws.create(&object, &IdempotencyToken(name.clone())).await.unwrap();
    }
    moto.calls.take();
    let found = LaunchTemplate::observe(&ObserveCache::new(&moto.aws)).await.unwrap();
    assert_eq!(moto.calls.take(), ["DescribeLaunchTemplateVersions", "DescribeLaunchTemplates"]);
    assert_eq!(found.len(), names.len());
    for live in found {
        moto.aws.delete(&live, &|_| {}).await.unwrap();
    }
}
