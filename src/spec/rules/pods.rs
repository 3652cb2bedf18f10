//! Rules about the pods of a service: number, size, stored data.

use std::collections::BTreeMap;

use super::super::defaults;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::{ServiceFile, VolumeFile};
use super::super::name::check_label;
use super::super::node_group::Scale;
use super::super::service::{SecretKey, Volume};
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span, Spanned, nodes};

pub(super) static RULES: [&Rule; 6] = [&SCALE, &SECRET, &SHARED, &QUANTITY, &PATH, &NAMESPACE];

/// Maximum length of a volume's name.
const LONGEST_NAME: usize = 32;

static SCALE: Rule = Rule {
    code: "Q0508",
    severity: Error,
    title: "a service whose number of pods is not clear",
    explanation: "`replicas` gives the number to this file. `min` and `max`, together, give it to the pods' load: more \
        are started when they use more than 80 % of the CPU that they are promised, so `cpu` has to say how much that \
        is. The fewest cannot be more than the most, and at least one.",
    bad: "service \"web\" {\n  image    = \"nginx:1.27\"\n  replicas = 3\n  max      = 6\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  min   = 2\n  max   = 6\n  cpu   = \"250m\"\n}",
};

static SECRET: Rule = Rule {
    code: "Q0509",
    severity: Error,
    title: "that is not the key of a secret",
    explanation: "A variable from a secret names the secret and a key in it: `chat/secret-key-base`. The secret itself is \
        made outside of this file (`kubectl create secret generic chat --from-literal=secret-key-base=…`), so that \
        nobody who reads the file or a plan can read it.",
    bad: "service \"web\" {\n  image   = \"nginx:1.27\"\n  secrets = { TOKEN = \"s3cr3t\" }\n}",
    good: "service \"web\" {\n  image   = \"nginx:1.27\"\n  secrets = { TOKEN = \"web/token\" }\n}",
};

static SHARED: Rule = Rule {
    code: "Q0510",
    severity: Error,
    title: "volumes for a number of pods that the load sets",
    explanation: "Each pod of a service has volumes of its own, which stay when the pod goes. When the load sets the number of \
        pods, volumes with data would be left behind at every change. Write `replicas`, or let the pods keep their data in \
        another service that they reach by name.",
    bad: "service \"redis\" {\n  image = \"redis:7\"\n  min   = 2\n  max   = 4\n  cpu   = \"250m\"\n  volume \"data\" {\n    path = \"/data\"\n    gib  = 10\n  }\n}",
    good: "service \"redis\" {\n  image    = \"redis:7\"\n  replicas = 2\n  volume \"data\" {\n    path = \"/data\"\n    gib  = 10\n  }\n}",
};

static QUANTITY: Rule = Rule {
    code: "Q0514",
    severity: Error,
    title: "that is not an amount of CPU or memory",
    explanation: "CPU is counted in CPUs (`0.5`, `2`) or in thousandths of one (`500m`), memory in `Ki`, `Mi` and `Gi`.",
    bad: "service \"web\" {\n  image  = \"nginx:1.27\"\n  memory = \"256 MB\"\n}",
    good: "service \"web\" {\n  image  = \"nginx:1.27\"\n  memory = \"256Mi\"\n}",
};

static PATH: Rule = Rule {
    code: "Q0515",
    severity: Error,
    title: "a path that does not start with a slash, or is taken",
    explanation: "The path of a health check, and the path under which a container finds a volume, are absolute. Two \
        volumes cannot be under the same one.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  health {\n    path = \"health\"\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  port  = 80\n  health {\n    path = \"/health\"\n  }\n}",
};

static NAMESPACE: Rule = Rule {
    code: "Q0516",
    severity: Error,
    title: "that cannot be a service's namespace",
    explanation: "Namespaces are lower case letters, digits and hyphens, at most 63. Those that begin with `kube-` are \
        Kubernetes' own.",
    bad: "service \"web\" {\n  image     = \"nginx:1.27\"\n  namespace = \"kube-system\"\n}",
    good: "service \"web\" {\n  image     = \"nginx:1.27\"\n  namespace = \"web\"\n}",
};

/// The pods of a service.
pub(super) struct Pods {
    pub(super) scale: Scale,
    pub(super) cpu: Option<String>,
    pub(super) memory: Option<String>,
    pub(super) volumes: BTreeMap<String, Volume>,
}

pub(super) fn read(context: &mut LoweringContext, name: &str, file: &ServiceFile) -> Result<Pods, ErrorReported> {
    let scale = scale(context, name, file);
    let cpu = cpu(context, file.cpu.as_ref());
    let memory = memory(context, file.memory.as_ref());
    let volumes = volumes(context, name, file);
    Ok(Pods { scale: scale?, cpu: cpu?, memory: memory?, volumes: volumes? })
}

/// Returns the maximum number of pods.
pub(super) fn most(file: &ServiceFile) -> u32 {
    file.max.given().or(file.replicas.given()).copied().unwrap_or(defaults::REPLICAS)
}

fn scale(context: &mut LoweringContext, name: &str, file: &ServiceFile) -> Result<Scale, ErrorReported> {
    let (setting, place) = if file.min.is_some() { ("min", file.min.key()) } else { ("max", file.max.key()) };
    let problem = |message: String| Diagnostic::new(&SCALE, place.clone(), message);
    let problem = match (&file.replicas, &file.min, &file.max) {
        (replicas, None, None) => {
            return Ok(Scale::Count(replicas.optional()?.copied().unwrap_or(defaults::REPLICAS)));
        }
        (Some(_), ..) => problem(format!("`service.{name}` has both `replicas` and `{setting}`"))
            .help("keep `replicas` to own the number, or `min` and `max` to leave it to the load"),
        (None, Some(min), Some(max)) => match (*min.value()?, *max.value()?) {
            (0, _) => problem(format!("`service.{name}` may have no pods")).help("write min = 1 or more"),
            (min, max) if min > max => problem(format!("`service.{name}` has at least {min} pods and at most {max}")),
            _ if file.cpu.is_none() => {
                problem(format!("`service.{name}` is scaled by its load, but does not say how much CPU is a load"))
                    .help("add what each pod needs, for example: cpu = \"250m\"")
            }
            (min, max) => return Ok(Scale::Range { min, max }),
        },
        (None, ..) => problem(format!("`service.{name}` has `{setting}` alone")).help("`min` and `max` go together"),
    };
    Err(context.error(problem))
}

/// A key of a secret, for the variable that it is the value of.
pub(super) fn secret(
    context: &mut LoweringContext,
    variable: &str,
    written: &Spanned<String>,
) -> Result<SecretKey, ErrorReported> {
    SecretKey::parse(written.value()?).ok_or_else(|| {
        // The value may be a secret that was put into the wrong place: it is not repeated.
        let message = format!("the value of {variable:?} names no key of a secret");
        let problem = Diagnostic::new(&SECRET, written.key.clone(), message);
        context.error(problem.expected(["secret/key, for example \"chat/secret-key-base\""]))
    })
}

/// A CPU request.
pub(super) fn cpu(
    context: &mut LoweringContext,
    setting: Option<&Spanned<String>>,
) -> Result<Option<String>, ErrorReported> {
    quantity(context, setting, "cpu", &["m", ""])
}

/// A memory request.
pub(super) fn memory(
    context: &mut LoweringContext,
    setting: Option<&Spanned<String>>,
) -> Result<Option<String>, ErrorReported> {
    quantity(context, setting, "memory", &["Ki", "Mi", "Gi"])
}

fn quantity(
    context: &mut LoweringContext,
    setting: Option<&Spanned<String>>,
    of: &str,
    units: &[&str],
) -> Result<Option<String>, ErrorReported> {
    match setting.optional()? {
        Some(text) if !is_quantity(text, units) => {
            let example = if of == "cpu" { "\"250m\" or \"0.5\"" } else { "\"256Mi\" or \"1Gi\"" };
            let problem = Diagnostic::new(&QUANTITY, setting.place(), format!("{text:?} is not an amount of {of}"));
            Err(context.error(problem.expected([format!("an amount, for example {example}")])))
        }
        text => Ok(text.cloned()),
    }
}

/// Returns `true` for a Kubernetes quantity above 0 in one of the units.
pub(super) fn is_quantity(text: &str, units: &[&str]) -> bool {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let whole = unit.is_empty() || !number.contains('.');
    units.contains(&unit) && whole && !number.ends_with('.') && number.parse::<f64>().is_ok_and(|number| number > 0.0)
}

/// A path that has to start with a slash.
pub(super) fn absolute(
    context: &mut LoweringContext,
    setting: Option<&Spanned<String>>,
) -> Result<String, ErrorReported> {
    absolute_named(context, setting, "path")
}

/// The same, for a setting of another name.
pub(super) fn absolute_named(
    context: &mut LoweringContext,
    setting: Option<&Spanned<String>>,
    name: &str,
) -> Result<String, ErrorReported> {
    let path = context.required(setting, name)?;
    if path.starts_with('/') {
        return Ok(path.clone());
    }
    let problem = Diagnostic::new(&PATH, setting.place(), format!("{path:?} does not start with a slash"));
    Err(context.error(problem.help(format!("write {name} = \"/{path}\""))))
}

/// The namespace of a service.
pub(super) fn namespace(
    context: &mut LoweringContext,
    setting: Option<&Spanned<String>>,
) -> Result<String, ErrorReported> {
    let Some(namespace) = setting.optional()? else { return Ok(defaults::NAMESPACE.to_owned()) };
    let problem = |message: String| Diagnostic::new(&NAMESPACE, setting.place(), message);
    let problem = if check_label(namespace).is_err() || namespace.len() > 63 {
        problem(format!("{namespace:?} cannot be a namespace")).note("lower case letters, digits and hyphens")
    } else if namespace.starts_with("kube-") {
        problem(format!("the namespace {namespace} is Kubernetes' own")).help("choose another one")
    } else {
        return Ok(namespace.clone());
    };
    Err(context.error(problem))
}

fn volumes(
    context: &mut LoweringContext,
    name: &str,
    file: &ServiceFile,
) -> Result<BTreeMap<String, Volume>, ErrorReported> {
    let mut taken: BTreeMap<String, (String, Span)> = BTreeMap::new();
    context.map(&file.volume, |context, volume, written| {
        let named = nodes::check_name(context, volume, &written.key, LONGEST_NAME, "a volume");
        let scaled = file.min.is_some() || file.max.is_some();
        let fixed = if scaled { Err(context.error(shared(name, &written.key))) } else { Ok(()) };
        let settings = written.value()?;
        let path = free_path(context, volume, settings, &mut taken);
        let gib = context.required(&settings.gib, "gib").copied();
        let class = settings.class.optional()?.cloned();
        named?;
        fixed?;
        Ok(Volume { path: path?, gib: gib?, class })
    })
}

fn shared(name: &str, place: &Span) -> Diagnostic {
    Diagnostic::new(
        &SHARED,
        place.clone(),
        format!("the load sets the number of pods of `service.{name}`, and they have a volume"),
    )
    .note("each pod would leave its data behind when it goes")
    .help("write `replicas`, or keep the data in another service")
}

/// The path of a volume, which no other volume has.
fn free_path(
    context: &mut LoweringContext,
    volume: &str,
    settings: &VolumeFile,
    taken: &mut BTreeMap<String, (String, Span)>,
) -> Result<String, ErrorReported> {
    let absolute = absolute(context, settings.path.as_ref());
    let path = context.required(&settings.path, "path")?;
    let Some((other, first)) = taken.get(path) else {
        taken.insert(path.clone(), (volume.to_owned(), settings.path.place()));
        return absolute;
    };
    let message = format!("{path} belongs to the volume {other} already");
    let problem = Diagnostic::new(&PATH, settings.path.place(), message).related(first.clone(), "first here");
    Err(context.error(problem))
}

#[cfg(test)]
mod tests {
    use super::is_quantity;

    #[test]
    fn amounts_are_those_of_kubernetes() {
        for good in ["1", "0.5", "250m", "2"] {
            assert!(is_quantity(good, &["m", ""]), "{good}");
        }
        for bad in ["", "m", "0", "0.5m", "1.", "1 CPU", "-1", "1e3"] {
            assert!(!is_quantity(bad, &["m", ""]), "{bad}");
        }
        assert!(is_quantity("256Mi", &["Ki", "Mi", "Gi"]) && !is_quantity("256MB", &["Ki", "Mi", "Gi"]));
    }
}
