//! The evaluation of a caller's permissions, without a call that would use them.

use std::collections::BTreeMap;

use crate::engine::{BoxFuture, Failure};
use crate::resource::{PermissionCheck, RefusedBy};

/// The permissions of the caller.
pub trait PermissionSimulator: Send + Sync {
    /// Returns the ARN of the user or role whose policies apply to the caller; `None` for the root user of the account, whom no
    /// policy limits.
    fn principal(&self) -> BoxFuture<'_, Result<Option<String>, Failure>>;

    /// Returns the actions that a principal may not use.
    fn refused<'a>(
        &'a self,
        principal: &'a str,
        checks: &'a [PermissionCheck],
    ) -> BoxFuture<'a, Result<BTreeMap<String, RefusedBy>, Failure>>;
}
