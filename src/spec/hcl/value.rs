//! The values of expressions, with the types that Terraform gives them: a list is not a tuple, and `1` is not `"1"`.

use std::collections::BTreeMap;

use super::number::HclNumber;
use crate::spec::source::Span;
use crate::spec::tree::{self, FileKey};

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct HclNode {
    /// The value.
    pub(super) value: HclValue,
    /// Its place in the text.
    pub(super) span: Span,
}

/// A value.
#[derive(Debug, Clone)]
pub(super) enum HclValue {
    /// A value that could not be computed; the reason is already reported.
    Invalid,
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(HclNumber),
    /// Text, in Unicode's normal form C.
    String(String),
    /// Items with types of their own (Terraform's tuple), or all of the given type (its list).
    List(Vec<HclNode>, Option<HclType>),
    /// Named values, likewise: Terraform's object, or its map.
    Table(HclEntries, Option<HclType>),
}

/// Named values in the order of the file, each name once.
#[derive(Debug, Clone, Default)]
pub(super) struct HclEntries(pub(super) Vec<HclEntry>);

/// A named value.
#[derive(Debug, Clone)]
pub(super) struct HclEntry {
    /// The name.
    pub(super) key: FileKey,
    /// The value.
    pub(super) node: HclNode,
}

/// The type of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HclType {
    /// The type of a null that stands alone.
    Any,
    /// True or false.
    Bool,
    /// A number.
    Number,
    /// Text.
    String,
    /// Any number of items of one type.
    List(Box<HclType>),
    /// Any names, with values of one type.
    Map(Box<HclType>),
    /// Items of these types, in order.
    Tuple(Vec<HclType>),
    /// Names with values of these types.
    Object(BTreeMap<String, HclType>),
}

impl HclNode {
    /// Creates a value at a place.
    pub(super) fn new(value: HclValue, span: Span) -> Self {
        Self { value, span }
    }

    /// Creates a computed value, which has no place of its own in the file.
    pub(super) fn computed(value: HclValue) -> Self {
        Self::new(value, 0..0)
    }

    /// Returns the same value with every part at `span`: the place where it is used.
    pub(super) fn at(mut self, span: &Span) -> Self {
        self.move_to(span);
        self
    }

    fn move_to(&mut self, span: &Span) {
        self.span = span.clone();
        match &mut self.value {
            HclValue::List(items, _) => items.iter_mut().for_each(|item| item.move_to(span)),
            HclValue::Table(entries, _) => {
                for entry in &mut entries.0 {
                    entry.key.span = span.clone();
                    entry.node.move_to(span);
                }
            }
            _ => {}
        }
    }

    /// Returns `true` if any part is [`HclValue::Invalid`].
    pub(super) fn has_invalid(&self) -> bool {
        match &self.value {
            HclValue::Invalid => true,
            HclValue::List(items, _) => items.iter().any(Self::has_invalid),
            HclValue::Table(entries, _) => entries.0.iter().any(|entry| entry.node.has_invalid()),
            _ => false,
        }
    }

    /// Returns the number of values in it, itself included: the cost of copying it.
    pub(super) fn weight(&self) -> usize {
        match &self.value {
            HclValue::String(text) => 1 + text.len() / 64,
            HclValue::List(items, _) => 1 + items.iter().map(Self::weight).sum::<usize>(),
            HclValue::Table(entries, _) => 1 + entries.0.iter().map(|entry| entry.node.weight()).sum::<usize>(),
            _ => 1,
        }
    }

    /// Converts the value to a setting of the file. A named value that is null is left out.
    pub(super) fn into_setting(self) -> tree::FileNode {
        let value = match self.value {
            HclValue::Invalid => tree::FileValue::Invalid,
            HclValue::Null => tree::FileValue::Null,
            HclValue::Bool(value) => tree::FileValue::Bool(value),
            HclValue::Number(number) => match number.as_whole().map(i64::try_from) {
                Some(Ok(whole)) => tree::FileValue::Integer(whole),
                _ => tree::FileValue::Float(number.to_float()),
            },
            HclValue::String(text) => tree::FileValue::String(text),
            HclValue::List(items, _) => tree::FileValue::List(items.into_iter().map(Self::into_setting).collect()),
            HclValue::Table(entries, _) => {
                let mut table = tree::FileTable::default();
                for HclEntry { key, node } in entries.0 {
                    if !matches!(node.value, HclValue::Null) {
                        table.push(key, node.into_setting());
                    }
                }
                tree::FileValue::Table(table)
            }
        };
        tree::FileNode::new(value, self.span)
    }
}

impl HclValue {
    /// Creates text, in Unicode's normal form C.
    pub(super) fn text(text: &str) -> Self {
        Self::String(super::unicode::normal(text))
    }

    /// Creates a list of items with types of their own.
    pub(super) fn tuple(items: Vec<HclNode>) -> Self {
        Self::List(items, None)
    }

    /// Returns the name of the value's type, with an article, for messages.
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

    /// Returns the type.
    pub(super) fn type_of(&self) -> HclType {
        let of = |node: &HclNode| node.value.type_of();
        match self {
            Self::Invalid | Self::Null => HclType::Any,
            Self::Bool(_) => HclType::Bool,
            Self::Number(_) => HclType::Number,
            Self::String(_) => HclType::String,
            Self::List(_, Some(item)) => HclType::List(Box::new(item.clone())),
            Self::List(items, None) => HclType::Tuple(items.iter().map(of).collect()),
            Self::Table(_, Some(item)) => HclType::Map(Box::new(item.clone())),
            Self::Table(entries, None) => {
                HclType::Object(entries.0.iter().map(|entry| (entry.key.name.clone(), of(&entry.node))).collect())
            }
        }
    }

    /// Returns `true` if two values are equal by `==`: values of different types never are.
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
                let equal = |entry: &HclEntry| b.get(&entry.key.name).is_some_and(|n| n.value.same(&entry.node.value));
                a.0.len() == b.0.len() && a.0.iter().all(equal)
            }
            _ => false,
        }
    }
}

impl HclEntries {
    /// Returns the value of that name.
    pub(super) fn get(&self, name: &str) -> Option<&HclNode> {
        self.entry(name).map(|entry| &entry.node)
    }

    /// Returns the value of that name, with its key.
    pub(super) fn entry(&self, name: &str) -> Option<&HclEntry> {
        self.0.iter().find(|entry| entry.key.name == name)
    }

    /// Returns the names, in the order of the file.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(|entry| entry.key.name.as_str())
    }

    /// Adds a value whose name is not there yet.
    pub(super) fn push(&mut self, key: FileKey, node: HclNode) {
        self.0.push(HclEntry { key, node });
    }

    /// Sets a computed value, replacing one of the same name.
    pub(super) fn set(&mut self, name: &str, node: HclNode) {
        match self.0.iter_mut().find(|entry| entry.key.name == name) {
            Some(entry) => entry.node = node,
            None => self.push(FileKey::computed(name), node),
        }
    }

    /// Returns the values by name, sorted as Terraform sorts them: by bytes.
    pub(super) fn sorted(mut self) -> Vec<HclEntry> {
        self.0.sort_by(|a, b| a.key.name.cmp(&b.key.name));
        self.0
    }
}
