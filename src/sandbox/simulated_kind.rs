//! The behaviour of a kind in the simulated cloud, as its row in the registry defines it.

use super::account::{SimulatedAccount, SimulatedObject};
use super::links::{ObjectLink, holds};
use super::names::ApiCall;
use crate::engine::{Attributes, Failure, FailureClass, Live};
use crate::resource::{Bucket, Resource};

/// The behaviour of a kind in the simulated cloud.
pub(super) struct SimulatedKind {
    /// The kind's name.
    pub(super) name: &'static str,
    /// The service.
    pub(super) service: &'static str,
    /// The text behind the verb in an action.
    pub(super) noun: &'static str,
    /// The codes of its failures.
    pub(super) codes: FailureCodes,
    /// The source of its identifier.
    pub(super) id: IdSource,
    /// The attributes that together are unique in the account; none where any number can be alike.
    pub(super) unique: &'static [&'static str],
    /// The class of the failure when another object has the same.
    pub(super) taken: FailureClass,
    /// The attributes that name other objects.
    pub(super) links: &'static [ObjectLink],
    /// The attributes that a second call sets after the one that makes the object.
    pub(super) later: &'static [&'static str],
    /// True for a kind that is pending for a while after its creation.
    pub(super) delayed: bool,
    /// True for a kind whose creation takes a client token.
    pub(super) client_token: bool,
    /// The scope of its objects.
    pub(super) scope: KindScope,
    /// The proof of the owner of an object.
    pub(super) proof: OwnerProof,
    /// True for a kind that the controllers of a cluster make too.
    pub(super) by_controllers: bool,
    /// Refuses attributes of a new object.
    pub(super) check_new: AttributeCheck,
    /// Refuses attributes of a new or changed object.
    pub(super) check: AttributeCheck,
    /// Adjusts an object after its creation or a change, as AWS does by itself.
    pub(super) adjust: fn(&mut SimulatedObject),
    /// Changes an object to how it is shown to a run in a region.
    pub(super) show: fn(&SimulatedAccount, &SimulatedObject, &str, &mut Live),
}

/// The scope of the objects of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KindScope {
    /// In the zone that their `zone` names.
    Zone,
    /// In a region.
    Region,
    /// In no region: every region shows them.
    Global,
    /// In a bucket, which is in no region either.
    Bucket,
}

/// The proof of the owner of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnerProof {
    /// Its tags.
    Tags,
    /// Its path, key or name: it stays when the tags go.
    Name,
}

/// A check of attributes against the rest of the account.
type AttributeCheck = fn(&SimulatedAccount, &ApiCall, &Attributes) -> Result<(), Failure>;

/// The codes of a kind's failures.
pub(super) struct FailureCodes {
    /// When an object does not exist.
    pub(super) missing: &'static str,
    /// When one of that name exists.
    pub(super) exists: &'static str,
    /// When something still uses it.
    pub(super) held: &'static str,
}

/// The source of an object's identifier.
pub(super) enum IdSource {
    /// The first of the outputs `id`, `arn`, `name` and `group` that it has.
    Output,
    /// The values of these attributes, with slashes between them.
    Attributes(&'static [&'static str]),
    /// The same, without those that are empty.
    Present(&'static [&'static str]),
}

const IN_BUCKET: &[ObjectLink] = &[holds::<Bucket>(&["bucket"], "name")];

/// The row of a kind of AWS: its service, the noun of its actions, and the codes of its failures.
pub(super) const fn row<K: Resource>(service: &'static str, noun: &'static str, codes: FailureCodes) -> SimulatedKind {
    named(K::KIND.name, service, noun, codes)
}

/// A kind of Kubernetes: all of them have the same codes.
pub(super) const fn kubernetes(name: &'static str, noun: &'static str) -> SimulatedKind {
    let id = IdSource::Present(&["kind", "metadata.namespace", "metadata.name"]);
    SimulatedKind { id, ..named(name, "kubernetes", noun, codes("NotFound", "AlreadyExists", "Conflict")) }
}

const fn named(name: &'static str, service: &'static str, noun: &'static str, codes: FailureCodes) -> SimulatedKind {
    SimulatedKind {
        name,
        service,
        noun,
        codes,
        id: IdSource::Output,
        unique: &[],
        taken: FailureClass::AlreadyExists,
        links: &[],
        later: &[],
        delayed: false,
        client_token: false,
        scope: KindScope::Region,
        proof: OwnerProof::Tags,
        by_controllers: false,
        check_new: |_, _, _| Ok(()),
        check: |_, _, _| Ok(()),
        adjust: |_| {},
        show: |_, _, _, _| {},
    }
}

/// The codes when an object is missing, when one of that name exists, and when something still uses it.
pub(super) const fn codes(missing: &'static str, exists: &'static str, held: &'static str) -> FailureCodes {
    FailureCodes { missing, exists, held }
}

/// The fields of a row. A field that a row does not name has the value of `named`.
impl SimulatedKind {
    /// The row of a kind that the vocabulary does not have.
    pub(super) const UNKNOWN: Self =
        named("", "sandbox", "Object", codes("NotFound", "AlreadyExists", "DependencyViolation"));

    /// Takes the identifier from these attributes.
    pub(super) const fn id(self, attributes: &'static [&'static str]) -> Self {
        Self { id: IdSource::Attributes(attributes), ..self }
    }

    /// Makes these attributes together unique.
    pub(super) const fn unique(self, attributes: &'static [&'static str]) -> Self {
        Self { unique: attributes, ..self }
    }

    /// Lets callers wait until another object leaves what is unique.
    pub(super) const fn free_later(self) -> Self {
        Self { taken: FailureClass::Held, ..self }
    }

    /// Names other objects by these attributes.
    pub(super) const fn links(self, links: &'static [ObjectLink]) -> Self {
        Self { links, ..self }
    }

    /// Sets these attributes by a second call.
    pub(super) const fn later(self, attributes: &'static [&'static str]) -> Self {
        Self { later: attributes, ..self }
    }

    /// Makes it pending after its creation, for the time that its kind defines.
    pub(super) const fn delayed(self) -> Self {
        Self { delayed: true, ..self }
    }

    /// Takes a client token at its creation.
    pub(super) const fn client_token(self) -> Self {
        Self { client_token: true, ..self }
    }

    /// Makes it visible in every region.
    pub(super) const fn global(self) -> Self {
        Self { scope: KindScope::Global, ..self }
    }

    /// Shows by its name whose it is.
    pub(super) const fn untagged(self) -> Self {
        Self { proof: OwnerProof::Name, ..self }
    }

    /// Puts it into a bucket.
    pub(super) const fn in_bucket(self) -> Self {
        Self { scope: KindScope::Bucket, ..self.id(&["bucket", "key"]).links(IN_BUCKET).untagged() }
    }

    /// Puts it into a zone.
    pub(super) const fn zonal(self) -> Self {
        Self { scope: KindScope::Zone, ..self }
    }

    /// Allows controllers to create it too.
    pub(super) const fn by_controllers(self) -> Self {
        Self { by_controllers: true, ..self }
    }

    /// Checks the attributes of new objects.
    pub(super) const fn check_new(self, check_new: AttributeCheck) -> Self {
        Self { check_new, ..self }
    }

    /// Checks the attributes of new and changed objects.
    pub(super) const fn check(self, check: AttributeCheck) -> Self {
        Self { check, ..self }
    }

    /// Adjusts objects after a creation or a change.
    pub(super) const fn adjust(self, adjust: fn(&mut SimulatedObject)) -> Self {
        Self { adjust, ..self }
    }

    /// Changes objects in what an observation returns.
    pub(super) const fn show(self, show: fn(&SimulatedAccount, &SimulatedObject, &str, &mut Live)) -> Self {
        Self { show, ..self }
    }
}
