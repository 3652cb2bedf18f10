//! The wanted objects, validated and in order.

use std::collections::BTreeMap;

use super::PlanError;
use crate::engine::graph::{Graph, GraphCycle};
use crate::engine::{Address, KindRegistry, Object};

/// Objects that may be planned: each address once, every dependency included, no cycle.
#[derive(Default)]
pub(super) struct DesiredGraph {
    objects: BTreeMap<Address, Object>,
    order: Vec<Address>,
}

impl DesiredGraph {
    pub(super) fn new(objects: Vec<Object>, vocabulary: &dyn KindRegistry) -> Result<Self, PlanError> {
        let objects = by_address(objects)?;
        for object in objects.values() {
            check(object, &objects, vocabulary)?;
        }
        let order = in_order(&objects)?;
        Ok(Self { objects, order })
    }

    /// Returns the addresses, each one after everything that it depends on.
    pub(super) fn order(&self) -> &[Address] {
        &self.order
    }

    pub(super) fn object(&self, address: &Address) -> &Object {
        &self.objects[address]
    }

    pub(super) fn into_objects(self) -> BTreeMap<Address, Object> {
        self.objects
    }

    pub(super) fn objects(&self) -> &BTreeMap<Address, Object> {
        &self.objects
    }
}

fn by_address(objects: Vec<Object>) -> Result<BTreeMap<Address, Object>, PlanError> {
    let mut indexed = BTreeMap::new();
    for object in objects {
        if let Some(twice) = indexed.insert(object.address.clone(), object) {
            return Err(PlanError::Twice(twice.address));
        }
    }
    Ok(indexed)
}

fn check(object: &Object, objects: &BTreeMap<Address, Object>, vocabulary: &dyn KindRegistry) -> Result<(), PlanError> {
    let from = &object.address;
    if vocabulary.kind(from.kind()).is_none() {
        return Err(PlanError::UnknownKind(from.clone()));
    }
    if let Some(to) = object.needs().into_iter().find(|need| !objects.contains_key(need)) {
        return Err(PlanError::UnknownAddress { from: from.clone(), to });
    }
    for reference in object.references() {
        let kind = vocabulary.kind(reference.address.kind());
        if kind.is_some_and(|kind| !kind.outputs.iter().any(|output| output.name == reference.output)) {
            return Err(PlanError::UnknownOutput { from: from.clone(), reference: reference.clone() });
        }
        if reference.address == *from {
            return Err(PlanError::Cycle(vec![from.clone()]));
        }
    }
    Ok(())
}

fn in_order(objects: &BTreeMap<Address, Object>) -> Result<Vec<Address>, PlanError> {
    let addresses: Vec<&Address> = objects.keys().collect();
    let numbers: BTreeMap<&Address, usize> =
        addresses.iter().enumerate().map(|(number, address)| (*address, number)).collect();
    let mut graph = Graph::new(addresses.len());
    for object in objects.values() {
        for need in object.needs() {
            graph.add_edge(numbers[&need], numbers[&object.address]);
        }
    }
    let name = |node: usize| addresses[node].clone();
    match graph.order() {
        Ok(order) => Ok(order.into_iter().map(name).collect()),
        // The graph has what comes first; a message lists dependencies in the opposite order.
        Err(GraphCycle(nodes)) => Err(PlanError::Cycle(nodes.into_iter().rev().map(name).collect())),
    }
}
