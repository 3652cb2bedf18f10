//! The partitions of AWS: groups of regions with ARNs, endpoints and identities of their own.

/// A partition of AWS, derived from a region's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwsPartition {
    /// Every region that is in no other partition.
    Commercial,
    /// The regions in China: `cn-north-1`, `cn-northwest-1`.
    China,
    /// AWS `GovCloud` (US): `us-gov-east-1`, `us-gov-west-1`.
    GovCloud,
    /// The AWS European Sovereign Cloud: `eusc-de-east-1`.
    Europe,
}

impl AwsPartition {
    /// Returns the partition of a region.
    pub fn of(region: &str) -> Self {
        match region {
            region if region.starts_with("cn-") => Self::China,
            region if region.starts_with("us-gov-") => Self::GovCloud,
            region if region.starts_with("eusc-") => Self::Europe,
            _ => Self::Commercial,
        }
    }

    /// Returns the partition's name in ARNs: `arn:aws-cn:…`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Commercial => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
            Self::Europe => "aws-eusc",
        }
    }

    /// Returns the domain of the names of endpoints and load balancers.
    pub fn domain(self) -> &'static str {
        match self {
            Self::Commercial | Self::GovCloud => "amazonaws.com",
            Self::China => "amazonaws.com.cn",
            Self::Europe => "amazonaws.eu",
        }
    }

    /// Returns the service principal of EC2 for a role's trust policy.
    ///
    /// Names of services are the same in every partition, but EC2's is one of the few that differ in China
    /// ("AWS service principals" in the IAM user guide of China).
    pub fn ec2(self) -> &'static str {
        match self {
            Self::China => "ec2.amazonaws.com.cn",
            Self::Commercial | Self::GovCloud | Self::Europe => "ec2.amazonaws.com",
        }
    }

    /// Converts a pattern of the vocabulary, which is written for [`AwsPartition::Commercial`], to this partition.
    pub fn pattern(self, pattern: &str) -> String {
        let arn = format!("arn:{}:", self.id());
        pattern.replace("arn:aws:", &arn).replace(Self::Commercial.domain(), self.domain())
    }
}

#[cfg(test)]
mod tests {
    use super::AwsPartition::{self, China, Commercial, Europe, GovCloud};

    #[test]
    fn a_region_determines_its_partition() {
        for (region, wanted) in [
            ("us-east-1", Commercial),
            ("sa-east-1", Commercial),
            ("cn-north-1", China),
            ("cn-northwest-1", China),
            ("us-gov-west-1", GovCloud),
            ("us-gov-east-1", GovCloud),
            ("eusc-de-east-1", Europe),
        ] {
            assert_eq!(AwsPartition::of(region), wanted, "{region}");
        }
    }

    #[test]
    fn patterns_use_the_names_of_the_partition() {
        let arn = "arn:aws:iam::{account}:role/quorate/{name}";
        assert_eq!(Commercial.pattern(arn), arn);
        assert_eq!(GovCloud.pattern(arn), "arn:aws-us-gov:iam::{account}:role/quorate/{name}");
        let name = "{name}-{hex}.elb.{region}.amazonaws.com";
        assert_eq!(China.pattern(name), "{name}-{hex}.elb.{region}.amazonaws.com.cn");
        assert_eq!(GovCloud.pattern(name), name);
    }
}
