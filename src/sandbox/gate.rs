//! The gate of a simulated API. Nothing answers behind it, but it opens and closes as the real one does.

use jiff::Timestamp;

use super::names::Call;
use super::world::{Thing, World};
use super::{Sandbox, provider};
use crate::engine::{BoxFuture, Failure};
use crate::resource::{API, Admission, Gate, Grant, Resource, Rule, SecurityGroupRules};

/// The kind that grants are kept with. They go when the rules go.
const KIND: &str = SecurityGroupRules::KIND.name;

impl Gate for Sandbox {
    fn admission(&self) -> BoxFuture<'_, Result<Option<Admission>, Failure>> {
        Box::pin(async move {
            let call = Call::list(KIND);
            self.call(&call, false, |world, _| {
                let Some(rules) = self.rules(world) else { return Ok(None) };
                close(rules);
                let rule = |value: &_| serde_json::from_value::<Rule>(serde_json::to_value(value).ok()?).ok();
                let wanted: Vec<Rule> = match rules.attributes.get("ingress") {
                    Some(crate::engine::Value::List(rules)) => rules.iter().filter_map(rule).collect(),
                    _ => Vec::new(),
                };
                let granted = rules.contents.values().filter_map(|rule| serde_json::from_str(rule).ok());
                Ok(Some(Admission::of(&wanted.into_iter().chain(granted).collect::<Vec<_>>())))
            })
            .await
        })
    }

    fn grant<'a>(&'a self, grant: &'a Grant) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let call = Call::new("Authorize", KIND);
            self.call(&call, true, |world, _| {
                let rules = self.rules(world).ok_or_else(|| provider::gone(&call, KIND, API))?;
                let text = serde_json::to_string(&grant.rule()).unwrap_or_default();
                rules.contents.insert(grant.range.to_string(), text);
                Ok(())
            })
            .await
        })
    }

    fn revoke<'a>(&'a self, grants: &'a [Grant]) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let call = Call::new("Revoke", KIND);
            self.call(&call, true, |world, _| {
                if let Some(rules) = self.rules(world) {
                    rules.contents.retain(|_, text| !kept(text).is_some_and(|kept| grants.contains(&kept)));
                }
                Ok(())
            })
            .await
        })
    }
}

impl Sandbox {
    /// The rules of the cluster's API, once it has any.
    fn rules<'w>(&self, world: &'w mut World) -> Option<&'w mut Thing> {
        let address = SecurityGroupRules::address(API);
        let ours = |thing: &Thing| {
            thing.mark.as_ref().is_some_and(|mark| mark.cluster == self.settings.cluster && mark.address == address)
        };
        let id = world
            .of(KIND)
            .find(|(id, thing)| self.is_here(KIND, id, thing) && ours(thing))
            .map(|(id, _)| id.clone())?;
        world.get_mut(KIND, &id)
    }
}

fn kept(text: &str) -> Option<Grant> {
    Grant::of(&serde_json::from_str(text).ok()?)
}

/// What the masters' timer does: grants end by the real clock, as nobody makes simulated time pass meanwhile.
fn close(rules: &mut Thing) {
    let now = Timestamp::now();
    rules.contents.retain(|_, text| kept(text).is_some_and(|grant| grant.runs(now)));
}
