//! What a change to each attribute of each kind means. The vocabulary fills this in; the engine obeys it.

use super::{Address, AttributeChange, Attributes};

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kind {
    /// The first half of its addresses, for example `security-group`.
    pub name: &'static str,
    /// In words, singular, for example `security group`.
    pub title: &'static str,
    /// Its attributes. An attribute that is not listed is [`Effect::Update`] and [`Form::Plain`].
    pub attributes: &'static [Attribute],
    /// What others may refer to.
    pub outputs: &'static [Output],
    /// Whether it holds data that nobody can make again: such objects are never removed without being asked for.
    pub data: bool,
    /// Whether it may be somebody else's: then it is used as it is, and neither changed nor removed.
    pub shared: bool,
    /// How long making one takes, in seconds, roughly: the scheduler starts the longest road first.
    pub seconds: u32,
}

/// One attribute of a kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attribute {
    /// Its name. `*` stands for any text: a rule for all attributes of which there may be any number.
    pub name: &'static str,
    /// What a change to it means.
    pub effect: Effect,
    /// How two values of it are compared.
    pub form: Form,
    /// Outputs that get another value when it changes.
    pub moves: &'static [&'static str],
    /// Whether the cloud tells its value back. What it does not tell is sent on creation and never compared.
    pub observed: bool,
    /// Whether it is taken away when we set it once and no longer want it. What is not pruned stays as it is.
    pub pruned: bool,
    /// Whether the record may remember its value: what may hold a secret is never written down. Without the value, a
    /// difference counts as the file's.
    pub recorded: bool,
}

/// What a change to an attribute means for the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Changed in place.
    Update,
    /// The object's machines are replaced one after the other.
    Roll,
    /// A new object is made, everything that used the old one moves over, then the old one is removed.
    Replace,
    /// Cannot be changed on a living cluster; the text says what to do instead.
    Fixed(&'static str),
}

/// How two values of an attribute are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they stand.
    Plain,
    /// Lists without order or repetition.
    Set,
    /// A map of which only our keys count: others may add theirs.
    Tags,
    /// JSON text (or a map of them) without order; a list of one equals its only member.
    Json,
}

/// One output of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// Its name, for example `id`.
    pub name: &'static str,
    /// What its values look like.
    pub shape: Shape,
}

/// What an output looks like. `{name}`, `{account}`, `{region}` and `{hex}` are filled in by who makes one up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A pattern, for example `vpc-{hex}`.
    Pattern(&'static str),
    /// The value of the attribute of this name.
    Attribute(&'static str),
    /// A number that starts at 1 and grows with each change that moves it.
    Version,
}

/// The kinds that exist.
pub trait Vocabulary: Send + Sync {
    /// The kind of this name.
    fn kind(&self, name: &str) -> Option<&Kind>;

    /// Whether an object with these attributes holds data that nobody can make again.
    fn holds_data(&self, address: &Address, _attributes: &Attributes) -> bool {
        self.kind(address.kind()).is_some_and(|kind| kind.data)
    }

    /// Whether one that is as it should be, but not usable yet, is still work for a run.
    fn is_awaited(&self, _address: &Address) -> bool {
        true
    }

    /// What to do instead of making an object again that is gone while others still use it; nothing if a new one does
    /// as well.
    fn irreplaceable(&self, _address: &Address) -> Option<&'static str> {
        None
    }

    /// The way out of a change that this kind of attribute allows, but not from this value to that one; nothing if the
    /// change can be made. `wanted` is the object as it should be.
    fn refuses(&self, _address: &Address, _change: &AttributeChange, _wanted: &Attributes) -> Option<String> {
        None
    }

    /// The set of objects that all hold the same data as this one, if a new object gets the data from the others of the
    /// set. `live` is the object as it is, `wanted` as it should be.
    fn replicas(&self, _address: &Address, _live: &Attributes, _wanted: &Attributes) -> Option<Replicas> {
        None
    }

    /// The pool of objects that stand in for each other: none of a pool is removed before all others of it are as they
    /// should be.
    fn pool(&self, _address: &Address, _attributes: &Attributes) -> Option<&'static str> {
        None
    }
}

/// Objects that hold the same data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replicas {
    /// The name of the set.
    pub set: &'static str,
    /// Says how a new object gets the data.
    pub moved: String,
    /// Says what to do instead of replacing the only object of the set.
    pub alone: &'static str,
}

impl Attribute {
    const fn of(name: &'static str, effect: Effect) -> Self {
        Self { name, effect, form: Form::Plain, moves: &[], observed: true, pruned: false, recorded: true }
    }

    /// Changed in place.
    pub const fn update(name: &'static str) -> Self {
        Self::of(name, Effect::Update)
    }

    /// Changed by replacing machines.
    pub const fn roll(name: &'static str) -> Self {
        Self::of(name, Effect::Roll)
    }

    /// Changed by making a new object.
    pub const fn replace(name: &'static str) -> Self {
        Self::of(name, Effect::Replace)
    }

    /// Never changed; `instead` says what to do.
    pub const fn fixed(name: &'static str, instead: &'static str) -> Self {
        Self::of(name, Effect::Fixed(instead))
    }

    /// Compared without order.
    #[must_use]
    pub const fn set(self) -> Self {
        Self { form: Form::Set, ..self }
    }

    /// Compared by our keys only.
    #[must_use]
    pub const fn tags(self) -> Self {
        Self { form: Form::Tags, ..self }
    }

    /// Compared as JSON.
    #[must_use]
    pub const fn json(self) -> Self {
        Self { form: Form::Json, ..self }
    }

    /// Gives these outputs another value when it changes.
    #[must_use]
    pub const fn moves(self, outputs: &'static [&'static str]) -> Self {
        Self { moves: outputs, ..self }
    }

    /// Sent on creation, never told back.
    #[must_use]
    pub const fn unobserved(self) -> Self {
        Self { observed: false, ..self }
    }

    /// Taken away when it is no longer wanted.
    #[must_use]
    pub const fn pruned(self) -> Self {
        Self { pruned: true, ..self }
    }

    /// Never written into the record.
    #[must_use]
    pub const fn unrecorded(self) -> Self {
        Self { recorded: false, ..self }
    }
}

impl Output {
    /// An output with a pattern.
    pub const fn pattern(name: &'static str, pattern: &'static str) -> Self {
        Self { name, shape: Shape::Pattern(pattern) }
    }

    /// An output that repeats an attribute.
    pub const fn attribute(name: &'static str) -> Self {
        Self { name, shape: Shape::Attribute(name) }
    }

    /// An output that counts.
    pub const fn version(name: &'static str) -> Self {
        Self { name, shape: Shape::Version }
    }
}

impl Output {
    /// Whether the cloud makes its value up: another object has another one, whatever it is called.
    pub(crate) fn is_made_up(&self) -> bool {
        matches!(self.shape, Shape::Pattern(pattern) if pattern.contains("{hex}"))
    }
}

impl Kind {
    /// The rule for an attribute: the first that fits, or the default one.
    pub fn attribute(&self, name: &str) -> Attribute {
        self.attributes.iter().find(|rule| fits(rule.name, name)).copied().unwrap_or(Attribute::update(""))
    }
}

/// Whether a name is what a pattern says.
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
