//! The functions of the expression language: pure, bounded, without files and without a clock.

use core::net::Ipv4Addr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ipnet::Ipv4Net;

use super::arithmetic::{as_float, number_from};
use crate::spec::tree::{Node, Table, Value};

/// The most items that a function returns: enough for any cluster, too few to fill the memory.
const MAX_ITEMS: usize = 1024;
/// The longest text that a function returns.
const MAX_TEXT: usize = 256 * 1024;

type Result<T = Value> = std::result::Result<T, String>;

/// A function: how many arguments it takes, and what it does.
pub(super) struct Function {
    name: &'static str,
    arguments: (usize, usize),
    body: fn(&[Node]) -> Result,
}

const ANY: usize = usize::MAX;

/// Every function, by name.
const FUNCTIONS: [Function; 23] = [
    function("base64encode", (1, 1), base64encode),
    function("cidrsubnet", (3, 3), cidrsubnet),
    function("concat", (1, ANY), concat),
    function("contains", (2, 2), contains),
    function("format", (1, ANY), format_text),
    function("join", (2, 2), join),
    function("jsonencode", (1, 1), |a| Ok(Value::String(a[0].value.to_json().to_string()))),
    function("keys", (1, 1), keys),
    function("length", (1, 1), length),
    function("lower", (1, 1), |a| Ok(Value::String(text(&a[0])?.to_lowercase()))),
    function("max", (1, ANY), |a| extreme(a, |new, old| new > old)),
    function("merge", (1, ANY), merge),
    function("min", (1, ANY), |a| extreme(a, |new, old| new < old)),
    function("range", (1, 3), range),
    function("replace", (3, 3), replace),
    function("reverse", (1, 1), reverse),
    function("sort", (1, 1), sort),
    function("split", (2, 2), split),
    function("tonumber", (1, 1), tonumber),
    function("tostring", (1, 1), |a| Ok(Value::String(text(&a[0])?))),
    function("trimspace", (1, 1), |a| Ok(Value::String(text(&a[0])?.trim().to_owned()))),
    function("upper", (1, 1), |a| Ok(Value::String(text(&a[0])?.to_uppercase()))),
    function("values", (1, 1), values),
];

const fn function(name: &'static str, arguments: (usize, usize), body: fn(&[Node]) -> Result) -> Function {
    Function { name, arguments, body }
}

/// The function of that name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The names of all functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    FUNCTIONS.iter().map(|function| function.name)
}

impl Function {
    /// Calls it, when the number of arguments is right.
    pub(super) fn call(&self, arguments: &[Node]) -> Result {
        let (least, most) = self.arguments;
        if arguments.len() < least || arguments.len() > most {
            let wanted = match (least, most) {
                (least, ANY) => format!("{least} or more arguments"),
                (1, 1) => "one argument".to_owned(),
                (least, most) if least == most => format!("{least} arguments"),
                (least, most) => format!("{least} to {most} arguments"),
            };
            return Err(format!("takes {wanted}, not {}", arguments.len()));
        }
        (self.body)(arguments)
    }
}

/// A value as text: what a template writes.
pub(super) fn to_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Invalid | Value::Null | Value::Date(_) | Value::List(_) | Value::Table(_) => None,
    }
}

fn text(node: &Node) -> Result<String> {
    to_text(&node.value).ok_or_else(|| format!("{} is not text", node.value.kind()))
}

fn items(node: &Node) -> Result<&[Node]> {
    match &node.value {
        Value::List(items) => Ok(items),
        other => Err(format!("needs a list, not {}", other.kind())),
    }
}

fn table(node: &Node) -> Result<&Table> {
    match &node.value {
        Value::Table(table) => Ok(table),
        other => Err(format!("needs a table, not {}", other.kind())),
    }
}

fn integer(node: &Node) -> Result<i64> {
    match &node.value {
        Value::Integer(number) => Ok(*number),
        other => Err(format!("needs a whole number, not {}", other.kind())),
    }
}

fn list(items: Vec<Value>) -> Result {
    nodes(items.into_iter().map(Node::computed).collect())
}

fn nodes(items: Vec<Node>) -> Result {
    if items.len() > MAX_ITEMS {
        return Err(format!("the list would have {} items; {MAX_ITEMS} are the most", items.len()));
    }
    Ok(Value::List(items))
}

fn string(text: String) -> Result {
    if text.len() > MAX_TEXT {
        return Err(format!("the text would be longer than {} KiB", MAX_TEXT / 1024));
    }
    Ok(Value::String(text))
}

fn base64encode(a: &[Node]) -> Result {
    string(BASE64_STANDARD.encode(text(&a[0])?))
}

fn concat(a: &[Node]) -> Result {
    let mut all = Vec::new();
    for argument in a {
        all.extend_from_slice(items(argument)?);
    }
    nodes(all)
}

fn contains(a: &[Node]) -> Result {
    Ok(Value::Bool(items(&a[0])?.contains(&a[1])))
}

fn join(a: &[Node]) -> Result {
    let parts: Vec<String> = items(&a[1])?.iter().map(text).collect::<Result<_>>()?;
    string(parts.join(&text(&a[0])?))
}

fn split(a: &[Node]) -> Result {
    let (separator, whole) = (text(&a[0])?, text(&a[1])?);
    if separator.is_empty() {
        return Err("the separator is empty".to_owned());
    }
    list(whole.split(&separator).map(|part| Value::String(part.to_owned())).collect())
}

fn replace(a: &[Node]) -> Result {
    let (whole, from, to) = (text(&a[0])?, text(&a[1])?, text(&a[2])?);
    if from.is_empty() {
        return Err("the text to replace is empty".to_owned());
    }
    let grown = whole.matches(&from).count().saturating_mul(to.len());
    if grown > MAX_TEXT {
        return Err(format!("the text would be longer than {} KiB", MAX_TEXT / 1024));
    }
    string(whole.replace(&from, &to))
}

fn keys(a: &[Node]) -> Result {
    list(table(&a[0])?.names().map(|name| Value::String(name.to_owned())).collect())
}

fn values(a: &[Node]) -> Result {
    nodes(table(&a[0])?.entries.iter().map(|entry| entry.node.clone()).collect())
}

fn length(a: &[Node]) -> Result {
    let length = match &a[0].value {
        Value::String(text) => text.chars().count(),
        Value::List(items) => items.len(),
        Value::Table(table) => table.entries.len(),
        other => return Err(format!("{} has no length", other.kind())),
    };
    i64::try_from(length).map(Value::Integer).map_err(|error| error.to_string())
}

fn merge(a: &[Node]) -> Result {
    let mut merged = Table::default();
    for argument in a {
        for entry in &table(argument)?.entries {
            merged.set(&entry.key.name, entry.node.value.clone());
        }
    }
    if merged.entries.len() > MAX_ITEMS {
        return Err(format!("the table would have more than {MAX_ITEMS} settings"));
    }
    Ok(Value::Table(merged))
}

fn reverse(a: &[Node]) -> Result {
    nodes(items(&a[0])?.iter().rev().cloned().collect())
}

fn sort(a: &[Node]) -> Result {
    let mut texts: Vec<String> = items(&a[0])?.iter().map(text).collect::<Result<_>>()?;
    texts.sort();
    list(texts.into_iter().map(Value::String).collect())
}

fn tonumber(a: &[Node]) -> Result {
    match &a[0].value {
        number @ (Value::Integer(_) | Value::Float(_)) => Ok(number.clone()),
        Value::String(text) => parse_number(text.trim()),
        other => Err(format!("{} is not a number", other.kind())),
    }
}

fn parse_number(text: &str) -> Result {
    if let Ok(number) = text.parse() {
        return Ok(Value::Integer(number));
    }
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.map(number_from).ok_or_else(|| format!("{text:?} is not a number"))
}

fn extreme(a: &[Node], better: fn(f64, f64) -> bool) -> Result {
    let listed = match a {
        [Node { value: Value::List(items), .. }] => items.as_slice(),
        several => several,
    };
    let mut best: Option<(f64, &Value)> = None;
    for node in listed {
        let number = as_float(&node.value).ok_or_else(|| format!("needs numbers, not {}", node.value.kind()))?;
        if best.is_none_or(|(old, _)| better(number, old)) {
            best = Some((number, &node.value));
        }
    }
    best.map(|(_, value)| value.clone()).ok_or_else(|| "needs at least one number".to_owned())
}

fn range(a: &[Node]) -> Result {
    let (start, end, step) = match a {
        [end] => (0, integer(end)?, 1),
        [start, end] => (integer(start)?, integer(end)?, 1),
        [start, end, step, ..] => (integer(start)?, integer(end)?, integer(step)?),
        [] => return Err("takes 1 to 3 arguments".to_owned()),
    };
    if step == 0 {
        return Err("a step of 0 does not end".to_owned());
    }
    let mut numbers = Vec::new();
    let mut next = start;
    while (step > 0 && next < end) || (step < 0 && next > end) {
        if numbers.len() == MAX_ITEMS {
            return Err(format!("the list would have more than {MAX_ITEMS} items"));
        }
        numbers.push(Value::Integer(next));
        let Some(following) = next.checked_add(step) else {
            break;
        };
        next = following;
    }
    list(numbers)
}

/// `cidrsubnet("172.20.0.0/16", 3, 1)` is `172.20.32.0/19`, as in Terraform.
fn cidrsubnet(a: &[Node]) -> Result {
    let whole = text(&a[0])?;
    let (bits, index) = (integer(&a[1])?, integer(&a[2])?);
    let network: Ipv4Net = whole.parse().map_err(|_| format!("{whole:?} is not a CIDR, for example 172.20.0.0/16"))?;
    let prefix = i64::from(network.prefix_len()).saturating_add(bits);
    let prefix = u8::try_from(prefix)
        .ok()
        .filter(|prefix| *prefix <= 32 && bits >= 0)
        .ok_or_else(|| format!("{bits} more bits do not fit behind /{}", network.prefix_len()))?;
    let bits = prefix - network.prefix_len();
    let index = u64::try_from(index)
        .ok()
        .filter(|index| *index < 1_u64 << bits)
        .ok_or_else(|| format!("{bits} bits have no subnet number {index}"))?;
    let first = u64::from(u32::from(network.network())) + (index << (32 - prefix));
    let address = u32::try_from(first).map(Ipv4Addr::from).map_err(|error| error.to_string())?;
    string(format!("{address}/{prefix}"))
}

/// `%s`, `%d`, `%q`, `%v`, `%%`, and a width with zeros for numbers (`%02d`).
fn format_text(a: &[Node]) -> Result {
    let pattern = text(&a[0])?;
    let mut arguments = a[1..].iter();
    let mut result = String::new();
    let mut rest = pattern.as_str();
    while let Some(percent) = rest.find('%') {
        result.push_str(&rest[..percent]);
        let verb_at = rest[percent + 1..].find(|c: char| !c.is_ascii_digit());
        let Some(verb_at) = verb_at.map(|at| percent + 1 + at) else {
            return Err("a `%` stands alone: write `%%`".to_owned());
        };
        let width = &rest[percent + 1..verb_at];
        let verb = rest[verb_at..].chars().next().unwrap_or('%');
        result.push_str(&verb_text(verb, width, &mut arguments)?);
        rest = &rest[verb_at + verb.len_utf8()..];
    }
    result.push_str(rest);
    match arguments.count() {
        0 => string(result),
        left => Err(format!("{left} arguments are not used by the pattern")),
    }
}

fn verb_text<'a>(verb: char, width: &str, arguments: &mut impl Iterator<Item = &'a Node>) -> Result<String> {
    if verb == '%' {
        return Ok("%".to_owned());
    }
    let argument = arguments.next().ok_or("the pattern asks for more arguments")?;
    let plain = match verb {
        's' | 'v' => text(argument)?,
        'q' => format!("{:?}", text(argument)?),
        'd' => integer(argument)?.to_string(),
        other => return Err(format!("`%{other}` is not known; use %s, %d, %q or %v")),
    };
    let columns = width.parse::<usize>().unwrap_or(0).min(64);
    let padding = if width.starts_with('0') { "0" } else { " " };
    let missing = columns.saturating_sub(plain.chars().count());
    Ok(padding.repeat(missing) + &plain)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::spec::tree::Key;

    #[test]
    fn names_are_sorted() {
        assert!(names().is_sorted());
    }

    #[test]
    fn subnets_are_terraforms() {
        let call = |cidr: &str, bits, index| {
            let arguments = [
                Node::computed(Value::String(cidr.to_owned())),
                Node::computed(Value::Integer(bits)),
                Node::computed(Value::Integer(index)),
            ];
            find("cidrsubnet").unwrap().call(&arguments)
        };
        assert_eq!(call("172.20.0.0/16", 3, 1), Ok(Value::String("172.20.32.0/19".to_owned())));
        assert_eq!(call("0.0.0.0/0", 32, 4_294_967_295), Ok(Value::String("255.255.255.255/32".to_owned())));
        assert!(call("172.20.0.0/16", 3, 8).is_err());
        assert!(call("172.20.0.0/16", 17, 0).is_err());
        assert!(call("172.20.0.0/16", i64::MAX, 0).is_err());
        assert!(call("nonsense", 1, 0).is_err());
    }

    #[test]
    fn values_of_a_missing_key_stay_in_order() {
        let mut table = Table::default();
        table.push(Key::computed("b"), Node::computed(Value::Integer(1)));
        table.push(Key::computed("a"), Node::computed(Value::Integer(2)));
        let arguments = [Node::computed(Value::Table(table))];
        let names = find("keys").unwrap().call(&arguments).unwrap();
        assert_eq!(names.to_json(), serde_json::json!(["b", "a"]));
    }
}
