//! Rules about the rights of a service's processes.

use std::collections::BTreeSet;

use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::file::{SeccompFile, SecurityFile, ServiceFile};
use super::super::service::Security;
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Spanned, pod_settings};

pub(super) static RULES: [&Rule; 2] = [&CAPABILITY, &WRITABLE];

static CAPABILITY: Rule = Rule {
    code: "Q0544",
    severity: Error,
    title: "that is not a capability of Linux",
    explanation: "A capability is one of the rights that Linux splits root's rights into. Kubernetes takes their names without \
        `CAP_` and in capital letters: `NET_BIND_SERVICE`, `SYS_PTRACE` (capabilities(7)). `ALL` is not accepted: name those \
        that the program needs.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  security {\n    capabilities = [\"CAP_NET_RAW\"]\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  security {\n    capabilities = [\"NET_RAW\"]\n  }\n}",
};

static WRITABLE: Rule = Rule {
    code: "Q0545",
    severity: Error,
    title: "a folder that cannot be made writable",
    explanation: "A folder of `writable` has an absolute path, and is not a volume, a file of `files`, or below one: there, what \
        the volume holds would be hidden. Each folder is named once.",
    bad: "service \"web\" {\n  image = \"nginx:1.27\"\n  security {\n    writable = [\"tmp\"]\n  }\n}",
    good: "service \"web\" {\n  image = \"nginx:1.27\"\n  security {\n    writable = [\"/tmp\"]\n  }\n}",
};

/// The capabilities of Linux (capabilities(7)), sorted.
const CAPABILITIES: [&str; 41] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// Reads the block `security`; the default if it is not there.
pub(super) fn read(context: &mut LoweringContext, file: &ServiceFile) -> Result<Security, ErrorReported> {
    let Some(security) = file.security.optional()? else { return Ok(Security::default()) };
    let capabilities = capabilities(context, security);
    let writable = writable(context, file, security);
    Ok(Security {
        run_as_user: security.run_as_user.optional()?.copied(),
        run_as_group: security.run_as_group.optional()?.copied(),
        fs_group: security.fs_group.optional()?.copied(),
        read_only_root: security.read_only_root.optional()?.copied().unwrap_or(false),
        writable: writable?,
        capabilities: capabilities?,
        privilege_escalation: security.privilege_escalation.optional()?.copied().unwrap_or(false),
        unconfined: security.seccomp.optional()? == Some(&SeccompFile::Unconfined),
    })
}

fn capabilities(context: &mut LoweringContext, file: &SecurityFile) -> Result<Option<Vec<String>>, ErrorReported> {
    let named = context.list(&file.capabilities, |context, written| {
        let name = written.value()?;
        if CAPABILITIES.contains(&name.as_str()) {
            return Ok(name.clone());
        }
        let upper = name.to_uppercase();
        let meant = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let problem = Diagnostic::new(&CAPABILITY, written.span.clone(), format!("{name:?} is not a capability"));
        let problem = if name == "ALL" {
            problem.help("name those that the program needs")
        } else {
            problem.did_you_mean_as(meant, CAPABILITIES.iter().copied(), |name| format!("{name:?}"))
        };
        Err(context.error(problem))
    })?;
    // In another order, or named twice, they are the same.
    let sorted: BTreeSet<String> = named.into_iter().collect();
    Ok(file.capabilities.is_some().then(|| sorted.into_iter().collect()))
}

fn writable(
    context: &mut LoweringContext,
    file: &ServiceFile,
    security: &SecurityFile,
) -> Result<Vec<String>, ErrorReported> {
    let volumes: Vec<&String> =
        file.volume.given().into_iter().flatten().filter_map(|(_, v)| v.given()?.path.given()).collect();
    let files: Vec<&String> = file.files.given().into_iter().flatten().map(|(path, _)| path).collect();
    let mut first: Vec<&Spanned<String>> = Vec::new();
    let folders = context.list(&security.writable, |context, written| {
        let path = written.value()?;
        let message = format!("{path:?} cannot be made writable");
        let problem = Diagnostic::new(&WRITABLE, written.span.clone(), message);
        let same = first.iter().find(|other| other.given() == Some(path));
        let problem = if !pod_settings::is_file_path(path) {
            problem.expected(["an absolute path, for example \"/tmp\""])
        } else if let Some(volume) = volumes.iter().find(|volume| pod_settings::is_below(path, volume)) {
            problem.label(format!("a volume is at {volume}"))
        } else if let Some(inner) = files.iter().find(|inner| pod_settings::is_below(path, inner)) {
            problem.label(format!("{inner} is a file of `files`"))
        } else if let Some(same) = same {
            problem.label("it is named twice").related(same.span.clone(), "first here")
        } else {
            first.push(written);
            return Ok(path.clone());
        };
        Err(context.error(problem))
    })?;
    let sorted: BTreeSet<String> = folders.into_iter().collect();
    Ok(sorted.into_iter().collect())
}
