//! The cost of a cluster as a table, and as JSON.

mod row;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::analysis::Money;
use crate::analysis::cost::{CostItem, CostOwner, CostReport, CostTotal, HOURS, ManagedComparison};
use crate::words;

use super::line::{StyledLine, TextRole, paragraph, screen};
use super::{ClusterHeading, FORMAT, TextStyle, value};
use row::{CostColumns, CostRow, rows};

/// The cost of a cluster with its heading, in a versioned format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostDocument {
    /// The version of the format.
    pub format: u32,
    /// The cluster and its account and region.
    #[serde(flatten)]
    pub heading: ClusterHeading,
    /// The cost.
    #[serde(flatten)]
    pub cost: CostReport,
}

impl CostDocument {
    /// Combines the cost of a cluster and its heading.
    pub fn new(heading: ClusterHeading, cost: CostReport) -> Self {
        Self { format: FORMAT, heading, cost }
    }
}

/// Returns the cost as text.
pub fn text(document: &CostDocument, style: TextStyle) -> String {
    let cost = &document.cost;
    let columns = CostColumns::of(cost);
    let mut lines = document.heading.lines();
    lines.push(StyledLine::default());
    lines.extend(paragraph(0, TextRole::Faint, &basis(cost), style));
    lines.extend(columns.titles());
    lines.extend(parts(cost, columns));
    lines.push(StyledLine::default());
    lines.extend(totals(cost, columns, style));
    lines.push(StyledLine::default());
    lines.extend(rates(cost));
    lines.extend(cost.managed_control_plane.iter().flat_map(|managed| with_managed(managed, &cost.after.total, style)));
    screen(&lines, style)
}

/// Returns the meaning of the amounts.
fn basis(cost: &CostReport) -> String {
    let region = value::safe(&cost.prices.region);
    let has_spot = cost.before.items.iter().chain(&cost.after.items).any(CostItem::is_spot);
    let spot = if has_spot { "; Spot Instances at the On-Demand price, which theirs never exceeds" } else { "" };
    match &cost.prices.date {
        Some(date) => {
            let asked = cost.prices.asked.as_ref().filter(|asked| *asked != date);
            let asked = asked.map(|day| format!(", those that it lacks of {}", value::safe(day))).unwrap_or_default();
            let date = value::safe(date);
            format!("USD per month ({HOURS} hours), Linux on demand, prices of {region} of {date}{asked}{spot}")
        }
        None => format!("This release has no prices of {region}: the cost is unknown."),
    }
}

/// Returns the parts of the cluster, each with its rows.
fn parts(cost: &CostReport, columns: CostColumns) -> Vec<StyledLine> {
    let (before, after) = (cost.before.by_owner(), cost.after.by_owner());
    let all = rows(cost);
    let mut groups: BTreeMap<&CostOwner, Vec<&CostRow<'_>>> = BTreeMap::new();
    for row in &all {
        groups.entry(row.owner).or_default().push(row);
    }
    let total = |of: Option<&CostTotal>| of.cloned().unwrap_or_default();
    let mut lines = Vec::new();
    for (owner, rows) in groups {
        let (was, is) = (total(before.get(owner)), total(after.get(owner)));
        lines.push(columns.line(TextRole::Strong, &value::safe(&owner.to_string()), &was, &is));
        lines.extend(rows.into_iter().flat_map(|row| row.lines(columns)));
    }
    lines
}

fn totals(cost: &CostReport, columns: CostColumns, style: TextStyle) -> Vec<StyledLine> {
    let (before, after) = (&cost.before.total, &cost.after.total);
    let is_complete = before.is_complete() && after.is_complete();
    let is_unknown = cost.prices.date.is_none() || is_complete;
    let label = if is_unknown { "Total" } else { "Total, at least" };
    let mut lines = vec![columns.line(TextRole::Strong, label, before, after)];
    if columns == CostColumns::BeforeAndAfter {
        let difference = cost.difference.map_or_else(|| "unknown".to_owned(), Money::signed);
        lines.push(columns.amounts("Difference", "", &difference));
    }
    let mut unknown = [before.unknown.clone(), after.unknown.clone()].concat();
    unknown.sort();
    unknown.dedup();
    if !unknown.is_empty() && cost.prices.date.is_some() {
        let names: Vec<String> = unknown.iter().map(|name| value::safe(name)).collect();
        let text = format!("Price unknown, not in the total: {}.", words::list(&names));
        lines.extend(paragraph(0, TextRole::Danger, &text, style));
    }
    if after.monthly_at_most > after.monthly {
        let text = format!("With all node groups at `max`: {}.", after.monthly_at_most);
        lines.extend(paragraph(0, TextRole::Plain, &text, style));
    }
    lines
}

/// Returns the prices of what is billed by use.
fn rates(cost: &CostReport) -> Vec<StyledLine> {
    let known: Vec<_> = cost.rates.iter().filter_map(|rate| Some((rate, rate.price?))).collect();
    if known.is_empty() {
        return Vec::new();
    }
    let column = super::line::column(2, known.iter().map(|(rate, _)| rate.usage.as_str()));
    let mut lines = vec![StyledLine::at(0).plain("By use, not in the total:")];
    lines.extend(known.into_iter().map(|(rate, price)| {
        let line = StyledLine::at(2).plain(&rate.usage).up_to(column);
        line.ink(TextRole::Faint, format!("{} per {}", price.exact(), rate.unit))
    }));
    lines
}

/// Returns the comparison with a managed control plane.
fn with_managed(managed: &ManagedComparison, now: &CostTotal, style: TextStyle) -> Vec<StyledLine> {
    let at_least = |total: &CostTotal| if total.is_complete() { "" } else { "at least " };
    let text = format!(
        "With a managed control plane (EKS): {} in place of {}{}, {}{} in total ({}).",
        managed.monthly,
        at_least(&managed.instead_of),
        managed.instead_of.monthly,
        at_least(&managed.total),
        managed.total.monthly,
        (managed.total.monthly - now.monthly).signed(),
    );
    paragraph(0, TextRole::Plain, &text, style)
}
