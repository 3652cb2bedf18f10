//! Attribute values, known or known after apply.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Address;

/// The key that marks a pending text in serialised form. No cloud allows `$` in a tag or attribute name.
const PENDING: &str = "$pending";

/// A value of an attribute.
///
/// A value that depends on an object which does not exist yet is [`Value::Pending`]: a variant of its own, so it
/// cannot be printed or compared as if it were known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// Text that is known.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A map.
    Map(BTreeMap<String, Value>),
    /// Text that is known once other objects exist.
    Pending(TextTemplate),
}

/// The attributes of an object, by name.
pub type Attributes = BTreeMap<String, Value>;

/// One output of one object, written `vpc/main.id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// The object referred to.
    pub address: Address,
    /// The output of the object, for example `id` or `arn`.
    pub output: String,
}

/// Text with references in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TextTemplate {
    /// Literals and references, in order.
    pub parts: Vec<TemplatePart>,
}

/// A part of a [`TextTemplate`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TemplatePart {
    /// Text as it stands.
    Literal(String),
    /// An output of another object.
    Reference(Reference),
}

/// A text attribute of a typed resource: known, or waiting for other objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum TextInput {
    /// Text that is known now.
    Known(String),
    /// Text that is known once the objects in it exist.
    Pending(TextTemplate),
}

impl Reference {
    /// Returns a reference to an output of an object.
    pub fn new(address: Address, output: impl Into<String>) -> Self {
        Self { address, output: output.into() }
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.address, self.output)
    }
}

impl TextTemplate {
    /// Returns the references in the template, in order.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Reference(reference) => Some(reference),
            TemplatePart::Literal(_) => None,
        })
    }

    /// Fills in the references that `look_up` resolves. The result is known if none is left.
    fn resolve(&self, look_up: &impl Fn(&Reference) -> Option<String>) -> TextInput {
        let mut parts: Vec<TemplatePart> = Vec::new();
        for part in &self.parts {
            let part = match part {
                TemplatePart::Reference(reference) => {
                    look_up(reference).map_or_else(|| part.clone(), TemplatePart::Literal)
                }
                TemplatePart::Literal(_) => part.clone(),
            };
            match (parts.last_mut(), part) {
                (Some(TemplatePart::Literal(before)), TemplatePart::Literal(text)) => before.push_str(&text),
                (_, part) => parts.push(part),
            }
        }
        match parts.as_slice() {
            [] => TextInput::Known(String::new()),
            [TemplatePart::Literal(text)] => TextInput::Known(text.clone()),
            _ => TextInput::Pending(Self { parts }),
        }
    }
}

impl TextInput {
    /// Returns a reference to an output of another object, as text.
    pub fn output(address: Address, output: &str) -> Self {
        Self::Pending(TextTemplate { parts: vec![TemplatePart::Reference(Reference::new(address, output))] })
    }

    /// Returns the text, if it is known.
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text),
            Self::Pending(_) => None,
        }
    }
}

impl<T: Into<String>> From<T> for TextInput {
    fn from(text: T) -> Self {
        Self::Known(text.into())
    }
}

impl From<TextInput> for Value {
    fn from(input: TextInput) -> Self {
        match input {
            TextInput::Known(text) => Self::Text(text),
            TextInput::Pending(template) => Self::Pending(template),
        }
    }
}

impl Value {
    /// Returns the text of a known text value.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns `true` if nothing in the value waits for another object.
    pub fn is_known(&self) -> bool {
        self.references().is_empty()
    }

    /// Returns every reference in the value.
    pub fn references(&self) -> BTreeSet<&Reference> {
        let mut found = BTreeSet::new();
        self.visit(&mut |leaf| {
            if let Self::Pending(template) = leaf {
                found.extend(template.references());
            }
        });
        found
    }

    /// Calls `see` with every leaf: every value that is not a list or a map.
    pub fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        match self {
            Self::List(items) => items.iter().for_each(|item| item.visit(see)),
            Self::Map(items) => items.values().for_each(|item| item.visit(see)),
            leaf => see(leaf),
        }
    }

    /// Returns the value with every reference that `look_up` resolves filled in.
    #[must_use]
    pub fn resolve(&self, look_up: &impl Fn(&Reference) -> Option<String>) -> Self {
        match self {
            Self::List(items) => Self::List(items.iter().map(|item| item.resolve(look_up)).collect()),
            Self::Map(items) => {
                Self::Map(items.iter().map(|(name, item)| (name.clone(), item.resolve(look_up))).collect())
            }
            Self::Pending(template) => template.resolve(look_up).into(),
            leaf => leaf.clone(),
        }
    }
}

/// The serialised form: plain JSON, and `{"$pending": […]}` for text that is known after apply.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WireValue {
    Bool(bool),
    Integer(i64),
    Text(String),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePending {
    #[serde(rename = "$pending")]
    template: TextTemplate,
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => value.serialize(serializer),
            Self::Integer(value) => value.serialize(serializer),
            Self::Text(value) => value.serialize(serializer),
            Self::List(value) => value.serialize(serializer),
            Self::Map(value) => value.serialize(serializer),
            Self::Pending(template) => WirePending { template: template.clone() }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        if json.as_object().is_some_and(|map| map.len() == 1 && map.contains_key(PENDING)) {
            let pending: WirePending = serde_json::from_value(json).map_err(serde::de::Error::custom)?;
            return Ok(Self::Pending(pending.template));
        }
        Ok(match serde_json::from_value(json).map_err(serde::de::Error::custom)? {
            WireValue::Bool(value) => Self::Bool(value),
            WireValue::Integer(value) => Self::Integer(value),
            WireValue::Text(value) => Self::Text(value),
            WireValue::List(value) => Self::List(value),
            WireValue::Map(value) => Self::Map(value),
        })
    }
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (value, template) = (generator.subschema_for::<Self>(), generator.subschema_for::<TextTemplate>());
        json_schema!({
            "description": "The value of an attribute. A text that is known after apply is an object whose only member is `$pending`.",
            "anyOf": [
                { "type": ["boolean", "integer", "string"] },
                { "type": "array", "items": value },
                { "type": "object", "additionalProperties": value, "propertyNames": { "not": { "const": PENDING } } },
                {
                    "type": "object",
                    "properties": { PENDING: template },
                    "required": [PENDING],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

impl Serialize for TextInput {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TextInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Text(text) => Ok(Self::Known(text)),
            Value::Pending(template) => Ok(Self::Pending(template)),
            other => Err(serde::de::Error::custom(format!("expected text, found {other:?}"))),
        }
    }
}
