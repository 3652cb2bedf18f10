//! Kubernetes objects with the same type, namespace and name: two parts of the file would overwrite each other's.

use std::collections::BTreeMap;

use super::{BlueprintProblem, BuildContext, services};
use crate::engine::{Address, Object};
use crate::resource::{MANIFEST, NAMESPACE, VOLUME_CLAIM, manifest_of, manifest_place};

/// Returns a problem for each object that two parts of the file create.
pub(super) fn doubles(site: &BuildContext<'_>, objects: &[Object]) -> Vec<BlueprintProblem> {
    let mut claims = services::volume_claims(site);
    let mut takers: BTreeMap<String, String> = BTreeMap::new();
    let mut problems = Vec::new();
    for object in objects {
        let Some(manifest) = manifest_of(object) else { continue };
        let place = manifest_place(&manifest);
        let owner = owner(&object.address, &mut claims);
        // Two volumes of one name are one object, even in two namespaces.
        let name = if object.address.kind() == VOLUME_CLAIM { object.address.to_string() } else { place.clone() };
        let first = [place.clone(), name.clone()].iter().find_map(|taken| takers.get(taken)).cloned();
        match first {
            Some(first) => problems.push(BlueprintProblem::SamePlace { place, first, second: owner }),
            None => takers.extend([(place, owner.clone()), (name, owner)]),
        }
    }
    problems
}

/// Returns the part of the file that creates an object. Of several claims with one name, each is returned once.
fn owner(address: &Address, claims: &mut BTreeMap<String, Vec<String>>) -> String {
    let name = address.name();
    match address.kind() {
        MANIFEST => format!("the add-on {}", name.split('/').next().unwrap_or_default()),
        NAMESPACE => format!("the services of the namespace {name}"),
        VOLUME_CLAIM => claims.get_mut(name).and_then(Vec::pop).unwrap_or_else(|| name.to_owned()),
        _ => format!("the service {}", name.split('/').next().unwrap_or_default()),
    }
}
