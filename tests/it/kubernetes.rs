//! The Kubernetes API of a cluster on moto: the server of the library's own tests, at the end of the way in that the
//! program takes.

use quorate::cli::ByAws;
use quorate::engine::{BoxFuture, Failure};
pub(crate) use quorate::kubernetes::{Access, Entrance, Kubernetes};

#[path = "../../src/kubernetes/fake/mod.rs"]
pub(crate) mod fake;

/// The program's way in, which ends at another server: moto's load balancers lead nowhere.
pub(crate) struct Detour {
    pub(crate) way: ByAws,
    pub(crate) api: Access,
}

impl Entrance for Detour {
    fn access(&self) -> BoxFuture<'_, Result<Option<Access>, Failure>> {
        Box::pin(async move { Ok(self.way.access().await?.map(|_| self.api.clone())) })
    }
}
