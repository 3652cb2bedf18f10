//! Changes outside of Quorate, each distinguished from changes of the file.

use super::worlds::on_paused_clock;
use super::*;

fn rule(ports: &str, peer: &str) -> Value {
    map([("ports", text(ports)), ("peer", text(peer))])
}

/// Returns the wanted objects: a group of machines, its firewall rules, a role, a target group and a volume, as far as the
/// engine distinguishes them.
fn wanted() -> Vec<Object> {
    let policy = r#"{"Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"*"}]}"#;
    vec![
        object("part/rules", [("links", list([rule("443", "10.0.0.0/8"), rule("6443", "10.0.0.0/8")]))]),
        object("part/role", [("policies", map([("bootstrap", text(policy))]))]),
        object("part/target-group", [("color", map([("interval", Value::Integer(10)), ("path", text("/"))]))]),
        object("group/nodes", [("size", Value::Integer(3))]),
        object("disk/etcd-a", [("zone", text("a")), ("tags", map([("Name", text("etcd-a")), ("owner", text("us"))]))]),
    ]
}

async fn settled() -> (TestCloud, worlds::KeptRecord) {
    let cloud = TestCloud::new();
    let record = worlds::converge(&cloud, &wanted(), &BTreeMap::new()).await;
    (cloud, record)
}

/// Changes one object outside of the engine, expects exactly one change of one attribute as drift, and applies it.
fn assert_corrected(address: &str, attribute: &str, tamper: impl FnOnce(&mut Attributes)) {
    on_paused_clock(async {
        let (cloud, record) = settled().await;
        let before = cloud.objects();
        cloud.tamper(address, tamper);
        let plan = planned(&wanted(), &cloud.objects(), &record);
        assert_eq!(lines(&plan), [format!("Update {address} (Drift): {attribute}")]);
        assert_eq!(plan.changes[0].attributes[0].origin, DifferenceOrigin::Drift);
        assert_eq!(plan.unchanged, wanted().len() - 1);
        let refresh = plan_for(PlanMode::Refresh, &[], &cloud.objects(), &record).unwrap().plan;
        assert_eq!(lines(&refresh), lines(&plan), "a refresh shows the same");
        worlds::converge(&cloud, &wanted(), &record).await;
        assert_eq!(cloud.objects(), before, "it is as it was");
    });
}

fn set(attribute: &'static str, value: Value) -> impl FnOnce(&mut Attributes) {
    move |attributes| _ = attributes.insert(attribute.to_owned(), value)
}

#[test]
fn a_tag_that_was_changed() {
    assert_corrected("disk/etcd-a", "tags", set("tags", map([("Name", text("etcd-a")), ("owner", text("them"))])));
}

#[test]
fn the_name_tag_of_a_volume_is_set_back_and_the_volume_stays() {
    assert_corrected("disk/etcd-a", "tags", set("tags", map([("Name", text("mine")), ("owner", text("us"))])));
}

#[test]
fn a_rule_that_was_removed() {
    assert_corrected("part/rules", "links", set("links", list([rule("443", "10.0.0.0/8")])));
}

#[test]
fn a_rule_that_was_added() {
    let open = [rule("443", "10.0.0.0/8"), rule("6443", "10.0.0.0/8"), rule("all", "0.0.0.0/0")];
    assert_corrected("part/rules", "links", set("links", list(open)));
}

#[test]
fn an_inline_policy_that_was_added() {
    assert_corrected("part/role", "policies", |attributes| {
        let Some(Value::Map(policies)) = attributes.get_mut("policies") else { panic!("no policies") };
        policies.insert("backdoor".to_owned(), text(r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#));
    });
}

#[test]
fn an_interval_that_was_changed() {
    let slow = map([("interval", Value::Integer(30)), ("path", text("/"))]);
    assert_corrected("part/target-group", "color", set("color", slow));
}

#[test]
fn a_group_that_was_resized() {
    assert_corrected("group/nodes", "size", set("size", Value::Integer(1)));
}

#[test]
fn what_is_written_differently_or_belongs_to_others_is_no_drift() {
    on_paused_clock(async {
        let (cloud, record) = settled().await;
        let policy = r#"{ "Statement": {"Resource": ["*"], "Action": "s3:GetObject", "Effect": "Allow"} }"#;
        cloud.tamper("part/role", set("policies", map([("bootstrap", text(policy))])));
        let turned = list([rule("6443", "10.0.0.0/8"), rule("443", "10.0.0.0/8")]);
        cloud.tamper("part/rules", set("links", turned));
        let more = map([("Name", text("etcd-a")), ("owner", text("us")), ("cost-center", text("12"))]);
        cloud.tamper("disk/etcd-a", set("tags", more));
        cloud.tamper("group/nodes", set("suspended", text("yes")));
        assert_eq!(lines(&planned(&wanted(), &cloud.objects(), &record)), Vec::<String>::new());
    });
}

#[test]
fn changes_of_the_file_and_of_others_are_distinguished() {
    let size = |size: i64| [("size", Value::Integer(size))];
    let record = recorded(&[live("group/nodes", "group-000001", size(3))]);
    let reason = |wanted: i64, is: i64| {
        let plan =
            planned(&[object("group/nodes", size(wanted))], &[live("group/nodes", "group-000001", size(is))], &record);
        plan.changes.into_iter().next().map(|change| change.reason)
    };
    assert_eq!(reason(3, 3), None);
    assert_eq!(reason(5, 5), None, "the change of the file was already made outside");
    assert_eq!(reason(5, 3), Some(Reason::File));
    assert_eq!(reason(3, 1), Some(Reason::Drift));
    assert_eq!(reason(5, 1), Some(Reason::FileAndDrift));
}

#[test]
fn one_attribute_of_each_makes_both() {
    let is = live("part/a", "part-000001", [("color", text("green")), ("label", text("old"))]);
    let record = recorded(&[live("part/a", "part-000001", [("color", text("red")), ("label", text("old"))])]);
    let plan = planned(&[object("part/a", [("color", text("red")), ("label", text("new"))])], &[is], &record);
    assert_eq!(lines(&plan), ["Update part/a (FileAndDrift): color, label"]);
    let origins: Vec<DifferenceOrigin> = plan.changes[0].attributes.iter().map(|attribute| attribute.origin).collect();
    assert_eq!(origins, [DifferenceOrigin::Drift, DifferenceOrigin::File]);
}

#[test]
fn a_tag_that_the_file_drops_is_removed_and_a_foreign_one_stays() {
    on_paused_clock(async {
        let tagged =
            |tags: &[&'static str]| object("part/a", [("tags", map(tags.iter().map(|tag| (*tag, text("x")))))]);
        let cloud = TestCloud::new();
        let record = worlds::converge(&cloud, &[tagged(&["ours", "dropped"])], &BTreeMap::new()).await;
        let there = map([("ours", text("x")), ("dropped", text("x")), ("theirs", text("y"))]);
        cloud.tamper("part/a", set("tags", there));
        let wanted = [tagged(&["ours"])];
        let plan = planned(&wanted, &cloud.objects(), &record);
        assert_eq!(lines(&plan), ["Update part/a (File): tags"]);
        let before = plan.changes[0].attributes[0].before.clone();
        assert_eq!(before, Some(map([("ours", text("x")), ("dropped", text("x"))])), "only our keys are shown");
        worlds::converge(&cloud, &wanted, &record).await;
        assert_eq!(cloud.objects()[0].attributes["tags"], map([("ours", text("x")), ("theirs", text("y"))]));
    });
}

#[test]
fn an_object_that_was_removed_or_appeared_is_found_by_a_refresh() {
    let a = live("part/a", "part-000001", [("color", text("red"))]);
    let b = live("part/b", "part-000002", [("color", text("red"))]);
    let plan = plan_for(PlanMode::Refresh, &[], &[b], &recorded(&[a])).unwrap().plan;
    assert_eq!(lines(&plan), ["Create part/a (Missing): color", "Adopt part/b (Unrecorded): "]);
}
