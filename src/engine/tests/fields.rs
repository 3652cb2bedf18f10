//! Attributes in an open set: they are added and removed.

use super::worlds::{converge, on_paused_clock};
use super::*;

fn part(items: &[(&'static str, &str)]) -> Vec<Object> {
    vec![object("part/a", items.iter().map(|(name, value)| (*name, text(value))))]
}

#[test]
fn a_field_that_is_no_longer_wanted_is_taken_away() {
    on_paused_clock(async {
        let cloud = TestCloud::new();
        let record = converge(&cloud, &part(&[("field.x", "1"), ("field.y", "2")]), &BTreeMap::new()).await;
        let fewer = part(&[("field.x", "1")]);
        let plan = planned(&fewer, &cloud.objects(), &record);
        assert_eq!(lines(&plan), ["Update part/a (File): field.y"]);
        assert_eq!(
            (&plan.changes[0].attributes[0].before, &plan.changes[0].attributes[0].after),
            (&Some(text("2")), &None)
        );
        let record = converge(&cloud, &fewer, &record).await;
        assert!(!cloud.objects()[0].attributes.contains_key("field.y"));
        assert!(planned(&fewer, &cloud.objects(), &record).is_empty());
    });
}

#[test]
fn a_field_that_another_manager_set_stays() {
    on_paused_clock(async {
        let cloud = TestCloud::new();
        let wanted = part(&[("field.x", "1")]);
        let record = converge(&cloud, &wanted, &BTreeMap::new()).await;
        cloud.tamper("part/a", |attributes| _ = attributes.insert("field.theirs".to_owned(), text("9")));
        assert!(planned(&wanted, &cloud.objects(), &record).is_empty());
    });
}

#[test]
fn other_attributes_that_are_no_longer_wanted_stay() {
    on_paused_clock(async {
        let cloud = TestCloud::new();
        let record = converge(&cloud, &part(&[("color", "red"), ("label", "l")]), &BTreeMap::new()).await;
        assert!(planned(&part(&[("color", "red")]), &cloud.objects(), &record).is_empty());
    });
}

#[test]
fn a_private_value_is_compared_but_never_recorded() {
    on_paused_clock(async {
        let cloud = TestCloud::new();
        let wanted = part(&[("color", "red"), ("private", "word")]);
        let record = converge(&cloud, &wanted, &BTreeMap::new()).await;
        assert!(!format!("{record:?}").contains("word"));
        assert!(planned(&wanted, &cloud.objects(), &record).is_empty());
        cloud.tamper("part/a", |attributes| _ = attributes.insert("private".to_owned(), text("other")));
        let plan = planned(&wanted, &cloud.objects(), &record);
        assert_eq!(lines(&plan), ["Update part/a (File): private"], "its old value is unknown");
    });
}

#[test]
fn what_the_cloud_would_not_take_is_refused_before_anything_is_done() {
    let wanted = [object("part/a", [("color", text("red"))]), object("part/b", [])];
    let mut prepared = plan_for(PlanMode::Apply, &wanted, &[], &BTreeMap::new()).unwrap();
    prepared.reject(&at("part/a"), "red is no color");
    on_paused_clock(async move {
        let cloud = TestCloud::new();
        let (options, nothing) = (ApplyOptions::default(), BTreeMap::new());
        let outcome = apply(&cloud, &TestKinds, &prepared, &nothing, &options, &NoListener).await;
        assert_eq!(outcome.failed.len(), 1);
        assert!(cloud.objects().is_empty());
    });
}
