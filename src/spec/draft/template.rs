//! The order and the comments of the settings in a written file.

/// A block of the file, or its top level.
pub(super) struct TemplateBlock {
    /// The name; empty for the top level.
    pub(super) name: &'static str,
    /// The comment above the block.
    pub(super) comment: &'static str,
    /// `true` if the block is shown as a comment while nothing in it is set.
    pub(super) sample: bool,
    pub(super) rows: &'static [TemplateRow],
}

/// A setting.
pub(super) struct TemplateRow {
    /// The name. A dot separates the name of an inner block: `root.gib`.
    pub(super) name: &'static str,
    /// The comment above the setting.
    pub(super) comment: &'static str,
    /// The value that is shown as a comment while the setting is not set; empty to leave the setting out. The text is the
    /// same in HCL and TOML.
    pub(super) sample: &'static str,
}

const fn row(name: &'static str, comment: &'static str, sample: &'static str) -> TemplateRow {
    TemplateRow { name, comment, sample }
}

/// The top level.
pub(super) static TOP: TemplateBlock = TemplateBlock {
    name: "",
    comment: "",
    sample: false,
    rows: &[
        row("name", "The cluster's DNS name. Another name is another cluster.", ""),
        row("state", "The location of the record of what was applied. `quorate apply` creates the bucket.", ""),
        row("zones", "The availability zones, all of one region. Masters and nodes are spread over them.", ""),
        row(
            "account",
            "The only AWS account that this file may be applied to. Default: any account.",
            "\"123456789012\"",
        ),
        row(
            "kubernetes",
            "The Kubernetes minor version. Default: 1.36; an existing cluster keeps its version.",
            "\"1.36\"",
        ),
        row("tags", "Tags on every AWS object of the cluster.", "{ team = \"chat\" }"),
        row(
            "ssm",
            "`false`: the machines get no permission for Systems Manager, and `quorate shell` is refused. Default: `true`.",
            "",
        ),
    ],
};

/// The control plane.
pub(super) static MASTERS: TemplateBlock = TemplateBlock {
    name: "masters",
    comment: "The control plane.",
    sample: false,
    rows: &[
        row("count", "1, 3, 5 or 7. Three in three zones survive the loss of any one zone.", ""),
        row("size", "The instance size of every master.", ""),
        row("image", "Your own machine image. Default: Amazon Linux 2023.", ""),
        row("zones", "The zone of each master.", ""),
        row("root.gib", "The root volume of each master, in GiB. Default: 30.", ""),
        row("etcd.gib", "The etcd volume of each master, in GiB. It outlives its machine. Default: 20.", ""),
    ],
};

/// A node group.
pub(super) static NODES: TemplateBlock = TemplateBlock {
    name: "nodes",
    comment: "A group of equal nodes. A file can have several, each with its own name.",
    sample: false,
    rows: &[
        row("count", "The number of nodes. With `min` and `max` instead, an autoscaler sets the number.", ""),
        row("min", "The fewest nodes; an autoscaler sets the number.", ""),
        row("max", "The most nodes.", ""),
        row("size", "The instance size of every node.", ""),
        row("sizes", "The instance sizes that nodes may have, the preferred one first.", ""),
        row("spot", "`true`: Spot Instances, which AWS can take back with a notice of two minutes.", ""),
        row("spot.on_demand_base", "Spot Instances: the number of On-Demand Instances before any of them.", ""),
        row("spot.on_demand_percent", "Spot Instances: the percentage of On-Demand Instances above that.", ""),
        row("labels", "The labels of the nodes.", ""),
        row("taints", "The taints of the nodes: only pods that tolerate them run there.", ""),
        row("kubelet.max_pods", "The most pods on a node. Default: 110.", ""),
        row("image", "Your own machine image. Default: Amazon Linux 2023.", ""),
        row("zones", "The zones of the group. Default: all zones of the cluster.", ""),
        row("root.gib", "The root volume of each node, in GiB. Default: 60.", ""),
    ],
};

/// The blocks after the node groups.
pub(super) static REST: [TemplateBlock; 5] = [
    TemplateBlock {
        name: "network",
        comment: "Address ranges, and the network plugin. They cannot be changed later.",
        sample: false,
        rows: &[
            row("cidr", "The range of the VPC.", ""),
            row("pods", "The addresses of pods.", ""),
            row("services", "The addresses of services.", ""),
            row("plugin", "`routes`: the VPC's route table. `none`: you install a CNI yourself.", ""),
            row("subnets", "The range of each zone's public subnet.", ""),
            row("topology", "`private`: machines have no public address. Default: `public`.", ""),
            row("nat", "The NAT gateways of private machines: `regional`, `per_zone`, `shared` or `none`.", ""),
            row("private_subnets", "The range of each zone's private subnet.", ""),
        ],
    },
    TemplateBlock {
        name: "api",
        comment: "Access to the Kubernetes API. Default: nobody; `quorate access open` opens it for a limited time.",
        sample: true,
        rows: &[row("allow", "The address ranges that may connect.", "[\"203.0.113.7/32\"]")],
    },
    TemplateBlock {
        name: "ssh",
        comment: "SSH access to the machines.",
        sample: false,
        rows: &[
            row("allow", "The address ranges that may connect. They need a `public_key`, too.", ""),
            row("public_key", "The public key of the user `ec2-user`.", ""),
        ],
    },
    TemplateBlock {
        name: "require",
        comment: "Requirements of every plan: a plan that does not meet them is refused.",
        sample: true,
        rows: &[row("survives", "The failure that the cluster must survive: `machine` or `zone`.", "\"zone\"")],
    },
    TemplateBlock {
        name: "dns",
        comment: "Names in Route 53. Default: the account's public zone that the cluster's name ends in, if there is one.",
        sample: true,
        rows: &[
            row("zone", "The public hosted zone of the cluster's names.", "\"example.com\""),
            row("public", "`false`: no public names. The API is reached by the name of its load balancer.", ""),
        ],
    },
];
