//! Prices that AWS is asked for, and quotas before an apply: services that moto does not have, or has no values of.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use quorate::cli::{Exit, PriceCache};
use quorate::engine::PlanMode;
use serde_json::json;

use crate::moto::MotoServer;
use crate::stage::{MotoStage, TUTORIAL};
use crate::wire::{CannedAnswer, TestWire, WireFate};

const PRICES: &str = "pricing:GetProducts";
const QUOTA: &str = "servicequotas:GetServiceQuota";

/// A size that the table of the release does not have.
const SIZE: &str = "m5.2xlarge";

/// The answer with the price of the size, as `GetProducts` has it.
static ANSWER: LazyLock<&str> = LazyLock::new(|| {
    let dimension = json!({
        "unit": "Hrs", "beginRange": "0", "endRange": "Inf", "pricePerUnit": { "USD": "0.3840000000" }, "appliesTo": [],
    });
    let product = json!({
        "product": {
            "productFamily": "Compute Instance", "sku": "ABC",
            "attributes": { "instanceType": SIZE, "locationType": "AWS Region", "usagetype": "BoxUsage:m5.2xlarge" },
        },
        "serviceCode": "AmazonEC2",
        "terms": { "OnDemand": { "ABC.JRTCKXETXF": { "priceDimensions": { "ABC.JRTCKXETXF.6YS6EN2CT7": dimension } } } },
        "version": "20261120000000",
        "publicationDate": "2026-11-20T18:00:00Z",
    });
    let answer = json!({ "FormatVersion": "aws_v1", "PriceList": [product.to_string()] });
    Box::leak(answer.to_string().into_boxed_str())
});

/// The answer to a caller who lacks the permission.
const DENIED: CannedAnswer = CannedAnswer {
    status: 400,
    headers: &[],
    body: r#"{"__type":"AccessDeniedException","Message":"User is not authorized to perform this action"}"#,
};

/// The answer about a quota of this many.
const FIVE: CannedAnswer = CannedAnswer {
    status: 200,
    headers: &[],
    body: r#"{"Quota":{"ServiceCode":"ec2","QuotaCode":"L-1216C47A","Value":5.0}}"#,
};
const MANY: CannedAnswer = CannedAnswer {
    status: 200,
    headers: &[],
    body: r#"{"Quota":{"ServiceCode":"ec2","QuotaCode":"L-1216C47A","Value":11.0}}"#,
};

fn answer(wire: &TestWire, wanted: &'static str, fate: WireFate) {
    wire.decide(move |_, action| if action == wanted { fate } else { WireFate::Pass });
}

fn count(wire: &TestWire, action: &str) -> usize {
    wire.take_log().iter().filter(|call| *call == action).count()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn stage(moto: &MotoServer) -> (TestWire, MotoStage, tempfile::TempDir) {
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), &TUTORIAL.replace("t3.medium", SIZE)).await;
    let directory = tempfile::tempdir().expect("a directory can be made");
    stage.price_cache = Some(PriceCache::at(directory.path()));
    (wire, stage, directory)
}

#[tokio::test]
async fn a_price_that_the_release_lacks_is_asked_once_and_kept() {
    let Some(moto) = MotoServer::start() else { return };
    let (wire, mut stage, _directory) = stage(&moto).await;
    answer(&wire, PRICES, WireFate::Answer(CannedAnswer { status: 200, headers: &[], body: *ANSWER }));
    let first = stage.plan().await.must(Exit::Differs);
    // Five machines at 0.384 in place of 0.0416 dollars an hour.
    assert!(first.out.contains("Cost: 1465.68 USD per month."), "{}", first.out);
    assert_eq!(count(&wire, PRICES), 1, "one size, asked once");
    let second = stage.plan().await.must(Exit::Differs);
    assert!(second.out.contains("Cost: 1465.68 USD per month."), "{}", second.out);
    assert_eq!(count(&wire, PRICES), 0);
    stage.price_cache = None;
    let unasked = stage.plan().await.must(Exit::Differs);
    assert!(unasked.out.contains("at least") && unasked.out.contains(SIZE), "{}", unasked.out);
    // A file whose prices are all known asks for none.
    stage.edit(TUTORIAL);
    stage.plan().await.must(Exit::Differs);
    assert_eq!(count(&wire, PRICES), 0);
}

#[tokio::test]
async fn a_price_list_that_does_not_answer_leaves_prices_unknown_and_is_not_asked_again() {
    let Some(moto) = MotoServer::start() else { return };
    for (fate, why) in [
        (WireFate::Answer(DENIED), "the permission pricing:GetProducts is missing"),
        (WireFate::HangBefore, "did not answer within 3 seconds"),
    ] {
        let (wire, mut stage, _directory) = stage(&moto).await;
        answer(&wire, PRICES, fate);
        let begun = Instant::now();
        let first = stage.plan().await.must(Exit::Differs);
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        assert!(first.out.contains("at least"), "unknown, and not 0: {}", first.out);
        let notes = words(&first.err);
        assert!(notes.contains("prices that this release does not have are unknown") && notes.contains(why), "{notes}");
        assert!(count(&wire, PRICES) > 0);
        let second = stage.plan().await.must(Exit::Differs);
        assert!(!words(&second.err).contains("prices that this release"), "{}", second.err);
        assert_eq!(count(&wire, PRICES), 0, "{why}");
    }
}

#[tokio::test]
async fn an_apply_that_a_quota_has_no_room_for_changes_nothing() {
    let Some(moto) = MotoServer::start() else { return };
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), TUTORIAL).await;
    answer(&wire, QUOTA, WireFate::Answer(FIVE));
    let needs = "the cluster needs 10 vCPUs, and others use 0 of the 5 that the account may have in us-east-1";
    let planned = stage.plan().await.must(Exit::Differs);
    assert!(
        words(&planned.err).contains(&format!("{needs}: an apply is refused without --ignore-quotas")),
        "{}",
        planned.err
    );
    let comment = stage.comment().await.must(Exit::Differs);
    assert!(words(&comment.out).contains(needs), "a reviewer reads it too: {}", comment.out);
    wire.take_log();
    let refused = stage.apply().await.must(Exit::Refused);
    let messages = words(&refused.err);
    assert!(messages.contains(&format!("{needs}: nothing was changed")), "{messages}");
    assert!(messages.contains("Service Quotas (L-1216C47A)"), "{messages}");
    let calls = wire.take_log();
    let changes: Vec<_> = calls.iter().filter(|call| call.contains(":Create") || call.contains(":Run")).collect();
    assert!(changes.is_empty(), "{changes:?}");
    stage.apply_ignoring_quotas().await.must(Exit::Done);
    wire.take_log();
    assert_eq!(stage.changes(PlanMode::Apply).await, Vec::<String>::new());
    assert_eq!(count(&wire, QUOTA), 0, "a plan that adds nothing does not ask");
}

#[tokio::test]
async fn quotas_are_asked_for_what_a_plan_adds_and_their_lack_is_one_warning() {
    let Some(moto) = MotoServer::start() else { return };
    let wire = TestWire::to(moto.endpoint());
    let mut stage = MotoStage::new(wire.clone(), TUTORIAL).await;
    answer(&wire, QUOTA, WireFate::Answer(DENIED));
    let first = stage.apply().await.must(Exit::Done);
    let warning = "the quotas of the account were not checked: the permission servicequotas:GetServiceQuota is missing";
    assert_eq!(words(&first.err).matches(warning).count(), 1, "{}", first.err);
    // One node more: the vCPUs of the region, and what others use of them.
    stage.edit(&TUTORIAL.replace("count = 2", "count = 3"));
    answer(&wire, QUOTA, WireFate::Answer(MANY));
    wire.take_log();
    let planned = stage.plan().await.must(Exit::Differs);
    let calls = wire.take_log();
    assert_eq!(calls.iter().filter(|call| *call == QUOTA).count(), 1, "{calls:?}");
    let short = "the cluster needs 12 vCPUs, and others use 0 of the 11";
    assert!(words(&planned.err).contains(short), "{}", planned.err);
    // Fewer nodes touch nothing.
    stage.edit(&TUTORIAL.replace("count = 2", "count = 1"));
    wire.take_log();
    stage.plan().await.must(Exit::Differs);
    assert_eq!(count(&wire, QUOTA), 0);
}
