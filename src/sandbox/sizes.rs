//! Instance sizes that the simulated region has.

use crate::resource::SizeFacts;
use crate::spec::Architecture::{self, Arm64, X86_64};

/// A family: its name, its architecture, GiB of memory per virtual CPU, and the kind of sizes it has.
struct SizeFamily(&'static str, Architecture, u64, FamilySizes);

enum FamilySizes {
    /// From `nano`, with memory that does not follow the number of CPUs.
    Burstable,
    /// From `large`.
    Fixed,
}

const FAMILIES: &[SizeFamily] = &[
    SizeFamily("t3", X86_64, 0, FamilySizes::Burstable),
    SizeFamily("t3a", X86_64, 0, FamilySizes::Burstable),
    SizeFamily("t4g", Arm64, 0, FamilySizes::Burstable),
    SizeFamily("m5", X86_64, 4, FamilySizes::Fixed),
    SizeFamily("m6i", X86_64, 4, FamilySizes::Fixed),
    SizeFamily("m6g", Arm64, 4, FamilySizes::Fixed),
    SizeFamily("m7i", X86_64, 4, FamilySizes::Fixed),
    SizeFamily("m7g", Arm64, 4, FamilySizes::Fixed),
    SizeFamily("c5", X86_64, 2, FamilySizes::Fixed),
    SizeFamily("c6i", X86_64, 2, FamilySizes::Fixed),
    SizeFamily("c6g", Arm64, 2, FamilySizes::Fixed),
    SizeFamily("c7g", Arm64, 2, FamilySizes::Fixed),
    SizeFamily("r5", X86_64, 8, FamilySizes::Fixed),
    SizeFamily("r6i", X86_64, 8, FamilySizes::Fixed),
    SizeFamily("r6g", Arm64, 8, FamilySizes::Fixed),
];

/// Size, virtual CPUs, MiB.
const BURSTABLE: &[(&str, u32, u64)] = &[
    ("nano", 2, 512),
    ("micro", 2, 1024),
    ("small", 2, 2048),
    ("medium", 2, 4096),
    ("large", 2, 8192),
    ("xlarge", 4, 16_384),
    ("2xlarge", 8, 32_768),
];

/// Size, virtual CPUs.
const FIXED: &[(&str, u32)] = &[
    ("large", 2),
    ("xlarge", 4),
    ("2xlarge", 8),
    ("4xlarge", 16),
    ("8xlarge", 32),
    ("12xlarge", 48),
    ("16xlarge", 64),
];

/// The one burstable family of the previous generation, which the old tutorial uses.
const T2: &[(&str, u32, u64)] = &[
    ("nano", 1, 512),
    ("micro", 1, 1024),
    ("small", 1, 2048),
    ("medium", 2, 4096),
    ("large", 2, 8192),
    ("xlarge", 4, 16_384),
    ("2xlarge", 8, 32_768),
];

/// The zone that has only old instances.
const OLD_ZONE: &str = "us-east-1e";

/// Returns the facts of an instance size; `None` if the region does not have it.
pub(super) fn size(name: &str) -> Option<SizeFacts> {
    let (family, size) = name.split_once('.')?;
    if family == "t2" {
        return row(T2, size, X86_64);
    }
    let SizeFamily(_, architecture, memory, sizes) = FAMILIES.iter().find(|SizeFamily(name, ..)| *name == family)?;
    match sizes {
        FamilySizes::Burstable => row(BURSTABLE, size, *architecture),
        FamilySizes::Fixed => {
            let (_, vcpus) = FIXED.iter().find(|(name, _)| *name == size)?;
            let memory_mib = u64::from(*vcpus) * memory * 1024;
            Some(SizeFacts { architecture: *architecture, vcpus: *vcpus, memory_mib })
        }
    }
}

/// Returns `true` if a zone has instances of a size. One zone of the simulated account is an old one, as in AWS: it has the
/// previous generation and no other.
pub(super) fn is_offered(name: &str, zone: &str) -> bool {
    size(name).is_some() && (zone != OLD_ZONE || name.starts_with("t2."))
}

fn row(table: &[(&str, u32, u64)], size: &str, architecture: Architecture) -> Option<SizeFacts> {
    let (_, vcpus, memory_mib) = table.iter().find(|(name, ..)| *name == size)?;
    Some(SizeFacts { architecture, vcpus: *vcpus, memory_mib: *memory_mib })
}
