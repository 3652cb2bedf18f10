//! The page about objects matches the objects.

use std::fmt::Write;

use super::clusters::{ha, objects, tutorial, value_text};
use crate::engine::{KindRegistry, Object, Value};
use crate::resource::{ResourceKinds, is_kubernetes, tags_of};

const PAGE: &str = include_str!("../../../docs/objects.md");

/// Returns the part of the page between two marks.
fn part(name: &str) -> &'static str {
    let begin = format!("<!-- {name} -->\n");
    let (_, rest) = PAGE.split_once(&begin).unwrap_or_else(|| panic!("docs/objects.md has no {begin}"));
    rest.split_once(&format!("<!-- end of {name} -->")).unwrap().0
}

/// AWS's objects, one a line.
fn table(objects: &[Object]) -> String {
    let mut out = "| address | is a | called |\n|---|---|---|\n".to_owned();
    for object in objects.iter().filter(|object| !is_kubernetes(object.address.kind())) {
        let title = ResourceKinds.kind(object.address.kind()).unwrap().title;
        let tags = tags_of(&object.attributes);
        let name = tags.get("Name").cloned().or_else(|| value_text(object.attributes.get("name")?));
        writeln!(out, "| `{}` | {title} | {} |", object.address, name.unwrap_or_default()).unwrap();
    }
    out
}

/// Returns the rules of every security group.
fn rules(objects: &[Object]) -> String {
    let mut out = "| to | protocol | ports | from | why |\n|---|---|---|---|---|\n".to_owned();
    for object in objects.iter().filter(|object| object.address.kind() == "security-group-rules") {
        let Some(Value::List(rules)) = object.attributes.get("ingress") else { panic!("no rules") };
        for rule in rules {
            let Value::Map(rule) = rule else { panic!("{rule:?}") };
            let field = |name: &str| value_text(&rule[name]).unwrap();
            let peer = field("peer").replace("${security-group/", "").replace(".id}", "");
            let (protocol, ports, why) = (field("protocol"), field("ports"), field("description"));
            writeln!(out, "| {} | {protocol} | {ports} | {peer} | {why} |", object.address.name()).unwrap();
        }
    }
    out
}

#[test]
fn the_page_lists_the_objects() {
    let table = table(&objects(tutorial()));
    assert_eq!(part("objects"), table, "docs/objects.md should say:\n{table}");
}

#[test]
fn the_page_lists_the_rules() {
    let rules = rules(&objects(ha()));
    assert_eq!(part("rules"), rules, "docs/objects.md should say:\n{rules}");
}
