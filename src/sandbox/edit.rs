//! Changes to an attribute as somebody writes them down.

use std::str::FromStr;

use crate::engine::{Attributes, Form, Value};
use crate::resource::Kind;

/// A change to an attribute: `health_check.interval=30`, `tags.Name=mine`, `ingress+={"protocol":…}`, `ingress-=0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The attribute, and below it keys and positions, with dots between them.
    path: String,
    how: How,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Set,
    Add,
    Remove,
}

/// A text that is no edit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an edit; one looks like `desired=2`, `tags.Name=mine`, `ingress+={{…}}` or `ingress-=0`")]
pub struct NotAnEdit(pub String);

impl FromStr for Edit {
    type Err = NotAnEdit;

    fn from_str(text: &str) -> Result<Self, NotAnEdit> {
        let wrong = || NotAnEdit(text.to_owned());
        let (left, value) = text.split_once('=').ok_or_else(wrong)?;
        let (path, how) = match (left.strip_suffix('+'), left.strip_suffix('-')) {
            (Some(path), _) => (path, How::Add),
            (_, Some(path)) => (path, How::Remove),
            _ => (left, How::Set),
        };
        if path.is_empty() {
            return Err(wrong());
        }
        Ok(Self { path: path.to_owned(), how, value: value.to_owned() })
    }
}

impl Edit {
    /// Where the change is made.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Makes the change; says what is wrong with it if it does not fit.
    pub(super) fn apply(&self, kind: &Kind, attributes: &mut Attributes) -> Result<(), String> {
        let (name, rest) =
            self.path.split_once('.').map_or((self.path.as_str(), None), |(name, rest)| (name, Some(rest)));
        if !kind.attributes.iter().any(|rule| rule.name == name) {
            let known: Vec<&str> = kind.attributes.iter().map(|rule| rule.name).collect();
            return Err(format!("a {} has {}", kind.title, known.join(", ")));
        }
        let texts = matches!(kind.attribute(name).form, Form::Tags | Form::Json);
        match (attributes.get_mut(name), rest) {
            (Some(value), rest) => self.change(value, rest, texts),
            (None, Some(_)) => Err(format!("it has no `{name}`")),
            (None, None) => {
                attributes.insert(name.to_owned(), typed(&self.value, None, false)?);
                Ok(())
            }
        }
    }

    /// Goes down the path and makes the change at its end. `texts` is whether a map's values are all text.
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
            (How::Set, value) => *value = typed(&self.value, Some(value), true)?,
            (How::Add, Value::List(items)) => items.push(typed(&self.value, items.first(), true)?),
            (How::Remove, Value::List(items)) => {
                let gone = typed(&self.value, None, false)?;
                let at = items.iter().position(|item| *item == gone).or_else(|| self.value.parse().ok());
                let at = at.filter(|at| *at < items.len()).ok_or_else(|| format!("it has no `{}`", self.value))?;
                items.remove(at);
            }
            (How::Remove, Value::Map(items)) => {
                items.remove(&self.value).ok_or_else(|| format!("it has no `{}`", self.value))?;
            }
            (How::Add | How::Remove, _) => return Err("only lists have items".to_owned()),
        }
        Ok(())
    }
}

/// Reads a value: of the type of the one that is there, or what its text looks like.
fn typed(text: &str, like: Option<&Value>, strict: bool) -> Result<Value, String> {
    let read = || serde_json::from_str::<Value>(text).ok();
    let fits = |value: &Value| like.is_none_or(|like| std::mem::discriminant(like) == std::mem::discriminant(value));
    match like {
        Some(Value::Text(_)) => Ok(Value::Text(text.to_owned())),
        _ => match read() {
            Some(value) if fits(&value) => Ok(value),
            Some(_) => Err(format!("`{text}` is of another type than what is there")),
            None if strict && like.is_some() => Err(format!("`{text}` is no value in JSON")),
            None => Ok(Value::Text(text.to_owned())),
        },
    }
}
