//! Rate limits: one token bucket per API action, so that AWS does not throttle the calls.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The rate of an action: a burst, then a number of calls per second.
#[derive(Debug, Clone, Copy, PartialEq)]
struct RateLimit {
    burst: f64,
    per_second: f64,
}

/// Returns `true` if an action changes nothing.
pub(super) fn is_read(action: &str) -> bool {
    ["Describe", "Get", "Head", "List"].iter().any(|verb| action.starts_with(verb))
}

/// Returns EC2's documented default limits, a little below ELB's and Auto Scaling's, and Route 53's for the whole account.
fn rate(service: &str, action: &str) -> RateLimit {
    let (burst, per_second) = match (service, is_read(action)) {
        ("s3", _) => (200.0, 200.0),
        ("ec2", true) => (100.0, 20.0),
        ("ec2", false) => (50.0, 5.0),
        ("iam", _) => (20.0, 10.0),
        ("route53", _) => (5.0, 5.0),
        _ => (40.0, 10.0),
    };
    RateLimit { burst, per_second }
}

#[derive(Debug)]
struct TokenBucket {
    tokens: f64,
    at: Instant,
}

/// The buckets of all actions that were called.
#[derive(Debug, Default)]
pub(super) struct RateLimiter {
    buckets: Mutex<HashMap<String, TokenBucket>>,
}

impl RateLimiter {
    /// Waits until the action may be called.
    pub(super) async fn wait(&self, service: &str, action: &str) {
        let pause = self.take(service, action, Instant::now());
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    /// Takes a token, on credit if there is none, and returns the time until it is available.
    fn take(&self, service: &str, action: &str, now: Instant) -> Duration {
        let rate = rate(service, action);
        // Route 53 counts all calls of an account together.
        let key = if service == "route53" { service.to_owned() } else { format!("{service}:{action}") };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(key).or_insert(TokenBucket { tokens: rate.burst, at: now });
        let gained = now.duration_since(bucket.at).as_secs_f64() * rate.per_second;
        bucket.tokens = (bucket.tokens + gained).min(rate.burst) - 1.0;
        bucket.at = now;
        Duration::from_secs_f64((-bucket.tokens / rate.per_second).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_then_the_rate_holds() {
        let limits = RateLimiter::default();
        let start = Instant::now();
        for _ in 0..50 {
            limits.wait("ec2", "CreateSubnet").await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            limits.wait("ec2", "CreateSubnet").await;
        }
        assert!(start.elapsed() >= Duration::from_millis(1990), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn actions_do_not_wait_for_each_other_except_at_route_53() {
        let limits = RateLimiter::default();
        let start = Instant::now();
        for action in ["CreateVpc", "CreateSubnet"] {
            for _ in 0..50 {
                limits.wait("ec2", action).await;
            }
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for action in ["ListHostedZones", "GetHostedZone"] {
            for _ in 0..5 {
                limits.wait("route53", action).await;
            }
        }
        assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
    }
}
