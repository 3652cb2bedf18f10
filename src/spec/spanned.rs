//! The values of a file with their places: what the tree becomes once its shape is known.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::diagnostic::Diagnostic;
use super::rules::file;
use super::sink::{DiagnosticSink, ErrorReported};
use super::source::Span;
use super::tree::{FileKey, FileNode, FileTable, FileValue};

/// A value of the file with its place, or the proof that it is wrong.
#[derive(Debug)]
pub(super) struct Spanned<T> {
    /// The place of the name; of the value itself, in a list.
    pub(super) key: Span,
    /// The place of the value. A block's place is its header.
    pub(super) span: Span,
    value: Result<T, ErrorReported>,
}

/// A list of the file.
pub(super) type List<T> = Vec<Spanned<T>>;

/// A table with free names.
pub(super) type Map<T> = BTreeMap<String, Spanned<T>>;

/// A type of a setting: read from a node of the tree.
pub(super) trait FromNode: Sized {
    /// Reads the node, or reports that it is something else.
    fn from_node(node: &FileNode, sink: &mut DiagnosticSink) -> Result<Self, ErrorReported>;
}

impl<T> Spanned<T> {
    /// The value, or the proof that it is wrong.
    pub(super) fn value(&self) -> Result<&T, ErrorReported> {
        self.value.as_ref().map_err(|proof| *proof)
    }

    /// The value, if it is right.
    pub(super) fn given(&self) -> Option<&T> {
        self.value.as_ref().ok()
    }
}

impl<T: FromNode> Spanned<T> {
    /// The setting of a table. `null` is as if it were not there.
    pub(super) fn setting(table: &FileTable, name: &str, sink: &mut DiagnosticSink) -> Option<Self> {
        let entry = table.entry(name)?;
        (entry.node.value != FileValue::Null).then(|| Self::named(&entry.key, &entry.node, sink))
    }

    fn named(key: &FileKey, node: &FileNode, sink: &mut DiagnosticSink) -> Self {
        Self { key: key.span.clone(), span: node.span.clone(), value: T::from_node(node, sink) }
    }

    fn item(node: &FileNode, sink: &mut DiagnosticSink) -> Self {
        Self { key: node.span.clone(), span: node.span.clone(), value: T::from_node(node, sink) }
    }
}

/// A setting that may be missing.
pub(super) trait OptionalSetting<'s, T: 's>: Sized {
    /// Returns the setting if it is in the file, right or wrong.
    fn written(self) -> Option<&'s Spanned<T>>;

    /// The value, if it is there and right.
    fn given(self) -> Option<&'s T> {
        self.written().and_then(Spanned::given)
    }

    /// The value, if it is there; or the proof that it is wrong.
    fn optional(self) -> Result<Option<&'s T>, ErrorReported> {
        self.written().map(Spanned::value).transpose()
    }

    /// The place of the value, when it is there.
    fn span(self) -> Option<Span> {
        self.written().map(|written| written.span.clone())
    }

    /// The place of the value; the start of the file if it is not there.
    fn place(self) -> Span {
        self.span().unwrap_or(0..0)
    }

    /// The place of the name; the start of the file if it is not there.
    fn key(self) -> Span {
        self.written().map_or(0..0, |written| written.key.clone())
    }
}

impl<'s, T> OptionalSetting<'s, T> for &'s Option<Spanned<T>> {
    fn written(self) -> Option<&'s Spanned<T>> {
        self.as_ref()
    }
}

impl<'s, T> OptionalSetting<'s, T> for Option<&'s Spanned<T>> {
    fn written(self) -> Self {
        self
    }
}

/// Reports a node that is not what its setting takes. The shape is checked against the schema of the same type, so either
/// that has reported it, or this is a bug of ours; it is still better to say something than to stop.
pub(super) fn mismatch(node: &FileNode, wanted: &str, sink: &mut DiagnosticSink) -> ErrorReported {
    let problem = || Diagnostic::new(&file::TYPE, node.span.clone(), format!("this is not {wanted}"));
    match node.value {
        FileValue::Invalid => sink.reported_or(problem),
        _ => sink.error(problem()),
    }
}

impl FromNode for String {
    fn from_node(node: &FileNode, sink: &mut DiagnosticSink) -> Result<Self, ErrorReported> {
        match &node.value {
            FileValue::String(text) => Ok(text.clone()),
            _ => Err(mismatch(node, "a string", sink)),
        }
    }
}

impl FromNode for bool {
    fn from_node(node: &FileNode, sink: &mut DiagnosticSink) -> Result<Self, ErrorReported> {
        match node.value {
            FileValue::Bool(value) => Ok(value),
            _ => Err(mismatch(node, "true or false", sink)),
        }
    }
}

impl FromNode for u32 {
    fn from_node(node: &FileNode, sink: &mut DiagnosticSink) -> Result<Self, ErrorReported> {
        let number = if let FileValue::Integer(number) = node.value { Self::try_from(number).ok() } else { None };
        number.ok_or_else(|| mismatch(node, "a whole number", sink))
    }
}

impl FromNode for u16 {
    fn from_node(node: &FileNode, sink: &mut DiagnosticSink) -> Result<Self, ErrorReported> {
        let number = if let FileValue::Integer(number) = node.value { Self::try_from(number).ok() } else { None };
        number.ok_or_else(|| mismatch(node, "a port", sink))
    }
}

impl<T: FromNode> FromNode for List<T> {
    fn from_node(node: &FileNode, sink: &mut DiagnosticSink) -> Result<Self, ErrorReported> {
        match &node.value {
            FileValue::List(items) => Ok(items.iter().map(|item| Spanned::item(item, sink)).collect()),
            _ => Err(mismatch(node, "a list", sink)),
        }
    }
}

impl<T: FromNode> FromNode for Map<T> {
    fn from_node(node: &FileNode, sink: &mut DiagnosticSink) -> Result<Self, ErrorReported> {
        let FileValue::Table(table) = &node.value else { return Err(mismatch(node, "a table", sink)) };
        let present = table.entries.iter().filter(|entry| entry.node.value != FileValue::Null);
        Ok(present.map(|e| (e.key.name.clone(), Spanned::named(&e.key, &e.node, sink))).collect())
    }
}

/// Reads a table whose settings are the fields of a struct.
macro_rules! from_table {
    ($name:ident { $($setting:ident),* $(,)? }) => {
        impl $name {
            /// Reads the settings of a table.
            pub(in crate::spec) fn from_table(
                table: &$crate::spec::tree::FileTable,
                sink: &mut $crate::spec::sink::DiagnosticSink,
            ) -> Self {
                Self { $($setting: $crate::spec::spanned::Spanned::setting(table, stringify!($setting), sink)),* }
            }
        }

        impl $crate::spec::spanned::FromNode for $name {
            fn from_node(
                node: &$crate::spec::tree::FileNode,
                sink: &mut $crate::spec::sink::DiagnosticSink,
            ) -> Result<Self, $crate::spec::sink::ErrorReported> {
                match &node.value {
                    $crate::spec::tree::FileValue::Table(table) => Ok(Self::from_table(table, sink)),
                    _ => Err($crate::spec::spanned::mismatch(node, "a table", sink)),
                }
            }
        }
    };
}

/// Reads one of the texts of an enum.
macro_rules! from_choice {
    ($name:ident) => {
        impl $crate::spec::spanned::FromNode for $name {
            fn from_node(
                node: &$crate::spec::tree::FileNode,
                sink: &mut $crate::spec::sink::DiagnosticSink,
            ) -> Result<Self, $crate::spec::sink::ErrorReported> {
                use serde::de::value::{Error, StrDeserializer};

                let text = if let $crate::spec::tree::FileValue::String(text) = &node.value { text } else { "" };
                Self::deserialize(StrDeserializer::<Error>::new(text))
                    .map_err(|_| $crate::spec::spanned::mismatch(node, "one of the choices", sink))
            }
        }
    };
}

pub(super) use {from_choice, from_table};

/// In the schema, a value is its type: places are not part of it.
impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
