//! The attributes of a new object, as the summary of its kind reads them.

use std::collections::BTreeMap;

use super::text;
use crate::engine::Value;

/// The attributes of an object that a plan creates.
#[derive(Debug, Clone, Default)]
pub struct NewAttributes<'a>(BTreeMap<&'a str, &'a Value>);

impl<'a> FromIterator<(&'a str, &'a Value)> for NewAttributes<'a> {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a Value)>>(attributes: T) -> Self {
        Self(attributes.into_iter().collect())
    }
}

impl<'a> NewAttributes<'a> {
    /// Returns the values of these attributes as text, with spaces between them, without those that it does not have.
    pub fn join(&self, names: &[&str]) -> String {
        let values = names.iter().filter_map(|name| self.0.get(name).map(|value| text::inline(value)));
        values.collect::<Vec<_>>().join(" ")
    }

    /// Returns the value of an attribute.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).copied()
    }

    /// Returns a number that is not negative.
    pub fn number(&self, name: &str) -> Option<usize> {
        match self.get(name) {
            Some(Value::Integer(number)) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// Returns the items of a list; nothing of anything else.
    pub fn items(&self, name: &str) -> &'a [Value] {
        match self.get(name) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// Returns the first attribute whose name has this beginning and this end.
    pub(super) fn find(&self, beginning: &str, end: &str) -> Option<&'a Value> {
        let mut fitting = self.0.iter().filter(|(name, _)| name.starts_with(beginning) && name.ends_with(end));
        fitting.next().map(|(_, value)| *value)
    }
}
