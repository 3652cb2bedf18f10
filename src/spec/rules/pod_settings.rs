//! Rules about the settings of a service's pods that few services need: files, pull secrets, the service account, the priority
//! class, the time to end.

use std::collections::BTreeMap;

use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::ServiceFile;
use super::super::name::check_domain;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Spanned};

pub(super) static RULES: [&Rule; 3] = [&FILE, &LARGE, &NAME];

static FILE: Rule = Rule {
    code: "Q0541",
    severity: Error,
    title: "a file that cannot be put into a container",
    explanation: "The path of a file is absolute and names a file: `/etc/app/config.toml`. It is not below the path of a volume, \
        where the volume would hide it, and no other file's path is below it.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  files = { \"default.conf\" = \"server {}\" }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  files = { \"/etc/nginx/conf.d/default.conf\" = \"server {}\" }\n}",
};

static LARGE: Rule = Rule {
    code: "Q0542",
    severity: Error,
    title: "files that are too large for a ConfigMap",
    explanation: "The files of a service are in one ConfigMap, and Kubernetes stores at most 1 MiB in it. Put larger files into \
        the image, or on a volume.",
    bad: "locals {\n  long = join(\"\", [for i in range(250) : format(\"%01000d\", i)])\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  files = { for i in range(5) : \"/${i}.txt\" => local.long }\n}",
    good: "locals {\n  long = join(\"\", [for i in range(250) : format(\"%01000d\", i)])\n}\n\nservice \"web\" {\n  image = \"nginx:1.27\"\n  files = { \"/one.txt\" = local.long }\n}",
};

static NAME: Rule = Rule {
    code: "Q0543",
    severity: Error,
    title: "that cannot be the name of a Kubernetes object",
    explanation: "Pull secrets, service accounts and priority classes are named as Kubernetes names them: lower case letters, \
        digits, hyphens and dots.",
    bad: "service \"web\" {\n  image        = \"nginx:1.27\"\n  pull_secrets = [\"My_Registry\"]\n}",
    good: "service \"web\" {\n  image        = \"nginx:1.27\"\n  pull_secrets = [\"my-registry\"]\n}",
};

/// Maximum size in bytes of what a `ConfigMap` holds: keys and values.
const MOST_BYTES: usize = (1 << 20) - 4096;

/// The settings of pods that few services need.
pub(super) struct PodSettings {
    pub(super) files: BTreeMap<String, String>,
    pub(super) pull_secrets: Vec<String>,
    pub(super) service_account: Option<String>,
    pub(super) priority_class: Option<String>,
    pub(super) grace_seconds: Option<u32>,
}

pub(super) fn read(
    context: &mut LoweringContext,
    name: &str,
    file: &ServiceFile,
) -> Result<PodSettings, ErrorReported> {
    let files = files(context, name, file);
    let pull_secrets = context.list(&file.pull_secrets, |context, item| object_name(context, item, "a secret"));
    let mut named = |setting: &Option<Spanned<String>>, what: &str| match setting {
        Some(written) => object_name(context, written, what).map(Some),
        None => Ok(None),
    };
    let service_account = named(&file.service_account, "a service account");
    let priority_class = named(&file.priority_class, "a priority class");
    Ok(PodSettings {
        files: files?,
        pull_secrets: pull_secrets?,
        service_account: service_account?,
        priority_class: priority_class?,
        grace_seconds: file.grace_seconds.optional()?.copied(),
    })
}

fn files(
    context: &mut LoweringContext,
    name: &str,
    file: &ServiceFile,
) -> Result<BTreeMap<String, String>, ErrorReported> {
    let volumes: Vec<&String> =
        file.volume.given().into_iter().flatten().filter_map(|(_, v)| v.given()?.path.given()).collect();
    let paths: Vec<&String> = file.files.given().into_iter().flatten().map(|(path, _)| path).collect();
    let files = context.map(&file.files, |context, path, written| {
        let text = written.value()?;
        let problem = Diagnostic::new(&FILE, written.key.clone(), format!("{path:?} cannot be the path of a file"));
        let problem = if !is_file_path(path) {
            problem.expected(["an absolute path, for example \"/etc/app/config.toml\""])
        } else if let Some(volume) = volumes.iter().find(|volume| is_below(path, volume)) {
            problem.label(format!("a volume is at {volume}"))
        } else if let Some(inner) = paths.iter().find(|inner| **inner != path && is_below(inner, path)) {
            problem.label(format!("{inner} would be a file in a file"))
        } else {
            return Ok(text.clone());
        };
        Err(context.error(problem))
    })?;
    let bytes: usize = files.iter().map(|(path, content)| path.len() + content.len()).sum();
    if bytes > MOST_BYTES {
        let message = format!("the files of `service.{name}` have {bytes} bytes together");
        let problem = Diagnostic::new(&LARGE, file.files.key(), message).label(format!("{MOST_BYTES} are the most"));
        return Err(context.error(problem.help("put large files into the image, or on a volume")));
    }
    Ok(files)
}

/// Returns `true` for an absolute path of a file in its shortest form.
pub(super) fn is_file_path(path: &str) -> bool {
    let parts = path.strip_prefix('/').map(|rest| rest.split('/'));
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains([':', '\0']);
    path.len() <= 1024 && parts.is_some_and(|mut parts| parts.all(is_part))
}

/// Returns `true` if a path is a folder's, or below it.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn object_name(context: &mut LoweringContext, written: &Spanned<String>, what: &str) -> Result<String, ErrorReported> {
    let name = written.value()?;
    if name.len() <= 253 && check_domain(name).is_ok() {
        return Ok(name.clone());
    }
    let problem = Diagnostic::new(&NAME, written.span.clone(), format!("{name:?} cannot be the name of {what}"));
    Err(context.error(problem.note("lower case letters, digits, hyphens and dots")))
}
