//! What a change costs that is easy to overlook.

use crate::engine::{Action, Change, Mode, Value};
use crate::resource::{API, LoadBalancer, Resource};
use crate::view::line::{Ink, Line, labelled};
use crate::view::{Style, value};
use crate::words;

use super::Document;

/// The price of data that crosses from one zone to another, as AWS has it in its commercial regions.
const BETWEEN_ZONES: &str = "about 0.01 USD for each GB and direction";

/// What the plan's load balancers cost beyond themselves.
pub(super) fn lines(document: &Document, style: Style) -> Vec<Line> {
    if document.plan.mode != Mode::Apply {
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
    labelled("Cost: ", Ink::Strong, &text, style)
}

/// Whether a load balancer of a service is to lead to other zones, and did not before.
fn begins_to_cross(change: &Change) -> bool {
    let made = matches!(change.action, Action::Create | Action::Update | Action::Replace);
    // What the API's own carries is little, and nothing about it can be chosen.
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
