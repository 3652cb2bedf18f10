//! Rules about the cluster itself: name, state, account, version.

use super::super::cluster::{ClusterName, StateLocation};
use super::super::diagnostic::{Diagnostic, Severity::Error};
use super::super::kubernetes_version::KubernetesVersion;
use super::super::location::LocationError;
use super::super::name::{LabelError, NameError};
use super::{ErrorReported, LoweringContext, OptionalSetting, Rule, Span};

pub(super) static RULES: [&Rule; 7] = [&NAME, &NAME_DOT, &NAME_LENGTH, &STATE, &BUCKET, &ACCOUNT, &VERSION];

static NAME: Rule = Rule {
    code: "Q0201",
    severity: Error,
    title: "the cluster's name is not a DNS name",
    explanation: "The name is part of DNS names (`api.<name>`, `internal.<name>`): parts of lower \
        case letters, digits and hyphens, with dots between them.",
    bad: "name = \"Chat_Prod.poeticoding.com\"",
    good: "name = \"chat-prod.poeticoding.com\"",
};

static NAME_DOT: Rule = Rule {
    code: "Q0202",
    severity: Error,
    title: "the cluster's name has no dot",
    explanation: "The name is a full DNS name, so that two clusters of one company never share it. \
        It need not be a domain that you own: without a hosted zone in Route 53 there are just no \
        public names.",
    bad: "name = \"chat\"",
    good: "name = \"chat.example.internal\"",
};

static NAME_LENGTH: Rule = Rule {
    code: "Q0203",
    severity: Error,
    title: "the cluster's name is too long",
    explanation: "63 characters are the most, because the name is part of labels and of names of \
        AWS resources.",
    bad: "name = \"a-name-that-tells-the-whole-story-of-the-project-and-its-team.poeticoding.com\"",
    good: "name = \"story.poeticoding.com\"",
};

static STATE: Rule = Rule {
    code: "Q0204",
    severity: Error,
    title: "the state's location cannot be read",
    explanation: "The record and the lease live in an S3 bucket (`s3://bucket` or \
        `s3://bucket/prefix`), or in a directory of one machine (`file:./dir`).",
    bad: "state = \"https://state.chat.poeticoding.com\"",
    good: "state = \"s3://state.chat.poeticoding.com\"",
};

static BUCKET: Rule = Rule {
    code: "Q0205",
    severity: Error,
    title: "S3 has no bucket of that name",
    explanation: "A bucket's name has 3 to 63 lower case letters, digits, dots and hyphens, starts \
        and ends with a letter or digit, and is not an IP address.",
    bad: "state = \"s3://State_Chat\"",
    good: "state = \"s3://state-chat\"",
};

static ACCOUNT: Rule = Rule {
    code: "Q0206",
    severity: Error,
    title: "the account is not 12 digits",
    explanation: "An AWS account is written as its 12 digits, in quotes, because some start with 0.",
    bad: "account = \"1234-5678-9012\"",
    good: "account = \"123456789012\"",
};

static VERSION: Rule = Rule {
    code: "Q0207",
    severity: Error,
    title: "this release does not build that Kubernetes version",
    explanation: "Each release of Quorate builds some minor versions of Kubernetes: those that it has \
        add-ons for, so not always the very newest. The patch version of a cluster is recorded, and `quorate upgrade` changes it.",
    bad: "kubernetes = \"1.19\"",
    good: "kubernetes = \"1.36\"",
};

pub(super) fn name(context: &mut LoweringContext) -> Result<ClusterName, ErrorReported> {
    let setting = &context.file.name;
    let text = context.required(setting, "name")?;
    ClusterName::parse(text).map_err(|error| context.error(name_problem(text, &error, setting.place())))
}

pub(super) fn state(context: &mut LoweringContext) -> Result<StateLocation, ErrorReported> {
    let setting = &context.file.state;
    let text = context.required(setting, "state")?;
    StateLocation::parse(text).map_err(|error| context.error(state_problem(text, &error, setting.place())))
}

pub(super) fn account(context: &mut LoweringContext) -> Result<Option<String>, ErrorReported> {
    let setting = &context.file.account;
    match setting.optional()? {
        Some(account) if !is_account(account) => Err(context.error(account_problem(account, setting.place()))),
        account => Ok(account.cloned()),
    }
}

/// The version, and whether the file names it.
pub(super) fn version(context: &mut LoweringContext) -> Result<(KubernetesVersion, bool), ErrorReported> {
    let setting = &context.file.kubernetes;
    let Some(text) = setting.optional()? else { return Ok((KubernetesVersion::DEFAULT, false)) };
    match KubernetesVersion::parse(text) {
        Some(version) => Ok((version, true)),
        None => Err(context.error(version_problem(text, setting.place()))),
    }
}

fn name_problem(name: &str, error: &NameError, span: Span) -> Diagnostic {
    let (rule, message) = match error {
        NameError::TooLong(_) => (&NAME_LENGTH, "the cluster's name is too long"),
        NameError::NoDot => (&NAME_DOT, "the cluster's name has no dot"),
        NameError::Label(_) => (&NAME, "the cluster's name is not a DNS name"),
    };
    let problem = Diagnostic::new(rule, span, message);
    match error {
        NameError::NoDot => problem
            .note("a name that you do not own works too: then there are no public names")
            .help(format!("for example: name = \"{name}.example.internal\"")),
        NameError::Label(LabelError::Character(_)) => {
            let lower = name.to_lowercase().replace(['_', ' '], "-");
            let problem = problem.label(error.to_string());
            match ClusterName::parse(&lower) {
                Ok(_) => problem.help(format!("write name = \"{lower}\"")),
                Err(_) => problem.note("lower case letters, digits, hyphens, and dots between parts"),
            }
        }
        NameError::TooLong(_) | NameError::Label(_) => problem.label(error.to_string()),
    }
}

fn state_problem(state: &str, error: &LocationError, span: Span) -> Diagnostic {
    match error {
        LocationError::Bucket(error) => {
            let problem = Diagnostic::new(&BUCKET, span, "S3 has no bucket of that name").label(error.to_string());
            let tidied = state.to_lowercase().replace(['_', ' '], "-");
            match StateLocation::parse(&tidied) {
                Ok(_) => problem.help(format!("write state = \"{tidied}\"")),
                Err(_) => problem,
            }
        }
        LocationError::Scheme => {
            let problem = Diagnostic::new(&STATE, span, "the state's location cannot be read")
                .label(error.to_string())
                .expected(["s3://bucket", "s3://bucket/prefix", "file:./directory"]);
            match StateLocation::parse(&format!("s3://{state}")) {
                Ok(_) => problem.help(format!("write state = \"s3://{state}\"")),
                Err(_) => problem,
            }
        }
        LocationError::Directory | LocationError::Prefix => {
            Diagnostic::new(&STATE, span, "the state's location cannot be read").label(error.to_string())
        }
    }
}

fn is_account(account: &str) -> bool {
    account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())
}

fn account_problem(account: &str, span: Span) -> Diagnostic {
    let problem = Diagnostic::new(&ACCOUNT, span, "an AWS account has 12 digits");
    let digits: String = account.chars().filter(char::is_ascii_digit).collect();
    if is_account(&digits) {
        return problem.help(format!("write account = \"{digits}\""));
    }
    problem.label(format!("these are {}", digits.len()))
}

fn version_problem(version: &str, span: Span) -> Diagnostic {
    let supported = KubernetesVersion::SUPPORTED.map(|version| version.to_string());
    let problem = Diagnostic::new(&VERSION, span, format!("this release does not build Kubernetes {version}"))
        .expected(supported.iter().map(|version| format!("{version:?}")));
    let minor: Vec<&str> = version.trim_start_matches('v').split('.').take(2).collect();
    match KubernetesVersion::parse(&minor.join(".")) {
        Some(version) => problem
            .note("Quorate records the patch version; `quorate upgrade` changes it")
            .help(format!("write kubernetes = \"{version}\"")),
        None => problem,
    }
}
