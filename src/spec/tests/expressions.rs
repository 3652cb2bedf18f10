//! HCL's expressions, through whole files.

use std::collections::BTreeMap;

use super::read;
use crate::spec::{ParsedFile, parse};

const BASE: &str = r#"
name  = "chat.poeticoding.com"
state = "s3://state.chat.poeticoding.com"
zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
masters {
  size = "t3.medium"
}
nodes "workers" {
  count = 2
  size  = "t3.medium"
}
"#;

fn with(text: &str, variables: &[(&str, &str)]) -> ParsedFile {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    parse("cluster.hcl", &format!("{BASE}{text}"), &variables)
}

/// Returns the value of the tag `v`, which is `expression`.
fn tag(expression: &str) -> String {
    let parsed = with(&format!("tags = {{ v = {expression} }}\n"), &[]);
    let Ok(cluster) = &parsed.cluster else { panic!("{}", parsed.render(false, 100)) };
    cluster.tags["v"].clone()
}

#[test]
fn expressions_have_their_values() {
    assert_eq!(tag(r#""a${1 + 2 * 3}b""#), "a7b");
    assert_eq!(tag(r#"true && !false ? upper("yes") : "no""#), "YES");
    assert_eq!(tag(r#"join("-", [for k, v in { a = 1, b = 2 } : "${k}${v}" if v > 1])"#), "b2");
    assert_eq!(tag(r#"join("-", [for x in range(3) : tostring(x)])"#), "0-1-2");
    assert_eq!(tag(r#"join("+", concat(["a"], split(" ", "b c")))"#), "a+b+c");
    assert_eq!(tag(r#"format("%s-%02d", "web", 7)"#), "web-07");
    assert_eq!(tag(r#"replace("a.b.c", ".", "/")"#), "a/b/c");
    assert_eq!(tag(r#"merge({ a = "1" }, { a = "2" }).a"#), "2");
    assert_eq!(tag(r#"{ for x in ["p", "q"] : x => upper(x) }["q"]"#), "Q");
    assert_eq!(tag(r#"join("", [{ n = "x" }, { n = "y" }][*].n)"#), "xy");
    assert_eq!(tag("tostring(max(1, 5, 3) - min([2, 4]...))"), "3");
    assert_eq!(tag(r#"tostring(tonumber("12") / 8)"#), "1.5");
    assert_eq!(tag(r#"tostring(length(keys({ a = 1, b = 2 })) + length("üñ"))"#), "4");
    assert_eq!(tag(r#"contains(["a"], "a") ? trimspace("  x ") : """#), "x");
    assert_eq!(tag(r#"base64encode("hi")"#), "aGk=");
    assert_eq!(tag(r#""%{ for x in ["a", "b"] ~} ${x} %{~ endfor }""#), "ab");
    assert_eq!(tag(r#""%{ if 1 < 2 }less%{ else }more%{ endif }""#), "less");
    assert_eq!(tag("trimspace(<<-EOT\n    x\n  EOT\n)"), "x");
}

#[test]
fn variables_come_from_outside() {
    let file = "variable \"n\" {\n  default = 1\n}\nvariable \"team\" {}\n\
                tags = { team = var.team, n = tostring(var.n + 1) }\n";
    let parsed = with(file, &[("n", "41"), ("team", "chat")]);
    let tags = parsed.cluster.expect("a cluster").tags;
    assert_eq!((tags["n"].as_str(), tags["team"].as_str()), ("42", "chat"));

    let codes = |variables| -> Vec<&str> { with(file, variables).diagnostics.iter().map(|d| d.code).collect() };
    assert_eq!(codes(&[]), ["Q0113"]);
    assert_eq!(codes(&[("team", "chat"), ("n", "many")]), ["Q0105"]);
    assert_eq!(codes(&[("team", "chat"), ("taem", "chat")]), ["Q0114"]);
}

#[test]
fn a_list_can_come_from_outside() {
    let file = "variable \"open\" {\n  default = []\n}\napi {\n  allow = var.open\n}\n";
    let parsed = with(file, &[("open", "[\"203.0.113.7/32\"]")]);
    assert_eq!(parsed.cluster.expect("a cluster").api.allow.len(), 1);
}

#[test]
fn locals_may_stand_in_any_order() {
    let parsed = with("locals {\n  b = upper(local.a)\n  a = \"x\"\n}\ntags = { v = local.b }\n", &[]);
    assert_eq!(parsed.cluster.expect("a cluster").tags["v"], "X");
}

#[test]
fn arithmetic_does_not_panic() {
    let expressions = [
        "1 % 0",
        "1 / 0",
        "0 / 0",
        "1.5 % 0",
        "9223372036854775807 + 1",
        "18446744073709551615 + 1",
        "-9223372036854775807 - 9",
        "9223372036854775807 * 2",
        "1e308 * 10",
        "-(-9223372036854775807 - 1)",
        "[1][18446744073709551615]",
        "range(9223372036854775806, 9223372036854775807, 9)[5]",
        "cidrsubnet(\"0.0.0.0/0\", 99999999999, -1)",
        "1e999",
    ];
    for expression in expressions {
        let parsed = with(&format!("tags = {{ v = tostring({expression}) }}\n"), &[]);
        let _ = parsed.render(false, 80);
    }
}

#[test]
fn explosions_end() {
    let chain = |link: &dyn Fn(usize) -> String| -> String {
        (1..60).map(|i| format!("  l{i} = {}\n", link(i - 1))).collect::<Vec<_>>().concat()
    };
    let doubling = chain(&|i| format!("concat(local.l{i}, local.l{i})"));
    let texts = chain(&|i| format!("\"${{local.l{i}}}${{local.l{i}}}\""));
    let files = [
        format!("locals {{\n  l0 = [1]\n{doubling}}}\n"),
        format!("locals {{\n  l0 = \"x\"\n{texts}}}\n"),
        "locals {\n  a = range(1000)\n  b = [for x in local.a : [for y in local.a : [for z in local.a : 1]]]\n}\n"
            .to_owned(),
        "locals {\n  a = range(1000)\n  b = [for x in local.a : local.a]\n}\n".to_owned(),
    ];
    for file in files {
        let parsed = with(&file, &[]);
        assert!(parsed.has_errors(), "{file}");
    }
}

#[test]
fn one_problem_is_reported_once() {
    let parsed = with("locals {\n  a = nope\n  b = local.a\n}\ntags = { v = local.b, w = upper(local.b) }\n", &[]);
    assert_eq!(parsed.diagnostics.len(), 1, "{}", parsed.render(false, 100));
}

#[test]
fn everything_is_found_in_one_pass() {
    let text = "name = \"Chat\"\nstate = 7\nzones = [\"us-east-1a\", \"us-west-1a\"]\nmastres = 1\n\
                masters {\n  count = 2\n  size = \"t3.meduim\"\n}\n";
    let parsed = read("cluster.hcl", text);
    let codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["Q0426", "Q0201", "Q0105", "Q0209", "Q0103", "Q0401", "Q0405"]);
}

#[test]
fn odd_texts_have_answers() {
    for text in ["", "\u{feff}", "\0", "\r\n", "\u{feff}name = 1", "name = \"\0\"", "ß = \"ü\"\r\n", "{", "}"] {
        for name in ["c.hcl", "c.toml", "c", "", "c.yaml"] {
            let parsed = read(name, text);
            assert!(parsed.has_errors());
            assert!(!parsed.render(true, 0).is_empty());
        }
    }
    assert!(read("c.hcl", &"x".repeat(2_000_000)).has_errors());
}

#[test]
fn deep_nesting_is_refused() {
    for depth in [70, 1000, 100_000] {
        let list = format!("zones = {}{}\n", "[".repeat(depth), "]".repeat(depth));
        let template = format!("name = \"{}x{}\"\n", "${\"".repeat(depth), "\"}".repeat(depth));
        let minus = format!("tags = {{ v = {}1 }}\n", "-".repeat(depth));
        let dots = format!("name = var{}\n", ".a".repeat(depth));
        let keys = format!("{} = 1\n", vec!["a"; depth].join("."));
        for text in [list, template, minus, dots, keys] {
            for name in ["c.hcl", "c.toml"] {
                assert!(read(name, &text).has_errors());
            }
        }
    }
}
