//! Services: what they are made of, and the load balancers before them.

use std::collections::BTreeMap;

use super::super::cluster::{Architecture, InstanceSize};
use super::super::defaults;
use super::super::diagnostic::{
    Diagnostic,
    Severity::{Error, Warning},
};
use super::super::file::ServiceFile;
use super::super::name::{check_domain, is_within};
use super::super::source::Span;
use super::{Check, Rule, cidr, dns, nodes, pods};

pub(super) static RULES: [&Rule; 9] =
    [&NO_REPLICAS, &NO_PORT, &PORT_TWICE, &DOMAIN, &OUTSIDE, &IMAGE, &ENV, &SINGLE, &MIXED];

const LONGEST_NAME: usize = 63;
/// The longest reference that registries take, name and tag and digest.
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

static NO_PORT: Rule = Rule {
    code: "Q0502",
    severity: Error,
    title: "a load balancer before a service without a port",
    explanation: "The load balancer passes connections on to the port that the container listens \
        on, so the service has to say which.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  nlb {\n    port = 80\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port = 80\n  }\n}",
};

static PORT_TWICE: Rule = Rule {
    code: "Q0503",
    severity: Error,
    title: "two services with the same domain and port",
    explanation: "A domain leads to one load balancer. Two services cannot share it.",
    bad: "service \"a\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"www.poeticoding.com\"\n  }\n}\n\nservice \"b\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"www.poeticoding.com\"\n  }\n}",
    good: "service \"a\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"www.poeticoding.com\"\n  }\n}",
};

static DOMAIN: Rule = Rule {
    code: "Q0504",
    severity: Error,
    title: "that is not a domain",
    explanation: "A service's domain is a DNS name with a dot, without `https://` before it and \
        without a path or port behind it.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"https://www.poeticoding.com\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"www.poeticoding.com\"\n  }\n}",
};

static OUTSIDE: Rule = Rule {
    code: "Q0505",
    severity: Error,
    title: "a domain outside the cluster's hosted zone",
    explanation: "The record of a service's domain is made in the hosted zone that `dns.zone` names, \
        so the domain must be the zone's name or end in it; and with `dns.public = false` there are \
        no records.",
    bad: "name = \"chat.poeticoding.com\"\n\ndns {\n  zone = \"poeticoding.com\"\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"www.example.com\"\n  }\n}",
    good: "name = \"chat.poeticoding.com\"\n\ndns {\n  zone = \"poeticoding.com\"\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  nlb {\n    port   = 80\n    domain = \"www.poeticoding.com\"\n  }\n}",
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

static ENV: Rule = Rule {
    code: "Q0507",
    severity: Error,
    title: "that cannot be the name of an environment variable",
    explanation: "Names of environment variables are letters, digits and underscores (Kubernetes \
        also takes dots and hyphens), and do not start with a digit.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  env   = { \"MY VAR\" = \"1\" }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  env   = { MY_VAR = \"1\" }\n}",
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
        x86_64, every image must be built for both, or its pods fail on half of the nodes.",
    bad: "nodes \"intel\" {\n  count = 2\n  size  = \"t3.large\"\n}\n\nnodes \"graviton\" {\n  count = 2\n  size  = \"t4g.large\"\n}\n\nservice \"web\" {\n  image    = \"nginx:1.27\"\n  replicas = 2\n}",
    good: "nodes \"graviton\" {\n  count = 2\n  size  = \"t4g.large\"\n}\n\nservice \"web\" {\n  image    = \"nginx:1.27\"\n  replicas = 2\n}",
};

pub(super) fn check(check: &mut Check) {
    for name in check.file.addon.iter().flatten().map(|(name, _)| name) {
        nodes::check_name(check, &["addon", name], LONGEST_NAME, "an add-on");
    }
    let Some(services) = check.file.service.as_ref().filter(|all| !all.is_empty()) else {
        return;
    };
    let mut endpoints = BTreeMap::new();
    for (name, service) in services {
        nodes::check_name(check, &["service", name], LONGEST_NAME, "a service");
        replicas(check, name, service);
        image(check, name, service);
        env(check, name, service);
        balancer(check, name, service, &mut endpoints);
        pods::check(check, name, service);
    }
    architectures(check);
}

fn replicas(check: &mut Check, name: &str, service: &ServiceFile) {
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

fn image(check: &mut Check, name: &str, service: &ServiceFile) {
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

fn env(check: &mut Check, name: &str, service: &ServiceFile) {
    let plain = service.env.iter().flatten().map(|(variable, _)| ("env", variable));
    let secret = service.secrets.iter().flatten().map(|(variable, _)| ("secrets", variable));
    for (setting, variable) in plain.chain(secret) {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let inner = |c: char| first(c) || c.is_ascii_digit() || c == '.' || c == '-';
        if variable.starts_with(first) && variable.chars().all(inner) {
            continue;
        }
        let path = ["service", name, setting, variable];
        let problem = check
            .at_key(&ENV, &path, format!("{variable:?} cannot be the name of an environment variable"))
            .note("letters, digits and underscores, and no digit first");
        check.report(problem);
    }
}

/// The services behind each domain and port, with the place of the domain.
type Endpoints = BTreeMap<(String, u32), (String, Span)>;

fn balancer(check: &mut Check, name: &str, service: &ServiceFile, endpoints: &mut Endpoints) {
    let Some(nlb) = &service.nlb else { return };
    let path = ["service", name, "nlb"];
    if check.tree.find(&["service", name, "port"]).is_none() {
        let problem = check
            .at_key(&NO_PORT, &path, format!("`service.{name}` has a load balancer but no port"))
            .help("add the port that the container listens on, for example: port = 4000");
        check.report(problem);
    }
    for (range, span) in check.texts(&["service", name, "nlb", "allow"]) {
        if let Err(problem) = cidr::read(&range, &span, 32) {
            check.report(*problem);
        }
    }
    let Some(domain_name) = &nlb.domain else {
        return;
    };
    if !domain(check, name, domain_name) {
        return;
    }
    let Some(port) = nlb.port else { return };
    let span = check.tree.span(&["service", name, "nlb", "domain"]);
    match endpoints.get(&(domain_name.clone(), port)) {
        Some((other, first)) => {
            let problem = Diagnostic::new(
                &PORT_TWICE,
                span,
                format!("{domain_name} and port {port} belong to `service.{other}` already"),
            )
            .related(first.clone(), "first here")
            .help("give one of them another domain");
            check.report(problem);
        }
        None => {
            endpoints.insert((domain_name.clone(), port), (name.to_owned(), span));
        }
    }
}

fn domain(check: &mut Check, name: &str, domain: &str) -> bool {
    let path = ["service", name, "nlb", "domain"];
    if check_domain(domain).is_err() || !domain.contains('.') {
        let problem = check.at(&DOMAIN, &path, format!("{domain:?} is not a domain"));
        let bare = domain.split_once("://").map_or(domain, |(_, rest)| rest);
        let bare = bare.split(['/', ':']).next().unwrap_or(bare).to_lowercase();
        check.report(match check_domain(&bare) {
            Ok(()) if bare.contains('.') => problem.help(format!("write domain = \"{bare}\"")),
            _ => problem.note("a domain is lower case and has a dot, for example chat.poeticoding.com"),
        });
        return false;
    }
    if check.file.dns.as_ref().is_some_and(|dns| dns.public == Some(false)) {
        let problem = check
            .at(&OUTSIDE, &path, "a domain needs public names, and `dns.public` is false")
            .related(check.tree.span(&["dns", "public"]), "no public names")
            .help("remove the domain, or remove `public`");
        check.report(problem);
        return false;
    }
    let Some(zone) = dns::hosted_zone(check).filter(|zone| !is_within(domain, zone)) else {
        return true;
    };
    let problem = check
        .at(&OUTSIDE, &path, format!("{domain} is not in the hosted zone {zone}"))
        .related(check.tree.span(&["dns", "zone"]), "the hosted zone")
        .help(format!("choose a domain that ends in .{zone}"));
    check.report(problem);
    false
}

/// Warns when a pod may land on nodes that its image was not built for.
fn architectures(check: &mut Check) {
    let mut by_architecture: BTreeMap<Architecture, &str> = BTreeMap::new();
    for (name, group) in check.file.nodes.iter().flatten() {
        let size = group.size.as_deref().and_then(|size| InstanceSize::parse(size).ok());
        if let Some(size) = size {
            by_architecture.entry(size.architecture()).or_insert(name);
        }
    }
    let groups: Vec<(Architecture, &str)> = by_architecture.into_iter().collect();
    if let [(first, first_group), (second, second_group)] = groups.as_slice() {
        let problem = check
            .at(&MIXED, &["nodes", second_group, "size"], "services may land on nodes of two CPU architectures")
            .label(second.to_string())
            .related(check.tree.span(&["nodes", first_group, "size"]), first.to_string())
            .help("build every image for both, or use one architecture");
        check.report(problem);
    }
}
