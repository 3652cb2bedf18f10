//! The values of expressions, with the types that Terraform gives them: a list is not a tuple, and `1` is not `"1"`.

use std::collections::BTreeMap;

use super::number::Number;
use crate::spec::source::Span;
use crate::spec::tree::{self, Key};

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The value.
    pub(super) value: Value,
    /// Where it was written.
    pub(super) span: Span,
}

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// A value that could not be had; the reason is already reported.
    Invalid,
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text, in Unicode's normal form C.
    String(String),
    /// Items of types of their own (Terraform's tuple), or all of the type that is given (its list).
    List(Vec<Node>, Option<Type>),
    /// The same for named values: Terraform's object, or its map.
    Table(Entries, Option<Type>),
}

/// Named values in the order of the file, each name once.
#[derive(Debug, Clone, Default)]
pub(super) struct Entries(pub(super) Vec<Entry>);

/// A named value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The name.
    pub(super) key: Key,
    /// The value.
    pub(super) node: Node,
}

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// The type of a null that stands alone.
    Any,
    /// True or false.
    Bool,
    /// A number.
    Number,
    /// Text.
    String,
    /// Any number of items of one type.
    List(Box<Type>),
    /// Any names, with values of one type.
    Map(Box<Type>),
    /// These items.
    Tuple(Vec<Type>),
    /// These names.
    Object(BTreeMap<String, Type>),
}

impl Node {
    /// A value at a place.
    pub(super) fn new(value: Value, span: Span) -> Self {
        Self { value, span }
    }

    /// A value that was computed, so that no place in the file is its own.
    pub(super) fn computed(value: Value) -> Self {
        Self::new(value, 0..0)
    }

    /// The same value with every part at `span`: the place where it is used.
    pub(super) fn at(mut self, span: &Span) -> Self {
        self.move_to(span);
        self
    }

    fn move_to(&mut self, span: &Span) {
        self.span = span.clone();
        match &mut self.value {
            Value::List(items, _) => items.iter_mut().for_each(|item| item.move_to(span)),
            Value::Table(entries, _) => {
                for entry in &mut entries.0 {
                    entry.key.span = span.clone();
                    entry.node.move_to(span);
                }
            }
            _ => {}
        }
    }

    /// Whether any part is [`Value::Invalid`].
    pub(super) fn has_invalid(&self) -> bool {
        match &self.value {
            Value::Invalid => true,
            Value::List(items, _) => items.iter().any(Self::has_invalid),
            Value::Table(entries, _) => entries.0.iter().any(|entry| entry.node.has_invalid()),
            _ => false,
        }
    }

    /// How many values it holds, itself included: what it costs to copy it.
    pub(super) fn weight(&self) -> usize {
        match &self.value {
            Value::String(text) => 1 + text.len() / 64,
            Value::List(items, _) => 1 + items.iter().map(Self::weight).sum::<usize>(),
            Value::Table(entries, _) => 1 + entries.0.iter().map(|entry| entry.node.weight()).sum::<usize>(),
            _ => 1,
        }
    }

    /// The value as a setting of the file. A named value that is null is as if it were not there.
    pub(super) fn into_setting(self) -> tree::Node {
        let value = match self.value {
            Value::Invalid => tree::Value::Invalid,
            Value::Null => tree::Value::Null,
            Value::Bool(value) => tree::Value::Bool(value),
            Value::Number(number) => match number.as_whole().map(i64::try_from) {
                Some(Ok(whole)) => tree::Value::Integer(whole),
                _ => tree::Value::Float(number.to_float()),
            },
            Value::String(text) => tree::Value::String(text),
            Value::List(items, _) => tree::Value::List(items.into_iter().map(Self::into_setting).collect()),
            Value::Table(entries, _) => {
                let mut table = tree::Table::default();
                for Entry { key, node } in entries.0 {
                    if !matches!(node.value, Value::Null) {
                        table.push(key, node.into_setting());
                    }
                }
                tree::Value::Table(table)
            }
        };
        tree::Node::new(value, self.span)
    }
}

impl Value {
    /// Text, in Unicode's normal form C.
    pub(super) fn text(text: &str) -> Self {
        Self::String(super::unicode::normal(text))
    }

    /// Items of types of their own.
    pub(super) fn tuple(items: Vec<Node>) -> Self {
        Self::List(items, None)
    }

    /// What the value is, with an article, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Invalid => "nothing",
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(number) if number.as_whole().is_some() => "a whole number",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(..) => "a list",
            Self::Table(..) => "a table",
        }
    }

    /// The type.
    pub(super) fn type_of(&self) -> Type {
        let of = |node: &Node| node.value.type_of();
        match self {
            Self::Invalid | Self::Null => Type::Any,
            Self::Bool(_) => Type::Bool,
            Self::Number(_) => Type::Number,
            Self::String(_) => Type::String,
            Self::List(_, Some(item)) => Type::List(Box::new(item.clone())),
            Self::List(items, None) => Type::Tuple(items.iter().map(of).collect()),
            Self::Table(_, Some(item)) => Type::Map(Box::new(item.clone())),
            Self::Table(entries, None) => {
                Type::Object(entries.0.iter().map(|entry| (entry.key.name.clone(), of(&entry.node))).collect())
            }
        }
    }

    /// Whether two values are equal, as `==` has it: values of different types never are.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, other) | (other, Self::Null) => matches!(other, Self::Null),
            _ => self.type_of() == other.type_of() && self.same(other),
        }
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::List(a, _), Self::List(b, _)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.value.same(&b.value))
            }
            (Self::Table(a, _), Self::Table(b, _)) => {
                let equal = |entry: &Entry| b.get(&entry.key.name).is_some_and(|n| n.value.same(&entry.node.value));
                a.0.len() == b.0.len() && a.0.iter().all(equal)
            }
            _ => false,
        }
    }
}

impl Entries {
    /// The value of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|entry| &entry.node)
    }

    /// The value of that name, with its key.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.0.iter().find(|entry| entry.key.name == name)
    }

    /// The names, in the order of the file.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(|entry| entry.key.name.as_str())
    }

    /// Adds a value whose name is not there yet.
    pub(super) fn push(&mut self, key: Key, node: Node) {
        self.0.push(Entry { key, node });
    }

    /// Sets a computed value, replacing one of the same name.
    pub(super) fn set(&mut self, name: &str, node: Node) {
        match self.0.iter_mut().find(|entry| entry.key.name == name) {
            Some(entry) => entry.node = node,
            None => self.push(Key::computed(name), node),
        }
    }

    /// The values by name, sorted as Terraform sorts them: by bytes.
    pub(super) fn sorted(mut self) -> Vec<Entry> {
        self.0.sort_by(|a, b| a.key.name.cmp(&b.key.name));
        self.0
    }
}
