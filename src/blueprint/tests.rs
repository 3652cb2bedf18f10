//! Tests of the whole blueprint. Tests of one part stand beside it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod addons;
pub(super) mod clusters;
mod docs;
mod golden;
mod isolation;
mod limits;
mod problems;
mod scripts;
mod wiring;
