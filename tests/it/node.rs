//! node.sh without a machine: in a root directory of its own, where `tests/node/world.sh` replaces AWS, EC2,
//! Kubernetes and the kernel.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use quorate::blueprint::{Pins, blueprint};
use quorate::engine::Object;
use quorate::resource::{Facts, SizeFacts};
use quorate::spec::{Architecture, Cluster, KubernetesVersion};

use crate::stage::TUTORIAL;
use quorate::testkit::skip;

mod chores;
mod crash;
mod failures;
mod images;
mod kubeadm;
mod members;
mod registrations;
mod report;
mod restart;
mod shutdown;
mod steps;
mod user_data;

/// The cluster's key prefix in the bucket.
const HOME: &str = "chat.poeticoding.com";
/// The recorded release of Kubernetes, whatever the newest one is.
const RELEASE: &str = "1.36.2";
const TOKEN: &str = "abcdef.0123456789abcdef";
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\ncHVibGlj\n-----END CERTIFICATE-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\ncHVibGlj\n-----END PUBLIC KEY-----\n";
/// The fingerprint of the key that signs Kubernetes' packages.
const PACKAGE_KEY: &str = "DE15B14486CD377B9E876E1A234654DA9A296436";
/// Commands that world.sh replaces.
const COMMANDS: &[&str] = &[
    "aws",
    "blkid",
    "blockdev",
    "containerd",
    "crictl",
    "ctr",
    "curl",
    "dd",
    "dnf",
    "gpg",
    "iptables",
    "kubeadm",
    "kubectl",
    "kubelet",
    "mkfs.ext4",
    "modprobe",
    "mount",
    "mountpoint",
    "openssl",
    "sleep",
    "sysctl",
    "systemctl",
    "umount",
];

/// A machine that has run user-data.sh, in an environment without faults.
struct ScriptMachine {
    root: tempfile::TempDir,
}

impl ScriptMachine {
    /// Returns a master or a node by the name of its settings; `None`, with a message, where no box can be made.
    fn new(settings: &str) -> Option<Self> {
        if !can_box() {
            skip("node.sh needs unshare with mounts, and jq");
            return None;
        }
        let machine = Self { root: tempfile::tempdir().expect("a directory can be made") };
        let files = files();
        machine.write("opt/quorate/node.sh", &files["node.sh"]);
        let newest = KubernetesVersion::DEFAULT.newest_release();
        let (newest, release) = (format!("QUORATE_RELEASE='{newest}'"), format!("QUORATE_RELEASE='{RELEASE}'"));
        machine.write("etc/quorate/settings", &files[settings].replace(&newest, &release));
        machine.write("etc/quorate/machine", "QUORATE_VOLUME='vol-0abc'\nQUORATE_ZONE_ID='Z0INTERNAL'\n");
        machine.furnish();
        Some(machine)
    }

    /// Returns a master of the tutorial's cluster.
    fn master() -> Option<Self> {
        Self::new("masters-a")
    }

    fn furnish(&self) {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
        self.write("world/world.sh", &fs::read_to_string(scripts.join("world.sh")).expect("it is there"));
        for path in ["opt/quorate/node.sh", "world/world.sh"] {
            self.executable(path);
        }
        fs::create_dir_all(self.path("world/commands")).expect("it is ours");
        for command in COMMANDS {
            let link = self.path("world/commands").join(command);
            std::os::unix::fs::symlink("../world.sh", link).expect("it is ours");
        }
        fs::create_dir_all(self.path("tmp")).expect("it is ours");
        for (path, text) in [
            ("calls", ""),
            ("tokens", ""),
            ("instances", "i-0aaa\ni-0bbb\n"),
            ("volume", "available None None\n"),
            ("key", &package_key(PACKAGE_KEY, "4102444800")),
            ("metadata/region", "us-east-1"),
            ("metadata/instance-id", "i-0aaa"),
            ("metadata/availability-zone", "us-east-1d"),
            ("metadata/local-ipv4", "172.20.32.10"),
            ("metadata/local-hostname", "ip-172-20-32-10.ec2.internal"),
        ] {
            self.write(&format!("world/{path}"), text);
        }
        for authority in ["cluster-ca.pem", "etcd-ca.pem", "front-proxy-ca.pem"] {
            self.store(&format!("pki/{authority}"), &format!("{PRIVATE}{CERTIFICATE}"));
        }
        self.store("pki/service-account.pem", &format!("{PRIVATE}{PUBLIC}"));
        self.store("pki/join.pem", CERTIFICATE);
        self.store("pki/join-token", &format!("{TOKEN}\n"));
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("it is ours");
        fs::write(path, text).expect("it is ours");
    }

    fn executable(&self, path: &str) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).expect("it is ours");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|_| panic!("no {path}"))
    }

    /// Puts an object into the bucket, below the cluster's key prefix.
    fn store(&self, key: &str, text: &str) {
        self.write(&format!("world/s3/{HOME}/{key}"), text);
    }

    fn stored(&self, key: &str) -> String {
        self.read(&format!("world/s3/{HOME}/{key}"))
    }

    /// Returns the last status that the machine wrote to the bucket.
    fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.stored("nodes/i-0aaa/status.json")).expect("a status is JSON")
    }

    /// Makes a call that matches this pattern fail, once.
    fn fault(&self, pattern: &str) {
        self.write("world/faults", &format!("{pattern}\n"));
    }

    fn calls(&self) -> Vec<String> {
        self.read("world/calls").lines().map(str::to_owned).collect()
    }

    /// Returns the calls that begin with these words, in order.
    fn calls_of(&self, words: &str) -> Vec<String> {
        self.calls().into_iter().filter(|call| call.starts_with(words)).collect()
    }

    fn run(&self, arguments: &[&str]) -> ScriptRun {
        self.run_script("/opt/quorate/node.sh", arguments)
    }

    /// Runs node.sh with a file as its standard input.
    fn run_with(&self, input: &str, arguments: &[&str]) -> ScriptRun {
        let input = fs::File::open(self.path(input)).expect("it is ours");
        self.start("/opt/quorate/node.sh", arguments, input.into())
    }

    fn run_script(&self, script: &str, arguments: &[&str]) -> ScriptRun {
        self.start(script, arguments, Stdio::null())
    }

    fn start(&self, script: &str, arguments: &[&str], input: Stdio) -> ScriptRun {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
        let output = unshare()
            .arg("timeout")
            .arg("60")
            .arg(scripts.join("box.sh"))
            .arg(self.root.path())
            .arg(script)
            .args(arguments)
            .stdin(input)
            .output()
            .expect("unshare starts");
        ScriptRun::of(&output)
    }

    fn boot(&self) -> ScriptRun {
        self.run(&[])
    }
}

/// Returns a key as gpg shows it, with its end in seconds since 1970.
fn package_key(fingerprint: &str, end: &str) -> String {
    format!("pub:-:2048:1:234654DA9A296436:1661433306:{end}::-:::scSC::::::23::0:\nfpr:::::::::{fingerprint}:\n")
}

/// The result and the output of a run of node.sh.
#[derive(Debug)]
struct ScriptRun {
    done: bool,
    messages: String,
}

impl ScriptRun {
    fn of(output: &Output) -> Self {
        let messages =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Self { done: output.status.success(), messages }
    }

    /// Fails with the whole output, unless the run succeeded.
    #[track_caller]
    fn must(self) -> Self {
        assert!(self.done, "{}", self.messages);
        self
    }

    /// Fails unless the run stopped with this message.
    #[track_caller]
    fn must_not(self, messages: &str) -> Self {
        assert!(!self.done && self.messages.contains(messages), "{}", self.messages);
        self
    }
}

/// Returns a command in a mount namespace of its own.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount"]);
    command
}

fn can_box() -> bool {
    let works = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    works(unshare().arg("true")) && works(Command::new("jq").arg("--version"))
}

/// Returns the files that machines of the tutorial's cluster fetch, by name.
pub(crate) fn files() -> BTreeMap<String, String> {
    files_of(&cluster())
}

fn files_of(cluster: &Cluster) -> BTreeMap<String, String> {
    let files = blueprint_of(cluster).into_iter().filter(|object| object.address.kind() == "bucket-object");
    files
        .map(|object| {
            let payload = object.payload.expect("a file has content");
            (object.address.name().to_owned(), String::from_utf8(payload.0.to_vec()).expect("it is text"))
        })
        .collect()
}

fn blueprint_of(cluster: &Cluster) -> Vec<Object> {
    blueprint(cluster, &facts(), &Pins::default()).expect("the cluster can be built").objects
}

fn cluster() -> Cluster {
    quorate::spec::parse("cluster.hcl", TUTORIAL, &BTreeMap::new()).cluster.expect("the tutorial's file is good")
}

fn facts() -> Facts {
    let size = |architecture| SizeFacts { architecture, vcpus: 2, memory_mib: 4096 };
    let (x86, arm) = (Architecture::X86_64, Architecture::Arm64);
    Facts {
        account: "111122223333".to_owned(),
        caller: "arn:aws:iam::111122223333:user/test".to_owned(),
        region: "us-east-1".to_owned(),
        zones: ["us-east-1d", "us-east-1f"].map(str::to_owned).to_vec(),
        images: BTreeMap::from([(x86, "ami-0x86".into()), (arm, "ami-0arm".into())]),
        sizes: BTreeMap::from([("t3.medium".to_owned(), size(x86)), ("t4g.medium".to_owned(), size(arm))]),
        own_images: BTreeMap::new(),
        releases: Vec::new(),
        offered: BTreeMap::new(),
        public_zones: BTreeMap::new(),
    }
}
