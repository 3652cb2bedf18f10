//! Quotas of an account in a region.

/// A quota of an account in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountQuota {
    /// Virtual CPUs of running on-demand instances of the standard families.
    StandardVcpus,
    /// Virtual private clouds.
    Vpcs,
    /// Internet gateways.
    InternetGateways,
    /// Network load balancers.
    NetworkLoadBalancers,
    /// Application load balancers.
    ApplicationLoadBalancers,
    /// Elastic IP addresses.
    ElasticIps,
    /// Inbound rules of a security group.
    SecurityGroupRules,
    /// Routes of a route table.
    Routes,
}

/// Instance families with quotas of their own, by their letters before the generation ("Amazon EC2 instance type quotas").
const OTHER_FAMILIES: &[&str] = &["dl", "f", "g", "gr", "hpc", "inf", "mac", "p", "trn", "u", "vt", "x"];

impl AccountQuota {
    /// Every quota that a cluster needs a part of.
    pub const ALL: [Self; 8] = [
        Self::StandardVcpus,
        Self::Vpcs,
        Self::InternetGateways,
        Self::NetworkLoadBalancers,
        Self::ApplicationLoadBalancers,
        Self::ElasticIps,
        Self::SecurityGroupRules,
        Self::Routes,
    ];

    /// Returns the value that every account has at least; `None` if new accounts have less than the documented default.
    pub fn usual(self) -> Option<u64> {
        match self {
            Self::StandardVcpus => None,
            Self::Vpcs | Self::InternetGateways | Self::ElasticIps => Some(5),
            Self::SecurityGroupRules => Some(60),
            // The default of routes is 500 since June 2025, but not everywhere.
            Self::NetworkLoadBalancers | Self::ApplicationLoadBalancers | Self::Routes => Some(50),
        }
    }

    /// Returns its service and its code in Service Quotas.
    pub fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::StandardVcpus => ("ec2", "L-1216C47A"),
            Self::Vpcs => ("vpc", "L-F678F1CE"),
            Self::InternetGateways => ("vpc", "L-A4707A72"),
            Self::NetworkLoadBalancers => ("elasticloadbalancing", "L-69A177A2"),
            Self::ApplicationLoadBalancers => ("elasticloadbalancing", "L-53DA6B97"),
            Self::ElasticIps => ("ec2", "L-0263D0A3"),
            Self::SecurityGroupRules => ("vpc", "L-0EA8095F"),
            Self::Routes => ("vpc", "L-93826ACB"),
        }
    }

    /// Returns the noun for a number of what it limits.
    pub fn noun(self) -> &'static str {
        match self {
            Self::StandardVcpus => "vCPU",
            Self::Vpcs => "VPC",
            Self::InternetGateways => "internet gateway",
            Self::NetworkLoadBalancers => "network load balancer",
            Self::ApplicationLoadBalancers => "application load balancer",
            Self::ElasticIps => "Elastic IP address",
            Self::SecurityGroupRules => "inbound rule",
            Self::Routes => "route",
        }
    }

    /// Returns the object that has the quota; `None` if the objects of the region share it.
    pub fn holder(self) -> Option<&'static str> {
        match self {
            Self::SecurityGroupRules => Some("security group"),
            Self::Routes => Some("route table"),
            _ => None,
        }
    }

    /// Returns `true` if instances of this type count against [`AccountQuota::StandardVcpus`].
    pub fn is_standard(instance_type: &str) -> bool {
        let family: String = instance_type.chars().take_while(char::is_ascii_lowercase).collect();
        !OTHER_FAMILIES.contains(&family.as_str())
    }
}

/// The part of a quota that a cluster needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaNeed {
    /// What it needs with as few machines as its node groups may have.
    pub now: u64,
    /// What it needs with as many, and with those that a roll adds.
    pub at_most: u64,
}

#[cfg(test)]
mod tests {
    use super::AccountQuota;

    #[test]
    fn families_with_quotas_of_their_own_are_not_standard() {
        for standard in ["t3.medium", "m7gd.large", "c6i.large", "d3.xlarge", "h1.2xlarge", "im4gn.large", "z1d.large"]
        {
            assert!(AccountQuota::is_standard(standard), "{standard}");
        }
        for other in [
            "g5.xlarge",
            "gr6.4xlarge",
            "p4d.24xlarge",
            "inf2.xlarge",
            "x2gd.medium",
            "dl1.24xlarge",
            "u7i-12tb.224xlarge",
            "hpc7g.4xlarge",
        ] {
            assert!(!AccountQuota::is_standard(other), "{other}");
        }
    }
}
