//! Functions on lists, tables and numbers.

use core::cmp::Ordering;

use super::super::convert::{convert, unify};
use super::super::number::HclNumber;
use super::super::unicode;
use super::super::value::{HclEntries, HclEntry, HclNode, HclType, HclValue};
use super::{FunctionResult, MAX_ITEMS, items, list, number, table, tuple};

/// Returns the items of all lists, in order. Lists of one type stay of one type.
pub(super) fn concat(a: Vec<HclNode>) -> FunctionResult {
    let types: Vec<HclType> = a.iter().map(|node| node.value.type_of()).collect();
    let common = types.iter().all(|of| matches!(of, HclType::List(_))).then(|| unify(&types)).flatten();
    let mut all = Vec::new();
    for node in a {
        all.extend(items(node)?);
    }
    match common {
        Some(of @ HclType::List(_)) => {
            super::bounded(&all)?;
            Ok(convert(HclNode::computed(HclValue::tuple(all)), &of)?.value)
        }
        _ => tuple(all),
    }
}

/// Reports whether a list holds a value. Values of different types are different.
pub(super) fn contains(a: Vec<HclNode>) -> FunctionResult {
    let [list, wanted] = two(a)?;
    Ok(HclValue::Bool(items(list)?.iter().any(|item| wanted.value.equals(&item.value))))
}

/// Returns the names of a table, sorted.
pub(super) fn keys(a: Vec<HclNode>) -> FunctionResult {
    let [node] = one(a)?;
    let typed = matches!(node.value, HclValue::Table(_, Some(_)));
    let names = table(node)?.sorted().into_iter().map(|entry| HclValue::String(entry.key.name));
    if typed { list(names.collect(), HclType::String) } else { tuple(names.map(HclNode::computed).collect()) }
}

/// Returns the values of a table, in the order of their names.
pub(super) fn values(a: Vec<HclNode>) -> FunctionResult {
    let [node] = one(a)?;
    let of = if let HclValue::Table(_, of) = &node.value { of.clone() } else { None };
    let values: Vec<HclNode> = table(node)?.sorted().into_iter().map(|entry| entry.node).collect();
    super::bounded(&values)?;
    Ok(HclValue::List(values, of))
}

/// Returns the number of items, names or characters.
pub(super) fn length(a: Vec<HclNode>) -> FunctionResult {
    let [node] = one(a)?;
    let length = match &node.value {
        HclValue::String(text) => unicode::clusters(text).len(),
        HclValue::List(items, _) => items.len(),
        HclValue::Table(entries, _) => entries.0.len(),
        other => return Err(format!("{} has no length", other.kind())),
    };
    Ok(HclValue::Number(HclNumber::count(length)))
}

/// Merges tables; if a name is repeated, the last value wins.
pub(super) fn merge(a: Vec<HclNode>) -> FunctionResult {
    let first = a.first().map(|node| node.value.type_of());
    let all_equal = a.iter().all(|node| Some(node.value.type_of()) == first);
    let of = if let (true, Some(HclType::Map(of))) = (all_equal, first) { Some(*of) } else { None };
    let mut merged = HclEntries::default();
    for node in a.into_iter().filter(|node| !matches!(node.value, HclValue::Null)) {
        for HclEntry { key, node } in table(node)?.0 {
            merged.set(&key.name, node);
        }
    }
    if merged.0.len() > MAX_ITEMS {
        return Err(format!("the table would have more than {MAX_ITEMS} settings"));
    }
    Ok(HclValue::Table(merged, of))
}

/// Returns the items in reverse order.
pub(super) fn reverse(a: Vec<HclNode>) -> FunctionResult {
    let [node] = one(a)?;
    match node.value {
        HclValue::List(mut items, of) => {
            items.reverse();
            Ok(HclValue::List(items, of))
        }
        other => Err(format!("needs a list, not {}", other.kind())),
    }
}

/// Returns the items as texts, sorted by their bytes.
pub(super) fn sort(a: Vec<HclNode>) -> FunctionResult {
    let [node] = one(a)?;
    let mut texts: Vec<String> = items(node)?.iter().map(super::text).collect::<FunctionResult<_>>()?;
    texts.sort();
    list(texts.into_iter().map(HclValue::String).collect(), HclType::String)
}

/// Returns the largest or the smallest number.
pub(super) fn extreme(a: &[HclNode], better: fn(Ordering) -> bool) -> FunctionResult {
    let mut best: Option<HclNumber> = None;
    for node in a {
        if let HclValue::List(..) = node.value {
            return Err("needs numbers, not a list: write `...` behind a list to give its items".to_owned());
        }
        let next = number(node)?;
        match best {
            Some(best) if !better(next.compare(best)?) => {}
            _ => best = Some(next),
        }
    }
    best.map(HclValue::Number).ok_or_else(|| "needs at least one number".to_owned())
}

/// Returns the numbers from a start to an end, which is excluded. Without a step they count towards the end.
pub(super) fn range(a: &[HclNode]) -> FunctionResult {
    let numbers: Vec<HclNumber> = a.iter().map(number).collect::<FunctionResult<_>>()?;
    let (start, end) = match numbers.as_slice() {
        [end] => (HclNumber::ZERO, *end),
        [start, end, ..] => (*start, *end),
        [] => return Err("takes 1 to 3 arguments".to_owned()),
    };
    let towards = if end.compare(start)?.is_lt() { -1 } else { 1 };
    let step = numbers.get(2).copied().unwrap_or(HclNumber::whole(towards));
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
        values.push(HclValue::Number(next));
        next = next.plus(step)?;
    }
    list(values, HclType::Number)
}

/// Returns the only argument.
pub(super) fn one(a: Vec<HclNode>) -> FunctionResult<[HclNode; 1]> {
    a.try_into().map_err(|_| "takes one argument".to_owned())
}

fn two(a: Vec<HclNode>) -> FunctionResult<[HclNode; 2]> {
    a.try_into().map_err(|_| "takes 2 arguments".to_owned())
}
