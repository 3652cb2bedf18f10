//! The connection to an account and region.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::sync::OnceCell;

use super::balancer_listing::BalancerListing;
use super::error_context;
use super::expected_kinds::ExpectedKinds;
use super::failure::{KindCodes, classify};
use super::limit::{RateLimiter, is_read};
use super::removal_queue::RemovalQueue;
use super::shared_reads::SharedReads;
use super::watch::SharedPolls;
use super::zone_listing::SharedListing;
use crate::cloud::{KnownBalancer, NodeDrain};
use crate::engine::{ChangeCounter, Failure, repeat};
use crate::resource::ClusterLocation;

/// Maximum number of attempts of a read.
pub(super) const READ_ATTEMPTS: u32 = 6;

/// The scope of the cluster: its name and its location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterScope {
    /// The cluster's name: the value of its tag.
    pub cluster: String,
    /// The region, for example `us-east-1`.
    pub region: String,
    /// The bucket that machines read their files from.
    pub bucket: String,
    /// The prefix of the cluster's keys in it, with a final slash.
    pub prefix: String,
}

impl ClusterScope {
    /// Returns the location of the cluster.
    pub fn location(&self) -> ClusterLocation {
        let root = self.prefix.trim_end_matches('/');
        ClusterLocation::new(&self.region, &self.bucket, root.strip_suffix(self.cluster.as_str()).unwrap_or(root))
    }
}

/// Number of load balancers in the region that are not the cluster's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OtherBalancers {
    pub(super) network: usize,
    pub(super) application: usize,
}

/// The connection to an account and region, for one cluster.
#[derive(Debug)]
pub struct AwsProvider {
    pub(super) scope: ClusterScope,
    pub(super) acm: aws_sdk_acm::Client,
    pub(super) autoscaling: aws_sdk_autoscaling::Client,
    pub(super) ec2: aws_sdk_ec2::Client,
    pub(super) elb: aws_sdk_elasticloadbalancingv2::Client,
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) pricing: aws_sdk_pricing::Client,
    pub(super) quotas: aws_sdk_servicequotas::Client,
    pub(super) route53: aws_sdk_route53::Client,
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) ssm: aws_sdk_ssm::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) polls: SharedPolls,
    /// Number of load balancers in the region whose names are not those of the cluster, as first listed.
    pub(super) other_balancers: OnceLock<OtherBalancers>,
    pub(super) zones: SharedListing,
    pub(super) reads: SharedReads,
    pub(super) removals: RemovalQueue,
    pub(super) balancers: BalancerListing,
    /// `true` if observations leave out what only a comparison needs.
    pub(super) is_shallow: AtomicBool,
    /// The optional kinds that observations look for; all of them until a run names those of its file.
    pub(super) expected: ExpectedKinds,
    /// `true` once this run has deleted the cluster's VPC: EC2 deletes only one in which nothing is left.
    pub(super) vpc_deleted: AtomicBool,
    /// `true` once this run has deleted the bucket.
    pub(super) bucket_deleted: AtomicBool,
    /// The load balancer of the cluster's API, as far as this run knows it. Locked during an observation.
    pub(super) api: tokio::sync::Mutex<KnownBalancer>,
    pub(super) caller: OnceCell<(String, String)>,
    /// `true` if the cluster had a healthy master when this run first checked.
    pub(super) lives: OnceCell<bool>,
    /// `true` once the region has answered a call: it is then known to be enabled in the account.
    pub(super) enabled: AtomicBool,
    pub(super) limits: RateLimiter,
    /// Number of calls that have changed objects, or may have.
    pub(super) changes: ChangeCounter,
    /// The codes that one kind alone answers with.
    pub(super) kind_codes: KindCodes,
    /// The drain of machines before a roll ends them.
    pub(super) drain: OnceLock<Arc<dyn NodeDrain>>,
}

impl AwsProvider {
    /// Returns `true` if observations leave out what only a comparison needs.
    pub(super) fn is_shallow(&self) -> bool {
        self.is_shallow.load(Ordering::Relaxed)
    }

    /// Returns `true` if the cluster's VPC is deleted, and with it all that can only exist in it.
    pub(super) fn has_no_vpc(&self) -> bool {
        self.vpc_deleted.load(Ordering::Relaxed)
    }

    /// Sends a request once, within the action's rate, and counts what it changes.
    pub(super) async fn send<T, E>(
        &self,
        service: &str,
        action: &str,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        let answer = Box::pin(self.send_uncounted(service, action, request)).await;
        if !is_read(action) {
            self.changes.count(&answer);
        }
        answer
    }

    /// Sends a request once, within the action's rate. What it changes is no change of the cluster.
    ///
    /// The request is boxed here: hundreds of the SDK's futures in one would overflow a debug build's stack.
    pub(super) async fn send_uncounted<T, E>(
        &self,
        service: &str,
        action: &str,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        self.limits.wait(service, action).await;
        match Box::pin(request).await {
            Ok(answer) => {
                self.enabled.fetch_or(error_context::names_region(service), Ordering::Relaxed);
                Ok(answer)
            }
            Err(error) => {
                let failure = classify(service, action, &self.scope.region, &error, self.kind_codes);
                let in_doubt = error_context::is_opt_in(&self.scope.region) && !self.enabled.load(Ordering::Relaxed);
                Err(if in_doubt { error_context::not_enabled(failure) } else { failure })
            }
        }
    }

    /// Sends a request that changes nothing, and retries it while its failure is temporary.
    pub(super) async fn read<T, E, F>(
        &self,
        service: &str,
        action: &str,
        request: impl Fn() -> F + Send,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        SdkError<E, HttpResponse>: RequestId,
    {
        repeat(READ_ATTEMPTS, pause, move || self.send(service, action, request())).await
    }
}

/// Returns a random pause of up to 0.2 s, 0.4 s, 0.8 s, … before the next attempt.
pub(super) fn pause(attempt: u32) -> Duration {
    Duration::from_millis(fastrand::u64(50..=100 << attempt.min(6)))
}
