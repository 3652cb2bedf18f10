//! What keeps data: the state bucket and etcd's volumes.

use super::{MEMBER_TAG, Problem, ROLE_TAG, Site, tags};
use crate::engine::{Input, Object};
use crate::resource::{Bucket, ETCD, Resource, Volume};
use crate::spec::Zone;

/// The name of the bucket's object.
const STATE: &str = "state";

/// The bucket's name, once it is there.
pub(super) fn bucket() -> Input {
    Input::output(Bucket::address(STATE), "name")
}

/// The id of a master's etcd volume.
pub(super) fn volume(member: &str) -> Input {
    Input::output(Volume::address(&volume_name(member)), "id")
}

/// The member that an etcd volume of this name belongs to.
pub(super) fn member_of(volume: &str) -> Option<&str> {
    volume.strip_prefix("etcd-")
}

fn volume_name(member: &str) -> String {
    format!("etcd-{member}")
}

pub(super) fn objects(site: &Site<'_>) -> Result<Vec<Object>, Problem> {
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

fn etcd_volume(site: &Site<'_>, member: &str, zone: &Zone) -> Volume {
    let address = Volume::address(&volume_name(member));
    let tags = site.tags(&address, &site.below(&format!("{member}.etcd")));
    Volume {
        zone: zone.to_string(),
        volume_type: "gp3".to_owned(),
        gib: site.cluster.masters.etcd_gib,
        encrypted: true,
        tags: tags::with(tags, [(ROLE_TAG, ETCD), (MEMBER_TAG, member)]),
    }
}
