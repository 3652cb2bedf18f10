//! The uses among objects: nothing is removed while something still refers to it.

use std::collections::{BTreeSet, HashMap};

use super::PlanContext;
use crate::engine::graph::Graph;
use crate::engine::{Comparison, Kind, Live, OutputShape};

/// One object uses another; both are indexes of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dependency {
    pub(super) user: usize,
    pub(super) used: usize,
    pub(super) evidence: Confidence,
}

/// The confidence that one object uses another, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Confidence {
    /// It holds the name of the other: names are not unique across kinds.
    Name,
    /// It depended on the other according to the record.
    Record,
    /// It is wanted to depend on the other.
    Desire,
    /// It holds the identifier of the other.
    Identity,
    /// It replaces the other: this use is never left out, because the old object must outlive the creation of the new one.
    Replacement,
}

/// Returns the uses that the attributes of live objects show: a text that equals the name or identifier of another.
pub(super) fn observed_uses(context: &PlanContext<'_>, lives: &[(usize, &Live)]) -> BTreeSet<Dependency> {
    let called = IdentifierIndex::new(context, lives);
    let mut uses = BTreeSet::new();
    for &(user, live) in lives {
        let Some(kind) = context.vocabulary.kind(live.address.kind()) else { continue };
        for (attribute, value) in
            live.attributes.iter().filter(|(name, _)| kind.attribute(name).form != Comparison::Tags)
        {
            value.visit(&mut |leaf| {
                let Some((owners, evidence)) = leaf.as_text().and_then(|text| called.look_up(text)) else { return };
                if evidence == Confidence::Name && is_own_name(kind, attribute) {
                    return;
                }
                let others = owners.iter().filter(|&&owner| owner != user);
                uses.extend(others.map(|&used| Dependency { user, used, evidence }));
            });
        }
    }
    uses
}

/// Leaves out uses until there is no cycle, the least certain ones first. An omitted use does no harm: a cloud refuses to
/// remove an object that is in use, and the removal is retried. A replacement is never left out: the old object uses others
/// only by its content, so replacements alone are no cycle.
pub(super) fn without_circles(nodes: usize, uses: impl IntoIterator<Item = Dependency>) -> Vec<Dependency> {
    let mut uses: Vec<Dependency> = uses.into_iter().filter(|this| this.user != this.used).collect();
    for doubtful in [Confidence::Name, Confidence::Record, Confidence::Desire, Confidence::Identity] {
        let mut graph = Graph::new(nodes);
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

/// The names of objects: identifiers that are unique, and names that others may have too.
struct IdentifierIndex<'a> {
    identities: HashMap<&'a str, Vec<usize>>,
    names: HashMap<&'a str, Vec<usize>>,
}

impl<'a> IdentifierIndex<'a> {
    fn new(context: &PlanContext<'_>, lives: &[(usize, &'a Live)]) -> Self {
        let mut called = Self { identities: HashMap::new(), names: HashMap::new() };
        for &(node, live) in lives {
            called.names.entry(&live.id).or_default().push(node);
            let kind = context.vocabulary.kind(live.address.kind());
            for output in kind.map_or(&[][..], |kind| kind.outputs) {
                let Some(text) = live.outputs.get(output.name) else { continue };
                match output.shape {
                    // A pattern without a blank is the same for every object of the kind.
                    OutputShape::Pattern(pattern) if pattern.contains('{') => {
                        called.identities.entry(text).or_default().push(node);
                    }
                    OutputShape::Attribute(_) => called.names.entry(text).or_default().push(node),
                    OutputShape::Pattern(_) | OutputShape::Version => {}
                }
            }
        }
        called
    }

    fn look_up(&self, text: &str) -> Option<(&[usize], Confidence)> {
        let identity = self.identities.get(text).map(|owners| (owners.as_slice(), Confidence::Identity));
        identity.or_else(|| self.names.get(text).map(|owners| (owners.as_slice(), Confidence::Name)))
    }
}

/// Returns `true` if the attribute is the name of the object itself, not of one that it uses.
fn is_own_name(kind: &Kind, attribute: &str) -> bool {
    kind.outputs.iter().any(|output| matches!(output.shape, OutputShape::Attribute(repeated) if repeated == attribute))
}
