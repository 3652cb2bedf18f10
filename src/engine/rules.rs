//! The effect of a change to each attribute of each kind. The vocabulary defines it; the engine applies it.

use std::borrow::Cow;

use super::{Address, AttributeChange, Attributes};

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kind {
    /// The first half of its addresses, for example `security-group`.
    pub name: &'static str,
    /// Its name for messages, singular, for example `security group`.
    pub title: &'static str,
    /// Its attributes. An attribute that is not listed is [`ChangeEffect::Update`] and [`Comparison::Plain`].
    pub attributes: &'static [Attribute],
    /// The outputs that others may refer to.
    pub outputs: &'static [OutputSpec],
    /// `true` if it holds data that cannot be restored: such objects are only removed on request.
    pub data: bool,
    /// `true` if it may belong to others: then it is used as it is, and neither changed nor removed.
    pub shared: bool,
    /// Estimated time of a creation, in seconds: the scheduler starts the longest path first.
    pub seconds: u32,
}

/// One attribute of a kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attribute {
    /// Its name. `*` stands for any text: a rule for an open set of attributes.
    pub name: &'static str,
    /// The effect of a change to it.
    pub effect: ChangeEffect,
    /// The form in which two values of it are compared.
    pub form: Comparison,
    /// Outputs whose values change with it.
    pub moves: &'static [&'static str],
    /// What a wanted value is compared with.
    pub compared: ComparedWith,
    /// `true` if it is removed after it was set once and is no longer wanted. One that is not pruned stays as it is.
    pub pruned: bool,
    /// `true` if its value may be recorded: values that may hold a secret are never recorded. Without the recorded value, a
    /// difference counts as a change of the file.
    pub recorded: bool,
}

/// What a wanted value of an attribute is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparedWith {
    /// The value that the cloud returns.
    Cloud,
    /// The recorded value: the cloud does not return it.
    Record,
    /// Nothing: it is sent on creation, and its change is none.
    Nothing,
}

/// The effect of a change to an attribute on the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeEffect {
    /// The object is updated in place.
    Update,
    /// The object's machines are replaced one after the other.
    Roll,
    /// A new object is created, everything that used the old one moves to it, then the old one is removed.
    Replace,
    /// The change is impossible on a living cluster; the text is the alternative.
    Fixed(&'static str),
}

/// The form in which two values of an attribute are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The plain values.
    Plain,
    /// Lists without order or repetition.
    Set,
    /// A map of which only our keys are compared: others may add keys.
    Tags,
    /// JSON text (or a map of them) without order; a list of one equals its only member.
    Json,
}

/// One output of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputSpec {
    /// Its name, for example `id`.
    pub name: &'static str,
    /// The shape of its values.
    pub shape: OutputShape,
}

/// The shape of an output. The caller that generates a value fills in `{name}`, `{account}`, `{region}` and `{hex}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputShape {
    /// A pattern, for example `vpc-{hex}`.
    Pattern(&'static str),
    /// The value of the attribute of this name.
    Attribute(&'static str),
    /// A number that starts at 1 and grows with each change that affects it.
    Version,
}

/// The kinds that exist.
pub trait KindRegistry: Send + Sync {
    /// Returns the kind of this name.
    fn kind(&self, name: &str) -> Option<&Kind>;

    /// Returns `true` if an object with these attributes holds data that cannot be restored.
    fn holds_data(&self, address: &Address, _attributes: &Attributes) -> bool {
        self.kind(address.kind()).is_some_and(|kind| kind.data)
    }

    /// Returns `true` if a run waits for the object while it is as wanted, but not usable yet.
    fn is_awaited(&self, _address: &Address) -> bool {
        true
    }

    /// Returns `true` if others wait for the object even while it is as wanted, but not usable yet: they are changed only after
    /// it has succeeded.
    fn holds_up_others(&self, _address: &Address) -> bool {
        false
    }

    /// Returns the alternative to creating an object that is gone while others still use it; `None` if a new one works
    /// as well.
    fn irreplaceable(&self, _address: &Address) -> Option<&'static str> {
        None
    }

    /// Returns the alternative to removing an object from a living cluster; `None` if it can be removed.
    fn refuses_removal(&self, _address: &Address) -> Option<&'static str> {
        None
    }

    /// Returns the alternative to a change of a permitted kind that is impossible between these values; `None` if the change
    /// is possible. `wanted` is the object as wanted.
    fn refuses(&self, _address: &Address, _change: &AttributeChange, _wanted: &Attributes) -> Option<String> {
        None
    }

    /// Returns the set of objects that hold the same data as this one, if a new object gets the data from the others of the
    /// set. `live` is the object as observed, `wanted` as wanted.
    fn replicas(&self, _address: &Address, _live: &Attributes, _wanted: &Attributes) -> Option<DataReplicas> {
        None
    }

    /// Returns `true` if the machines of an object with these attributes do not work: they are replaced before those of other
    /// objects of its lane.
    fn is_broken(&self, _address: &Address, _live: &Attributes) -> bool {
        false
    }

    /// Returns the pool of objects that stand in for each other: no object of a pool is removed before all others of it are as
    /// wanted.
    fn pool(&self, _address: &Address, _attributes: &Attributes) -> Option<Cow<'static, str>> {
        None
    }
}

/// Objects that hold the same data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataReplicas {
    /// The name of the set.
    pub set: &'static str,
    /// Describes how a new object gets the data.
    pub moved: String,
    /// The alternative to a replacement of the only object of the set.
    pub alone: &'static str,
}

impl Attribute {
    const fn of(name: &'static str, effect: ChangeEffect) -> Self {
        Self {
            name,
            effect,
            form: Comparison::Plain,
            moves: &[],
            compared: ComparedWith::Cloud,
            pruned: false,
            recorded: true,
        }
    }

    /// Returns a rule for an update in place.
    pub const fn update(name: &'static str) -> Self {
        Self::of(name, ChangeEffect::Update)
    }

    /// Returns a rule for replacing machines.
    pub const fn roll(name: &'static str) -> Self {
        Self::of(name, ChangeEffect::Roll)
    }

    /// Returns a rule for creating a new object.
    pub const fn replace(name: &'static str) -> Self {
        Self::of(name, ChangeEffect::Replace)
    }

    /// Returns a rule for an attribute that cannot change; `instead` is the alternative.
    pub const fn fixed(name: &'static str, instead: &'static str) -> Self {
        Self::of(name, ChangeEffect::Fixed(instead))
    }

    /// Compares values without order.
    #[must_use]
    pub const fn set(self) -> Self {
        Self { form: Comparison::Set, ..self }
    }

    /// Compares our keys only.
    #[must_use]
    pub const fn tags(self) -> Self {
        Self { form: Comparison::Tags, ..self }
    }

    /// Compares values as JSON.
    #[must_use]
    pub const fn json(self) -> Self {
        Self { form: Comparison::Json, ..self }
    }

    /// Sets the outputs whose values change with it.
    #[must_use]
    pub const fn moves(self, outputs: &'static [&'static str]) -> Self {
        Self { moves: outputs, ..self }
    }

    /// Marks the attribute as sent on creation and never returned.
    #[must_use]
    pub const fn unobserved(self) -> Self {
        Self { compared: ComparedWith::Nothing, ..self }
    }

    /// Marks the attribute as never returned, and compared with what was last applied.
    #[must_use]
    pub const fn by_record(self) -> Self {
        Self { compared: ComparedWith::Record, ..self }
    }

    /// Returns `true` if the cloud returns its value.
    pub fn is_observed(&self) -> bool {
        self.compared == ComparedWith::Cloud
    }

    /// Marks the attribute as removed when it is no longer wanted.
    #[must_use]
    pub const fn pruned(self) -> Self {
        Self { pruned: true, ..self }
    }

    /// Marks the attribute as never written into the record.
    #[must_use]
    pub const fn unrecorded(self) -> Self {
        Self { recorded: false, ..self }
    }
}

impl OutputSpec {
    /// Returns an output with a pattern.
    pub const fn pattern(name: &'static str, pattern: &'static str) -> Self {
        Self { name, shape: OutputShape::Pattern(pattern) }
    }

    /// Returns an output that repeats an attribute.
    pub const fn attribute(name: &'static str) -> Self {
        Self { name, shape: OutputShape::Attribute(name) }
    }

    /// Returns an output that counts.
    pub const fn version(name: &'static str) -> Self {
        Self { name, shape: OutputShape::Version }
    }
}

impl OutputSpec {
    /// Returns `true` if the cloud generates its value: another object has another value, even under the same name.
    pub(crate) fn is_made_up(&self) -> bool {
        matches!(self.shape, OutputShape::Pattern(pattern) if pattern.contains("{hex}"))
    }
}

impl Kind {
    /// Returns the rule for an attribute: the first that matches, or the default one.
    pub fn attribute(&self, name: &str) -> Attribute {
        self.attributes.iter().find(|rule| fits(rule.name, name)).copied().unwrap_or(Attribute::update(""))
    }
}

/// Returns `true` if a name matches a pattern.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(start) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(fits("name", "name") && !fits("name", "names"));
        assert!(fits("*", "") && fits("*", "spec.replicas"));
        assert!(fits("spec.selector.*", "spec.selector.app") && !fits("spec.selector.*", "spec.selectors"));
        assert!(fits("*env[*].value", "spec.containers[chat].env[PORT].value"));
        assert!(!fits("*env[*].value", "spec.containers[chat].env[PORT].name"));
        assert!(!fits("ab*ba", "aba"), "what stands before the star does not count for what stands behind it");
    }
}
