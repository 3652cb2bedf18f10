//! Rules about the pods of a service: number, size, stored data.

use super::super::complete::secret_key;
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::ServiceFile;
use super::super::name::check_label;
use super::{FileCheck, Rule, nodes};

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
    title: "a volume for several pods",
    explanation: "A volume is attached to one machine at a time, so one pod can have it. Several pods need a volume each \
        (a StatefulSet, which is for an `addon` so far), or a store of their own that they all reach by name.",
    bad: "service \"redis\" {\n  image    = \"redis:7\"\n  replicas = 2\n  volume \"data\" {\n    path = \"/data\"\n    gib  = 10\n  }\n}",
    good: "service \"redis\" {\n  image = \"redis:7\"\n  volume \"data\" {\n    path = \"/data\"\n    gib  = 10\n  }\n}",
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

pub(super) fn check(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    scale(check, name, service);
    for (variable, text) in service.secrets.iter().flatten() {
        if secret_key(text).is_none() {
            // The value may be a secret that was put into the wrong place: it is not repeated.
            let problem = check
                .at_key(
                    &SECRET,
                    &["service", name, "secrets", variable],
                    format!("the value of {variable:?} names no key of a secret"),
                )
                .expected(["secret/key, for example \"chat/secret-key-base\""]);
            check.report(problem);
        }
    }
    quantity(check, name, "cpu", service.cpu.as_deref(), &["m", ""]);
    quantity(check, name, "memory", service.memory.as_deref(), &["Ki", "Mi", "Gi"]);
    if let Some(path) = service.health.as_ref().and_then(|health| health.path.as_deref()) {
        absolute(check, &["service", name, "health", "path"], path);
    }
    namespace(check, name, service);
    volumes(check, name, service);
}

/// Returns the maximum number of pods.
pub(super) fn most(service: &ServiceFile) -> u32 {
    service.max.or(service.replicas).unwrap_or(1)
}

fn scale(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    let (min, max) = (service.min, service.max);
    let setting = if min.is_some() { "min" } else { "max" };
    let path = ["service", name, setting];
    let problem = |message: String| check.at_key(&SCALE, &path, message);
    let problem = match (service.replicas, min, max) {
        (_, None, None) => return,
        (Some(_), ..) => problem(format!("`service.{name}` has both `replicas` and `{setting}`"))
            .help("keep `replicas` to own the number, or `min` and `max` to leave it to the load"),
        (None, Some(_), None) | (None, None, Some(_)) => {
            problem(format!("`service.{name}` has `{setting}` alone")).help("`min` and `max` go together")
        }
        (None, Some(0), Some(_)) => problem(format!("`service.{name}` may have no pods")).help("write min = 1 or more"),
        (None, Some(min), Some(max)) if min > max => {
            problem(format!("`service.{name}` has at least {min} pods and at most {max}"))
        }
        (None, Some(_), Some(_)) if service.cpu.is_none() => {
            problem(format!("`service.{name}` is scaled by its load, but does not say how much CPU is a load"))
                .help("add what each pod needs, for example: cpu = \"250m\"")
        }
        _ => return,
    };
    check.report(problem);
}

fn quantity(check: &mut FileCheck, name: &str, setting: &str, text: Option<&str>, units: &[&str]) {
    let Some(text) = text.filter(|text| !is_quantity(text, units)) else { return };
    let example = if setting == "cpu" { "\"250m\" or \"0.5\"" } else { "\"256Mi\" or \"1Gi\"" };
    let problem = check
        .at(&QUANTITY, &["service", name, setting], format!("{text:?} is not an amount of {setting}"))
        .expected([format!("an amount, for example {example}")]);
    check.report(problem);
}

fn is_quantity(text: &str, units: &[&str]) -> bool {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let whole = unit.is_empty() || !number.contains('.');
    units.contains(&unit) && whole && !number.ends_with('.') && number.parse::<f64>().is_ok_and(|number| number > 0.0)
}

fn absolute(check: &mut FileCheck, path: &[&str], text: &str) {
    if !text.starts_with('/') {
        let problem = check
            .at(&PATH, path, format!("{text:?} does not start with a slash"))
            .help(format!("write path = \"/{text}\""));
        check.report(problem);
    }
}

fn namespace(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    let Some(namespace) = &service.namespace else { return };
    let problem = |message: String| check.at(&NAMESPACE, &["service", name, "namespace"], message);
    let problem = if check_label(namespace).is_err() || namespace.len() > 63 {
        problem(format!("{namespace:?} cannot be a namespace")).note("lower case letters, digits and hyphens")
    } else if namespace.starts_with("kube-") {
        problem(format!("the namespace {namespace} is Kubernetes' own")).help("choose another one")
    } else {
        return;
    };
    check.report(problem);
}

fn volumes(check: &mut FileCheck, name: &str, service: &ServiceFile) {
    let mut taken: Vec<(&str, &str)> = Vec::new();
    for (volume, file) in service.volume.iter().flatten() {
        nodes::check_name(check, &["service", name, "volume", volume], LONGEST_NAME, "a volume");
        if most(service) > 1 {
            let problem = check
                .at_key(
                    &SHARED,
                    &["service", name, "volume", volume],
                    format!("`service.{name}` has several pods and a volume"),
                )
                .note("a volume is attached to one machine at a time")
                .help("run one pod, or let the pods share a store that they reach by name");
            check.report(problem);
        }
        let Some(path) = file.path.as_deref() else { continue };
        let place = ["service", name, "volume", volume, "path"];
        absolute(check, &place, path);
        if let Some((other, _)) = taken.iter().find(|(_, taken)| *taken == path) {
            let first = check.tree.span(&["service", name, "volume", other, "path"]);
            let problem = Diagnostic::new(
                &PATH,
                check.tree.span(&place),
                format!("{path} belongs to the volume {other} already"),
            )
            .related(first, "first here");
            check.report(problem);
        }
        taken.push((volume, path));
    }
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
