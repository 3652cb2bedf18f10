//! Quorate turns one version-controlled cluster file into a highly available Kubernetes cluster on AWS.
pub mod engine;
pub mod resource;
pub mod spec;
pub mod view;
