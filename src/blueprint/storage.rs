//! Objects that keep data: the state bucket and etcd's volumes.

use super::outputs::etcd_volume_name;
use super::{BlueprintProblem, BuildContext, MEMBER_TAG, ROLE_TAG, tags};
use crate::engine::Object;
use crate::resource::{Bucket, ETCD, EbsVolume, Resource, STATE_BUCKET};
use crate::spec::Zone;

pub(super) fn objects(site: &BuildContext<'_>) -> Result<Vec<Object>, BlueprintProblem> {
    let name = &site.bootstrap.bucket;
    let bucket = Bucket {
        name: name.clone(),
        versioned: true,
        encrypted: true,
        private: true,
        tags: site.tags(&Bucket::address(STATE_BUCKET), name),
    };
    let mut objects = vec![bucket.object(STATE_BUCKET)?];
    for (member, zone) in site.cluster.masters.placed() {
        objects.push(etcd_volume(site, &member, zone).object(&etcd_volume_name(&member))?);
    }
    Ok(objects)
}

fn etcd_volume(site: &BuildContext<'_>, member: &str, zone: &Zone) -> EbsVolume {
    let address = EbsVolume::address(&etcd_volume_name(member));
    let tags = site.tags(&address, &site.below(&format!("{member}.etcd")));
    EbsVolume {
        zone: zone.to_string(),
        volume_type: "gp3".to_owned(),
        gib: site.cluster.masters.etcd.gib,
        encrypted: true,
        tags: tags::with(tags, [(ROLE_TAG, ETCD), (MEMBER_TAG, member)]),
    }
}
