//! Masters that join others: the next one starts, or is removed, once they are members of the cluster.

use crate::aws::AwsProvider;
use crate::aws::kind::decode;
use crate::aws::s3::keys;
use crate::engine::{Failure, Live};
use crate::resource::AutoScalingGroup;

/// Returns `true` if the group's machines are masters that join others.
///
/// A master reports in the bucket that its etcd is healthy. Before the first report, all masters start the cluster together,
/// and none of them is ready alone. So this is checked once per run: masters that a run starts together stay together.
pub(super) async fn joins_living_cluster(aws: &AwsProvider, live: &Live) -> Result<bool, Failure> {
    if !decode::<AutoScalingGroup>(live)?.is_masters() {
        return Ok(false);
    }
    let markers = format!("{}nodes/etcd-", aws.scope.prefix);
    let lives = async || Ok(!keys(aws, &aws.scope.bucket, &markers).await?.is_empty());
    aws.lives.get_or_try_init(lives).await.copied()
}
