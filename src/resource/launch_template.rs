//! What an instance is started from.

use serde::{Deserialize, Serialize};

use super::{Attribute, Input, Kind, Output, Resource, Tags};

/// A launch template: its default version. A change is a new version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    /// Its name, unique in the region.
    pub name: String,
    /// The machine image, for example `ami-0a1b2c3d`.
    pub image: String,
    /// The instance size, for example `t3.medium`.
    pub instance_size: String,
    /// The name of the instance profile.
    pub profile: Input,
    /// The security groups of the only network interface.
    pub security_groups: Vec<Input>,
    /// Whether instances get a public address.
    pub public_address: bool,
    /// The key pair's name; empty without one, so that taking the key out of the file is a change.
    pub key: Input,
    /// The first script of the machine, as text: 16 KiB at most.
    pub user_data: Input,
    /// The root volume's device name, for example `/dev/xvda`.
    pub root_device: String,
    /// The root volume's size in GiB; always encrypted gp3.
    pub root_gib: u32,
    /// How far metadata answers travel; 1 keeps them from pods. Tokens (`IMDSv2`) are always required.
    pub metadata_hops: u32,
    /// Tags of the instances and their volumes.
    pub instance_tags: Tags,
    /// Tags of the template itself.
    pub tags: Tags,
}

/// Outputs that a new version moves. `generation` is the version since which nothing but tags has changed: machines that
/// run one from there on are as they should be, once they have the tags.
const VERSION: &[&str] = &["version", "generation"];
/// Outputs that a version moves whose tags alone are new.
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
        outputs: &[Output::pattern("id", "lt-{hex}"), Output::version("version"), Output::version("generation")],
        data: false,
        shared: false,
        seconds: 3,
    };
}
