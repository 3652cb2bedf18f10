//! Quorate turns one version-controlled cluster file into a highly available Kubernetes cluster on AWS.
pub mod aws;
pub mod blueprint;
pub mod cli;
pub mod engine;
pub mod health;
pub mod kubeconfig;
pub mod kubernetes;
pub mod pki;
pub mod resource;
pub mod sandbox;
#[cfg(test)]
#[path = "../tests/it/skip.rs"]
mod skip;
pub mod spec;
pub mod state;
pub mod store;
pub mod view;
pub mod words;
