//! Functions on lists, tables and numbers.

use core::cmp::Ordering;

use super::super::convert::{convert, unify};
use super::super::number::Number;
use super::super::unicode;
use super::super::value::{Entries, Entry, Node, Type, Value};
use super::{MAX_ITEMS, Result, items, list, number, table, tuple};

/// All items, one list after the other. Lists of one type stay one.
pub(super) fn concat(a: Vec<Node>) -> Result {
    let types: Vec<Type> = a.iter().map(|node| node.value.type_of()).collect();
    let common = types.iter().all(|of| matches!(of, Type::List(_))).then(|| unify(&types)).flatten();
    let mut all = Vec::new();
    for node in a {
        all.extend(items(node)?);
    }
    match common {
        Some(of @ Type::List(_)) => {
            super::bounded(&all)?;
            Ok(convert(Node::computed(Value::tuple(all)), &of)?.value)
        }
        _ => tuple(all),
    }
}

/// Whether a list holds a value. A value of another type is another value.
pub(super) fn contains(a: Vec<Node>) -> Result {
    let [list, wanted] = two(a)?;
    Ok(Value::Bool(items(list)?.iter().any(|item| wanted.value.equals(&item.value))))
}

/// The names of a table, sorted.
pub(super) fn keys(a: Vec<Node>) -> Result {
    let [node] = one(a)?;
    let typed = matches!(node.value, Value::Table(_, Some(_)));
    let names = table(node)?.sorted().into_iter().map(|entry| Value::String(entry.key.name));
    if typed { list(names.collect(), Type::String) } else { tuple(names.map(Node::computed).collect()) }
}

/// The values of a table, in the order of their names.
pub(super) fn values(a: Vec<Node>) -> Result {
    let [node] = one(a)?;
    let of = if let Value::Table(_, of) = &node.value { of.clone() } else { None };
    let values: Vec<Node> = table(node)?.sorted().into_iter().map(|entry| entry.node).collect();
    super::bounded(&values)?;
    Ok(Value::List(values, of))
}

/// How many items, names or characters.
pub(super) fn length(a: Vec<Node>) -> Result {
    let [node] = one(a)?;
    let length = match &node.value {
        Value::String(text) => unicode::clusters(text).len(),
        Value::List(items, _) => items.len(),
        Value::Table(entries, _) => entries.0.len(),
        other => return Err(format!("{} has no length", other.kind())),
    };
    Ok(Value::Number(Number::count(length)))
}

/// All names; of two of one name, the later one.
pub(super) fn merge(a: Vec<Node>) -> Result {
    let first = a.first().map(|node| node.value.type_of());
    let all_equal = a.iter().all(|node| Some(node.value.type_of()) == first);
    let of = if let (true, Some(Type::Map(of))) = (all_equal, first) { Some(*of) } else { None };
    let mut merged = Entries::default();
    for node in a.into_iter().filter(|node| !matches!(node.value, Value::Null)) {
        for Entry { key, node } in table(node)?.0 {
            merged.set(&key.name, node);
        }
    }
    if merged.0.len() > MAX_ITEMS {
        return Err(format!("the table would have more than {MAX_ITEMS} settings"));
    }
    Ok(Value::Table(merged, of))
}

/// The items, the last one first.
pub(super) fn reverse(a: Vec<Node>) -> Result {
    let [node] = one(a)?;
    match node.value {
        Value::List(mut items, of) => {
            items.reverse();
            Ok(Value::List(items, of))
        }
        other => Err(format!("needs a list, not {}", other.kind())),
    }
}

/// The items as texts, sorted by their bytes.
pub(super) fn sort(a: Vec<Node>) -> Result {
    let [node] = one(a)?;
    let mut texts: Vec<String> = items(node)?.iter().map(super::text).collect::<Result<_>>()?;
    texts.sort();
    list(texts.into_iter().map(Value::String).collect(), Type::String)
}

/// The largest or the smallest number.
pub(super) fn extreme(a: &[Node], better: fn(Ordering) -> bool) -> Result {
    let mut best: Option<Number> = None;
    for node in a {
        if let Value::List(..) = node.value {
            return Err("needs numbers, not a list: write `...` behind a list to give its items".to_owned());
        }
        let next = number(node)?;
        match best {
            Some(best) if !better(next.compare(best)?) => {}
            _ => best = Some(next),
        }
    }
    best.map(Value::Number).ok_or_else(|| "needs at least one number".to_owned())
}

/// The numbers from a start to an end, which is not among them. Without a step they count towards the end.
pub(super) fn range(a: &[Node]) -> Result {
    let numbers: Vec<Number> = a.iter().map(number).collect::<Result<_>>()?;
    let (start, end) = match numbers.as_slice() {
        [end] => (Number::ZERO, *end),
        [start, end, ..] => (*start, *end),
        [] => return Err("takes 1 to 3 arguments".to_owned()),
    };
    let towards = if end.compare(start)?.is_lt() { -1 } else { 1 };
    let step = numbers.get(2).copied().unwrap_or(Number::whole(towards));
    if step.is_zero() {
        return Err("a step of 0 does not end".to_owned());
    }
    if !(start.is_binary() && step.is_binary()) {
        // Terraform adds rounded numbers up here: whether the last one is below the end depends on the rounding.
        return Err("a start or a step with a fraction like 0.1 is not counted exactly: use whole numbers".to_owned());
    }
    let away = if step.is_negative() { end.compare(start)?.is_gt() } else { end.compare(start)?.is_lt() };
    if away {
        return Err("the step leads away from the end".to_owned());
    }
    let mut values = Vec::new();
    let mut next = start;
    while if step.is_negative() { next.compare(end)?.is_gt() } else { next.compare(end)?.is_lt() } {
        if values.len() == MAX_ITEMS {
            return Err(format!("the list would have more than {MAX_ITEMS} items"));
        }
        values.push(Value::Number(next));
        next = next.plus(step)?;
    }
    list(values, Type::Number)
}

/// The only argument.
pub(super) fn one(a: Vec<Node>) -> Result<[Node; 1]> {
    a.try_into().map_err(|_| "takes one argument".to_owned())
}

fn two(a: Vec<Node>) -> Result<[Node; 2]> {
    a.try_into().map_err(|_| "takes 2 arguments".to_owned())
}
