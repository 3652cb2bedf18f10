//! Objects that keep data: the state bucket and etcd's volumes.

use super::{BlueprintProblem, BuildContext, MEMBER_TAG, ROLE_TAG, tags};
use crate::engine::{Object, TextInput};
use crate::resource::{Bucket, ETCD, EbsVolume, Resource};
use crate::spec::Zone;

/// The name of the bucket's object.
const STATE: &str = "state";

/// Returns the bucket's name, once it exists.
pub(super) fn bucket() -> TextInput {
    TextInput::output(Bucket::address(STATE), "name")
}

/// Returns the id of a master's etcd volume.
pub(super) fn volume(member: &str) -> TextInput {
    TextInput::output(EbsVolume::address(&volume_name(member)), "id")
}

/// Returns the member of an etcd volume of this name.
pub(super) fn member_of(volume: &str) -> Option<&str> {
    volume.strip_prefix("etcd-")
}

fn volume_name(member: &str) -> String {
    format!("etcd-{member}")
}

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let name = &site.bootstrap.bucket;
    let bucket = Bucket {
        name: name.clone(),
        versioned: true,
        encrypted: true,
        private: true,
        tags: site.tags(&Bucket::address(STATE), name),
    };
    let mut objects = vec![bucket.object(STATE)?];
    for (member, zone) in site.cluster.masters.placed() {
        objects.push(etcd_volume(site, &member, zone).object(&volume_name(&member))?);
    }
    Ok(objects)
}

fn etcd_volume(site: &BuildContext<'_>, member: &str, zone: &Zone) -> EbsVolume {
    let address = EbsVolume::address(&volume_name(member));
    let tags = site.tags(&address, &site.below(&format!("{member}.etcd")));
    EbsVolume {
        zone: zone.to_string(),
        volume_type: "gp3".to_owned(),
        gib: site.cluster.masters.etcd.gib,
        encrypted: true,
        tags: tags::with(tags, [(ROLE_TAG, ETCD), (MEMBER_TAG, member)]),
    }
}
