//! The commands of the pages that are not run, and what there is before the commands that are.

/// What there is before the commands of a block are run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene {
    /// The page.
    pub(super) page: &'static str,
    /// The first line of the block, or its beginning.
    pub(super) begin: &'static str,
    /// Commands of bash that are run before, in the directory of the commands: it has the file of the tutorial.
    pub(super) before: &'static str,
    /// The command whose output a block of the language `text` shows.
    pub(super) shows: &'static str,
    /// The exit codes of the commands that do not end with 0, by the beginning of the command.
    pub(super) exits: &'static [(&'static str, i32)],
}

const SCENE: Scene = Scene { page: "", begin: "", before: "", shows: "", exits: &[] };

const APPLIED: &str = "quorate apply";
/// Twice as many nodes.
const GROWN: &str = "quorate apply; sed -i 's/count = 2/count = 4/' cluster.hcl";
/// A service with one pod, and then larger machines.
const LARGER_WITH_REDIS: &str = r#"
    printf 'service "redis" {\n  image = "redis:7"\n  port  = 6379\n}\n' >> cluster.hcl
    quorate apply
    sed -i 's/t3.medium/t3.large/' cluster.hcl
"#;
const CHAT_WITH_REDIS: &str = "cp examples/phoenix-chat-redis/cluster.hcl .";
const NEW_IMAGES: &str = "quorate apply; quorate sandbox publish-images";

/// The scenes. A block without one is run beside the file of the tutorial, before the first apply.
pub(super) const SCENES: &[Scene] = &[
    Scene { page: "README.md", begin: "$ quorate plan", before: APPLIED, ..SCENE },
    Scene { page: "docs/access.md", begin: "$ quorate kubeconfig", before: APPLIED, ..SCENE },
    Scene { page: "docs/access.md", begin: "$ quorate access open", before: APPLIED, ..SCENE },
    Scene { page: "docs/availability.md", begin: "Availability: does not", shows: "quorate plan", ..SCENE },
    Scene {
        page: "docs/availability.md",
        begin: "During the apply: service redis",
        before: LARGER_WITH_REDIS,
        shows: "quorate plan",
        ..SCENE
    },
    Scene {
        page: "docs/availability.md",
        begin: "$ quorate apply --require zone",
        exits: &[("quorate apply", 4)],
        ..SCENE
    },
    Scene { page: "docs/commands.md", begin: "quorate init --name", before: "rm cluster.hcl", ..SCENE },
    Scene { page: "docs/commands.md", begin: "kops get", before: "rm cluster.hcl", ..SCENE },
    Scene {
        page: "docs/commands.md",
        begin: "warning: the cluster of kops",
        shows: "kops get shop.example.com -o yaml | quorate init --stdout --from-kops -",
        ..SCENE
    },
    Scene { page: "docs/cost.md", begin: "$ quorate cost", before: CHAT_WITH_REDIS, ..SCENE },
    Scene { page: "docs/cost.md", begin: "Cost: ", before: GROWN, shows: "quorate plan", ..SCENE },
    Scene {
        page: "docs/cost.md",
        begin: "$ quorate apply --max-monthly-cost",
        before: GROWN,
        exits: &[("quorate apply", 4)],
        ..SCENE
    },
    Scene {
        page: "docs/cost.md",
        begin: "data/prices",
        before: "cp \"$QUORATE_REPOSITORY/data/prices.toml\" .",
        ..SCENE
    },
    Scene {
        page: "docs/duration.md",
        begin: "Time: about",
        before: "quorate apply; sed -i 's/t3.medium/t3.large/' cluster.hcl",
        shows: "quorate plan",
        ..SCENE
    },
    Scene { page: "docs/gitops.md", begin: "quorate plan --out", exits: &[("quorate plan --out", 2)], ..SCENE },
    Scene { page: "docs/graph.md", begin: "$ quorate graph --plan", before: GROWN, ..SCENE },
    Scene {
        page: "docs/permissions.md",
        begin: "ReadRegion ",
        shows: "quorate iam-policy 2>&1 > policy.json",
        ..SCENE
    },
    Scene { page: "docs/plan-json.md", begin: "$ quorate plan --json", before: APPLIED, ..SCENE },
    Scene {
        page: "docs/upgrades.md",
        begin: "note: newer versions",
        before: NEW_IMAGES,
        shows: "quorate plan",
        ..SCENE
    },
    Scene { page: "docs/upgrades.md", begin: "Changes", before: NEW_IMAGES, shows: "quorate plan --upgrade", ..SCENE },
    Scene { page: "docs/upgrades.md", begin: "$ quorate upgrade", before: NEW_IMAGES, ..SCENE },
];

/// A command that is not run.
pub(super) struct NotRun {
    /// The page.
    pub(super) page: &'static str,
    /// The command, or its beginning.
    pub(super) command: &'static str,
    /// The reason.
    pub(super) why: &'static str,
}

const fn not_run(page: &'static str, command: &'static str, why: &'static str) -> NotRun {
    NotRun { page, command, why }
}

const ASKS: &str = "it asks its questions on a terminal; `docs/commands.md` has it with arguments";
const BOOTS: &str = "it boots machines for minutes; tests/run does it";
const BUILDS: &str = "it builds the program, which the tests have done";
const NOT_RELEASED: &str = "it is about the files of a release, and there is none yet";
const NEEDS_AWS: &str = "it is a program of AWS, and needs an account";
const NEEDS_API: &str = "it needs a Kubernetes API; tests/hosts runs kubectl";
const ON_A_MACHINE: &str = "it is a command for the shell of a machine; tests/hosts does what it does";
const NO_LOG: &str = "machines of the sandbox have no log; tests/it/machine_logs.rs runs it on moto";
const DOWNLOADS: &str = "it downloads the price lists of AWS; tests/it/prices.rs runs it with files";

/// The commands that are not run, each with its reason.
pub(super) const NOT_RUN: &[NotRun] = &[
    not_run("CONTRIBUTING.md", "cargo build", BUILDS),
    not_run("README.md", "quorate init", ASKS),
    not_run("README.md", "tests/run", BOOTS),
    not_run("docs/access.md", "kubectl get nodes", NEEDS_API),
    not_run("docs/commands.md", "quorate logs", NO_LOG),
    not_run("docs/cost.md", "data/prices", DOWNLOADS),
    not_run("docs/hosts.md", "tests/hosts/run", BOOTS),
    not_run("docs/hosts.md", "tests/hosts/enter", ON_A_MACHINE),
    not_run("docs/hosts.md", "QUORATE_KUBERNETES_BIN", BOOTS),
    not_run("docs/install.md", "sha256sum", NOT_RELEASED),
    not_run("docs/install.md", "gh attestation", NOT_RELEASED),
    not_run("docs/install.md", "cargo install", BUILDS),
    not_run("docs/kubernetes.md", "tests/apiserver/", "it builds a Kubernetes API server for half an hour"),
    not_run("docs/kubernetes.md", "QUORATE_TEST_KUBECONFIG", "it runs the tests again, on a Kubernetes API server"),
    not_run("docs/machines.md", "aws s3 ls", NEEDS_AWS),
    not_run("docs/machines.md", "/opt/quorate/node.sh restore", ON_A_MACHINE),
    not_run("docs/machines.md", "journalctl", ON_A_MACHINE),
    not_run("docs/machines.md", "etcdctl", ON_A_MACHINE),
    not_run("docs/machines.md", "systemctl", ON_A_MACHINE),
    not_run("docs/machines.md", "crictl", ON_A_MACHINE),
    not_run("docs/machines.md", "mv /var/lib/etcd/member", ON_A_MACHINE),
    not_run("docs/permissions.md", "aws iam create-policy", NEEDS_AWS),
    not_run(
        "docs/permissions.md",
        "quorate plan --check-permissions",
        "neither the sandbox nor moto has IAM's simulator",
    ),
    not_run("docs/pki.md", "aws s3api", "it is a program of AWS; tests/moto/world.py makes the same calls on moto"),
    not_run("docs/reliability.md", "QUORATE_KUBERNETES_BIN", BOOTS),
    not_run("docs/services.md", "kubectl", NEEDS_API),
];

/// An output that is shown without a command and is not that of a run in the sandbox.
pub(super) struct OtherOutput {
    /// The page.
    pub(super) page: &'static str,
    /// The first line of the block, or its beginning.
    pub(super) begin: &'static str,
    /// The file of the repository that contains it: a snapshot. Without one, the reason why no test makes it.
    pub(super) of: OutputOrigin,
}

/// The origin of an output that is not made by a run in the sandbox.
pub(super) enum OutputOrigin {
    /// A snapshot test, by the path of its snapshot.
    Snapshot(&'static str),
    /// None; the text is the reason.
    Unchecked(&'static str),
}

/// The outputs that are not made by a run.
pub(super) const OTHER_OUTPUTS: &[OtherOutput] = &[
    OtherOutput {
        page: "docs/architecture.md",
        begin: "cluster file ──spec──▶",
        of: OutputOrigin::Unchecked("a drawing"),
    },
    OtherOutput {
        page: "docs/commands.md",
        begin: "Cluster  chat.poeticoding.com",
        of: OutputOrigin::Snapshot(
            "src/view/show/snapshots/quorate__view__show__tests__a_healthy_cluster_is_shown_as_tables_as_the_page_shows_it.snap",
        ),
    },
    OtherOutput {
        page: "docs/commands.md",
        begin: "note: waiting for the lease",
        of: OutputOrigin::Unchecked(
            "it has another run on another machine; src/cli/tests/lifecycle/locks.rs has its words",
        ),
    },
    OtherOutput {
        page: "docs/duration.md",
        begin: "note: the changes took",
        of: OutputOrigin::Unchecked("runs in the sandbox take no time; src/view/duration.rs has its words"),
    },
    OtherOutput {
        page: "docs/performance.md",
        begin: "plan            fastest",
        of: OutputOrigin::Unchecked("times of a benchmark, which no test repeats"),
    },
    OtherOutput {
        page: "docs/upgrades.md",
        begin: "Upgrade: Kubernetes",
        of: OutputOrigin::Snapshot(
            "src/view/plan/snapshots/quorate__view__plan__upgrade__tests__the_findings_before_an_upgrade_follow_its_versions.snap",
        ),
    },
    OtherOutput {
        page: "docs/upgrades.md",
        begin: "workers.nodes.chat.poeticoding.com:",
        of: OutputOrigin::Unchecked(
            "no machine of the sandbox is drained; src/aws/autoscaling_group/draining.rs has its words",
        ),
    },
];
