//! A port of an application load balancer.

use serde::{Deserialize, Serialize};

use super::{Attribute, Kind, KindCalls, NewAttributes, OutputSpec, Resource, Tags, TextInput};
use crate::limits::{AllowedValue, AttributeLimit, aws};

/// A listener of an application load balancer. Its rules select the services; a request that fits none of them gets the
/// default action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpListener {
    /// The load balancer's ARN.
    pub load_balancer: TextInput,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The port that clients connect to.
    pub port: u16,
    /// The action for requests that fit no rule: [`Self::REDIRECT`] or [`Self::NOT_FOUND`].
    pub default_action: String,
    /// The ARN of the certificate for clients that name no other host, or none at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<TextInput>,
    /// The ARNs of further certificates: clients get the one for the host that they name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_certificates: Vec<TextInput>,
    /// The name of the ELB security policy, which sets the TLS versions and ciphers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_policy: Option<String>,
    /// Tags.
    pub tags: Tags,
}

impl HttpListener {
    /// The action that sends clients to the same address by HTTPS.
    pub const REDIRECT: &str = "redirect to https";
    /// The action that answers with the status 404.
    pub const NOT_FOUND: &str = "respond 404";
}

impl Resource for HttpListener {
    const KIND: Kind = Kind {
        name: "http-listener",
        title: "listener",
        attributes: &[
            Attribute::replace("load_balancer"),
            Attribute::update("protocol"),
            Attribute::update("port"),
            Attribute::update("default_action"),
            Attribute::update("certificate"),
            Attribute::update("more_certificates").set().pruned(),
            Attribute::update("tls_policy"),
            Attribute::update("tags").tags(),
        ],
        outputs: &[OutputSpec::pattern(
            "arn",
            "arn:aws:elasticloadbalancing:{region}:{account}:listener/app/{name}/{hex}/{hex}",
        )],
        data: false,
        shared: false,
        seconds: 2,
    };

    const CALLS: KindCalls = KindCalls {
        read: &[
            "elasticloadbalancing:DescribeListenerCertificates",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeTags",
        ],
        create: &[
            "elasticloadbalancing:AddListenerCertificates",
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:CreateListener",
        ],
        update: &[
            "elasticloadbalancing:AddListenerCertificates",
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:ModifyListener",
            "elasticloadbalancing:RemoveListenerCertificates",
            "elasticloadbalancing:RemoveTags",
        ],
        delete: &["elasticloadbalancing:DeleteListener"],
    };

    const LIMITS: &'static [AttributeLimit] = &[
        AttributeLimit::new(&["port"], aws::PORT, aws::code::ELB),
        AttributeLimit::new(&["protocol"], AllowedValue::OneOf(&["HTTP", "HTTPS"]), aws::code::ELB),
    ];

    fn summary(new: &NewAttributes<'_>) -> String {
        new.join(&["protocol", "port"])
    }
}
