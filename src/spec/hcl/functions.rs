//! The functions of the expression language: those of Terraform, without files and clock, with limits.

mod collections;
mod format;
mod texts;

use super::convert::{to_number, to_text};
use super::json;
use super::number::HclNumber;
use super::value::{HclEntries, HclNode, HclValue};

/// Maximum number of items that a function returns: enough for any cluster, too few to fill the memory.
const MAX_ITEMS: usize = 1024;
/// Maximum length of a text that a function returns, in bytes.
const MAX_TEXT: usize = 256 * 1024;

type FunctionResult<T = HclValue> = std::result::Result<T, String>;

/// A function: its number of arguments, and its implementation.
pub(super) struct Function {
    name: &'static str,
    arguments: (usize, usize),
    nulls: bool,
    body: fn(Vec<HclNode>) -> FunctionResult,
}

const ANY: usize = usize::MAX;

/// Every function, by name.
const FUNCTIONS: [Function; 23] = [
    function("base64encode", (1, 1), texts::base64encode),
    function("cidrsubnet", (3, 3), texts::cidrsubnet),
    function("concat", (1, ANY), collections::concat),
    function("contains", (2, 2), collections::contains),
    taking_null("format", (1, ANY), format::format),
    function("join", (2, ANY), texts::join),
    taking_null("jsonencode", (1, 1), |a| string(&json::encode(&a[0].value)?)),
    function("keys", (1, 1), collections::keys),
    function("length", (1, 1), collections::length),
    function("lower", (1, 1), texts::lower),
    function("max", (1, ANY), |a| collections::extreme(&a, core::cmp::Ordering::is_gt)),
    taking_null("merge", (0, ANY), collections::merge),
    function("min", (1, ANY), |a| collections::extreme(&a, core::cmp::Ordering::is_lt)),
    function("range", (1, 3), |a| collections::range(&a)),
    function("replace", (3, 3), texts::replace),
    function("reverse", (1, 1), collections::reverse),
    function("sort", (1, 1), collections::sort),
    function("split", (2, 2), texts::split),
    taking_null("tonumber", (1, 1), texts::tonumber),
    taking_null("tostring", (1, 1), texts::tostring),
    function("trimspace", (1, 1), texts::trimspace),
    function("upper", (1, 1), texts::upper),
    function("values", (1, 1), collections::values),
];

const fn function(name: &'static str, arguments: (usize, usize), body: fn(Vec<HclNode>) -> FunctionResult) -> Function {
    Function { name, arguments, nulls: false, body }
}

const fn taking_null(
    name: &'static str,
    arguments: (usize, usize),
    body: fn(Vec<HclNode>) -> FunctionResult,
) -> Function {
    Function { name, arguments, nulls: true, body }
}

/// Returns the function of that name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// Returns the names of all functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> + Clone {
    FUNCTIONS.iter().map(|function| function.name)
}

impl Function {
    /// Calls the function if the number of arguments is right.
    pub(super) fn call(&self, arguments: Vec<HclNode>) -> FunctionResult {
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
        if !self.nulls && arguments.iter().any(|node| matches!(node.value, HclValue::Null)) {
            return Err("an argument is null".to_owned());
        }
        (self.body)(arguments)
    }
}

fn text(node: &HclNode) -> FunctionResult<String> {
    to_text(&node.value)
}

fn items(node: HclNode) -> FunctionResult<Vec<HclNode>> {
    match node.value {
        HclValue::List(items, _) => Ok(items),
        other => Err(format!("needs a list, not {}", other.kind())),
    }
}

fn table(node: HclNode) -> FunctionResult<HclEntries> {
    match node.value {
        HclValue::Table(entries, _) => Ok(entries),
        other => Err(format!("needs a table, not {}", other.kind())),
    }
}

fn number(node: &HclNode) -> FunctionResult<HclNumber> {
    to_number(&node.value)
}

fn whole(node: &HclNode) -> FunctionResult<i128> {
    number(node)?.as_whole().ok_or_else(|| format!("needs a whole number, not {}", node.value.kind()))
}

/// Returns a list whose items have types of their own.
fn tuple(items: Vec<HclNode>) -> FunctionResult {
    bounded(&items)?;
    Ok(HclValue::tuple(items))
}

/// Returns a list of items of one type.
fn list(items: Vec<HclValue>, of: super::value::HclType) -> FunctionResult {
    let items: Vec<HclNode> = items.into_iter().map(HclNode::computed).collect();
    bounded(&items)?;
    Ok(HclValue::List(items, Some(of)))
}

fn bounded(items: &[HclNode]) -> FunctionResult<()> {
    match items.len() {
        0..=MAX_ITEMS => Ok(()),
        more => Err(format!("the list would have {more} items; {MAX_ITEMS} are the most")),
    }
}

fn string(text: &str) -> FunctionResult {
    if text.len() > MAX_TEXT {
        return Err(too_long());
    }
    Ok(HclValue::text(text))
}

fn too_long() -> String {
    format!("the text would be longer than {} KiB", MAX_TEXT / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(names().is_sorted());
    }
}
