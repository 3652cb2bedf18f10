//! Why there is no plan.

use crate::engine::{Address, Reference};

/// What should be contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Objects need each other in a circle. Each one needs the next, the last one the first.
    #[error("these objects need each other in a circle: {}", circle(.0))]
    Cycle(Vec<Address>),
    /// An object needs one that is not there.
    #[error("{from} needs {to}, which does not exist")]
    UnknownAddress {
        /// Who needs it.
        from: Address,
        /// What is missing.
        to: Address,
    },
    /// An object refers to something that objects of that kind do not have.
    #[error("{from} refers to {reference}, but a {} has no `{}`", .reference.address.kind(), .reference.output)]
    UnknownOutput {
        /// Who refers to it.
        from: Address,
        /// What is missing.
        reference: Reference,
    },
    /// Two objects have the same address.
    #[error("two objects are called {0}")]
    Twice(Address),
    /// There is no such kind of object.
    #[error("{0} is of a kind that this release does not know")]
    UnknownKind(Address),
}

fn circle(addresses: &[Address]) -> String {
    let closed = addresses.iter().chain(addresses.first());
    closed.map(Address::to_string).collect::<Vec<_>>().join(" -> ")
}
