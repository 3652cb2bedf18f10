//! Rules about the manifests of add-ons. These files are beside the cluster file and are checked after it is read.

use super::super::diagnostic::Severity::{Error, Warning};
use super::Rule;

pub(super) static RULES: [&Rule; 6] = [&ABSENT, &NOT_YAML, &TYPE, &TWICE, &REPEATED, &REFUSED];

/// A missing file.
pub(in crate::spec) static ABSENT: Rule = Rule {
    code: "Q0601",
    severity: Error,
    title: "the manifest cannot be read",
    explanation: "An add-on names a file, relative to the directory of the cluster file. It is read by `check`, `plan` \
        and `apply`, and has to be text in UTF-8.",
    bad: "addon \"monitoring\" {\n  manifest = \"montoring.yaml\"\n}",
    good: "addon \"monitoring\" {\n  manifest = \"monitoring.yaml\"\n}",
};

/// A file that is not YAML.
pub(in crate::spec) static NOT_YAML: Rule = Rule {
    code: "Q0602",
    severity: Error,
    title: "the manifest is not YAML",
    explanation: "A manifest is YAML, one document an object, with a line of three dashes between two documents. The \
        message shows the error and its line; a wrong indent often shows a line later.",
    bad: "",
    good: "",
};

/// An object of an unknown type.
pub(in crate::spec) static TYPE: Rule = Rule {
    code: "Q0603",
    severity: Error,
    title: "the manifest holds something that is no object of a known type",
    explanation: "Every document needs `apiVersion`, `kind` and `metadata.name`, and a type that Kubernetes itself brings \
        along or that a CustomResourceDefinition in an add-on of the file makes. Of any other type it is unknown what \
        it is called or whether it is in namespaces: bring its definition, or apply such objects with kubectl.",
    bad: "",
    good: "",
};

/// A repeated object.
pub(in crate::spec) static TWICE: Rule = Rule {
    code: "Q0604",
    severity: Error,
    title: "the manifest holds an object twice",
    explanation: "Two documents of one manifest have the same kind, namespace and name: only one of them could be there. \
        Where no namespace is written, it is `default`.",
    bad: "",
    good: "",
};

/// A repeated key.
pub(in crate::spec) static REPEATED: Rule = Rule {
    code: "Q0605",
    severity: Warning,
    title: "a duplicate key in a mapping of a manifest",
    explanation: "YAML forbids it, and kubectl uses the last value without a warning. Quorate uses it too, and warns: \
        what is written first has no effect.",
    bad: "",
    good: "",
};

/// An object that the API server refuses.
pub(in crate::spec) static REFUSED: Rule = Rule {
    code: "Q0606",
    severity: Error,
    title: "the manifest holds an object that Kubernetes refuses",
    explanation: "Names are DNS names, those of namespaces and services DNS labels of at most 63 characters. Labels, \
        annotations and the data of a ConfigMap or Secret are texts: YAML reads `1.0` as a number and `yes` as a boolean, so \
        such values need quotes. A label's value has at most 63 characters, the annotations of an object 256 KiB \
        together, and what a ConfigMap or Secret holds 1 MiB.",
    bad: "",
    good: "",
};
