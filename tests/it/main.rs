//! End-to-end tests, from a cluster file to an empty account: in the sandbox, and on moto, an AWS that we did not write.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

// The API server of tests is the library's own, and speaks of the library as the library does.
use quorate::resource;

mod access;
mod alike;
mod budget;
mod change;
mod controllers;
mod examples;
mod fault;
mod house;
mod kubernetes;
mod moto;
mod node;
mod prices;
mod program;
mod relocate;
mod road;
mod shell;
mod skip;
mod stage;
mod together;
mod wire;
