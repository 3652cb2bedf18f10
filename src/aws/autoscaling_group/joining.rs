//! Masters that come to others: the next one comes, or goes, when they belong to the cluster.

use crate::aws::Aws;
use crate::aws::kind::seen;
use crate::aws::s3::keys;
use crate::engine::{Failure, Live};
use crate::resource::AutoScalingGroup;

/// Whether the group's machines are masters that come to others.
///
/// A master says so in the bucket once its etcd is healthy. Before any has, all masters begin the cluster together, and
/// none of them is ready alone. So it is asked once a run: those that a run begins together stay together.
pub(super) async fn joins_living_cluster(aws: &Aws, live: &Live) -> Result<bool, Failure> {
    if !seen::<AutoScalingGroup>(live)?.is_masters() {
        return Ok(false);
    }
    let markers = format!("{}nodes/etcd-", aws.scope.prefix);
    let lives = async || Ok(!keys(aws, &aws.scope.bucket, &markers).await?.is_empty());
    aws.lives.get_or_try_init(lives).await.copied()
}
