//! The table of costs, for every form that it can take.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::analysis::cost::{ChangeCost, CostEstimate, CostItem, PriceSource, PriceUnit, UsageRate};
use crate::view::json;

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

/// Returns an item of an object: its number, its largest number, and its price.
fn item(owner: CostOwner, address: &str, resource: &str, quantity: [u64; 2], unit: PriceUnit, price: &str) -> CostItem {
    let item = CostItem {
        owner,
        address: address.parse().unwrap(),
        resource: resource.to_owned(),
        quantity: quantity[0],
        quantity_at_most: quantity[1],
        unit,
        price: (!price.is_empty()).then(|| money(price)),
        monthly: None,
    };
    CostItem { monthly: item.monthly_for(item.quantity), ..item }
}

fn masters() -> Vec<CostItem> {
    let machine = |letter: &str| {
        let address = format!("autoscaling-group/masters-{letter}");
        item(CostOwner::ControlPlane, &address, "t3.medium", [1, 1], PriceUnit::Hour, "0.0416")
    };
    let volume = |letter: &str| {
        let address = format!("volume/etcd-{letter}");
        item(CostOwner::ControlPlane, &address, "gp3 etcd volume", [20, 20], PriceUnit::GbMonth, "0.08")
    };
    ["a", "b", "c"].into_iter().flat_map(|letter| [machine(letter), volume(letter)]).collect()
}

fn nodes(number: u64, most: u64, size: &str, price: &str) -> CostItem {
    let owner = CostOwner::Nodes("workers".to_owned());
    item(owner, "autoscaling-group/nodes-workers", size, [number, most], PriceUnit::Hour, price)
}

fn estimate(items: Vec<CostItem>) -> CostEstimate {
    CostEstimate { total: CostTotal::of(&items), items }
}

fn document(before: Vec<CostItem>, after: Vec<CostItem>) -> CostDocument {
    let (before, after) = (estimate(before), estimate(after));
    let change = ChangeCost {
        address: "autoscaling-group/nodes-workers".parse().unwrap(),
        before: before.total.clone(),
        after: after.total.clone(),
    };
    let rate = |usage: &str, unit: &str, price: &str| UsageRate {
        usage: usage.to_owned(),
        unit: unit.to_owned(),
        price: Some(money(price)),
    };
    let is_known = before.total.unknown == after.total.unknown;
    let report = CostReport {
        currency: "USD".to_owned(),
        prices: PriceSource { region: "us-east-1".to_owned(), date: Some("2026-07-20".to_owned()), asked: None },
        difference: is_known.then(|| after.total.monthly - before.total.monthly),
        changes: if before == after { Vec::new() } else { vec![change] },
        rates: vec![rate("traffic between zones", "GB and direction", "0.01")],
        managed_control_plane: None,
        before,
        after,
    };
    CostDocument::new(crate::view::plan::sample::heading(), report)
}

fn shown(document: &CostDocument) -> String {
    let shown = text(document, TextStyle::default());
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    shown
}

#[test]
fn a_cluster_that_is_not_built_has_one_column() {
    let after = [masters(), vec![nodes(2, 5, "t3.large", "0.0832")]].concat();
    insta::assert_snapshot!(shown(&document(Vec::new(), after)));
}

#[test]
fn a_change_is_shown_beside_what_is_there() {
    let before = [masters(), vec![nodes(2, 2, "t3.large", "0.0832")]].concat();
    let nlb = item(
        CostOwner::Service("chat".to_owned()),
        "load-balancer/service-chat",
        "network load balancer",
        [1, 1],
        PriceUnit::Hour,
        "0.0225",
    );
    let after = [masters(), vec![nodes(4, 4, "t3.large", "0.0832"), nlb]].concat();
    insta::assert_snapshot!(shown(&document(before, after)));
}

#[test]
fn another_size_is_two_rows() {
    let before = vec![nodes(2, 2, "t3.large", "0.0832")];
    let after = vec![nodes(2, 2, "t3.medium", "0.0416")];
    insta::assert_snapshot!(shown(&document(before, after)));
}

#[test]
fn an_unknown_price_is_shown_in_its_row_and_below_the_total() {
    let balancer = item(
        CostOwner::Addon("gateway".to_owned()),
        "manifest/gateway/Service gateway",
        "load balancer of the Service gateway-of-everything",
        [1, 1],
        PriceUnit::Month,
        "",
    );
    let before = masters();
    let after = [masters(), vec![nodes(2, 2, "m8i.large", ""), balancer]].concat();
    insta::assert_snapshot!(shown(&document(before, after)));
}

#[test]
fn a_name_cannot_draw_on_the_screen() {
    let after = vec![nodes(1, 1, "\u{1b}[2J", "1")];
    assert!(!shown(&document(Vec::new(), after)).contains('\u{1b}'));
}

#[test]
fn the_json_has_every_item_and_amounts_as_text() {
    let document = document(masters(), [masters(), vec![nodes(2, 5, "t3.large", "0.0832")]].concat());
    let json = json(&document).unwrap();
    assert_eq!(serde_json::from_str::<CostDocument>(&json).unwrap(), document);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["format"], 1);
    assert_eq!(json["difference"], "121.472");
    assert_eq!(json["after"]["total"]["monthly_at_most"], "399.584");
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["after"]["items"][6]).unwrap());
}
