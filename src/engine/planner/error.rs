//! Errors of planning.

use crate::engine::{Address, Reference};

/// A contradiction in the wanted objects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Objects depend on each other in a cycle. Each one needs the next, the last one the first.
    #[error("these objects need each other in a circle: {}", circle(.0))]
    Cycle(Vec<Address>),
    /// An object needs one that does not exist.
    #[error("{from} needs {to}, which does not exist")]
    UnknownAddress {
        /// The object that needs it.
        from: Address,
        /// The missing object.
        to: Address,
    },
    /// An object refers to an output that objects of that kind do not have.
    #[error("{from} refers to {reference}, but a {} has no `{}`", .reference.address.kind(), .reference.output)]
    UnknownOutput {
        /// The object that refers to it.
        from: Address,
        /// The missing output.
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
