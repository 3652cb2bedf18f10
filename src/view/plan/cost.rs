//! The cost of a plan, and costs of a change that are easy to overlook.

use crate::analysis::Money;
use crate::analysis::cost::{CostTotal, PlanCost};
use crate::engine::{Action, Change, PlanMode, Value};
use crate::resource::{API, LoadBalancer, Resource};
use crate::view::line::{StyledLine, TextRole, labelled};
use crate::view::{TextStyle, value};
use crate::words;

use super::PlanDocument;

/// The price of data transfer between zones in AWS's commercial regions.
const BETWEEN_ZONES: &str = "about 0.01 USD for each GB and direction";
/// Maximum number of things with an unknown price that are named.
pub(super) const NAMED: usize = 3;

/// Returns the cost of the cluster before and after the plan, and the additional costs of the plan's load balancers.
pub(super) fn lines(document: &PlanDocument, style: TextStyle) -> Vec<StyledLine> {
    let monthly = document.cost.as_ref().map(monthly);
    let texts: Vec<String> = monthly.into_iter().chain(between_zones(document)).collect();
    if texts.is_empty() { Vec::new() } else { labelled("Cost: ", TextRole::Strong, &texts.join("\n"), style) }
}

/// Returns the cost before and after: `212.45 -> 242.81 USD per month (+30.36).`
fn monthly(cost: &PlanCost) -> String {
    if cost.prices.date.is_none() {
        let region = value::safe(&cost.prices.region);
        return format!("unknown, because this release has no prices of {region}.");
    }
    let (before, after) = (&cost.before, &cost.after);
    let mut text = match cost.difference {
        _ if before.is_nothing() => format!("{} USD per month.", amount(after)),
        Some(Money::ZERO) => format!("{} USD per month, as before.", amount(after)),
        Some(difference) => {
            format!("{} -> {} USD per month ({}).", amount(before), amount(after), difference.signed())
        }
        None => format!("{} -> {} USD per month.", amount(before), amount(after)),
    };
    if after.monthly_at_most > after.monthly {
        text = format!("{text} With all node groups at `max`: {}.", after.monthly_at_most);
    }
    let unknown: Vec<String> = after.unknown.iter().map(|name| value::safe(name)).collect();
    if !unknown.is_empty() {
        text = format!("{text} Price unknown: {}.", words::first(&unknown, NAMED));
    }
    text
}

/// Returns the sum of the known costs.
pub(super) fn amount(total: &CostTotal) -> String {
    let at_least = if total.is_complete() { "" } else { "at least " };
    format!("{at_least}{}", total.monthly)
}

/// Returns the cost of traffic that load balancers begin to take to other zones.
pub(super) fn between_zones(document: &PlanDocument) -> Option<String> {
    if document.plan.mode != PlanMode::Apply {
        return None;
    }
    let crossing = document.plan.changes.iter().filter(|change| begins_to_cross(change));
    let names: Vec<String> = crossing.map(|change| value::safe(&change.address.to_string())).collect();
    let verb = if names.len() == 1 { "takes" } else { "take" };
    (!names.is_empty()).then(|| {
        format!(
            "{BETWEEN_ZONES} that {} {verb} from one zone to another; `cross_zone = false` keeps data in its zone.",
            words::list(&names)
        )
    })
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
