//! What HCL and TOML both become: values that know where they were written.

use super::source::Span;

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The value.
    pub(super) value: Value,
    /// Where it was written. A block's place is its header.
    pub(super) span: Span,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A value that could not be had; the reason is already reported, so nobody mentions it again.
    Invalid,
    /// HCL's `null`: as if the setting were not there.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// TOML's date, which no setting takes.
    Date(String),
    /// A list.
    List(Vec<Node>),
    /// Settings by name.
    Table(Table),
}

/// Settings by name, in file order, each name once.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// The settings.
    pub(super) entries: Vec<Entry>,
}

/// A named value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The name.
    pub(super) key: Key,
    /// The value.
    pub(super) node: Node,
}

/// A name and its place.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// The name.
    pub(super) name: String,
    /// Where it was written.
    pub(super) span: Span,
    /// Whether it was the label of an HCL block.
    pub(super) label: bool,
}

/// Two nodes are equal when their values are, wherever they were written.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// Two tables are equal when they hold the same settings, in any order.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        let same = |entry: &Entry| other.get(&entry.key.name) == Some(&entry.node);
        self.entries.len() == other.entries.len() && self.entries.iter().all(same)
    }
}

impl Node {
    /// A value at a place.
    pub(super) fn new(value: Value, span: Span) -> Self {
        Self { value, span }
    }

    fn child(&self, step: &str) -> Option<&Self> {
        match &self.value {
            Value::Table(table) => table.get(step),
            Value::List(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        }
    }
}

impl Value {
    /// What the value is, with an article, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Invalid => "nothing",
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::String(_) => "a string",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    /// The value as JSON, without what is invalid or null.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Invalid | Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Integer(value) => (*value).into(),
            Self::Float(value) => (*value).into(),
            Self::String(value) | Self::Date(value) => value.as_str().into(),
            Self::List(items) => {
                let valid = |item: &&Node| item.value != Self::Invalid;
                items.iter().filter(valid).map(|item| item.value.to_json()).collect()
            }
            Self::Table(table) => table.to_json(),
        }
    }
}

impl Table {
    /// The setting of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|entry| &entry.node)
    }

    /// The setting of that name, with its key.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.name == name)
    }

    /// Adds a setting whose name is not there yet.
    pub(super) fn push(&mut self, key: Key, node: Node) {
        self.entries.push(Entry { key, node });
    }

    /// The settings as a JSON object.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let present = |e: &&Entry| !matches!(e.node.value, Value::Invalid | Value::Null);
        self.entries.iter().filter(present).map(|entry| (entry.key.name.clone(), entry.node.value.to_json())).collect()
    }

    /// The node at a path of names and list indexes.
    pub(super) fn find(&self, path: &[&str]) -> Option<&Node> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.get(first)?, |node, step| node.child(step))
    }

    /// The place of the value at a path, or of the nearest value above it.
    pub(super) fn span(&self, path: &[&str]) -> Span {
        (1..=path.len()).rev().find_map(|length| self.find(&path[..length])).map_or(0..0, |node| node.span.clone())
    }

    /// The place of the key at a path, or else of the nearest value above it.
    pub(super) fn key_span(&self, path: &[&str]) -> Span {
        let Some((last, above)) = path.split_last() else {
            return 0..0;
        };
        let table = match above {
            [] => Some(self),
            _ => self.find(above).and_then(|node| match &node.value {
                Value::Table(table) => Some(table),
                _ => None,
            }),
        };
        table.and_then(|table| table.entry(last)).map_or_else(|| self.span(above), |entry| entry.key.span.clone())
    }
}

impl Key {
    /// A name that was written at a place.
    pub(super) fn new(name: impl Into<String>, span: Span) -> Self {
        Self { name: name.into(), span, label: false }
    }

    /// A name that was computed.
    pub(super) fn computed(name: &str) -> Self {
        Self::new(name, 0..0)
    }
}
