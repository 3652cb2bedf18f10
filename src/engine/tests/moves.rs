//! Objects that hold the same data, and objects that stand in for each other.

use super::*;

fn disk(name: &str, zone: &str) -> Object {
    object(&format!("disk/{name}"), [("zone", text(zone))])
}

fn there(name: &str, id: u32, zone: &str) -> Live {
    live(&format!("disk/{name}"), &format!("disk-{id:06}"), [("zone", text(zone))])
}

fn losses(plan: &Plan) -> Vec<String> {
    plan.changes.iter().filter(|change| change.loses_data).map(|change| change.address.to_string()).collect()
}

#[test]
fn one_of_several_that_hold_the_same_data_is_replaced_without_a_loss() {
    let lives = [there("copy-a", 1, "a"), there("copy-b", 2, "b")];
    let plan = planned(&[disk("copy-a", "a"), disk("copy-b", "c")], &lives, &recorded(&lives));
    assert_eq!(lines(&plan), [r#"Replace disk/copy-b (Moved { how: "copied" }): zone"#]);
    assert_eq!(losses(&plan), Vec::<String>::new());
}

#[test]
fn the_only_one_that_holds_data_is_not_replaced() {
    let lives = [there("copy-a", 1, "a")];
    let plan = planned(&[disk("copy-a", "c"), disk("copy-b", "b")], &lives, &recorded(&lives));
    let refused = r#"Refuse disk/copy-a (Needed { instead: "make another one first" }): zone"#;
    assert_eq!(lines(&plan), [refused, "Create disk/copy-b (New): zone"], "a new one has nothing to give yet");
}

#[test]
fn one_that_is_no_copy_still_loses_its_data() {
    let lives = [there("own", 1, "a"), there("copy-a", 2, "a"), there("copy-b", 3, "a")];
    let wanted = [disk("own", "b"), disk("copy-a", "a"), disk("copy-b", "a")];
    assert_eq!(losses(&planned(&wanted, &lives, &recorded(&lives))), ["disk/own"]);
}

#[test]
fn what_a_run_that_did_not_finish_moved_away_from_is_no_loss_either() {
    let other = there("copy-a", 1, "a");
    let (old, new) = (there("copy-b", 2, "b"), there("copy-b", 3, "c"));
    let wanted = [disk("copy-a", "a"), disk("copy-b", "c")];
    let record = recorded(&[other.clone(), old.clone()]);
    let plan = planned(&wanted, &[other.clone(), old, new.clone()], &record);
    assert_eq!(plan.count(Action::Delete), 1);
    assert_eq!(losses(&plan), Vec::<String>::new());

    // Of two that could both stay, it is unknown which one holds the data.
    let twin = there("copy-b", 4, "c");
    let plan = planned(&wanted, &[other, new, twin], &record);
    assert_eq!(losses(&plan), ["disk/copy-b"]);
}

#[test]
fn a_change_that_can_be_made_but_not_to_this_value_is_refused_with_the_way() {
    let lives = [live("disk/d", "disk-000001", [("size", text("20"))])];
    let to = |size: &str| lines(&planned(&[object("disk/d", [("size", text(size))])], &lives, &recorded(&lives)));
    assert_eq!(to("30"), ["Update disk/d (File): size"]);
    let fixed = r#"Fixed { attribute: "size", instead: "disks only grow" }"#;
    assert_eq!(to("10"), [format!("Refuse disk/d ({fixed}): size")]);
}

fn group(name: &str, size: &str) -> Object {
    object(&format!("group/{name}"), [("size", text(size))])
}

#[test]
fn none_of_a_pool_goes_before_the_others_are_as_they_should_be() {
    let lives = [
        live("group/pool-old", "group-000001", [("size", text("1"))]),
        live("group/pool-kept", "group-000002", [("size", text("1"))]),
        live("group/other", "group-000003", [("size", text("1"))]),
    ];
    let wanted = [group("pool-new", "1"), group("pool-kept", "2"), group("more", "1")];
    let plan = planned(&wanted, &lives, &recorded(&lives));
    let needs = |address: &str| -> Vec<String> {
        let change = plan.changes.iter().find(|change| change.address == at(address)).unwrap();
        change.needs.iter().map(Address::to_string).collect()
    };
    assert_eq!(needs("group/pool-old"), ["group/pool-kept", "group/pool-new"]);
    assert_eq!(needs("group/other"), Vec::<String>::new());
}
