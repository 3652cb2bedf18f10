#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use super::*;
use crate::analysis::Money;
use crate::analysis::tests::{EXAMPLES, cluster, first_plan};

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn report(file: &str) -> CostReport {
    let cluster = cluster(file);
    CostReport::new(&first_plan(&cluster), &cluster.region, &PriceTable::shipped())
}

fn example(name: &str) -> CostReport {
    report(EXAMPLES.iter().find(|(known, _)| *known == name).unwrap().1)
}

/// Returns the sum of each part, with all decimals.
fn parts(report: &CostReport) -> BTreeMap<String, String> {
    let sums = report.after.by_owner().into_iter();
    sums.map(|(owner, total)| (owner.to_string(), total.monthly.exact())).collect()
}

/// An example, its total, and the total of each part.
type HandTable = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// A month has 730 hours. Prices: t3.medium 0.0416 and t3.large 0.0832 per hour, gp3 0.08 per GB, a public address 0.005 per
/// hour, a network load balancer 0.0225 per hour, a hosted zone 0.50. By hand:
///
/// - three masters: 3 x 0.0416 x 730 = 91.104; roots 3 x 30 x 0.08 = 7.20; etcd 3 x 20 x 0.08 = 4.80; addresses
///   3 x 0.005 x 730 = 10.95; load balancer 0.0225 x 730 = 16.425; its addresses 3.65 in each zone; the zone 0.50.
///   In three zones 141.929, in two 138.279.
/// - a t3.medium node: 30.368 + 60 x 0.08 = 4.80 + 3.65 = 38.818; a t3.large node: 60.736 + 4.80 + 3.65 = 69.186.
/// - a service's load balancer in three zones: 16.425 + 10.95 = 27.375.
#[test]
fn each_example_costs_what_was_calculated_by_hand() {
    let by_hand: [HandTable; 5] = [
        // One master in one zone: 30.368 + 2.40 + 1.60 + 3.65 + 16.425 + 3.65 + 0.50.
        ("minimal", "97.411", &[("control plane", "58.593"), ("nodes workers", "38.818")]),
        ("tutorial", "215.915", &[("control plane", "138.279"), ("nodes workers", "77.636")]),
        (
            "nginx",
            "285.758",
            &[("control plane", "141.929"), ("nodes workers", "116.454"), ("service nginx", "27.375")],
        ),
        // Six nodes: 6 x 69.186.
        (
            "phoenix-chat",
            "611.795",
            &[
                ("control plane", "141.929"),
                ("nodes workers", "415.116"),
                ("service chat", "27.375"),
                ("service nginx", "27.375"),
            ],
        ),
        // Three nodes: 3 x 69.186. The volume of redis: 10 x 0.08.
        (
            "phoenix-chat-redis",
            "377.662",
            &[
                ("control plane", "141.929"),
                ("nodes workers", "207.558"),
                ("service chat", "27.375"),
                ("service redis", "0.80"),
            ],
        ),
    ];
    for (name, total, owners) in by_hand {
        let report = example(name);
        let expected = owners.iter().map(|(owner, sum)| ((*owner).to_owned(), (*sum).to_owned())).collect();
        assert_eq!(parts(&report), expected, "{name}");
        assert_eq!(report.after.total.monthly.exact(), total, "{name}");
        assert!(report.after.total.is_complete() && report.before.total.is_nothing(), "{name}");
        assert_eq!(report.difference, Some(report.after.total.monthly), "{name}");
        assert_eq!(report.after.total.monthly_at_most, report.after.total.monthly, "{name} has no autoscaler");
    }
}

#[test]
fn a_region_without_prices_costs_an_unknown_amount_and_not_nothing() {
    let report = example("ha");
    assert_eq!(report.prices, PriceSource { region: "eu-central-1".to_owned(), date: None, asked: None });
    assert_eq!(
        report.after.total.unknown,
        [
            "gp3 etcd volume",
            "gp3 root volume",
            "hosted zone",
            "m7g.large",
            "network load balancer",
            "public IPv4 address"
        ]
    );
    assert!(report.after.items.iter().all(|item| item.price.is_none() && item.monthly.is_none()));
    assert_eq!((report.difference, &report.managed_control_plane), (None, &None));
    assert!(report.rates.iter().all(|rate| rate.price.is_none()));
    assert!(!report.after.total.is_nothing());
}

const TUTORIAL: &str = EXAMPLES[5].1;

#[test]
fn an_unknown_price_leaves_the_rest_known() {
    let report = report(&TUTORIAL.replacen("t3.medium", "m8i.large", 1));
    assert_eq!(report.after.total.unknown, ["m8i.large"]);
    assert_eq!(report.after.total.monthly, money("215.915") - money("91.104"));
    let masters: Vec<&CostItem> = report.after.items.iter().filter(|item| item.resource == "m8i.large").collect();
    assert_eq!(masters.len(), 3);
    assert!(masters.iter().all(|item| item.quantity == 1 && item.monthly.is_none()));
}

#[test]
fn an_autoscaler_is_counted_at_its_minimum_and_its_maximum_is_shown() {
    let report = report(&TUTORIAL.replace("count = 2", "min = 1\n  max = 5"));
    let total = &report.after.total;
    assert_eq!(total.monthly, money("138.279") + money("38.818"));
    assert_eq!(total.monthly_at_most, money("138.279") + money("38.818").times(5));
}

#[test]
fn a_managed_control_plane_takes_the_place_of_all_that_is_for_the_masters() {
    let managed = example("tutorial").managed_control_plane.unwrap();
    assert_eq!(managed.monthly, money("73"));
    assert_eq!(managed.instead_of.monthly, money("138.279"));
    assert_eq!(managed.total.monthly, money("73") + money("77.636"));
}

#[test]
fn each_object_of_a_plan_has_its_own_cost() {
    let report = example("phoenix-chat-redis");
    let of = |address: &str| {
        let change = report.changes.iter().find(|change| change.address.to_string() == address);
        change.map(|change| change.after.monthly.exact())
    };
    assert_eq!(of("autoscaling-group/masters-a").as_deref(), Some("36.418"), "30.368 + 2.40 + 3.65");
    assert_eq!(of("volume/etcd-a").as_deref(), Some("1.60"));
    assert_eq!(of("load-balancer/service-chat").as_deref(), Some("27.375"));
    assert_eq!(of("persistent-volume-claim/redis-data").as_deref(), Some("0.80"));
    assert_eq!(of("vpc/main"), None, "costs nothing");
    let sum: Money = report.changes.iter().map(|change| change.after.monthly).sum();
    assert_eq!(sum, report.after.total.monthly);
}

#[test]
fn an_internal_load_balancer_has_no_public_addresses() {
    let service =
        "service \"db\" {\n  image = \"db:1\"\n  port  = 5432\n  nlb {\n    port = 5432\n    internal = true\n  }\n}\n";
    let report = report(&format!("{TUTORIAL}{service}"));
    assert_eq!(parts(&report)["service db"], "16.425");
}

#[test]
fn a_zone_that_is_made_with_the_cluster_is_paid_for_and_one_that_was_there_is_not() {
    let made = report(&format!("{TUTORIAL}dns {{\n  zone = \"chat.poeticoding.com\"\n  create = true\n}}\n"));
    assert_eq!(parts(&made)["cluster"], "0.50");
    assert!(!parts(&example("tutorial")).contains_key("cluster"));
}

#[test]
fn a_volume_of_another_class_has_an_unknown_price() {
    let service = |class: &str| {
        format!(
            "service \"db\" {{\n  image = \"db:1\"\n  port  = 5432\n  volume \"data\" {{\n    path = \"/data\"\n    gib  = 7\n{class}  \
             }}\n}}\n"
        )
    };
    let own = report(&format!("{TUTORIAL}{}", service("")));
    assert_eq!(parts(&own)["service db"], "0.56");
    let other = report(&format!("{TUTORIAL}{}", service("    class = \"fast\"\n")));
    assert_eq!(other.after.total.unknown, ["volume of the class fast"]);
    let item = other.after.items.iter().find(|item| item.price.is_none()).unwrap();
    assert_eq!((item.quantity, item.unit, item.owner.to_string().as_str()), (7, PriceUnit::GbMonth, "service db"));
}

#[test]
fn what_controllers_make_for_an_add_on_is_named_and_has_an_unknown_price() {
    let manifest = r"
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: logs }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1500Mi } } }
---
apiVersion: v1
kind: Service
metadata: { name: gateway }
spec: { type: LoadBalancer, selector: { app: gateway }, ports: [{ port: 80 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  selector: { matchLabels: { app: db } }
  template: { metadata: { labels: { app: db } }, spec: { containers: [{ name: db, image: db:1 }] } }
  volumeClaimTemplates: [{ metadata: { name: data }, spec: { resources: { requests: { storage: 8Gi } } } }]
";
    let mut cluster = cluster(&format!("{TUTORIAL}addon \"extra\" {{\n  manifest = \"extra.yaml\"\n}}\n"));
    cluster.addons.get_mut("extra").unwrap().content = manifest.to_owned();
    let report = CostReport::new(&first_plan(&cluster), &cluster.region, &PriceTable::shipped());
    assert_eq!(report.after.total.unknown, ["load balancer of the Service gateway", "volumes of the StatefulSet db"]);
    assert_eq!(parts(&report)["addon extra"], "0.16", "1500 MiB are two gigabytes");
}

#[test]
fn a_cost_is_within_its_limit_or_refused_with_the_reason() {
    let total = |monthly: &str, at_most: &str, unknown: &[&str]| CostTotal {
        monthly: money(monthly),
        monthly_at_most: money(at_most),
        unknown: unknown.iter().map(ToString::to_string).collect(),
    };
    let within = |total: CostTotal| total.within(money("100")).map_err(|error| error.to_string());
    assert_eq!(within(total("100", "100", &[])), Ok(()));
    assert_eq!(
        within(total("100.005", "200", &[])).unwrap_err(),
        "the cluster would cost 100.01 USD per month, and the limit is 100.00"
    );
    assert_eq!(
        within(total("101", "101", &["m8i.large"])).unwrap_err(),
        "the cluster would cost at least 101.00 USD per month, and the limit is 100.00"
    );
    assert_eq!(
        within(total("99", "101", &[])).unwrap_err(),
        "the cluster would cost up to 101.00 USD per month, with all node groups at `max`, and the limit is 100.00"
    );
    assert_eq!(
        within(total("99", "99", &["m8i.large", "volume"])).unwrap_err(),
        "the cost cannot be compared with the limit of 100.00 USD per month: the price of m8i.large, volume is unknown"
    );
}

#[test]
fn the_volumes_of_several_pods_are_paid_for_by_their_own_service() {
    let service = |name: &str| {
        format!(
            "service \"{name}\" {{\n  image = \"queue:1\"\n  replicas = 3\n  volume \"data\" {{\n    path = \"/data\"\n    gib = 10\n  }}\n}}\n"
        )
    };
    let parts = parts(&report(&format!("{}{}{}", EXAMPLES[2].1, service("big-queue"), service("queue"))));
    // Each 3 x 10 x 0.08.
    assert_eq!((parts["service queue"].as_str(), parts["service big-queue"].as_str()), ("2.40", "2.40"));
}
