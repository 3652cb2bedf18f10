#![allow(clippy::unwrap_used, reason = "tests")]

use aws_sdk_ec2::types::{
    CreditSpecification, InstanceType, LaunchTemplateBlockDeviceMapping as Device, LaunchTemplateEbsBlockDevice as Ebs,
    LaunchTemplateHttpTokensState as Tokens, LaunchTemplateIamInstanceProfileSpecification as Profile,
    LaunchTemplateInstanceMetadataOptions as Metadata,
    LaunchTemplateInstanceNetworkInterfaceSpecification as Interface,
    LaunchTemplateTagSpecification as TagSpecification, ResponseLaunchTemplateData as Data, VolumeType,
    builders::ResponseLaunchTemplateDataBuilder,
};

use super::*;
use crate::aws::ec2::to_ec2;
use crate::resource::{CLUSTER_TAG, OBJECT_TAG, Tags};

fn tags(object: &str) -> Tags {
    [(CLUSTER_TAG, "c"), (OBJECT_TAG, object)].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn wanted() -> LaunchTemplate {
    LaunchTemplate {
        name: "a.masters".to_owned(),
        image: "ami-1".to_owned(),
        instance_size: "t3.medium".to_owned(),
        profile: "masters".into(),
        security_groups: vec!["sg-1".into(), "sg-2".into()],
        public_address: true,
        key: "ssh".into(),
        user_data: "#!/bin/sh\necho hällo\n".into(),
        root_device: "/dev/xvda".to_owned(),
        root_gib: 20,
        metadata_hops: 1,
        instance_tags: [("Name".to_owned(), "a.masters".to_owned())].into(),
        tags: tags("launch-template/masters-a"),
    }
}

/// Returns EC2's answer for a version that Quorate has requested.
fn answer() -> ResponseLaunchTemplateDataBuilder {
    let request = data::request(&wanted());
    let (interface, device) = (&request.network_interfaces()[0], &request.block_device_mappings()[0]);
    let (ebs, metadata) = (device.ebs().unwrap(), request.metadata_options().unwrap());
    Data::builder()
        .set_image_id(request.image_id.clone())
        .set_instance_type(request.instance_type.clone())
        .set_key_name(request.key_name.clone())
        .set_user_data(request.user_data.clone())
        .iam_instance_profile(Profile::builder().name(request.iam_instance_profile().unwrap().name().unwrap()).build())
        .network_interfaces(
            Interface::builder()
                .set_device_index(interface.device_index())
                .set_associate_public_ip_address(interface.associate_public_ip_address())
                .set_delete_on_termination(interface.delete_on_termination())
                .set_groups(interface.groups.clone())
                .set_ipv6_addresses(Some(Vec::new()))
                .build(),
        )
        .block_device_mappings(
            Device::builder()
                .set_device_name(device.device_name.clone())
                .ebs(
                    Ebs::builder()
                        .set_encrypted(ebs.encrypted())
                        .set_delete_on_termination(ebs.delete_on_termination())
                        .set_volume_size(ebs.volume_size())
                        .set_volume_type(ebs.volume_type.clone())
                        .build(),
                )
                .build(),
        )
        .metadata_options(
            Metadata::builder()
                .set_http_tokens(metadata.http_tokens.clone())
                .set_http_put_response_hop_limit(metadata.http_put_response_hop_limit)
                .set_http_endpoint(metadata.http_endpoint.clone())
                .build(),
        )
        .set_tag_specifications(Some(
            request
                .tag_specifications()
                .iter()
                .map(|tags| {
                    let resource = tags.resource_type().unwrap().clone();
                    TagSpecification::builder().resource_type(resource).set_tags(tags.tags.clone()).build()
                })
                .collect(),
        ))
}

fn observed(data: ResponseLaunchTemplateDataBuilder) -> Live {
    let template = Answer::builder()
        .launch_template_id("lt-1")
        .launch_template_name("a.masters")
        .set_tags(Some(to_ec2(&wanted().tags)))
        .build();
    let other = LaunchTemplateVersion::builder().launch_template_id("lt-2").version_number(9).build();
    let version = LaunchTemplateVersion::builder()
        .launch_template_id("lt-1")
        .version_number(3)
        .launch_template_data(data.build())
        .build();
    live_of(ObservationScope::Tagged("c"), &template, &[other, version]).unwrap().unwrap()
}

fn image(live: &Live) -> &str {
    live.attributes["image"].as_text().unwrap()
}

#[test]
fn what_was_asked_for_reads_as_what_is_wanted() {
    let live = observed(answer());
    assert_eq!(live.attributes, wanted().attributes().unwrap());
    assert_eq!(live.outputs["version"], "3");
    assert_eq!(live.outputs["id"], "lt-1");
}

#[test]
fn a_template_without_a_key_reads_as_one() {
    let live = observed(answer().set_key_name(None));
    assert_eq!(live.attributes, LaunchTemplate { key: "".into(), ..wanted() }.attributes().unwrap());
}

#[test]
fn settings_without_an_attribute_make_the_template_differ() {
    let data = answer()
        .credit_specification(CreditSpecification::builder().cpu_credits("unlimited").build())
        .metadata_options(Metadata::builder().http_tokens(Tokens::Optional).http_put_response_hop_limit(1).build());
    assert_eq!(image(&observed(data)), "ami-1 (and: credit specification, metadata without tokens)");

    let ebs = Ebs::builder().encrypted(false).delete_on_termination(true).volume_size(20).volume_type(VolumeType::Gp2);
    let device = Device::builder().device_name("/dev/xvda").ebs(ebs.build()).build();
    let data = answer().set_block_device_mappings(Some(vec![device]));
    assert_eq!(image(&observed(data)), "ami-1 (and: root volume gp2, root volume not encrypted)");

    let data = answer().network_interfaces(Interface::builder().device_index(1).build());
    assert_eq!(image(&observed(data)), "ami-1 (and: 2 network interfaces)");

    let mut only_instances = answer().build();
    only_instances.tag_specifications.as_mut().unwrap().pop();
    let data = answer().set_tag_specifications(only_instances.tag_specifications);
    assert_eq!(image(&observed(data)), "ami-1 (and: other tags for volumes)");
}

#[test]
fn a_setting_that_is_off_may_be_given_or_left_out() {
    let data = answer().ebs_optimized(false).disable_api_stop(false).set_security_group_ids(Some(Vec::new()));
    assert_eq!(image(&observed(data)), "ami-1");
}

#[test]
fn an_empty_version_is_read_without_a_complaint_of_ours() {
    let live = observed(Data::builder().instance_type(InstanceType::from("x9.huge")));
    assert_eq!(
        image(&live),
        " (and: 0 network interfaces, 0 block devices, metadata without tokens)",
        "and the attributes that are there are kept: {:?}",
        live.attributes["instance_size"]
    );
}

#[test]
fn user_data_that_is_no_base64_is_shown_as_it_is() {
    let live = observed(answer().user_data("%%%"));
    assert_eq!(live.attributes["user_data"].as_text(), Some("%%%"));
}
