//! The rules of planning, one by one.

use super::*;

const A: &str = "part-000001";
const B: &str = "part-000002";

fn red() -> [(&'static str, Value); 1] {
    [("color", text("red"))]
}

fn nothing() -> BTreeMap<Address, RecordedObject> {
    BTreeMap::new()
}

fn after<'a>(plan: &'a Plan, address: &str, attribute: &str) -> &'a Value {
    let change = plan.changes.iter().find(|change| change.address == at(address)).unwrap();
    let attribute = change.attributes.iter().find(|change| change.name == attribute).unwrap();
    attribute.after.as_ref().unwrap()
}

fn needs(plan: &Plan, address: &str) -> Vec<String> {
    let change = plan.changes.iter().find(|change| change.address == at(address)).unwrap();
    change.needs.iter().map(Address::to_string).collect()
}

#[test]
fn what_is_new_is_made_with_all_its_attributes() {
    let wanted = [object("part/a", red()), object("part/b", [("links", list([output("part/a.id")]))])];
    let plan = planned(&wanted, &[], &nothing());
    assert_eq!(lines(&plan), ["Create part/a (New): color", "Create part/b (New): links"]);
    assert_eq!(after(&plan, "part/b", "links"), &list([output("part/a.id")]), "known after apply");
    assert_eq!(needs(&plan, "part/b"), ["part/a"]);
    assert_eq!(plan.unchanged, 0);
}

#[test]
fn what_is_gone_is_made_again() {
    let record = recorded(&[live("part/a", A, red())]);
    assert_eq!(lines(&planned(&[object("part/a", red())], &[], &record)), ["Create part/a (Missing): color"]);
}

#[test]
fn what_cannot_be_recreated_is_not_recreated_while_an_existing_object_needs_it() {
    let mut user = object("group/g", [("size", text("1"))]);
    user.depends_on.insert(at("part/seal"));
    let wanted = [object("part/seal", red()), user];
    let group = live("group/g", "group-000001", [("size", text("1"))]);
    let seal = live("part/seal", A, red());
    let both = recorded(&[seal.clone(), group.clone()]);
    let refused = r#"Refuse part/seal (Lost { instead: "find it again" }): "#;

    let plan = planned(&wanted, std::slice::from_ref(&group), &both);
    assert_eq!(lines(&plan), [refused]);
    let without_record = planned(&wanted, std::slice::from_ref(&group), &nothing());
    assert_eq!(lines(&without_record)[1], refused, "who lost it may have lost the record too");
    assert!(planned(&wanted, &[seal, group], &both).is_empty());
    let nobody_left = lines(&planned(&wanted, &[], &both));
    assert_eq!(nobody_left[1], "Create part/seal (Missing): color", "nothing that is there needs it");
}

#[test]
fn the_most_drastic_attribute_decides() {
    let is = [("color", text("red")), ("shape", text("round")), ("range", text("1")), ("label", text("x"))];
    let a = live("part/a", A, is);
    let record = recorded(std::slice::from_ref(&a));
    let action = |items: &[(&'static str, &str)]| {
        let wanted = object("part/a", items.iter().map(|(name, value)| (*name, text(value))));
        lines(&planned(&[wanted], std::slice::from_ref(&a), &record))
    };
    assert_eq!(action(&[("color", "blue")]), ["Update part/a (File): color"]);
    assert_eq!(action(&[("color", "blue"), ("shape", "square")]), ["Replace part/a (File): color, shape"]);
    let fixed = r#"Fixed { attribute: "range", instead: "destroy it first" }"#;
    assert_eq!(action(&[("range", "2"), ("shape", "square")]), [format!("Refuse part/a ({fixed}): range, shape")]);
    assert_eq!(action(&[("color", "red")]), Vec::<String>::new(), "absent attributes are never compared");
}

#[test]
fn what_the_cloud_does_not_return_is_never_compared() {
    let a = live("part/a", A, red());
    let wanted = object("part/a", [("color", text("red")), ("secret", text("new"))]);
    let plan = planned(&[wanted], std::slice::from_ref(&a), &recorded(std::slice::from_ref(&a)));
    assert!(plan.is_empty());
}

fn template_and_group(image: &str, tag: &str) -> [Object; 2] {
    let template = object("template/t", [("image", text(image)), ("tags", map([("tag", text(tag))]))]);
    let refer = |name| output(&format!("template/t.{name}"));
    let mut group =
        object("group/g", [("template", refer("id")), ("version", refer("version")), ("machines", refer("version"))]);
    group.lane = Some("masters".to_owned());
    [template, group]
}

fn live_template_and_group() -> [Live; 2] {
    let id = "template-000001";
    let template = live("template/t", id, [("image", text("one")), ("tags", map([("tag", text("x"))]))]);
    let group = [("template", text(id)), ("version", text("1")), ("machines", text("1"))];
    [template, live("group/g", "group-000002", group)]
}

#[test]
fn an_output_that_a_change_moves_is_known_after_apply() {
    let is = live_template_and_group();
    let plan = planned(&template_and_group("two", "x"), &is, &recorded(&is));
    assert_eq!(lines(&plan), ["Roll group/g (File): machines, version", "Update template/t (File): image"]);
    assert_eq!(after(&plan, "group/g", "version"), &output("template/t.version"));
    assert_eq!(needs(&plan, "group/g"), ["template/t"]);
    assert_eq!(plan.changes[0].lane.as_deref(), Some("masters"));
}

#[test]
fn an_output_that_a_change_does_not_move_is_known() {
    let is = live_template_and_group();
    let plan = planned(&template_and_group("one", "y"), &is, &recorded(&is));
    assert_eq!(lines(&plan), ["Update template/t (File): tags"]);
}

#[test]
fn machines_that_run_an_old_version_are_rolled() {
    let mut is = live_template_and_group();
    let record = recorded(&is);
    is[0].outputs.insert("version".to_owned(), "2".to_owned());
    is[1].attributes.insert("version".to_owned(), text("2"));
    let plan = planned(&template_and_group("one", "x"), &is, &record);
    assert_eq!(lines(&plan), ["Roll group/g (File): machines"]);
}

#[test]
fn an_output_that_repeats_an_attribute_is_known_before_apply() {
    let wanted = [object("part/a", [("label", text("name"))]), object("part/b", [("color", output("part/a.label"))])];
    let plan = planned(&wanted, &[], &nothing());
    assert_eq!(after(&plan, "part/b", "color"), &text("name"));
    assert_eq!(needs(&plan, "part/b"), ["part/a"], "it still has to be there first");
}

#[test]
fn what_refers_to_a_replaced_object_moves_over() {
    let a = live("part/a", A, [("shape", text("round"))]);
    let b = live("part/b", B, [("links", list([text(A)]))]);
    let is = [a, b];
    let wanted =
        [object("part/a", [("shape", text("square"))]), object("part/b", [("links", list([output("part/a.id")]))])];
    let plan = planned(&wanted, &is, &recorded(&is));
    assert_eq!(lines(&plan), ["Replace part/a (File): shape", "Update part/b (File): links"]);
}

#[test]
fn what_an_unfinished_run_made_is_adopted() {
    let a = live("part/a", A, red());
    assert_eq!(
        lines(&planned(&[object("part/a", red())], std::slice::from_ref(&a), &nothing())),
        ["Adopt part/a (Unrecorded): "]
    );
    let other = recorded(&[live("part/a", B, red())]);
    let plan = planned(&[object("part/a", red())], &[a], &other);
    assert_eq!(lines(&plan), ["Adopt part/a (Unrecorded): "], "the record knows another object of that name");
}

fn sign(target: &str) -> Live {
    let sign = live("sign/s", "sign-000001", [("text", text("here")), ("target", text(target))]);
    Live { proven: false, ..sign }
}

#[test]
fn what_carries_no_mark_is_ours_by_record_or_by_being_exactly_right() {
    let wanted = [object("sign/s", [("text", text("here")), ("target", text("us"))])];
    let foreign = planned(&wanted, &[sign("them")], &nothing());
    assert_eq!(lines(&foreign), ["Refuse sign/s (Foreign): target"]);
    assert_eq!(foreign.refusals().count(), 1);
    assert_eq!(lines(&planned(&wanted, &[sign("us")], &nothing())), ["Adopt sign/s (Unrecorded): "]);
    let known = planned(&wanted, &[sign("them")], &recorded(&[sign("us")]));
    assert_eq!(lines(&known), ["Update sign/s (Drift): target"]);
}

#[test]
fn what_carries_no_mark_is_removed_only_by_record() {
    assert!(planned(&[], &[sign("us")], &nothing()).is_empty());
    assert_eq!(
        lines(&planned(&[], &[sign("us")], &recorded(&[sign("us")]))),
        ["Delete sign/s (NotInFile): target, text"]
    );
}

#[test]
fn what_may_belong_to_others_is_used_unchanged() {
    let is = live("bucket/b", "bucket-000001", [("private", Value::Bool(false)), ("name", text("state"))]);
    let theirs = Live { proven: false, ..is.clone() };
    let wanted = [
        object("bucket/b", [("private", Value::Bool(true)), ("name", text("state"))]),
        object("part/a", [("color", output("bucket/b.name"))]),
    ];
    let record = recorded(std::slice::from_ref(&theirs));
    for record in [nothing(), record] {
        let plan = planned(&wanted, std::slice::from_ref(&theirs), &record);
        assert_eq!(lines(&plan), ["Create part/a (New): color"]);
        assert_eq!((after(&plan, "part/a", "color"), plan.unchanged), (&text("state"), 1));
        let destroy = plan_for(PlanMode::Destroy, &[], std::slice::from_ref(&theirs), &record).unwrap().plan;
        assert!(destroy.is_empty());
    }
    let destroy = plan_for(PlanMode::Destroy, &[], &[is], &nothing()).unwrap().plan;
    assert_eq!(destroy.count(Action::Delete), 1, "one that we made is ours");
}

#[test]
fn of_two_with_one_address_one_stays() {
    let of = |id: &str, shape: &str, seconds: Option<i64>| Live {
        created: seconds.map(|seconds| jiff::Timestamp::from_second(seconds).unwrap()),
        ..live("part/a", id, [("shape", text(shape))])
    };
    let wanted = [object("part/a", [("shape", text("round"))])];
    let kept = |lives: &[Live], record: &BTreeMap<Address, RecordedObject>| {
        let plan = planned(&wanted, lives, record);
        let reasons: Vec<Reason> = plan.changes.into_iter().map(|change| change.reason).collect();
        reasons.into_iter().find_map(|reason| match reason {
            Reason::Duplicate { kept } => Some(kept),
            _ => None,
        })
    };
    let record = recorded(&[of(B, "round", None)]);
    let some = |id: &str| Some(id.to_owned());
    assert_eq!(kept(&[of(A, "round", None), of(B, "square", None)], &record), some(A), "fewest replacements first");
    assert_eq!(kept(&[of(A, "round", Some(1)), of(B, "round", Some(2))], &record), some(B), "then the recorded one");
    assert_eq!(kept(&[of(A, "round", Some(2)), of(B, "round", Some(1))], &nothing()), some(B), "then the oldest");
    assert_eq!(kept(&[of(B, "round", None), of(A, "round", None)], &nothing()), some(A), "then the smallest id");
}

#[test]
fn what_the_file_no_longer_has_is_removed_after_its_users_have_moved() {
    let is = [
        live("part/a", A, red()),
        live("part/b", B, [("links", list([text(A)]))]),
        live("part/c", "part-000003", [("parent", text(A))]),
    ];
    let plan = planned(&[object("part/b", [("links", list([]))])], &is, &recorded(&is));
    let expected =
        ["Delete part/a (NotInFile): color", "Update part/b (File): links", "Delete part/c (NotInFile): parent"];
    assert_eq!(lines(&plan), expected);
    assert_eq!(needs(&plan, "part/a"), ["part/b", "part/c"]);
}

#[test]
fn names_that_two_kinds_share_do_not_stop_a_destroy() {
    // Each seems to name the other; only the identifier is evidence enough.
    let bucket = live("bucket/b", "bucket-000001", [("name", text("x")), ("private", text(A))]);
    let part = live("part/a", A, [("label", text("x")), ("color", text("x"))]);
    let plan = plan_for(PlanMode::Destroy, &[], &[bucket, part], &nothing()).unwrap().plan;
    assert_eq!((needs(&plan, "part/a"), needs(&plan, "bucket/b")), (vec!["bucket/b".to_owned()], vec![]));
}

#[test]
fn what_an_object_is_called_is_no_use_of_another_with_the_same_name() {
    // A part and a bucket are both called `x`, and the part uses the bucket.
    let bucket = live("bucket/b", "bucket-000001", [("name", text("x"))]);
    let part = live("part/a", A, [("label", text("x")), ("color", text("x"))]);
    let plan = plan_for(PlanMode::Destroy, &[], &[bucket, part], &nothing()).unwrap().plan;
    assert_eq!((needs(&plan, "bucket/b"), needs(&plan, "part/a")), (vec!["part/a".to_owned()], vec![]));
}

#[test]
fn what_is_the_same_for_all_of_a_kind_is_no_evidence() {
    let template = live("template/t", "template-000001", [("image", text("x"))]);
    let part = live("part/a", A, [("color", text("Z1")), ("label", text("1"))]);
    let plan = plan_for(PlanMode::Destroy, &[], &[template, part], &nothing()).unwrap().plan;
    assert_eq!(needs(&plan, "template/t"), Vec::<String>::new(), "neither a constant nor a version");
}

#[test]
fn dependencies_in_the_record_order_a_destroy() {
    let lives = [live("part/a", A, red()), live("part/b", B, red())];
    let mut record = recorded(&lives);
    record.get_mut(&at("part/a")).unwrap().needs.insert(at("part/b"));
    let plan = plan_for(PlanMode::Destroy, &[], &lives, &record).unwrap().plan;
    assert_eq!((needs(&plan, "part/b"), needs(&plan, "part/a")), (vec!["part/a".to_owned()], vec![]));
}

#[test]
fn lost_data_is_reported() {
    let disk = live("disk/d", "disk-000001", [("zone", text("a")), ("size", text("1"))]);
    let record = recorded(std::slice::from_ref(&disk));
    let losing = |wanted: &[Object]| planned(wanted, std::slice::from_ref(&disk), &record).changes[0].loses_data;
    assert!(losing(&[]), "removed");
    assert!(losing(&[object("disk/d", [("zone", text("b"))])]), "replaced");
    assert!(!losing(&[object("disk/d", [("size", text("2"))])]), "resized");
}

#[test]
fn what_is_on_its_way_out_or_beyond_use_is_made_anew() {
    for phase in [ObjectPhase::Deleting, ObjectPhase::Failed] {
        let leaving = Live { phase, ..live("part/a", A, red()) };
        let record = recorded(std::slice::from_ref(&leaving));
        let plan = planned(&[object("part/a", red())], &[leaving], &record);
        assert_eq!(lines(&plan), ["Create part/a (Missing): color"]);
    }
}

#[test]
fn beside_one_that_stays_only_what_does_not_go_by_itself_is_removed() {
    let second = |phase: ObjectPhase| {
        let lives = [live("part/a", A, red()), Live { phase, ..live("part/a", B, red()) }];
        planned(&[object("part/a", red())], &lives, &recorded(&lives[..1])).count(Action::Delete)
    };
    assert_eq!(
        [ObjectPhase::Ready, ObjectPhase::Pending, ObjectPhase::Failed, ObjectPhase::Deleting].map(second),
        [1, 1, 1, 0]
    );
}

#[test]
fn contradictions_are_named() {
    let error = |objects: &[Object]| plan_for(PlanMode::Apply, objects, &[], &nothing()).unwrap_err().to_string();
    let linked = |address: &str, to: &str| object(address, [("links", list([output(to)]))]);
    let circle = [linked("part/a", "part/b.id"), linked("part/b", "part/c.id"), linked("part/c", "part/a.id")];
    let message = error(&[circle.as_slice(), &[linked("part/d", "part/a.id")]].concat());
    let circles = [
        "part/a -> part/b -> part/c -> part/a",
        "part/b -> part/c -> part/a -> part/b",
        "part/c -> part/a -> part/b -> part/c",
    ];
    assert!(
        circles.iter().any(|circle| message == format!("these objects need each other in a circle: {circle}")),
        "{message}"
    );
    assert_eq!(error(&[linked("part/a", "part/x.id")]), "part/a needs part/x, which does not exist");
    assert_eq!(error(&[linked("part/a", "part/a.id")]), "these objects need each other in a circle: part/a -> part/a");
    let output = [object("part/b", []), linked("part/a", "part/b.arn")];
    assert_eq!(error(&output), "part/a refers to part/b.arn, but a part has no `arn`");
    assert_eq!(error(&[object("part/a", []), object("part/a", [])]), "two objects are called part/a");
    assert_eq!(error(&[object("thing/a", [])]), "thing/a is of a kind that this release does not know");
}

#[test]
fn a_plan_survives_being_written_down() {
    let is = live_template_and_group();
    let plan = planned(&template_and_group("two", "x"), &is, &recorded(&is));
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

#[test]
fn a_split_plan_has_everything_once() {
    let a = live("part/a", A, red());
    let wanted = [
        object("bucket/b", [("name", text("x"))]),
        object("part/a", red()),
        object("part/c", [("links", list([output("bucket/b.name"), output("part/a.id")]))]),
    ];
    let whole = plan_for(PlanMode::Apply, &wanted, &[a], &nothing()).unwrap();
    let (first, second) = whole.split(|address| address.kind() == "bucket");
    assert_eq!(lines(&first.plan), ["Create bucket/b (New): name"]);
    assert_eq!(lines(&second.plan), ["Adopt part/a (Unrecorded): ", "Create part/c (New): links"]);
    assert_eq!((first.desired.len(), second.desired.len()), (1, 2));
}

#[test]
fn the_critical_path_is_the_longest_road() {
    let wanted = [
        object("group/g", [("links", list([output("template/t.id")]))]),
        object("template/t", []),
        object("part/p", [("links", list([output("disk/d.id")]))]),
        object("disk/d", []),
    ];
    let (path, seconds) = plan_for(PlanMode::Apply, &wanted, &[], &nothing()).unwrap().critical_path();
    assert_eq!((path, seconds), (vec![at("template/t"), at("group/g")], 93));
}

#[test]
fn what_cannot_be_used_yet_is_waited_for_and_holds_nothing_up() {
    let mut a = live("part/a", A, red());
    a.phase = ObjectPhase::Pending;
    let mut user = object("part/b", red());
    user.depends_on.insert(at("part/a"));
    let wanted = [object("part/a", red()), user];
    let plan = planned(&wanted, std::slice::from_ref(&a), &recorded(std::slice::from_ref(&a)));
    assert_eq!(lines(&plan), ["Wait part/a (Unfinished): ", "Create part/b (New): color"]);
    assert_eq!(needs(&plan, "part/b"), Vec::<String>::new());
}

#[test]
fn what_is_there_under_another_address_is_kept_once_and_never_removed() {
    let old = live("part/old", A, red());
    let renamed = Live { address: at("part/new"), ..old.clone() };
    let blue = object("part/new", [("color", text("blue"))]);
    let plan = planned(&[blue], &[old.clone(), renamed], &recorded(&[old]));
    assert_eq!(lines(&plan), ["Update part/new (File): color"]);
}

#[test]
fn an_object_that_was_made_anew_under_a_recorded_name_is_not_ours() {
    let was = live("part/a", "called-the-same", red());
    let mut is = live("part/a", "called-the-same", [("color", text("blue"))]);
    is.proven = false;
    let record = recorded(std::slice::from_ref(&was));
    assert_eq!(
        lines(&planned(&[object("part/a", red())], std::slice::from_ref(&is), &record))[0],
        "Update part/a (Drift): color"
    );
    is.outputs.insert("id".to_owned(), "part-another".to_owned());
    assert_eq!(lines(&planned(&[object("part/a", red())], &[is], &record))[0], "Refuse part/a (Foreign): color");
}

/// A value that the cloud would have completed is no difference; a change of the file still is one.
#[test]
fn without_a_dry_run_only_what_can_be_compared_counts() {
    let there = [live("part/a", "part-1", [("color", text("red"))])];
    let unclear = [("label", text("")), ("links", Value::Bool(false)), ("private", text("x")), ("color", text("red"))];
    let wanted = |items: &[(&'static str, Value)]| [object("part/a", items.to_vec())];
    assert_eq!(lines(&planned_without_dry_run(&wanted(&unclear), &there)), Vec::<String>::new());
    assert_eq!(
        lines(&planned(&wanted(&unclear), &there, &recorded(&there))),
        ["Update part/a (File): label, links, private"]
    );
    let clear = [("label", text("new")), ("color", text("blue"))];
    assert_eq!(lines(&planned_without_dry_run(&wanted(&clear), &there)), ["Update part/a (File): color, label"]);
}

#[test]
fn an_object_that_must_stay_is_refused_when_it_leaves_the_file() {
    let there = [live("group/voter-a", "group-1", []), live("group/b", "group-2", [])];
    let plan = planned(&[], &there, &recorded(&there));
    let refused: Vec<&Reason> = plan.refusals().map(|change| &change.reason).collect();
    assert_eq!(refused, [&Reason::Needed { instead: "voters are only added".to_owned() }]);
    let destroyed = plan_for(PlanMode::Destroy, &[], &there, &recorded(&there)).unwrap().plan;
    assert_eq!(destroyed.refusals().count(), 0, "a destroy removes everything");
}
