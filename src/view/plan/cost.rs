//! Costs of a change that are easy to overlook.

use crate::engine::{Action, Change, PlanMode, Value};
use crate::resource::{API, LoadBalancer, Resource};
use crate::view::line::{StyledLine, TextRole, labelled};
use crate::view::{TextStyle, value};
use crate::words;

use super::PlanDocument;

/// The price of data transfer between zones in AWS's commercial regions.
const BETWEEN_ZONES: &str = "about 0.01 USD for each GB and direction";

/// Returns the additional costs of the plan's load balancers.
pub(super) fn lines(document: &PlanDocument, style: TextStyle) -> Vec<StyledLine> {
    if document.plan.mode != PlanMode::Apply {
        return Vec::new();
    }
    let crossing = document.plan.changes.iter().filter(|change| begins_to_cross(change));
    let names: Vec<String> = crossing.map(|change| value::safe(&change.address.to_string())).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let verb = if names.len() == 1 { "takes" } else { "take" };
    let text = format!(
        "{BETWEEN_ZONES} that {} {verb} from one zone to another; `cross_zone = false` keeps data in its zone.",
        words::list(&names)
    );
    labelled("Cost: ", TextRole::Strong, &text, style)
}

/// Returns `true` if a service's load balancer starts to send connections to other zones.
fn begins_to_cross(change: &Change) -> bool {
    let made = matches!(change.action, Action::Create | Action::Update | Action::Replace);
    // The API's own load balancer carries little traffic, and its setting cannot be chosen.
    let of_a_service = change.address.kind() == LoadBalancer::KIND.name && change.address.name() != API;
    let crosses = |value: &Option<Value>| *value == Some(Value::Bool(true));
    let several = change.attributes.iter().all(|attribute| match (&*attribute.name, &attribute.after) {
        ("subnets", Some(Value::List(subnets))) => subnets.len() > 1,
        _ => true,
    });
    made && of_a_service
        && several
        && change
            .attributes
            .iter()
            .any(|attribute| attribute.name == "cross_zone" && crosses(&attribute.after) && !crosses(&attribute.before))
}
