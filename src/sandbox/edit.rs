//! Changes to an attribute, as a user writes them.

use std::str::FromStr;

use crate::engine::{Attributes, Comparison, Value};
use crate::resource::Kind;

/// A change to an attribute: `health_check.interval=30`, `tags.Name=mine`, `ingress+={"protocol":…}`, `ingress-=0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeEdit {
    /// The attribute, and below it keys and indexes, separated by dots.
    path: String,
    how: EditOperation,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EditOperation {
    Set,
    Add,
    Remove,
}

/// A text that is not an edit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an edit; examples: `desired=2`, `tags.Name=mine`, `ingress+={{…}}`, `ingress-=0`")]
pub struct NotAnEdit(pub String);

impl FromStr for AttributeEdit {
    type Err = NotAnEdit;

    fn from_str(text: &str) -> Result<Self, NotAnEdit> {
        let wrong = || NotAnEdit(text.to_owned());
        let (left, value) = text.split_once('=').ok_or_else(wrong)?;
        let (path, how) = match (left.strip_suffix('+'), left.strip_suffix('-')) {
            (Some(path), _) => (path, EditOperation::Add),
            (_, Some(path)) => (path, EditOperation::Remove),
            _ => (left, EditOperation::Set),
        };
        if path.is_empty() {
            return Err(wrong());
        }
        Ok(Self { path: path.to_owned(), how, value: value.to_owned() })
    }
}

impl AttributeEdit {
    /// Returns the path of the change.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Makes the change; returns the reason if it does not fit.
    pub(super) fn apply(&self, kind: &Kind, attributes: &mut Attributes) -> Result<(), String> {
        let (name, rest) =
            self.path.split_once('.').map_or((self.path.as_str(), None), |(name, rest)| (name, Some(rest)));
        if !kind.attributes.iter().any(|rule| rule.name == name) {
            let known: Vec<&str> = kind.attributes.iter().map(|rule| rule.name).collect();
            return Err(format!("a {} has {}", kind.title, known.join(", ")));
        }
        let texts = matches!(kind.attribute(name).form, Comparison::Tags | Comparison::Json);
        match (attributes.get_mut(name), rest) {
            (Some(value), rest) => self.change(value, rest, texts),
            (None, Some(_)) => Err(format!("it has no `{name}`")),
            (None, None) => {
                attributes.insert(name.to_owned(), typed(&self.value, None, false)?);
                Ok(())
            }
        }
    }

    /// Follows the path and makes the change at its end. `texts` is `true` if all values of a map are text.
    fn change(&self, value: &mut Value, path: Option<&str>, texts: bool) -> Result<(), String> {
        let Some(path) = path else { return self.change_here(value) };
        match value {
            // Keys of tags hold dots, so what is left of the path is a key before it is a path.
            Value::Map(items) => {
                if let Some((key, rest)) = path.split_once('.')
                    && !texts
                    && let Some(item) = items.get_mut(key)
                {
                    return self.change(item, Some(rest), texts);
                }
                if let Some(item) = items.get_mut(path) {
                    return self.change_here(item);
                }
                let like = Value::Text(String::new());
                items.insert(path.to_owned(), typed(&self.value, texts.then_some(&like), false)?);
                Ok(())
            }
            Value::List(items) => {
                let (at, rest) = path.split_once('.').map_or((path, None), |(at, rest)| (at, Some(rest)));
                let length = items.len();
                let item = at.parse::<usize>().ok().and_then(|at| items.get_mut(at));
                self.change(item.ok_or_else(|| format!("there is no `{at}` of {length}"))?, rest, texts)
            }
            _ => Err(format!("there is nothing below it, and so no `{path}`")),
        }
    }

    fn change_here(&self, value: &mut Value) -> Result<(), String> {
        match (self.how, value) {
            (EditOperation::Set, value) => *value = typed(&self.value, Some(value), true)?,
            (EditOperation::Add, Value::List(items)) => items.push(typed(&self.value, items.first(), true)?),
            (EditOperation::Remove, Value::List(items)) => {
                let gone = typed(&self.value, None, false)?;
                let at = items.iter().position(|item| *item == gone).or_else(|| self.value.parse().ok());
                let at = at.filter(|at| *at < items.len()).ok_or_else(|| format!("it has no `{}`", self.value))?;
                items.remove(at);
            }
            (EditOperation::Remove, Value::Map(items)) => {
                items.remove(&self.value).ok_or_else(|| format!("it has no `{}`", self.value))?;
            }
            (EditOperation::Add | EditOperation::Remove, _) => return Err("only lists have items".to_owned()),
        }
        Ok(())
    }
}

/// Parses a value: of the type of the existing one, or of the type that its text has the format of.
fn typed(text: &str, like: Option<&Value>, strict: bool) -> Result<Value, String> {
    let read = || serde_json::from_str::<Value>(text).ok();
    let fits = |value: &Value| like.is_none_or(|like| std::mem::discriminant(like) == std::mem::discriminant(value));
    match like {
        Some(Value::Text(_)) => Ok(Value::Text(text.to_owned())),
        _ => match read() {
            Some(value) if fits(&value) => Ok(value),
            Some(_) => Err(format!("`{text}` is of another type than what is there")),
            None if strict && like.is_some() => Err(format!("`{text}` is not a JSON value")),
            None => Ok(Value::Text(text.to_owned())),
        },
    }
}
