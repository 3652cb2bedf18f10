//! Comparison of YAML values with those of `sigs.k8s.io/yaml`.
#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value as Json, json};

use super::{parts, read_part, read_yaml};

/// Texts that kubectl refuses and that are read here as YAML 1.2. Texts that kubectl reads have the same value here.
const READ_HERE_ONLY: [&str; 4] = ["\tv: x\n", "%YAML 1.2\n---\na: 1\n", "a: \u{2028}b\n", "a: \u{85}b\n"];

/// Returns the rows of the table: the text, and its value unless it is an error.
fn table() -> Vec<(String, Option<Json>)> {
    let rows = include_str!("../../../tests/yaml/kubectl.txt").lines().filter(|row| !row.starts_with("# "));
    rows.map(|row| {
        let (text, value) = row.rsplit_once('\t').unwrap();
        let is_quoted = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
        let text = if is_quoted { serde_json::from_str(text).unwrap() } else { text.to_owned() };
        (text, (value != "!").then(|| serde_json::from_str(value).unwrap()))
    })
    .collect()
}

#[test]
fn every_text_means_what_it_means_to_kubectl() {
    let table = table();
    assert!(table.len() >= 200, "{} rows", table.len());
    let wrong: Vec<String> = table
        .into_iter()
        .filter_map(|(text, wanted)| {
            let found = read_part(&text).map(|documents| documents.values.into_iter().next().unwrap_or_default());
            match (found, wanted) {
                (Ok(found), Some(wanted)) if found == wanted => None,
                (Err(_), None) => None,
                (Ok(_), None) if READ_HERE_ONLY.contains(&text.as_str()) => None,
                (found, wanted) => Some(format!("{text:?}: {found:?}, and kubectl has {wanted:?}")),
            }
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_is_parted_at_lines_of_three_dashes() {
    let read = |text: &str| read_yaml(text).unwrap();
    assert_eq!(read("a: 1\n---\nb: 2\n"), [json!({ "a": 1 }), json!({ "b": 2 })]);
    assert_eq!(read("---\r\na: 1\r\n--- # next\r\nb: 2\r\n"), [json!({ "a": 1 }), json!({ "b": 2 })]);
    assert_eq!(read("\u{feff}---\na: 1\n"), [json!({ "a": 1 })]);
    assert_eq!(read("--- {a: 1}\n---   \nb: 2\n"), [json!({ "a": 1 }), json!({ "b": 2 })], "what follows is not lost");
    assert_eq!(read("a: 1\n...\n---\nb: 2\n"), [json!({ "a": 1 }), json!({ "b": 2 })]);
    assert_eq!(parts("a\n---\n---\nb").len(), 3);
    assert_eq!(read("# nothing\n---\n---\n"), Vec::<Json>::new());
}

#[test]
fn an_anchor_is_its_documents_own() {
    assert!(read_yaml("a: &x 1\n---\nb: *x\n").is_err());
}

#[test]
fn a_repeated_key_is_reported() {
    let found = read_part("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n").unwrap();
    assert_eq!(found.repeated, [("c".to_owned(), 17..18), ("a".to_owned(), 22..23)]);
    assert_eq!(found.values, [json!({ "a": 3, "b": { "c": 2 } })]);
    assert_eq!(read_part("x: &x {a: 1}\ny: {<<: *x, a: 2}\n").unwrap().repeated, []);
}

#[test]
fn an_error_has_its_place() {
    let place = |text: &str| read_part(text).unwrap_err().place;
    assert_eq!(place("a: .inf\n"), 3..7);
    assert_eq!(place("a: 1\nb: !!int x\n"), 14..15);
    assert_eq!(read_yaml("a: 1\n---\nb: .nan\n").unwrap_err().place, 12..16);
}

#[test]
fn aliases_cannot_stand_for_billions() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        text.extend([format!("a{level}: &a{level} ["), vec![before; 10].join(", "), "]\n".to_owned()]);
    }
    let error = read_part(&text).unwrap_err();
    assert!(error.why.contains("more than 500000 values"), "{error}");
}
