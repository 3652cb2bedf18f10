//! Quorate turns one version-controlled cluster file into a highly available Kubernetes cluster on AWS.
//!
//! The program is the binary `quorate`; this library is its inside. The path of a plan names the layers:
//!
//! ```text
//! cluster file ──spec──▶ Cluster ──blueprint──▶ desired objects ─┐
//! AWS, Kubernetes ──observe──▶ live objects ─────────────────────┼─engine::plan──▶ Plan ──view──▶ text, JSON
//! S3 ──state──▶ record of the last apply ────────────────────────┘       └─engine::apply──▶ AWS, Kubernetes, record
//! ```
//!
//! # Layers
//!
//! A module uses only modules below it. `docs/architecture.md` has the exact table, and a test holds the source to it.
//!
//! | layer | modules | |
//! |---|---|---|
//! | front door | [`cli`] | arguments, commands, prompts; the only module that reads the environment and prints |
//! | clouds | [`aws`], [`kubernetes`], [`sandbox`] | implementations of [`engine::Provider`] |
//! | state | [`state`], [`store`] | the record and the lease, and the stores that hold them |
//! | output | [`view`], [`health`] | plans, progress, pictures and health checks as text, JSON, Markdown and SVG. Pure |
//! | analysis | [`analysis`] | what a plan means: its cost, and the failures that the cluster survives. Pure |
//! | cluster | [`spec`], [`blueprint`], [`pki`], [`kubeconfig`] | from the file to the desired objects. Pure |
//! | vocabulary | [`resource`] | one type for each kind of object: its attributes, and the effect of a change to each. Pure |
//! | engine | [`engine`] | references, diff, plan, schedule and apply. It knows no kind of object and no cloud |
//!
//! Pure modules have no `async`, no clock, no environment and no SDK.
//!
//! # Where to begin
//!
//! - [`spec::parse`] reads a cluster file, [`blueprint::blueprint`] makes the desired objects, [`engine::plan`] compares
//!   them with the live ones, [`engine::apply`] carries a plan out.
//! - [`engine::Provider`] is the boundary to a cloud.
//! - [`cli::apply`] runs a command from the file to the cloud.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! let file = r#"
//!     name  = "chat.example.com"
//!     state = "s3://state.chat.example.com"
//!     zones = ["us-east-1a", "us-east-1d", "us-east-1f"]
//!
//!     masters {
//!       size = "t3.medium"
//!     }
//!
//!     nodes "workers" {
//!       count = 2
//!       size  = "t3.large"
//!     }
//! "#;
//! let parsed = quorate::spec::parse("cluster.hcl", file, &BTreeMap::new());
//! let cluster = parsed.cluster.expect("the file has no errors");
//! assert_eq!(cluster.masters.zones.len(), 3, "one master in each zone");
//! ```

pub mod analysis;
pub mod aws;
pub mod blueprint;
pub mod cli;
pub mod cloud;
pub mod engine;
pub mod health;
pub mod kubeconfig;
pub mod kubernetes;
pub mod limits;
pub mod pki;
pub mod resource;
pub mod sandbox;
pub mod spec;
pub mod state;
pub mod store;
pub mod view;
pub mod words;

/// Test doubles and helpers that unit tests and integration tests share.
#[cfg(any(test, feature = "test-support"))]
#[doc(hidden)]
pub mod testkit;
