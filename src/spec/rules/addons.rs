//! The manifests of add-ons. They are files beside the cluster file, so these are checked once it is read.

use super::super::diagnostic::Severity::Error;
use super::Rule;

pub(super) static RULES: [&Rule; 4] = [&ABSENT, &NOT_YAML, &TYPE, &TWICE];

/// A file that is not there.
pub(in crate::spec) static ABSENT: Rule = Rule {
    code: "Q0601",
    severity: Error,
    title: "the manifest cannot be read",
    explanation: "An add-on names a file, seen from the directory of the cluster file. It is read by `check`, `plan` and \
        `apply`, and has to be text in UTF-8.",
    bad: "addon \"monitoring\" {\n  manifest = \"montoring.yaml\"\n}",
    good: "addon \"monitoring\" {\n  manifest = \"monitoring.yaml\"\n}",
};

/// Not YAML.
pub(in crate::spec) static NOT_YAML: Rule = Rule {
    code: "Q0602",
    severity: Error,
    title: "the manifest is not YAML",
    explanation: "A manifest is YAML, one document an object, with a line of three dashes between two documents. What is \
        wrong stands in the message, with its line; a wrong indent often shows a line later.",
    bad: "",
    good: "",
};

/// Not an object of a type that is known.
pub(in crate::spec) static TYPE: Rule = Rule {
    code: "Q0603",
    severity: Error,
    title: "the manifest holds something that is no object of a known type",
    explanation: "Every document needs `apiVersion`, `kind` and `metadata.name`, and a type that Kubernetes itself brings \
        along or that a CustomResourceDefinition in an add-on of the file makes. Of any other type nobody could say what \
        it is called or whether it is in namespaces: bring its definition, or apply such objects with kubectl.",
    bad: "",
    good: "",
};

/// The same object again.
pub(in crate::spec) static TWICE: Rule = Rule {
    code: "Q0604",
    severity: Error,
    title: "the manifest holds an object twice",
    explanation: "Two documents of one manifest have the same kind, namespace and name: only one of them could be there. \
        Where no namespace is written, it is `default`.",
    bad: "",
    good: "",
};
