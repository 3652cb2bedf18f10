//! The common form of HCL and TOML: values with their places in the text.

use super::source::Span;

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct FileNode {
    /// The value.
    pub(super) value: FileValue,
    /// Its place in the text. A block's place is its header.
    pub(super) span: Span,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FileValue {
    /// A value that could not be read; the reason is already reported, so it is not reported again.
    Invalid,
    /// HCL's `null`: the same as a missing setting.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// TOML's date, which no setting accepts.
    Date(String),
    /// A list.
    List(Vec<FileNode>),
    /// Settings by name.
    Table(FileTable),
}

/// Settings by name, in file order, each name once.
#[derive(Debug, Clone, Default)]
pub(super) struct FileTable {
    /// The settings.
    pub(super) entries: Vec<FileEntry>,
}

/// A named value.
#[derive(Debug, Clone)]
pub(super) struct FileEntry {
    /// The name.
    pub(super) key: FileKey,
    /// The value.
    pub(super) node: FileNode,
}

/// A name and its place.
#[derive(Debug, Clone)]
pub(super) struct FileKey {
    /// The name.
    pub(super) name: String,
    /// Its place in the text.
    pub(super) span: Span,
    /// `true` for the label of an HCL block.
    pub(super) label: bool,
}

/// Two nodes are equal if their values are, wherever they were written.
impl PartialEq for FileNode {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// Two tables are equal if they hold the same settings, in any order.
impl PartialEq for FileTable {
    fn eq(&self, other: &Self) -> bool {
        let same = |entry: &FileEntry| other.get(&entry.key.name) == Some(&entry.node);
        self.entries.len() == other.entries.len() && self.entries.iter().all(same)
    }
}

impl FileNode {
    /// Creates a value at a place.
    pub(super) fn new(value: FileValue, span: Span) -> Self {
        Self { value, span }
    }
}

impl FileValue {
    /// Returns the name of the value's type, with an article, for messages.
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

    /// The digits of a number.
    pub(super) fn digits(&self) -> Option<String> {
        match self {
            Self::Integer(number) => Some(number.to_string()),
            Self::Float(number) => Some(serde_json::Value::from(*number).to_string()),
            _ => None,
        }
    }
}

impl FileTable {
    /// Returns the setting of that name.
    pub(super) fn get(&self, name: &str) -> Option<&FileNode> {
        self.entry(name).map(|entry| &entry.node)
    }

    /// Returns the setting of that name, with its key.
    pub(super) fn entry(&self, name: &str) -> Option<&FileEntry> {
        self.entries.iter().find(|entry| entry.key.name == name)
    }

    /// Adds a setting whose name is not there yet.
    pub(super) fn push(&mut self, key: FileKey, node: FileNode) {
        self.entries.push(FileEntry { key, node });
    }
}

impl FileKey {
    /// Creates a name that was written at a place.
    pub(super) fn new(name: impl Into<String>, span: Span) -> Self {
        Self { name: name.into(), span, label: false }
    }

    /// Creates a name that was computed.
    pub(super) fn computed(name: &str) -> Self {
        Self::new(name, 0..0)
    }
}
