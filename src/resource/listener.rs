//! A port of a load balancer.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput, text};
use crate::engine::Value;
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// A listener that forwards to a target group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Listener {
    /// The load balancer's ARN.
    pub load_balancer: TextInput,
    /// `TCP`, `UDP`, `TCP_UDP` or `TLS`.
    pub protocol: String,
    /// The port that clients connect to.
    pub port: u16,
    /// The target group's ARN.
    pub target_group: TextInput,
    /// The ARN of the certificate that it presents to TLS clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The name of the ELB security policy, which sets the TLS versions and ciphers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_policy: Option<String>,
    /// Tags.
    pub tags: Tags,
}

impl Resource for Listener {
    const KIND: Kind = Kind {
        name: "listener",
        title: "listener",
        attributes: &[
            Attribute::replace("load_balancer"),
            Attribute::update("protocol"),
            Attribute::update("port"),
            Attribute::update("target_group"),
            Attribute::update("certificate"),
            Attribute::update("tls_policy"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern(
            "arn",
            "arn:aws:elasticloadbalancing:{region}:{account}:listener/net/{name}/{hex}/{hex}",
        )],
        data: false,
        shared: false,
        seconds: 2,
    };

    const CALLS: KindCalls = KindCalls {
        read: &["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeTags"],
        create: &["elasticloadbalancing:AddTags", "elasticloadbalancing:CreateListener"],
        update: &[
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:ModifyListener",
            "elasticloadbalancing:RemoveTags",
        ],
        delete: &["elasticloadbalancing:DeleteListener"],
    };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["port"], aws::PORT, aws::code::ELB),
        AttributeLimit::new(&["protocol"], AllowedValue::OneOf(&["TCP", "UDP", "TCP_UDP", "TLS"]), aws::code::ELB),
    ];

    fn summary(new: &NewAttributes<'_>) -> String {
        let certificate = new.get("certificate").and_then(Value::as_text);
        let certificate = certificate.map(|arn| format!(", {}", text::short_id(arn))).unwrap_or_default();
        new.join(&["protocol", "port"]) + &certificate
    }
}
