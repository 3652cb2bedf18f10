//! The firewall of a simulated API. No server answers behind it, but it opens and closes as the real one does.

use jiff::Timestamp;

use super::account::{SimulatedAccount, SimulatedObject};
use super::names::ApiCall;
use super::{Sandbox, provider};
use crate::cloud::ApiFirewall;
use crate::engine::{BoxFuture, Failure};
use crate::resource::{API, AccessGrant, AllowList, GroupRule, Resource, SecurityGroupRules};

/// The kind that keeps the grants. They are deleted with the rules.
const KIND: &str = SecurityGroupRules::KIND.name;

impl ApiFirewall for Sandbox {
    fn admission(&self) -> BoxFuture<'_, Result<Option<AllowList>, Failure>> {
        Box::pin(async move {
            let call = ApiCall::list(KIND);
            self.call(&call, false, |world, _| {
                let Some(id) = self.rules(world) else { return Ok(None) };
                close(world, &id);
                let Some(rules) = world.get(KIND, &id) else { return Ok(None) };
                let rule = |value: &_| serde_json::from_value::<GroupRule>(serde_json::to_value(value).ok()?).ok();
                let wanted: Vec<GroupRule> = match rules.attributes.get("ingress") {
                    Some(crate::engine::Value::List(rules)) => rules.iter().filter_map(rule).collect(),
                    _ => Vec::new(),
                };
                let granted = rules.contents.values().filter_map(|rule| serde_json::from_str(rule).ok());
                Ok(Some(AllowList::of(&wanted.into_iter().chain(granted).collect::<Vec<_>>())))
            })
            .await
        })
    }

    fn grant<'a>(&'a self, grant: &'a AccessGrant) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let call = ApiCall::new("Authorize", KIND);
            self.call(&call, true, |world, _| {
                let id = self.rules(world).ok_or_else(|| provider::gone(&call, KIND, API))?;
                let text = serde_json::to_string(&grant.rule()).unwrap_or_default();
                world.write_content(KIND, &id, &grant.range.to_string(), &text);
                Ok(())
            })
            .await
        })
    }

    fn revoke<'a>(&'a self, grants: &'a [AccessGrant]) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            let call = ApiCall::new("Revoke", KIND);
            self.call(&call, true, |world, _| {
                if let Some(id) = self.rules(world) {
                    let is_kept = |text: &str| !kept(text).is_some_and(|kept| grants.contains(&kept));
                    world.edit(KIND, &id, |rules| rules.contents.retain(|_, text| is_kept(text)));
                }
                Ok(())
            })
            .await
        })
    }
}

impl Sandbox {
    /// Returns the id of the rules of the cluster's API, once it has any.
    fn rules(&self, world: &SimulatedAccount) -> Option<String> {
        let address = SecurityGroupRules::address(API);
        let ours = |object: &SimulatedObject| {
            object.mark.as_ref().is_some_and(|mark| mark.cluster == self.settings.cluster && mark.address == address)
        };
        let mut rules = world.of(KIND).filter(|(id, object)| self.is_here(KIND, id, object) && ours(object));
        rules.next().map(|(id, _)| id.clone())
    }
}

fn kept(text: &str) -> Option<AccessGrant> {
    AccessGrant::of(&serde_json::from_str(text).ok()?)
}

/// Removes expired grants, as the masters' timer does: by the real clock, as no call makes simulated time pass meanwhile.
fn close(world: &mut SimulatedAccount, id: &str) {
    let now = Timestamp::now();
    let runs = |text: &String| kept(text).is_some_and(|grant| grant.runs(now));
    if world.get(KIND, id).is_some_and(|rules| !rules.contents.values().all(runs)) {
        world.edit(KIND, id, |rules| rules.contents.retain(|_, text| runs(text)));
    }
}
