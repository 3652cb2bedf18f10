//! Who uses whom: so that nothing is removed while something still refers to it.

use std::collections::{BTreeSet, HashMap};

use super::Context;
use crate::engine::graph::Graph;
use crate::engine::{Form, Kind, Live, Shape};

/// One thing uses another; both are numbers given by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub(super) user: usize,
    pub(super) used: usize,
    pub(super) evidence: Evidence,
}

/// How sure it is that one thing uses another, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Evidence {
    /// It holds the other's name: names are not unique across kinds.
    Name,
    /// The record says that it needed it.
    Record,
    /// It should need it.
    Desire,
    /// It holds the other's identifier.
    Identity,
}

/// The uses that the attributes of live objects show: a text that equals what another one is called.
pub(super) fn seen(context: &Context<'_>, lives: &[(usize, &Live)]) -> BTreeSet<Use> {
    let called = Called::new(context, lives);
    let mut uses = BTreeSet::new();
    for &(user, live) in lives {
        let Some(kind) = context.vocabulary.kind(live.address.kind()) else { continue };
        for (attribute, value) in live.attributes.iter().filter(|(name, _)| kind.attribute(name).form != Form::Tags) {
            value.visit(&mut |leaf| {
                let Some((owners, evidence)) = leaf.as_text().and_then(|text| called.look_up(text)) else { return };
                if evidence == Evidence::Name && is_own_name(kind, attribute) {
                    return;
                }
                let others = owners.iter().filter(|&&owner| owner != user);
                uses.extend(others.map(|&used| Use { user, used, evidence }));
            });
        }
    }
    uses
}

/// Leaves out uses until none is on a circle, the least certain ones first. What is left out is not lost: a cloud
/// refuses to remove what is in use, and the removal is tried again.
pub(super) fn without_circles(things: usize, uses: impl IntoIterator<Item = Use>) -> Vec<Use> {
    let mut uses: Vec<Use> = uses.into_iter().filter(|this| this.user != this.used).collect();
    for doubtful in [Evidence::Name, Evidence::Record, Evidence::Desire, Evidence::Identity] {
        let mut graph = Graph::new(things);
        for this in &uses {
            graph.add_edge(this.user, this.used);
        }
        let component = graph.components();
        let before = uses.len();
        uses.retain(|this| component[this.user] != component[this.used] || this.evidence > doubtful);
        if uses.len() == before && graph.order().is_ok() {
            break;
        }
    }
    uses
}

/// What things are called: by identifiers that are theirs alone, and by names that others may have too.
struct Called<'a> {
    identities: HashMap<&'a str, Vec<usize>>,
    names: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Called<'a> {
    fn new(context: &Context<'_>, lives: &[(usize, &'a Live)]) -> Self {
        let mut called = Self { identities: HashMap::new(), names: HashMap::new() };
        for &(thing, live) in lives {
            called.names.entry(&live.id).or_default().push(thing);
            let kind = context.vocabulary.kind(live.address.kind());
            for output in kind.map_or(&[][..], |kind| kind.outputs) {
                let Some(text) = live.outputs.get(output.name) else { continue };
                match output.shape {
                    // A pattern without a blank is the same for every object of the kind.
                    Shape::Pattern(pattern) if pattern.contains('{') => {
                        called.identities.entry(text).or_default().push(thing);
                    }
                    Shape::Attribute(_) => called.names.entry(text).or_default().push(thing),
                    Shape::Pattern(_) | Shape::Version => {}
                }
            }
        }
        called
    }

    fn look_up(&self, text: &str) -> Option<(&[usize], Evidence)> {
        let identity = self.identities.get(text).map(|owners| (owners.as_slice(), Evidence::Identity));
        identity.or_else(|| self.names.get(text).map(|owners| (owners.as_slice(), Evidence::Name)))
    }
}

/// Whether the attribute is what the object itself is called, not what it uses.
fn is_own_name(kind: &Kind, attribute: &str) -> bool {
    kind.outputs.iter().any(|output| matches!(output.shape, Shape::Attribute(repeated) if repeated == attribute))
}
