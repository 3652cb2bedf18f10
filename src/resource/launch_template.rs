//! Launch templates, from which instances are started.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, TextLimit, aws};

/// The default version of a launch template. A change creates a new version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    /// Its name, unique in the region.
    pub name: String,
    /// The machine image, for example `ami-0a1b2c3d`.
    pub image: String,
    /// The instance size, for example `t3.medium`.
    pub instance_size: String,
    /// The name of the instance profile.
    pub profile: TextInput,
    /// The security groups of the only network interface.
    pub security_groups: Vec<TextInput>,
    /// `true` if instances get a public address.
    pub public_address: bool,
    /// The key pair's name; empty without one, so that the removal of the key from the file is a change.
    pub key: TextInput,
    /// The first script of the machine, as text: at most 16 KiB.
    pub user_data: TextInput,
    /// The root volume's device name, for example `/dev/xvda`.
    pub root_device: String,
    /// The root volume's size in GiB; always encrypted gp3.
    pub root_gib: u32,
    /// Hop limit of metadata responses; 1 keeps them from pods. Tokens (`IMDSv2`) are always required.
    pub metadata_hops: u32,
    /// Tags of the instances and their volumes.
    pub instance_tags: Tags,
    /// Tags of the template itself.
    pub tags: Tags,
}

/// Outputs that a new version changes. `generation` is the version since which only tags have changed: machines of that
/// version or a later one are up to date once they have the tags.
const VERSION: &[&str] = &["version", "generation"];
/// Outputs that a new version changes if it differs only in tags.
const TAGS: &[&str] = &["version"];

impl Resource for LaunchTemplate {
    const KIND: Kind = Kind {
        name: "launch-template",
        title: "launch template",
        attributes: &[
            Attribute::replace("name"),
            Attribute::update("image").moves(VERSION),
            Attribute::update("instance_size").moves(VERSION),
            Attribute::update("profile").moves(VERSION),
            Attribute::update("security_groups").set().moves(VERSION),
            Attribute::update("public_address").moves(VERSION),
            Attribute::update("key").moves(VERSION),
            Attribute::update("user_data").moves(VERSION),
            Attribute::update("root_device").moves(VERSION),
            Attribute::update("root_gib").moves(VERSION),
            Attribute::update("metadata_hops").moves(VERSION),
            Attribute::update("instance_tags").moves(TAGS),
            Attribute::update("tags").tags(),
        ],
        outputs: &[
            OutputSpec::pattern("id", "lt-{hex}"),
            OutputSpec::version("version"),
            OutputSpec::version("generation"),
        ],
        data: false,
        shared: false,
        seconds: 3,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"],
        create: &["ec2:CreateLaunchTemplate", "ec2:CreateTags"],
        update: &["ec2:CreateLaunchTemplateVersion", "ec2:CreateTags", "ec2:DeleteTags", "ec2:ModifyLaunchTemplate"],
        delete: &["ec2:DeleteLaunchTemplate"],
    };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(
            &["name"],
            AllowedValue::Text(aws::name::LAUNCH_TEMPLATE),
            "InvalidLaunchTemplateName.MalformedException",
        ),
        AttributeLimit::new(
            &["user_data"],
            AllowedValue::Text(TextLimit::of(0, aws::USER_DATA, |_| true)),
            "InvalidUserData.Malformed",
        ),
        AttributeLimit::new(&["security_groups"], AllowedValue::Count(16), "SecurityGroupsPerInterfaceLimitExceeded"),
        AttributeLimit::new(&["metadata_hops"], AllowedValue::Number(1, 64), aws::code::EC2),
    ];

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["instance_size", "image"])
    }
}
