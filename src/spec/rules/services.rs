//! Rules about services.

use std::collections::BTreeMap;

use super::super::cluster::{Architecture, ClusterName, Network};
use super::super::defaults;
use super::super::diagnostic::{
    Diagnostic,
    Severity::{Error, Warning},
};
use super::super::file::ServiceFile;
use super::super::service::Service;
use super::balancers::ServiceNames;
use super::dns::DnsDraft;
use super::environment::ProgramFile;
use super::nodes::NodesDraft;
use super::{
    ErrorReported, LONGEST_NAME, LoweringContext, OptionalSetting, Rule, Spanned, balancers, environment, nodes,
    placement, pod_settings, pods, ports, programs, security, sharing, web,
};
use crate::limits::kubernetes as limits;

pub(super) static RULES: [&Rule; 5] = [&NO_REPLICAS, &IMAGE, &SINGLE, &MIXED, &RESERVED];

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
    explanation: "While its only pod is moved or replaced, the service does not answer. Two pods in two zones keep \
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

/// The rest of the cluster, which services are compared with.
pub(super) struct Surroundings<'a> {
    pub(super) name: &'a Result<ClusterName, ErrorReported>,
    pub(super) dns: &'a DnsDraft,
    pub(super) nodes: &'a NodesDraft,
    pub(super) network: &'a Result<Network, ErrorReported>,
}

pub(super) fn read(
    context: &mut LoweringContext,
    around: &Surroundings,
) -> Result<BTreeMap<String, Service>, ErrorReported> {
    let mut names = ServiceNames::default();
    let services = context
        .map(&context.file.service, |context, name, written| service(context, name, written, around, &mut names));
    web::check_sizes(context, &names);
    architectures(context, around.nodes);
    services
}

fn service(
    context: &mut LoweringContext,
    name: &str,
    written: &Spanned<ServiceFile>,
    around: &Surroundings,
    hosts: &mut ServiceNames,
) -> Result<Service, ErrorReported> {
    let named = nodes::check_name(context, name, &written.key, LONGEST_NAME, "a service");
    let first_letter = first_letter(context, name, written);
    let file = written.value()?;
    let namespace = namespace(context, name, written, file);
    let replicas = replicas(context, name, written, file);
    let image = image(context, file.image.as_ref());
    let program = ProgramFile {
        path: format!("service.{name}"),
        command: &file.command,
        args: &file.args,
        env: &file.env,
        secrets: &file.secrets,
    };
    let environment = environment::read(context, &program);
    let ports = ports::read(context, file);
    let health = ports::health(context, name, file, &ports);
    let nlb = balancers::read(context, name, file, &ports, around, hosts);
    let http = web::read(context, name, file, &ports, around, hosts);
    let pods = pods::read(context, name, file);
    let settings = pod_settings::read(context, name, file);
    let security = security::read(context, file);
    let jobs = programs::jobs(context, name, file);
    let sidecars = programs::sidecars(context, name, file);
    let placement = placement::read(context, name, written, file, around.nodes);
    sharing::check(context, name, file);
    named?;
    first_letter?;
    replicas?;
    let (environment, pods, settings) = (environment?, pods?, settings?);
    let mut service = Service {
        image: image?,
        command: environment.command,
        args: environment.args,
        namespace: namespace?,
        scale: pods.scale,
        ports: ports.finish()?,
        env: environment.env,
        secrets: environment.secrets,
        cpu: pods.cpu,
        memory: pods.memory,
        health: health?,
        placement: placement?,
        volume_per_pod: !pods.volumes.is_empty() && pods.scale.least() > 1,
        volumes: pods.volumes,
        files: settings.files,
        pull_secrets: settings.pull_secrets,
        service_account: settings.service_account,
        priority_class: settings.priority_class,
        grace_seconds: settings.grace_seconds,
        security: security?,
        jobs: BTreeMap::new(),
        sidecars: sidecars?,
        stateful: file.stateful.optional()?.copied(),
        nlb: nlb?,
        http: http?,
    };
    service.jobs = jobs?.into_iter().map(|(name, job)| (name, job.completed(&service))).collect();
    Ok(service)
}

/// Checks the first character of a name: Kubernetes accepts a digit for pods, but not for the Service in front of them.
fn first_letter(
    context: &mut LoweringContext,
    name: &str,
    written: &Spanned<ServiceFile>,
) -> Result<(), ErrorReported> {
    if !name.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(());
    }
    let message = format!("{name:?} cannot be the name of a service");
    Err(context.error(Diagnostic::new(&nodes::NAME, written.key.clone(), message).label("it starts with a digit")))
}

/// The namespace. The Service by which pods reach the API is not for a file to change.
fn namespace(
    context: &mut LoweringContext,
    name: &str,
    written: &Spanned<ServiceFile>,
    file: &ServiceFile,
) -> Result<String, ErrorReported> {
    let namespace = pods::namespace(context, file.namespace.as_ref())?;
    if (namespace.as_str(), name) != limits::API_SERVICE {
        return Ok(namespace);
    }
    let message = format!("Kubernetes has a Service {name} in {namespace} already");
    let problem = Diagnostic::new(&RESERVED, written.key.clone(), message)
        .note("pods reach the API by it")
        .help("give the service another name, or another `namespace`");
    Err(context.error(problem))
}

fn replicas(
    context: &mut LoweringContext,
    name: &str,
    written: &Spanned<ServiceFile>,
    file: &ServiceFile,
) -> Result<(), ErrorReported> {
    let number = file.replicas.optional()?.copied().unwrap_or(defaults::REPLICAS);
    if number == 0 {
        let problem = Diagnostic::new(&NO_REPLICAS, file.replicas.place(), format!("`service.{name}` has no pods"))
            .help("write replicas = 1 or more, or remove the service");
        return Err(context.error(problem));
    }
    if number == 1 && file.min.is_none() && (file.nlb.given().is_some() || file.http.given().is_some()) {
        let place = file.replicas.span().unwrap_or_else(|| written.span.clone());
        let problem = Diagnostic::new(&SINGLE, place, format!("`service.{name}` has a single pod"))
            .note("while it is moved or replaced, the service does not answer")
            .help("write replicas = 2 or more");
        context.warn(problem);
    }
    Ok(())
}

pub(super) fn image(context: &mut LoweringContext, setting: Option<&Spanned<String>>) -> Result<String, ErrorReported> {
    let image = context.required(setting, "image")?;
    if is_image(image) {
        return Ok(image.clone());
    }
    let problem = Diagnostic::new(&IMAGE, setting.place(), format!("{image:?} is not a container image"))
        .expected(["a name and a tag or digest, for example \"nginx:1.27\""]);
    Err(context.error(problem))
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
fn architectures(context: &mut LoweringContext, nodes: &NodesDraft) {
    let sizes = nodes.groups.iter().filter_map(|(name, group)| Some((name.as_str(), group.size.as_ref().ok()?)));
    let groups: BTreeMap<&str, Architecture> = sizes.map(|(name, size)| (name, size.architecture())).collect();
    let file = context.file;
    let services = file.service.given().into_iter().flatten().filter_map(|(_, service)| service.given());
    let torn = services.into_iter().find_map(|service| {
        let wanted = service.placement.given().and_then(|placement| placement.nodes.given());
        let wanted: Vec<&String> = wanted.into_iter().flatten().filter_map(Spanned::given).collect();
        let may = |group: &str| wanted.is_empty() || wanted.iter().any(|name| *name == group);
        let mut by_architecture: BTreeMap<Architecture, &str> = BTreeMap::new();
        for (name, architecture) in groups.iter().filter(|(name, _)| may(name)) {
            by_architecture.entry(*architecture).or_insert(name);
        }
        let pair: Vec<(Architecture, &str)> = by_architecture.into_iter().collect();
        <[_; 2]>::try_from(pair).ok()
    });
    if let Some([(first, first_group), (second, second_group)]) = torn {
        let group = |name| file.nodes.given().and_then(|groups| groups.get(name)?.given());
        let place = |name| {
            group(name)
                .map(|group| group.size.written().map_or_else(|| group.sizes.place(), |size| size.span.clone()))
                .unwrap_or_default()
        };
        let message = "services may land on nodes of two CPU architectures";
        let problem = Diagnostic::new(&MIXED, place(second_group), message)
            .label(second.to_string())
            .related(place(first_group), first.to_string())
            .help("build every image for both, use one architecture, or name node groups in `placement`");
        context.warn(problem);
    }
}
