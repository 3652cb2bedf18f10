//! The Markdown of a plan: what a reader of a pull request sees, and what GitHub needs.

use proptest::prelude::*;
use serde_json::json;

use super::{attribute, change, dangers, document, first_apply, new};
use crate::analysis::availability::PlanAvailability;
use crate::engine::{Action, Change, PlanMode, Reason};
use crate::view::plan::{MAX_COMMENT, PlanComment, PlanDocument, markdown};

fn shown(document: &PlanDocument) -> String {
    commented(document, None, &[], &[])
}

fn commented(document: &PlanDocument, refusal: Option<&str>, warnings: &[String], notes: &[String]) -> String {
    markdown(&PlanComment { document, refusal, warnings, notes }, false)
}

/// Returns the Markdown outside blocks of code. Panics if a block or a folded part is not closed.
fn outside_blocks(text: &str) -> String {
    let (mut outside, mut fence, mut open) = (String::new(), None::<String>, 0_usize);
    for line in text.lines() {
        match &fence {
            Some(end) if line == end => fence = None,
            Some(_) => {}
            None if line.starts_with("```") => fence = Some(line.trim_end_matches(char::is_alphabetic).to_owned()),
            None => {
                open += usize::from(line.starts_with("<details>"));
                if line == "</details>" {
                    open = open.checked_sub(1).unwrap();
                }
                outside.push_str(line);
                outside.push('\n');
            }
        }
    }
    assert_eq!((fence, open), (None, 0), "{text}");
    outside
}

/// Returns the tags of HTML outside code spans, as `CommonMark` reads them: an escaped character is text, and a span ends with as
/// many backticks as it begins with.
fn tags(outside: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in outside.lines() {
        let mut rest = line;
        while let Some(at) = rest.find(['\\', '`', '<']) {
            let (special, tail) = rest[at..].split_at(1);
            rest = match special {
                "\\" => tail.get(1..).unwrap_or_default(),
                "<" => {
                    found.push(tail.split('>').next().unwrap_or_default().to_owned());
                    tail
                }
                _ => {
                    let run = rest[at..].find(|c| c != '`').unwrap_or(rest.len() - at);
                    let (fence, tail) = rest[at..].split_at(run);
                    after_span(tail, fence).unwrap_or(tail)
                }
            };
        }
    }
    found
}

fn after_span<'a>(text: &'a str, fence: &str) -> Option<&'a str> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find('`')?;
        let run = text[start..].find(|c| c != '`').unwrap_or(text.len() - start);
        from = start + run;
        if run == fence.len() {
            return Some(&text[from..]);
        }
    }
}

#[test]
fn the_most_dangerous_comes_first_and_changes_are_folded() {
    let dangers: Vec<Change> = dangers().into_iter().filter(|change| change.action != Action::Refuse).collect();
    insta::assert_snapshot!(shown(&document(dangers)));
}

#[test]
fn a_refused_plan_shows_what_stops_it() {
    let refused = shown(&document(dangers()));
    assert!(refused.contains("> [!CAUTION]\n> Refused: as long as") && refused.contains("vpc/main"), "{refused}");
    assert!(!refused.contains("launch-template"), "{refused}");
}

#[test]
fn messages_stand_with_the_plan() {
    let (warnings, notes) = (["no `zone`".to_owned()], ["a newer image exists".to_owned()]);
    let shown = commented(&document(first_apply()), Some("it would cost 300.00 USD"), &warnings, &notes);
    assert!(shown.contains("> [!CAUTION]\n> Refused: it would cost 300.00 USD"), "{shown}");
    assert!(shown.contains("> [!WARNING]\n> no `zone`\n"), "{shown}");
    assert!(shown.contains("<summary>Notes (1)</summary>\n\n- a newer image exists\n"), "{shown}");
}

#[test]
fn every_mode_has_its_heading() {
    let heading = |mode, changes: Vec<Change>| {
        let mut document = document(changes);
        document.plan.mode = mode;
        shown(&document).lines().nth(1).unwrap().to_owned()
    };
    let gone = || vec![change("vpc/main", Action::Delete, Reason::Destroy, Vec::new())];
    let headings = [
        heading(PlanMode::Apply, Vec::new()),
        heading(PlanMode::Destroy, gone()),
        heading(PlanMode::Destroy, Vec::new()),
        heading(PlanMode::Refresh, gone()),
        heading(PlanMode::Refresh, Vec::new()),
    ];
    assert_eq!(
        headings,
        [
            "### Plan: no changes",
            "### Plan of a destroy: 1 to delete",
            "### Plan of a destroy: nothing of the cluster is left",
            "### Changes outside Quorate: 1 new",
            "### Changes outside Quorate: none",
        ]
    );
}

#[test]
fn a_workflow_finds_its_comment_by_the_first_line() {
    let mut document = document(Vec::new());
    let first = |document: &PlanDocument| shown(document).lines().next().unwrap().to_owned();
    assert_eq!(first(&document), "<!-- quorate-plan chat.poeticoding.com us-east-1 -->");
    document.heading.cluster = "--><script>".to_owned();
    assert_eq!(first(&document), "<!-- quorate-plan --script us-east-1 -->");
}

#[test]
fn a_plan_of_ten_thousand_objects_fits_into_a_comment() {
    let create = |n: usize| {
        let name = format!("security-group/service-{n:05}-{}", "x".repeat(n % 80));
        change(&name, Action::Create, Reason::New, Vec::new())
    };
    let delete = |n: usize| change(&format!("subnet/{n:05}"), Action::Delete, Reason::NotInFile, Vec::new());
    let shown = shown(&document((0..10_000).flat_map(|n| [create(n), delete(n)]).collect()));
    outside_blocks(&shown);
    assert!(shown.chars().count() <= MAX_COMMENT && shown.len() > MAX_COMMENT / 2, "{}", shown.len());
    assert!(shown.contains("more lines are not shown") && shown.ends_with("shows all of it.\n"), "{shown}");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9-]{1,20}",
        "[`|<>@#*_\\[\\]!&~\\\\ \n\t\u{1b}äöü東]{1,60}",
        Just("</details>\n```\n</summary>".to_owned()),
        "[a-z`]{200,400}",
    ]
}

fn any_change() -> impl Strategy<Value = Change> {
    let kinds = prop::sample::select(vec!["vpc", "volume", "deployment", "load-balancer", "manifest", "x"]);
    let actions = prop::sample::select(vec![
        Action::Create,
        Action::Update,
        Action::Replace,
        Action::Roll,
        Action::Delete,
        Action::Adopt,
        Action::Wait,
        Action::Refuse,
    ]);
    let reasons = prop_oneof![
        Just(Reason::File),
        Just(Reason::New),
        Just(Reason::Drift),
        text().prop_map(|message| Reason::Rejected { message }),
    ];
    let values = (text(), text(), text());
    (kinds, text(), actions, reasons, values, any::<bool>()).prop_map(
        |(kind, name, action, reason, (key, before, after), loses_data)| {
            let mut change = change("vpc/main", action, reason, vec![attribute(&key, json!(before), json!(after))]);
            change.address = crate::engine::Address::new(kind, name);
            change.loses_data = loses_data;
            change
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a plan contains: it fits into a comment, and everything that was opened is closed.
    #[test]
    fn any_plan_fits_and_is_well_formed(
        changes in prop::collection::vec(any_change(), 0..40),
        messages in prop::collection::vec(text(), 0..30),
        copies in prop::sample::select(vec![1_usize, 1, 1, 400]),
        verbose: bool,
    ) {
        let mut many = Vec::new();
        for copy in 0..copies {
            many.extend(changes.iter().cloned().map(|mut change| {
                let name = format!("{}{copy}", change.address.name());
                change.address = crate::engine::Address::new(change.address.kind(), name);
                change
            }));
        }
        let mut document = document(many);
        document.heading.state = messages.first().cloned().unwrap_or_default();
        document.availability = Some(PlanAvailability { before: None, during: None, after: None });
        let refusal = messages.last().map(String::as_str);
        let comment = PlanComment { document: &document, refusal, warnings: &messages, notes: &messages };
        let text = markdown(&comment, verbose);
        prop_assert!(text.chars().count() <= MAX_COMMENT, "{} characters", text.chars().count());
        let outside = outside_blocks(&text);
        let known = ["!-- quorate-plan", "!-- --", "details", "/details", "summary", "/summary", "b", "/b"];
        for tag in tags(&outside) {
            prop_assert!(known.iter().any(|known| tag == *known || tag.starts_with("!-- quorate-plan ")), "<{tag}> in\n{outside}");
        }
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        prop_assert!(text.starts_with("<!-- quorate-plan ") && text.contains("\n### "));
    }
}

#[test]
fn new_objects_are_additions() {
    let vpc = change("vpc/main", Action::Create, Reason::New, vec![new("cidr", json!("172.20.0.0/16"))]);
    let shown = shown(&document(vec![vpc]));
    assert!(shown.contains("```diff\n+   vpc/main  172.20.0.0/16\n```"), "{shown}");
}
