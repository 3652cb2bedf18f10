//! End-to-end tests, from a cluster file to an empty account: in the sandbox, and on moto, an AWS that we did not write.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod alike;
mod answers;
mod budget;
mod change;
mod controllers;
mod docs;
mod doctor;
mod examples;
mod fault;
mod gitops;
mod house;
mod killed;
mod kubernetes;
mod machine_logs;
mod moto;
mod node;
mod permissions;
mod plan_json;
mod price_list;
mod prices;
mod program;
mod relocate;
mod shell;
mod stage;
mod together;
mod web;
mod wire;
mod workflow;
