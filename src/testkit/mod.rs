//! Test doubles that unit tests and integration tests share: an API server, and the messages of skipped tests.

pub mod fake;
mod skip;
pub mod testbed;

pub use skip::{skip, skip_without_setup};
