//! The content of a launch template version, to and from EC2's form.

use aws_sdk_ec2::types::{
    InstanceType, LaunchTemplateBlockDeviceMapping as Device, LaunchTemplateBlockDeviceMappingRequest as DeviceRequest,
    LaunchTemplateEbsBlockDeviceRequest as EbsRequest, LaunchTemplateHttpTokensState as Tokens,
    LaunchTemplateIamInstanceProfileSpecificationRequest as ProfileRequest,
    LaunchTemplateInstanceMetadataEndpointState as Endpoint,
    LaunchTemplateInstanceMetadataOptionsRequest as MetadataRequest,
    LaunchTemplateInstanceMetadataTagsState as MetadataTags,
    LaunchTemplateInstanceNetworkInterfaceSpecification as Interface,
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest as InterfaceRequest,
    LaunchTemplateTagSpecificationRequest as TagsRequest, LaunchTemplatesMonitoring,
    RequestLaunchTemplateData as Request, ResourceType, ResponseLaunchTemplateData as Response, VolumeType,
};
use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::aws::ec2::{from_ec2, to_ec2, whole};
use crate::engine::TextInput;
use crate::resource::{LaunchTemplate, Tags};

/// The resources that get the instances' tags.
const TAGGED: [ResourceType; 2] = [ResourceType::Instance, ResourceType::Volume];

/// Returns the complete content of a version.
pub(super) fn request(wanted: &LaunchTemplate) -> Request {
    Request::builder()
        .image_id(&wanted.image)
        .instance_type(InstanceType::from(wanted.instance_size.as_str()))
        .iam_instance_profile(ProfileRequest::builder().set_name(known(&wanted.profile)).build())
        .set_key_name(known(&wanted.key).filter(|key| !key.is_empty()))
        .user_data(BASE64_STANDARD.encode(wanted.user_data.known().unwrap_or_default()))
        .network_interfaces(interface(wanted))
        .block_device_mappings(root(wanted))
        .metadata_options(
            MetadataRequest::builder()
                .http_endpoint(Endpoint::Enabled)
                .http_tokens(Tokens::Required)
                .http_put_response_hop_limit(whole(wanted.metadata_hops))
                .build(),
        )
        .set_tag_specifications(Some(TAGGED.map(|resource| tags(resource, &wanted.instance_tags)).into()))
        .build()
}

fn known(input: &TextInput) -> Option<String> {
    input.known().map(str::to_owned)
}

fn interface(wanted: &LaunchTemplate) -> InterfaceRequest {
    InterfaceRequest::builder()
        .device_index(0)
        .associate_public_ip_address(wanted.public_address)
        .delete_on_termination(true)
        .set_groups(Some(wanted.security_groups.iter().filter_map(known).collect()))
        .build()
}

fn root(wanted: &LaunchTemplate) -> DeviceRequest {
    let ebs = EbsRequest::builder()
        .volume_type(VolumeType::Gp3)
        .volume_size(whole(wanted.root_gib))
        .encrypted(true)
        .delete_on_termination(true);
    DeviceRequest::builder().device_name(&wanted.root_device).ebs(ebs.build()).build()
}

fn tags(resource: ResourceType, tags: &Tags) -> TagsRequest {
    TagsRequest::builder().resource_type(resource).set_tags(Some(to_ec2(tags))).build()
}

/// Returns a version as a resource, and the settings in it that no attribute has.
pub(super) fn read(name: String, tags: Tags, data: Option<&Response>) -> (LaunchTemplate, Vec<String>) {
    let nothing = Response::builder().build();
    let data = data.unwrap_or(&nothing);
    let interface = data.network_interfaces().first();
    let root = data.block_device_mappings().first();
    let template = LaunchTemplate {
        name,
        image: data.image_id().unwrap_or_default().to_owned(),
        instance_size: data.instance_type().map(InstanceType::as_str).unwrap_or_default().to_owned(),
        profile: data.iam_instance_profile().and_then(|profile| profile.name()).unwrap_or_default().into(),
        security_groups: interface.map(Interface::groups).unwrap_or_default().iter().map(TextInput::from).collect(),
        public_address: interface.and_then(Interface::associate_public_ip_address).unwrap_or_default(),
        key: data.key_name().unwrap_or_default().into(),
        user_data: user_data(data.user_data().unwrap_or_default()).into(),
        root_device: root.and_then(Device::device_name).unwrap_or_default().to_owned(),
        root_gib: root.and_then(|root| count(root.ebs()?.volume_size())).unwrap_or_default(),
        metadata_hops: data.metadata_options().and_then(|m| count(m.http_put_response_hop_limit())).unwrap_or_default(),
        instance_tags: tags_of(data, &ResourceType::Instance),
        tags,
    };
    (template, beside(data))
}

fn count(number: Option<i32>) -> Option<u32> {
    number?.try_into().ok()
}

/// Returns the user data as text. If it is not base64, or not text, it is shown as it is.
fn user_data(encoded: &str) -> String {
    let decoded = BASE64_STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or_else(|| encoded.to_owned())
}

fn tags_of(data: &Response, resource: &ResourceType) -> Tags {
    let specification = data.tag_specifications().iter().find(|tags| tags.resource_type() == Some(resource));
    specification.map(|tags| from_ec2(tags.tags())).unwrap_or_default()
}

/// The names of the fields that are on, or set, or not empty. A field that is off is the same as one that is left out.
macro_rules! fields_in_use {
    ($of:expr; on: $($switch:ident)*; set: $($field:ident)*; lists: $($list:ident)*) => {{
        let mut names: Vec<String> = Vec::new();
        $(if $of.$switch == Some(true) { names.push(describe_version(stringify!($switch))); })*
        $(if $of.$field.is_some() { names.push(describe_version(stringify!($field))); })*
        $(if $of.$list.as_ref().is_some_and(|list| !list.is_empty()) { names.push(describe_version(stringify!($list))); })*
        names
    }};
}

fn describe_version(field: &str) -> String {
    field.replace('_', " ")
}

/// Returns everything in a version that no attribute has.
fn beside(data: &Response) -> Vec<String> {
    let mut beside = fields_in_use!(data;
        on: ebs_optimized disable_api_termination disable_api_stop;
        set: kernel_id placement ram_disk_id instance_initiated_shutdown_behavior instance_market_options
            credit_specification cpu_options capacity_reservation_specification hibernation_options enclave_options
            instance_requirements private_dns_name_options maintenance_options network_performance_options;
        lists: elastic_gpu_specifications elastic_inference_accelerators security_group_ids security_groups
            license_specifications secondary_interfaces);
    if data.monitoring().and_then(LaunchTemplatesMonitoring::enabled) == Some(true) {
        beside.push("detailed monitoring".to_owned());
    }
    if data.iam_instance_profile().is_some_and(|profile| profile.arn().is_some() && profile.name().is_none()) {
        beside.push("a profile by ARN".to_owned());
    }
    beside.extend(beside_interface(data.network_interfaces()));
    beside.extend(beside_root(data.block_device_mappings()));
    beside.extend(beside_metadata(data));
    let [instance, volume] = TAGGED.map(|resource| tags_of(data, &resource));
    if instance != volume {
        beside.push("other tags for volumes".to_owned());
    }
    let others = data.tag_specifications().iter().filter_map(|tags| tags.resource_type());
    beside.extend(
        others.filter(|other| OTHERS_TAGGED.contains(other)).map(|other| format!("tags for {}", other.as_str())),
    );
    beside
}

/// The other resources that a template can tag.
const OTHERS_TAGGED: [ResourceType; 2] = [ResourceType::NetworkInterface, ResourceType::SpotInstancesRequest];

fn beside_interface(interfaces: &[Interface]) -> Vec<String> {
    let [interface] = interfaces else {
        return vec![format!("{} network interfaces", interfaces.len())];
    };
    let mut beside = fields_in_use!(interface;
        on: associate_carrier_ip_address primary_ipv6;
        set: ipv6_address_count network_interface_id private_ip_address secondary_private_ip_address_count subnet_id
            ipv4_prefix_count ipv6_prefix_count ena_srd_specification connection_tracking_specification
            ena_queue_count;
        lists: ipv6_addresses private_ip_addresses ipv4_prefixes ipv6_prefixes);
    if let Some(other) = interface.interface_type().filter(|kind| !["", "interface"].contains(kind)) {
        beside.push(format!("network interface {other}"));
    }
    if interface.delete_on_termination() == Some(false) {
        beside.push("a network interface that outlives its instance".to_owned());
    }
    beside
}

fn beside_root(devices: &[Device]) -> Vec<String> {
    let [device] = devices else {
        return vec![format!("{} block devices", devices.len())];
    };
    let Some(ebs) = device.ebs() else {
        return vec!["a root device that is no EBS volume".to_owned()];
    };
    let mut beside = fields_in_use!(ebs;
        on: ;
        set: iops kms_key_id snapshot_id throughput volume_initialization_rate ebs_card_index;
        lists: );
    if ebs.volume_type() != Some(&VolumeType::Gp3) {
        let other = ebs.volume_type().map_or("of the default type", VolumeType::as_str);
        beside.push(format!("root volume {other}"));
    }
    if ebs.encrypted() != Some(true) {
        beside.push("root volume not encrypted".to_owned());
    }
    if ebs.delete_on_termination() != Some(true) {
        beside.push("root volume outlives its instance".to_owned());
    }
    beside
}

fn beside_metadata(data: &Response) -> Vec<String> {
    let Some(options) = data.metadata_options() else {
        return vec!["metadata without tokens".to_owned()];
    };
    let mut beside = Vec::new();
    if options.http_tokens() != Some(&Tokens::Required) {
        beside.push("metadata without tokens".to_owned());
    }
    if options.http_endpoint() == Some(&Endpoint::Disabled) {
        beside.push("no metadata".to_owned());
    }
    if options.instance_metadata_tags() == Some(&MetadataTags::Enabled) {
        beside.push("tags in metadata".to_owned());
    }
    beside
}
