//! Names that AWS accepts: of valid length and characters, and different where an object is replaced.

use sha2::{Digest, Sha256};

use crate::limits::aws::name as limits;
use crate::resource::balancer_stem;

/// Number of hexadecimal digits of a hash in a name.
const DIGITS: usize = 8;

/// The longest name of an Auto Scaling group.
pub(super) const AUTO_SCALING_GROUP: usize = limits::AUTO_SCALING_GROUP.most;
/// The longest name of an instance profile.
pub(super) const INSTANCE_PROFILE: usize = limits::INSTANCE_PROFILE.most;
/// The longest name of a key pair.
pub(super) const KEY_PAIR: usize = limits::KEY_PAIR.most;
/// The longest name of a launch template.
pub(super) const LAUNCH_TEMPLATE: usize = limits::LAUNCH_TEMPLATE.most;
/// The longest name of a load balancer.
pub(super) const LOAD_BALANCER: usize = limits::LOAD_BALANCER.most;
/// The longest name of a role.
pub(super) const ROLE: usize = limits::ROLE.most;
/// The longest name of a security group.
pub(super) const SECURITY_GROUP: usize = limits::SECURITY_GROUP.most;
/// The longest name of a target group.
pub(super) const TARGET_GROUP: usize = limits::TARGET_GROUP.most;

/// Returns the SHA-256 of some bytes in hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Returns a short hash of several texts; the boundaries between them count.
pub(super) fn short_hash(parts: &[&str]) -> String {
    let mut hash = sha256(parts.join("\0").as_bytes());
    hash.truncate(DIGITS);
    hash
}

/// Returns the text as it is, or shortened with a hash if it is longer than `most`.
pub(super) fn fitted(text: &str, most: usize) -> String {
    if text.len() <= most { text.to_owned() } else { with_hash(text, &short_hash(&[text]), most) }
}

/// Returns a name that changes whenever one of `fixed` does: the values that cannot be changed about the object.
///
/// AWS replaces such an object by making the new one first, and both cannot have the same name at once.
pub(super) fn hashed(stem: &str, fixed: &[&str], most: usize) -> String {
    let mut parts = vec![stem];
    parts.extend(fixed);
    with_hash(stem, &short_hash(&parts), most)
}

/// Returns the name of a load balancer or a target group, unique in the region, with the prefix of the cluster's names:
/// `chat-1a2b3c-nginx-4d5e6f70`.
pub(super) fn regional(cluster: &str, object: &str, fixed: &[&str], most: usize) -> String {
    let mut parts = vec![cluster];
    parts.extend(fixed);
    hashed(&format!("{}{object}", balancer_stem(cluster)), &parts, most)
}

/// Replaces dots by hyphens; adds a hash where another text could become the same one.
pub(super) fn dashed(text: &str, most: usize) -> String {
    let plain = text.replace('.', "-");
    if text.contains('-') || plain.len() > most { with_hash(&plain, &short_hash(&[text]), most) } else { plain }
}

/// Returns `stem-hash`; the stem is shortened where the name would be too long. Names are ASCII.
fn with_hash(stem: &str, hash: &str, most: usize) -> String {
    let room = most.saturating_sub(hash.len() + 1);
    let cut: String = stem.chars().take(room).collect();
    format!("{}-{hash}", cut.trim_end_matches(['-', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (a, b) = (fitted(&"a".repeat(70), 64), fitted(&"a".repeat(71), 64));
        assert_eq!((a.len(), b.len()), (64, 64));
        assert_ne!(a, b);
        assert_eq!(fitted("short", 64), "short");
    }

    #[test]
    fn a_hash_in_a_name_follows_what_is_fixed() {
        assert_ne!(hashed("api", &["TCP", "6443"], 32), hashed("api", &["TCP", "443"], 32));
        assert_ne!(hashed("api", &["TC", "P6443"], 32), hashed("api", &["TCP", "6443"], 32), "parts have ends");
        assert_eq!(hashed("api", &["TCP"], 32), hashed("api", &["TCP"], 32));
    }

    #[test]
    fn different_clusters_never_share_a_dashed_name() {
        assert_eq!(dashed("chat.poeticoding.com", 42), "chat-poeticoding-com");
        assert_ne!(dashed("a-b.c", 42), dashed("a.b-c", 42));
    }

    #[test]
    fn no_hyphens_meet_where_a_name_is_cut() {
        assert!(!hashed("abcdefghijklmnopqrstuv-wxyz", &[], 32).contains("--"));
    }

    #[test]
    fn sha256_is_the_usual_one() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
