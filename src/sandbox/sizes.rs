//! Instance sizes that the simulated region has.

use crate::resource::SizeFacts;
use crate::spec::Architecture::{self, Arm64, X86_64};

/// A family: its name, its architecture, GiB of memory per virtual CPU, and the kind of sizes it has.
struct Family(&'static str, Architecture, u64, Sizes);

enum Sizes {
    /// From `nano`, with memory that does not follow the number of CPUs.
    Burstable,
    /// From `large`.
    Fixed,
}

const FAMILIES: &[Family] = &[
    Family("t3", X86_64, 0, Sizes::Burstable),
    Family("t3a", X86_64, 0, Sizes::Burstable),
    Family("t4g", Arm64, 0, Sizes::Burstable),
    Family("m5", X86_64, 4, Sizes::Fixed),
    Family("m6i", X86_64, 4, Sizes::Fixed),
    Family("m6g", Arm64, 4, Sizes::Fixed),
    Family("m7i", X86_64, 4, Sizes::Fixed),
    Family("m7g", Arm64, 4, Sizes::Fixed),
    Family("c5", X86_64, 2, Sizes::Fixed),
    Family("c6i", X86_64, 2, Sizes::Fixed),
    Family("c6g", Arm64, 2, Sizes::Fixed),
    Family("c7g", Arm64, 2, Sizes::Fixed),
    Family("r5", X86_64, 8, Sizes::Fixed),
    Family("r6i", X86_64, 8, Sizes::Fixed),
    Family("r6g", Arm64, 8, Sizes::Fixed),
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

/// The one burstable family of the generation before, which the tutorial of old uses.
const T2: &[(&str, u32, u64)] = &[
    ("nano", 1, 512),
    ("micro", 1, 1024),
    ("small", 1, 2048),
    ("medium", 2, 4096),
    ("large", 2, 8192),
    ("xlarge", 4, 16_384),
    ("2xlarge", 8, 32_768),
];

/// The zone that has old instances alone.
const OLD_ZONE: &str = "us-east-1e";

/// What is known of an instance size; `None` if the region does not have it.
pub(super) fn size(name: &str) -> Option<SizeFacts> {
    let (family, size) = name.split_once('.')?;
    if family == "t2" {
        return row(T2, size, X86_64);
    }
    let Family(_, architecture, memory, sizes) = FAMILIES.iter().find(|Family(name, ..)| *name == family)?;
    match sizes {
        Sizes::Burstable => row(BURSTABLE, size, *architecture),
        Sizes::Fixed => {
            let (_, vcpus) = FIXED.iter().find(|(name, _)| *name == size)?;
            let memory_mib = u64::from(*vcpus) * memory * 1024;
            Some(SizeFacts { architecture: *architecture, vcpus: *vcpus, memory_mib })
        }
    }
}

/// Whether a zone has instances of a size. One zone of the simulated account is an old one, as in AWS: it has the
/// generation before and no other.
pub(super) fn is_offered(name: &str, zone: &str) -> bool {
    size(name).is_some() && (zone != OLD_ZONE || name.starts_with("t2."))
}

fn row(table: &[(&str, u32, u64)], size: &str, architecture: Architecture) -> Option<SizeFacts> {
    let (_, vcpus, memory_mib) = table.iter().find(|(name, ..)| *name == size)?;
    Some(SizeFacts { architecture, vcpus: *vcpus, memory_mib: *memory_mib })
}
