//! Connecting to an account and region.

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::OnceCell;

use super::balancer_listing::BalancerListing;
use super::expected_kinds::ExpectedKinds;
use super::limit::RateLimiter;
use super::removal_queue::RemovalQueue;
use super::shared_reads::SharedReads;
use super::watch::SharedPolls;
use super::zone_listing::SharedListing;
use super::{AwsProvider, ClusterScope, kind, price_list, s3};
use crate::engine::ChangeCounter;

impl AwsProvider {
    /// Connects as `aws-config` resolves credentials, profile and endpoint. `http` replaces the HTTP client.
    ///
    /// Makes no call.
    pub async fn connect(scope: ClusterScope, http: Option<SharedHttpClient>) -> Self {
        let http =
            http.unwrap_or_else(|| Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https());
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_mins(1))
            .build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(scope.region.clone()))
            .http_client(http)
            .timeout_config(timeouts)
            // The engine retries by class, and never sends a creation again without a check.
            .retry_config(RetryConfig::disabled())
            .load()
            .await;
        let prices = aws_sdk_pricing::config::Builder::from(&config);
        let prices = prices.region(Region::new(price_list::endpoint_region(&scope.region))).build();
        Self {
            acm: aws_sdk_acm::Client::new(&config),
            autoscaling: aws_sdk_autoscaling::Client::new(&config),
            ec2: aws_sdk_ec2::Client::new(&config),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            pricing: aws_sdk_pricing::Client::from_conf(prices),
            quotas: aws_sdk_servicequotas::Client::new(&config),
            route53: aws_sdk_route53::Client::new(&config),
            s3: s3::client(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            polls: SharedPolls::default(),
            other_balancers: OnceLock::new(),
            zones: SharedListing::default(),
            reads: SharedReads::default(),
            removals: RemovalQueue::default(),
            balancers: BalancerListing::default(),
            is_shallow: AtomicBool::new(false),
            expected: ExpectedKinds::default(),
            vpc_deleted: AtomicBool::new(false),
            bucket_deleted: AtomicBool::new(false),
            api: tokio::sync::Mutex::default(),
            caller: OnceCell::new(),
            lives: OnceCell::new(),
            enabled: AtomicBool::new(false),
            limits: RateLimiter::default(),
            changes: ChangeCounter::default(),
            kind_codes: kind::class_of,
            drain: OnceLock::new(),
            scope,
        }
    }
}
