//! What the user wrote: HCL and TOML become one tree with positions, then a [`Cluster`]. Pure.

mod cluster;

pub use cluster::*;
