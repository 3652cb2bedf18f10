//! The JSON Schema of the cluster file, generated from [`ClusterFile`].

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use serde_json::{Map, Value, json};

use super::file::ClusterFile;

static SCHEMA: LazyLock<Value> = LazyLock::new(generate);

/// Returns the JSON Schema (2020-12) of a cluster file, for editors and for this program's own checks.
pub fn schema() -> &'static Value {
    &SCHEMA
}

fn generate() -> Value {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<ClusterFile>();
    RecursiveTransform(without_null).transform(&mut schema);
    let mut value = schema.to_value();
    tidy(&mut value);
    value
}

/// Removes `null` from a schema: a setting without a value is left out of the file.
fn without_null(schema: &mut schemars::Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(branches)) = object.get_mut("anyOf") {
        branches.retain(|branch| branch != &json!({ "type": "null" }));
        if let [Value::Object(only)] = branches.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
}

/// Unwraps the line breaks of doc comments, so that a description is one line, and sorts the keys,
/// so that the schema does not depend on whether another crate keeps JSON maps in order.
pub(crate) fn tidy(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace("\n\n", "\u{1}").replace('\n', " ").replace('\u{1}', "\n\n");
            }
            object.values_mut().for_each(tidy);
            let sorted: BTreeMap<String, Value> = std::mem::take(object).into_iter().collect();
            object.extend(sorted);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// A part of the schema, with its references followed.
#[derive(Clone, Copy)]
pub(super) struct SchemaPart<'s> {
    root: &'s Value,
    own: &'s Value,
}

impl<'s> SchemaPart<'s> {
    /// Returns the whole schema.
    pub(super) fn root(root: &'s Value) -> Self {
        Self { root, own: root }
    }

    fn at(self, own: &'s Value) -> Self {
        let target = own
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| self.root.pointer(reference.strip_prefix('#')?));
        Self { root: self.root, own: target.unwrap_or(own) }
    }

    /// Returns the type's name, if there is only one.
    pub(super) fn kind(self) -> Option<&'s str> {
        self.own.get("type").and_then(Value::as_str)
    }

    /// Returns the alternatives of a setting that takes more than one type; none of one that takes one.
    pub(super) fn alternatives(self) -> Vec<Self> {
        let branches = self.own.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        branches.map(|branch| self.at(branch)).collect()
    }

    /// Returns the named settings of a table.
    pub(super) fn properties(self) -> Option<&'s Map<String, Value>> {
        self.own.get("properties").and_then(Value::as_object)
    }

    /// Returns one named setting of a table.
    pub(super) fn property(self, name: &str) -> Option<Self> {
        self.properties().and_then(|all| all.get(name)).map(|own| self.at(own))
    }

    /// Returns the schema of each value of a table with free names.
    pub(super) fn values(self) -> Option<Self> {
        let own = self.own.get("additionalProperties").filter(|own| own.is_object())?;
        Some(self.at(own))
    }

    /// Returns the schema of each item of a list.
    pub(super) fn items(self) -> Option<Self> {
        self.own.get("items").map(|own| self.at(own))
    }

    /// Returns the required settings.
    pub(super) fn required(self) -> impl Iterator<Item = &'s str> {
        let list = self.own.get("required").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    }

    /// Returns the only texts that are allowed: an `enum`, or the constants of a `oneOf`.
    pub(super) fn choices(self) -> Vec<&'s str> {
        let plain = self.own.get("enum").and_then(Value::as_array).into_iter().flatten();
        let branches = self.own.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        let constants = branches.filter_map(|branch| branch.get("const"));
        plain.chain(constants).filter_map(Value::as_str).collect()
    }

    /// Returns an example of a valid value, as it is written in a file.
    pub(super) fn example(self) -> Option<String> {
        example_of(self.own)
    }

    /// Returns the smallest and the largest number.
    pub(super) fn range(self) -> (i64, i64) {
        let bound = |name: &str| self.own.get(name).and_then(Value::as_f64);
        #[allow(clippy::cast_possible_truncation, reason = "our own bounds, all far below 2^53")]
        let whole = |bound: f64| bound as i64;
        (bound("minimum").map_or(0, whole), bound("maximum").map_or(i64::from(u32::MAX), whole))
    }
}

/// Returns the example of a schema that may carry a `$ref` beside it.
pub(super) fn example_of(own: &Value) -> Option<String> {
    own.get("examples")?.get(0).map(sample)
}

/// Returns a value as it is written in a file.
fn sample(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(sample).collect::<Vec<_>>().join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key:?} = {}", sample(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}
