//! The limits of AWS objects, as their services document them for new accounts. `resource` applies them to each kind.
//!
//! Sources: the API references of EC2, Auto Scaling, Elastic Load Balancing, IAM, Route 53 and S3 ("Bucket naming rules"),
//! "IAM and AWS STS quotas", "Amazon VPC quotas".

use super::text::{AllowedValue, TextLimit};

/// Maximum number of characters of all inline policies of a role.
pub const INLINE_POLICIES: usize = 10_240;
/// Maximum number of inbound rules, and of outbound rules, of a security group.
pub const SECURITY_GROUP_RULES: usize = 60;
/// Maximum number of machines that have a route in one route table: AWS allows 500 routes (50 before June 2025), and one leads to
/// the internet.
pub const MACHINE_ROUTES: usize = 499;
/// Maximum number of bytes of a machine's user data.
pub const USER_DATA: usize = 16 * 1024;

/// The prefixes of bucket names that S3 reserves.
pub const BUCKET_BEGINNINGS: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
/// The suffixes of bucket names that S3 reserves.
pub const BUCKET_ENDS: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// The limits of the names of each kind of object.
pub mod name {
    use super::super::text::TextLimit;
    use super::{
        domain_form, is_bucket, is_group, is_iam, is_letter_digit_hyphen, is_security, is_template, is_visible,
    };

    /// An Auto Scaling group.
    pub const AUTO_SCALING_GROUP: TextLimit = TextLimit::of(1, 255, is_group);
    /// A bucket.
    pub const BUCKET: TextLimit = TextLimit::of(3, 63, is_bucket).and(super::bucket_form);
    /// The first name of a certificate: as its common name, it has at most 64 characters.
    pub const CERTIFICATE: TextLimit = TextLimit::of(1, 64, is_visible).and(domain_form);
    /// A hosted zone, and a record.
    pub const DOMAIN: TextLimit = TextLimit::of(1, 255, is_visible).and(domain_form);
    /// An instance profile.
    pub const INSTANCE_PROFILE: TextLimit = TextLimit::of(1, 128, is_iam);
    /// A key pair.
    pub const KEY_PAIR: TextLimit = TextLimit::of(1, 255, |c| c.is_ascii() && !c.is_ascii_control());
    /// A launch template.
    pub const LAUNCH_TEMPLATE: TextLimit = TextLimit::of(3, 128, is_template);
    /// A load balancer.
    pub const LOAD_BALANCER: TextLimit = TextLimit::of(1, 32, is_letter_digit_hyphen).and(super::balancer_form);
    /// A role.
    pub const ROLE: TextLimit = TextLimit::of(1, 64, is_iam);
    /// A security group.
    pub const SECURITY_GROUP: TextLimit = TextLimit::of(1, 255, is_security).and(super::security_form);
    /// A target group.
    pub const TARGET_GROUP: TextLimit = TextLimit::of(1, 32, is_letter_digit_hyphen).and(super::hyphen_form);
}

/// The description of a security group's rule.
pub const DESCRIPTION: TextLimit = TextLimit::of(0, 255, is_security);
/// The description of a security group.
pub const GROUP_DESCRIPTION: TextLimit = TextLimit::of(1, 255, is_security);
/// The key of an object in a bucket.
pub const OBJECT_KEY: TextLimit = TextLimit::of(1, 1024, |_| true);
/// The path of a role or an instance profile.
pub const PATH: TextLimit = TextLimit::of(1, 512, |c| ('!'..='\u{7f}').contains(&c)).and(path_form);
/// The host in a rule of a listener.
pub const HOST_PATTERN: TextLimit = TextLimit::of(1, 128, |c| c.is_ascii_alphanumeric() || "-.*?".contains(c));
/// A path in a rule of a listener.
pub const PATH_PATTERN: TextLimit =
    TextLimit::of(1, 128, |c| c.is_ascii_alphanumeric() || "_-.$/~\"'@:+&*?".contains(c));
/// The path that a health check asks for.
pub const URL_PATH: TextLimit = TextLimit::of(1, 1024, |c| c.is_ascii()).and(slash_form);
/// A port.
pub const PORT: AllowedValue = AllowedValue::Number(1, 65_535);

/// The codes with which services refuse a value in general.
pub mod code {
    /// Auto Scaling.
    pub const AUTO_SCALING: &str = "ValidationError";
    /// EC2.
    pub const EC2: &str = "InvalidParameterValue";
    /// Elastic Load Balancing.
    pub const ELB: &str = "ValidationError";
    /// IAM.
    pub const IAM: &str = "ValidationError";
}

fn is_letter_digit_hyphen(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

fn is_iam(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

fn is_security(c: char) -> bool {
    c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c)
}

fn is_template(c: char) -> bool {
    c.is_ascii_alphanumeric() || "().-/_".contains(c)
}

fn is_group(c: char) -> bool {
    ('!'..='~').contains(&c) && c != ':'
}

fn is_visible(c: char) -> bool {
    ('!'..='~').contains(&c)
}

fn is_bucket(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.'
}

fn hyphen_form(name: &str) -> Option<&'static str> {
    (name.starts_with('-') || name.ends_with('-')).then_some("a hyphen at an end")
}

fn balancer_form(name: &str) -> Option<&'static str> {
    hyphen_form(name).or_else(|| name.starts_with("internal-").then_some("`internal-` at its beginning is reserved"))
}

fn security_form(name: &str) -> Option<&'static str> {
    if name.starts_with("sg-") {
        Some("`sg-` at its beginning is reserved")
    } else {
        (name.starts_with(' ') || name.ends_with(' ')).then_some("a space at an end")
    }
}

fn path_form(path: &str) -> Option<&'static str> {
    (!path.starts_with('/') || !path.ends_with('/')).then_some("a path begins and ends with a slash")
}

fn slash_form(path: &str) -> Option<&'static str> {
    (!path.starts_with('/')).then_some("it does not begin with a slash")
}

fn domain_form(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.split('.').any(str::is_empty) {
        Some("a part of it is empty")
    } else {
        name.split('.').any(|label| label.len() > 63).then_some("a part of it has more than 63 characters")
    }
}

fn bucket_form(name: &str) -> Option<&'static str> {
    if name.starts_with(['-', '.']) || name.ends_with(['-', '.']) {
        Some("it has to begin and end with a letter or a digit")
    } else if name.contains("..") {
        Some("two dots beside each other")
    } else if name.parse::<core::net::Ipv4Addr>().is_ok() {
        Some("it has the format of an IP address")
    } else if BUCKET_BEGINNINGS.iter().any(|start| name.starts_with(start)) {
        Some("its beginning is reserved")
    } else {
        BUCKET_ENDS.iter().any(|end| name.ends_with(end)).then_some("its end is reserved")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_at_its_edges() {
        let long = |length: usize| "a".repeat(length);
        let cases: [(&TextLimit, &str, usize); 8] = [
            (&name::AUTO_SCALING_GROUP, "a.b", 255),
            (&name::INSTANCE_PROFILE, "a+=,.@-_b", 128),
            (&name::KEY_PAIR, "a b", 255),
            (&name::LAUNCH_TEMPLATE, "(a)./-_", 128),
            (&name::LOAD_BALANCER, "a-b", 32),
            (&name::ROLE, "a+=,.@-_b", 64),
            (&name::SECURITY_GROUP, "a ._-:/()#,@[]+=&;{}!$*b", 255),
            (&name::TARGET_GROUP, "a-b", 32),
        ];
        for (takes, good, most) in cases {
            assert_eq!(takes.check(good), Ok(()), "{good}");
            assert_eq!(takes.check(&long(most)), Ok(()));
            assert!(takes.check(&long(most + 1)).is_err() && takes.check("").is_err(), "{most}");
            assert!(takes.check("aéb").is_err());
        }
        for (takes, bad) in [
            (&name::AUTO_SCALING_GROUP, "a:b"),
            (&name::AUTO_SCALING_GROUP, "a b"),
            (&name::LAUNCH_TEMPLATE, "ab"),
            (&name::LOAD_BALANCER, "-a"),
            (&name::LOAD_BALANCER, "a."),
            (&name::LOAD_BALANCER, "internal-a"),
            (&name::TARGET_GROUP, "a-"),
            (&name::SECURITY_GROUP, "sg-a"),
            (&name::SECURITY_GROUP, "a\""),
            (&name::ROLE, "a/b"),
        ] {
            assert!(takes.check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_buckets() {
        for good in ["abc", "a.b-c", "state.chat.example.com", "123", "1.2.3"] {
            assert_eq!(name::BUCKET.check(good), Ok(()), "{good}");
        }
        for bad in ["ab", "Abc", "a_b", "-ab", "ab-", "a..b", "1.2.3.4", "xn--a", "sthree-a", "a--ol-s3", "a-s3alias"] {
            assert!(name::BUCKET.check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_domains() {
        let label = |length: usize| "a".repeat(length);
        assert_eq!(name::DOMAIN.check(&format!("{}.com", label(63))), Ok(()));
        assert!(name::DOMAIN.check(&format!("{}.com", label(64))).is_err());
        assert!(name::DOMAIN.check("a..com").is_err());
        assert!(name::DOMAIN.check(&[label(63), label(63), label(63), label(63), "a".to_owned()].join(".")).is_err());
    }
}
