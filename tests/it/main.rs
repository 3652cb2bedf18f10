//! The whole road, from a cluster file to an empty account: in the sandbox, and on an AWS that we did not write.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod access;
mod budget;
mod change;
mod fault;
mod house;
mod moto;
mod node;
mod program;
mod road;
mod shell;
mod stage;
mod wire;
