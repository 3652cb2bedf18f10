//! Rules about the file itself: syntax, names, types, expressions. Checked while reading.

use super::super::diagnostic::Severity::Error;
use super::Rule;

pub(super) static RULES: [&Rule; 16] = [
    &SYNTAX,
    &FORMAT,
    &UNKNOWN,
    &MISSING,
    &TYPE,
    &RANGE,
    &DUPLICATE,
    &LABEL,
    &CHOICE,
    &UNDEFINED,
    &FUNCTION,
    &EXPRESSION,
    &NO_VALUE,
    &UNDECLARED,
    &CYCLE,
    &TOO_LARGE,
];

/// A file that is neither HCL nor TOML.
pub(in crate::spec) static SYNTAX: Rule = Rule {
    code: "Q0101",
    severity: Error,
    title: "the file is not HCL or TOML",
    explanation: "A bracket is not closed, a quote is missing, or a line is in the other language. \
        HCL is read up to the first such place, TOML is read on after it.",
    bad: "api {",
    good: "api {\n  allow = [\"203.0.113.7/32\"]\n}",
};

/// A file with another extension.
pub(in crate::spec) static FORMAT: Rule = Rule {
    code: "Q0102",
    severity: Error,
    title: "the file's name ends in neither .hcl nor .toml",
    explanation: "The name of a cluster file ends in .hcl or .toml, which determines its language.",
    bad: "# cluster.yaml",
    good: "# cluster.hcl or cluster.toml",
};

/// A name that is not a setting.
pub(in crate::spec) static UNKNOWN: Rule = Rule {
    code: "Q0103",
    severity: Error,
    title: "there is no setting of that name",
    explanation: "Unknown settings are errors, because a typing mistake would otherwise be a \
        default without notice.",
    bad: "acount = \"123456789012\"",
    good: "account = \"123456789012\"",
};

/// A missing setting that is required.
pub(in crate::spec) static MISSING: Rule = Rule {
    code: "Q0104",
    severity: Error,
    title: "a setting is missing",
    explanation: "`name`, `state`, `zones` and `masters` have no default, and neither has the size \
        of an instance or the image of a service.",
    bad: "masters {\n  count = 3\n}",
    good: "masters {\n  count = 3\n  size  = \"t3.medium\"\n}",
};

/// A value of another type.
pub(in crate::spec) static TYPE: Rule = Rule {
    code: "Q0105",
    severity: Error,
    title: "a value has the wrong type",
    explanation: "Numbers stand without quotes, texts in quotes, lists in square brackets. Nothing \
        is converted silently: `1.30` as a number would be `1.3`.",
    bad: "kubernetes = 1.36",
    good: "kubernetes = \"1.36\"",
};

/// A number out of its range.
pub(in crate::spec) static RANGE: Rule = Rule {
    code: "Q0106",
    severity: Error,
    title: "a number is out of its range",
    explanation: "Ports go from 1 to 65535; volumes have a size that AWS makes and that the \
        machine can boot from; counts are not negative.",
    bad: "masters {\n  size = \"t3.medium\"\n  root {\n    gib = 2\n  }\n}",
    good: "masters {\n  size = \"t3.medium\"\n  root {\n    gib = 30\n  }\n}",
};

/// A repeated name.
pub(in crate::spec) static DUPLICATE: Rule = Rule {
    code: "Q0107",
    severity: Error,
    title: "something is defined twice",
    explanation: "Each setting occurs once, and each node group and each service has a name of its \
        own. The second one is never merged into the first.",
    bad: "api {\n  allow = []\n}\n\napi {\n  allow = [\"203.0.113.7/32\"]\n}",
    good: "api {\n  allow = [\"203.0.113.7/32\"]\n}",
};

/// A block with too few or too many names.
pub(in crate::spec) static LABEL: Rule = Rule {
    code: "Q0108",
    severity: Error,
    title: "a block has a name too few or too many",
    explanation: "Node groups, services and variables have one name each: `nodes \"workers\" { … }`, \
        in TOML `[nodes.workers]`. Other blocks have none.",
    bad: "nodes {\n  count = 2\n  size  = \"t3.medium\"\n}",
    good: "nodes \"workers\" {\n  count = 2\n  size  = \"t3.medium\"\n}",
};

/// A text that is not one of the allowed values.
pub(in crate::spec) static CHOICE: Rule = Rule {
    code: "Q0109",
    severity: Error,
    title: "a value is not one of those that are possible",
    explanation: "Some settings have a fixed list of values; the message shows it.",
    bad: "network {\n  plugin = \"calico\"\n}",
    good: "network {\n  plugin = \"none\" # and install Calico yourself\n}",
};

/// A variable or local that is not declared.
pub(in crate::spec) static UNDEFINED: Rule = Rule {
    code: "Q0110",
    severity: Error,
    title: "an expression names something that is not there",
    explanation: "Expressions can name variables (`var.x`), locals (`local.x`) and what a `for` \
        around them declares. Text is written in quotes.",
    bad: "variable \"owner\" {\n  default = \"chat\"\n}\n\ntags = { team = var.ower }",
    good: "variable \"owner\" {\n  default = \"chat\"\n}\n\ntags = { team = var.owner }",
};

/// A function that does not exist.
pub(in crate::spec) static FUNCTION: Rule = Rule {
    code: "Q0111",
    severity: Error,
    title: "there is no function of that name",
    explanation: "The functions are those of the message's list. None reads files, the network or \
        the clock: a file means the same cluster everywhere and always.",
    bad: "tags = { made = timestamp() }",
    good: "tags = { made = \"2026-03-01\" }",
};

/// An expression without a value.
pub(in crate::spec) static EXPRESSION: Rule = Rule {
    code: "Q0112",
    severity: Error,
    title: "an expression cannot be evaluated",
    explanation: "An operator or a function was given something that it does not work on.",
    bad: "tags = { team = \"chat\" + \"s\" }",
    good: "tags = { team = \"${\"chat\"}s\" }",
};

/// A variable without a value.
pub(in crate::spec) static NO_VALUE: Rule = Rule {
    code: "Q0113",
    severity: Error,
    title: "a variable has no value",
    explanation: "A variable without a default needs a value from `--var`, a `--var-file` or \
        `QUORATE_VAR_…`.",
    bad: "variable \"team\" {}\n\ntags = { team = var.team }",
    good: "variable \"team\" {\n  default = \"chat\"\n}\n\ntags = { team = var.team }",
};

/// A value for a variable that is not declared.
pub(in crate::spec) static UNDECLARED: Rule = Rule {
    code: "Q0114",
    severity: Error,
    title: "a value was given for a variable that the file does not declare",
    explanation: "An unused value is most likely a typing mistake. TOML files have \
        no variables.",
    bad: "# quorate plan --var chat_imgae=chat:2",
    good: "# quorate plan --var chat_image=chat:2",
};

/// A local that depends on itself.
pub(in crate::spec) static CYCLE: Rule = Rule {
    code: "Q0115",
    severity: Error,
    title: "a local is defined by itself",
    explanation: "Locals may name each other in any order, but not in a circle.",
    bad: "locals {\n  a = local.b\n  b = local.a\n}",
    good: "locals {\n  a = \"chat\"\n  b = local.a\n}",
};

/// A file or value that is too large.
pub(in crate::spec) static TOO_LARGE: Rule = Rule {
    code: "Q0116",
    severity: Error,
    title: "the file, or a value in it, is too large",
    explanation: "A cluster file is read by people. The limits (256 KiB of text, 200,000 expressions, \
        20,000 parts of one value) are far beyond that, and keep a mistake in a `for` from filling \
        the memory.",
    bad: "locals {\n  a = range(1000)\n  b = [for x in local.a : local.a]\n}",
    good: "locals {\n  a = range(10)\n}",
};
