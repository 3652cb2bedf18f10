//! The rows of the table of costs.

use std::collections::BTreeMap;

use crate::analysis::Money;
use crate::analysis::cost::{CostItem, CostOwner, CostReport, CostTotal, PriceUnit};
use crate::view::line::{StyledLine, TextRole};
use crate::view::value;

/// The column of prices.
const PRICE: usize = 40;
/// The columns behind the amounts.
const AMOUNTS: [usize; 2] = [69, 80];

/// The columns of amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CostColumns {
    /// The cost as the file describes it: nothing exists yet, or nothing changes.
    One,
    /// The cost as it is, and as the file describes it.
    BeforeAndAfter,
}

/// Equal things of one part of the cluster.
pub(super) struct CostRow<'a> {
    pub(super) owner: &'a CostOwner,
    resource: &'a str,
    unit: PriceUnit,
    price: Option<Money>,
    before: CostQuantity,
    after: CostQuantity,
}

/// The number of things at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct CostQuantity {
    number: u64,
    at_most: u64,
    monthly: Money,
}

/// Returns the rows: of each part of the cluster, the things of one name and price together, in the order of the items.
pub(super) fn rows(cost: &CostReport) -> Vec<CostRow<'_>> {
    let mut rows: Vec<CostRow<'_>> = Vec::new();
    let mut places: BTreeMap<(&CostOwner, PriceUnit, &str, Option<Money>), usize> = BTreeMap::new();
    for (items, is_after) in [(&cost.after.items, true), (&cost.before.items, false)] {
        for item in items {
            let place = *places.entry((&item.owner, item.unit, &item.resource, item.price)).or_insert_with(|| {
                rows.push(CostRow::of(item));
                rows.len() - 1
            });
            let row = &mut rows[place];
            let side = if is_after { &mut row.after } else { &mut row.before };
            side.number = side.number.saturating_add(item.quantity);
            side.at_most = side.at_most.saturating_add(item.quantity_at_most);
            side.monthly = side.monthly + item.monthly.unwrap_or_default();
        }
    }
    rows
}

impl<'a> CostRow<'a> {
    fn of(item: &'a CostItem) -> Self {
        Self {
            owner: &item.owner,
            resource: &item.resource,
            unit: item.unit,
            price: item.price,
            before: CostQuantity::default(),
            after: CostQuantity::default(),
        }
    }

    /// Returns the row: on two lines if its name is long.
    pub(super) fn lines(&self, columns: CostColumns) -> Vec<StyledLine> {
        let price = match self.price {
            Some(price) => format!("{} per {}", price.exact(), self.unit.as_str()),
            None => "price unknown".to_owned(),
        };
        let amount = |quantity: CostQuantity| match self.price {
            _ if quantity.number == 0 => String::new(),
            Some(_) => quantity.monthly.to_string(),
            None => "unknown".to_owned(),
        };
        let name = StyledLine::at(2).plain(self.name(columns));
        let (mut lines, name) =
            if name.width() + 2 > PRICE { (vec![name], StyledLine::default()) } else { (Vec::new(), name) };
        let line = name.up_to(PRICE).ink(TextRole::Faint, price);
        lines.push(columns.fill(line, TextRole::Plain, [&amount(self.before), &amount(self.after)]));
        lines
    }

    /// Returns the number and the name: `3 x t3.medium`, `90 GB gp3 root volume`; the largest number if there is room.
    fn name(&self, columns: CostColumns) -> String {
        let (was, is) = (self.before.number, self.after.number);
        let number = match columns {
            CostColumns::BeforeAndAfter if was != is && was > 0 && is > 0 => format!("{was} -> {is}"),
            CostColumns::BeforeAndAfter if is == 0 => was.to_string(),
            _ => is.to_string(),
        };
        let between = if self.unit == PriceUnit::GbMonth { "GB" } else { "x" };
        let name = format!("{number} {between} {}", value::safe(self.resource));
        let most = format!("{name} (up to {})", self.after.at_most);
        if self.after.at_most > is && most.chars().count() + 4 <= PRICE { most } else { name }
    }
}

impl CostColumns {
    /// Chooses the columns for a report.
    pub(super) fn of(cost: &CostReport) -> Self {
        let is_new = cost.before.items.is_empty();
        let is_same = cost.before.total == cost.after.total && cost.changes.is_empty();
        if is_new || is_same { Self::One } else { Self::BeforeAndAfter }
    }

    /// Returns the titles of the columns; none for a single one.
    pub(super) fn titles(self) -> Option<StyledLine> {
        let titles = || self.fill(StyledLine::default(), TextRole::Faint, ["before", "after"]);
        (self == Self::BeforeAndAfter).then(titles)
    }

    /// Returns a line with sums.
    pub(super) fn line(self, ink: TextRole, label: &str, before: &CostTotal, after: &CostTotal) -> StyledLine {
        let amount = |total: &CostTotal| match total {
            total if total.is_nothing() => String::new(),
            total if total.is_complete() || total.monthly > Money::ZERO => total.monthly.to_string(),
            _ => "unknown".to_owned(),
        };
        self.fill(StyledLine::at(0).ink(ink, label), ink, [&amount(before), &amount(after)])
    }

    /// Returns a line with texts in the place of sums.
    pub(super) fn amounts(self, label: &str, before: &str, after: &str) -> StyledLine {
        self.fill(StyledLine::at(0).plain(label), TextRole::Plain, [before, after])
    }

    /// Adds amounts to a line, each right-aligned in its column.
    fn fill(self, line: StyledLine, ink: TextRole, [before, after]: [&str; 2]) -> StyledLine {
        let texts = match self {
            Self::One => vec![(AMOUNTS[0], after)],
            Self::BeforeAndAfter => vec![(AMOUNTS[0], before), (AMOUNTS[1], after)],
        };
        texts.into_iter().filter(|(_, text)| !text.is_empty()).fold(line, |line, (end, text)| {
            let start = end.saturating_sub(text.chars().count());
            line.up_to(start.max(1)).ink(ink, text)
        })
    }
}
