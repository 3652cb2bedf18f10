//! Rules about services.

use std::collections::BTreeMap;

use super::super::cluster::{Architecture, InstanceSize};
use super::super::defaults;
use super::super::diagnostic::Severity::{Error, Warning};
use super::super::file::ServiceFile;
use super::{FileCheck, Rule, balancers, environment, nodes, placement, pods, ports, sharing};
use crate::limits::kubernetes as limits;

pub(super) static RULES: [&Rule; 5] = [&NO_REPLICAS, &IMAGE, &SINGLE, &MIXED, &RESERVED];

const LONGEST_NAME: usize = 63;
/// Maximum length of an image reference in registries: name, tag and digest.
const LONGEST_IMAGE: usize = 255 + 1 + 128 + 1 + 71;

static NO_REPLICAS: Rule = Rule {
    code: "Q0501",
    severity: Error,
    title: "a service with no pods",
    explanation: "A service runs at least one pod. To stop one for a while, remove it from the file: \
        it comes back as it was.",
    bad: "service \"web\" {\n  image    = \"nginx:1.27\"\n  replicas = 0\n}",
    good: "service \"web\" {\n  image    = \"nginx:1.27\"\n  replicas = 2\n}",
};

static IMAGE: Rule = Rule {
    code: "Q0506",
    severity: Error,
    title: "that is not a container image",
    explanation: "An image is a name in lower case, perhaps with a registry before it, and a tag or \
        a digest behind it: `nginx:1.27`, `ghcr.io/team/chat@sha256:…`.",
    bad: "service \"web\" {\n  image = \"Nginx latest\"\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n}",
};

static SINGLE: Rule = Rule {
    code: "Q0511",
    severity: Warning,
    title: "a service with a single pod behind a load balancer",
    explanation: "While its one pod is moved or replaced, nobody answers. Two pods in two zones keep \
        the service up.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port = 80\n  }\n}",
    good: "service \"web\" {\n  image    = \"nginx:1.27\"\n  replicas = 2\n  port     = 80\n  nlb {\n    port = 80\n  }\n}",
};

static MIXED: Rule = Rule {
    code: "Q0512",
    severity: Warning,
    title: "services on nodes of two CPU architectures",
    explanation: "A pod may land on any node. When some nodes are arm64 (Graviton) and others \
        x86_64, every image must be built for both, or its pods fail on half of the nodes. `placement.nodes` keeps a \
        service to the groups that its image was built for.",
    bad: "nodes \"intel\" {\n  count = 2\n  size  = \"t3.large\"\n}\n\nnodes \"graviton\" {\n  count = 2\n  size  = \"t4g.large\"\n}\n\nservice \"web\" {\n  image    = \"nginx:1.27\"\n  replicas = 2\n}",
    good: "nodes \"graviton\" {\n  count = 2\n  size  = \"t4g.large\"\n}\n\nservice \"web\" {\n  image    = \"nginx:1.27\"\n  replicas = 2\n}",
};

static RESERVED: Rule = Rule {
    code: "Q0529",
    severity: Error,
    title: "a service that is called like Kubernetes' own",
    explanation: "In the namespace `default`, Kubernetes keeps a Service `kubernetes`, by which pods reach the API. A service \
        of that name would take it over, and every pod that talks to the API would talk to the service instead.",
    bad: "service \"kubernetes\" {\n  image = \"nginx:1.27\"\n}",
    good: "service \"kubernetes-dashboard\" {\n  image = \"nginx:1.27\"\n}",
};

pub(super) fn check(check: &mut FileCheck) {
    for name in check.file.addon.iter().flatten().map(|(name, _)| name) {
        nodes::check_name(check, &["addon", name], LONGEST_NAME, "an add-on");
    }
    let Some(services) = check.file.service.as_ref().filter(|all| !all.is_empty()) else {
        return;
    };
    let mut domains = BTreeMap::new();
    for (name, service) in services {
        nodes::check_name(check, &["service", name], LONGEST_NAME, "a service");
        first_letter(check, name);
        reserved(check, name, service);
        replicas(check, name, service);
        image(check, name, service);
        environment::check(check, name, service);
        ports::check(check, name, service);
        balancers::check(check, name, service, &mut domains);
        pods::check(check, name, service);
        placement::check(check, name, service);
        sharing::check(check, name, service);
    }
    architectures(check);
}

/// Checks the first character of a name: Kubernetes accepts a digit for pods, but not for the Service in front of them.
fn first_letter(check: &mut FileCheck, name: &str) {
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        let problem = check
            .at_key(&nodes::NAME, &["service", name], format!("{name:?} cannot be the name of a service"))
            .label("it starts with a digit");
        check.report(problem);
    }
}

/// Refuses to change the Service by which pods reach the API.
fn reserved(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    let namespace = service.namespace.as_deref().unwrap_or(defaults::NAMESPACE);
    if (namespace, name) == limits::API_SERVICE {
        let problem = check
            .at_key(&RESERVED, &["service", name], format!("Kubernetes has a Service {name} in {namespace} already"))
            .note("pods reach the API by it")
            .help("give the service another name, or another `namespace`");
        check.report(problem);
    }
}

fn replicas(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    let path = ["service", name, "replicas"];
    let number = service.replicas.unwrap_or(defaults::REPLICAS);
    if number == 0 {
        let problem = check
            .at(&NO_REPLICAS, &path, format!("`service.{name}` has no pods"))
            .help("write replicas = 1 or more, or remove the service");
        check.report(problem);
    } else if number == 1 && service.min.is_none() && service.nlb.is_some() {
        let path: &[&str] = if check.span(&path).is_some() { &path } else { &path[..2] };
        let problem = check
            .at(&SINGLE, path, format!("`service.{name}` has a single pod"))
            .note("while it is moved or replaced, nobody answers")
            .help("write replicas = 2 or more");
        check.report(problem);
    }
}

fn image(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    let Some(image) = service.image.as_deref().filter(|image| !is_image(image)) else {
        return;
    };
    let problem = check
        .at(&IMAGE, &["service", name, "image"], format!("{image:?} is not a container image"))
        .expected(["a name and a tag or digest, for example \"nginx:1.27\""]);
    check.report(problem);
}

fn is_image(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(n, d)| (n, Some(d)));
    let path_start = name.rfind('/').map_or(0, |slash| slash + 1);
    let (path, tag) = match name[path_start..].split_once(':') {
        Some((_, tag)) => (&name[..name.len() - tag.len() - 1], Some(tag)),
        None => (name, None),
    };
    let is_tag = |tag: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        (1..=128).contains(&tag.len()) && tag.chars().all(allowed) && !tag.starts_with(['.', '-'])
    };
    let is_digest = |digest: &str| {
        digest
            .strip_prefix("sha256:")
            .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    image.len() <= LONGEST_IMAGE
        && path.split('/').enumerate().all(|(index, part)| is_image_part(part, index == 0))
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest)
}

fn is_image_part(part: &str, first: bool) -> bool {
    let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    // Only a registry, which comes first, may have a port.
    let inner = |c: char| end(c) || "._-".contains(c) || (first && c == ':');
    !part.is_empty() && part.starts_with(end) && part.ends_with(end) && part.chars().all(inner)
}

/// Warns when a pod may land on nodes that its image was not built for.
fn architectures(check: &mut FileCheck) {
    let mut groups: BTreeMap<&str, Architecture> = BTreeMap::new();
    for (name, group) in check.file.nodes.iter().flatten() {
        let size = group.size.as_deref().and_then(|size| InstanceSize::parse(size).ok());
        groups.extend(size.map(|size| (name.as_str(), size.architecture())));
    }
    let torn = check.file.service.iter().flatten().find_map(|(_, service)| {
        let wanted = service.placement.as_ref().and_then(|placement| placement.nodes.as_deref()).unwrap_or_default();
        let may = |group: &str| wanted.is_empty() || wanted.iter().any(|name| name == group);
        let mut by_architecture: BTreeMap<Architecture, &str> = BTreeMap::new();
        for (name, architecture) in groups.iter().filter(|(name, _)| may(name)) {
            by_architecture.entry(*architecture).or_insert(name);
        }
        let pair: Vec<(Architecture, &str)> = by_architecture.into_iter().collect();
        <[_; 2]>::try_from(pair).ok()
    });
    if let Some([(first, first_group), (second, second_group)]) = torn {
        let problem = check
            .at(&MIXED, &["nodes", second_group, "size"], "services may land on nodes of two CPU architectures")
            .label(second.to_string())
            .related(check.tree.span(&["nodes", first_group, "size"]), first.to_string())
            .help("build every image for both, use one architecture, or name node groups in `placement`");
        check.report(problem);
    }
}
