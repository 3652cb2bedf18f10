//! Plans of whole clusters as JSON, validated with the published schema.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use quorate::testkit::skip_without_setup;

use crate::program::{desk, exits, out, quorate};

/// Validates documents with the schema of a plan; `None`, with a message, if there is no validator.
fn validate(documents: &[PathBuf]) -> Option<Output> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(python) = std::env::var_os("QUORATE_TEST_PYTHON") else {
        skip_without_setup("no validator of JSON Schema is installed; `tests/run` installs it");
        return None;
    };
    let mut command = Command::new(python);
    command.arg(root.join("tests/schema/validate.py")).arg(root.join("schemas/plan.schema.json"));
    Some(command.args(documents).output().expect("Python starts"))
}

#[test]
fn plans_of_every_sort_are_valid() {
    let desk = desk();
    let mut documents = Vec::new();
    let mut keep = |name: &str, arguments: &[&str]| {
        let planned = quorate(desk.path(), &[&["plan", "--json"], arguments].concat());
        exits(&planned, 0);
        let path = desk.path().join(format!("{name}.json"));
        std::fs::write(&path, out(&planned)).expect("the file can be written");
        documents.push(path);
    };
    let file = desk.path().join("cluster.hcl");
    let edit = |from: &str, to: &str| {
        let text = std::fs::read_to_string(&file).expect("the file is there");
        assert!(text.contains(from), "{from}");
        std::fs::write(&file, text.replacen(from, to, 1)).expect("the file can be written");
    };
    let run = |arguments: &[&str]| exits(&quorate(desk.path(), arguments), 0);
    edit("name  =", "kubernetes = \"1.35\"\nname  =");
    keep("create", &[]);
    run(&["apply", "--yes"]);
    keep("empty", &[]);
    keep("destroy", &["--destroy"]);
    run(&["sandbox", "set", "target-group/api", "health_check.interval=30"]);
    keep("drift", &[]);
    keep("refresh", &["--refresh-only"]);
    edit("t3.medium", "t3.large");
    edit("count = 2", "min = 2\n  max = 4");
    keep("size", &[]);
    keep("held", &["--no-roll"]);
    edit("1.35", "1.36");
    keep("upgrade", &[]);
    edit("us-east-1d\", \"us-east-1f\"]", "us-east-1d\"]\nnetwork {\n  cidr = \"10.0.0.0/16\"\n}");
    keep("refused", &[]);

    let Some(validated) = validate(&documents) else { return };
    assert!(validated.status.success(), "{}{}", out(&validated), crate::program::err(&validated));

    let broken = desk.path().join("broken.json");
    let text = std::fs::read_to_string(&documents[0]).expect("it was written");
    std::fs::write(&broken, text.replacen("\"format\": 1", "\"format\": 2", 1)).expect("the file can be written");
    let refused = validate(&[broken]).expect("there is a validator");
    assert!(!refused.status.success() && out(&refused).contains("$.format"), "{}", out(&refused));
}
