//! Test doubles that unit tests and integration tests share: an API server, the messages of skipped tests, and the check of
//! generated files.

pub mod fake;
mod generated;
mod skip;
pub mod testbed;

pub use generated::assert_generated;
pub use skip::{skip, skip_without_setup};
