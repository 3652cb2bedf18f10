//! Whole commands on moto, with answers that AWS gives and moto does not: an interposer on the wire gives them.

use quorate::cli::{Consent, Exit};
use quorate::engine::PlanMode;

use crate::moto::MotoServer;
use crate::stage::{CommandRun, MotoStage, TUTORIAL};
use crate::wire::{CannedAnswer, TestWire, WireFate};

const REDIRECT: CannedAnswer = CannedAnswer {
    status: 301,
    headers: &[("x-amz-bucket-region", "eu-west-1")],
    body: "<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using \
           the specified endpoint.</Message></Error>",
};
const CLOCK: CannedAnswer = CannedAnswer {
    status: 403,
    headers: &[],
    body: "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time \
           is too large.</Message></Error>",
};
const TAKEN: CannedAnswer = CannedAnswer {
    status: 409,
    headers: &[],
    body: "<Error><Code>BucketAlreadyExists</Code><Message>The requested bucket name is not available.</Message></Error>",
};
const LOCKED: CannedAnswer = CannedAnswer {
    status: 200,
    headers: &[],
    body: "<DeleteResult><Error><Key>chat.poeticoding.com/pki/join.pem</Key><Code>AccessDenied</Code><Message>Access Denied \
           because object protected by object lock.</Message></Error></DeleteResult>",
};
const TOO_SOON: CannedAnswer = CannedAnswer {
    status: 400,
    headers: &[],
    body: "<Response><Errors><Error><Code>VolumeModificationRateExceeded</Code><Message>You've reached the maximum \
           modification rate per volume limit. Wait at least 6 hours between modifications per EBS volume.</Message>\
           </Error></Errors><RequestID>test</RequestID></Response>",
};
const SAME_TAG: CannedAnswer = CannedAnswer {
    status: 400,
    headers: &[],
    body: "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidInput</Code><Message>Duplicate tag keys found. Please note \
           that Tag keys are case insensitive.</Message></Error><RequestId>test</RequestId></ErrorResponse>",
};

/// A cluster on moto, at the end of a wire.
struct AnswerTest {
    moto: MotoServer,
    wire: TestWire,
    stage: MotoStage,
}

impl AnswerTest {
    async fn new() -> Option<Self> {
        let moto = MotoServer::start()?;
        let wire = TestWire::to(moto.endpoint());
        let stage = MotoStage::new(wire.clone(), TUTORIAL).await;
        Some(Self { moto, wire, stage })
    }

    /// Answers the calls whose action begins like this.
    fn answer(&self, action: &'static str, answer: CannedAnswer) {
        self.answer_if(move |called| called.starts_with(action), answer);
    }

    fn answer_if(&self, is_meant: impl Fn(&str) -> bool + Send + Sync + 'static, answer: CannedAnswer) {
        self.wire.take_log();
        let fate = WireFate::Answer(answer);
        self.wire.decide(move |_, called| if is_meant(called) { fate } else { WireFate::Pass });
    }

    fn pass(&self) {
        self.wire.decide(|_, _| WireFate::Pass);
    }

    /// Returns the number of calls of an action since the last answer was set.
    fn calls(&self, action: &str) -> usize {
        self.wire.take_log().iter().filter(|called| called.starts_with(action)).count()
    }
}

/// Returns the messages of a run on one line.
fn messages(run: &CommandRun) -> String {
    run.err.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_bucket_in_another_region_is_reported_by_plan_apply_and_destroy() {
    let Some(mut test) = AnswerTest::new().await else { return };
    let before = test.moto.inventory();
    test.answer("s3:", REDIRECT);
    for run in [test.stage.plan().await, test.stage.apply().await, test.stage.destroy().await] {
        let run = run.must(Exit::Error);
        let messages = messages(&run);
        assert!(messages.contains("the bucket is in eu-west-1, the cluster in us-east-1"), "{messages}");
        assert!(messages.contains("name a bucket of the cluster's region with `state`"), "{messages}");
        assert!(!messages.contains("run the command again"), "it does not pass: {messages}");
    }
    assert_eq!(test.moto.inventory(), before);
}

#[tokio::test]
async fn a_wrong_clock_is_reported_as_a_wrong_clock_not_as_a_wrong_key() {
    let Some(mut test) = AnswerTest::new().await else { return };
    test.answer("s3:", CLOCK);
    let run = test.stage.plan().await.must(Exit::Error);
    let messages = messages(&run);
    assert!(messages.contains("set the clock of this machine") && !messages.contains("sign in"), "{messages}");
}

#[tokio::test]
async fn the_bucket_name_of_another_account_stops_a_first_apply() {
    let Some(mut test) = AnswerTest::new().await else { return };
    let before = test.moto.inventory();
    let is_creation = |called: &str| {
        let path = called.strip_prefix("s3:PUT ").map(|path| path.split('?').next().unwrap_or_default());
        path.is_some_and(|path| ["/", "/state.chat.poeticoding.com", "/state.chat.poeticoding.com/"].contains(&path))
    };
    test.answer_if(is_creation, TAKEN);
    let run = test.stage.apply().await.must(Exit::Error);
    let messages = messages(&run);
    assert!(messages.contains("another account") && messages.contains("`state`"), "{messages}");
    assert_eq!(test.moto.inventory(), before, "the bucket comes first, so nothing else was made");
}

#[tokio::test]
async fn keys_under_object_lock_are_reported_and_a_later_destroy_ends_it() {
    let Some(mut test) = AnswerTest::new().await else { return };
    let before = test.moto.inventory();
    test.stage.apply().await.must(Exit::Done);
    test.answer("s3:POST", LOCKED);
    let run = test.stage.destroy().await.must(Exit::Partly);
    let messages = messages(&run);
    assert!(messages.contains("until its retention ends"), "{messages}");
    test.pass();
    test.stage.expire_lease().await;
    test.stage.destroy().await.must(Exit::Done);
    assert_eq!(test.moto.inventory(), before);
}

#[tokio::test]
async fn a_lasting_refusal_is_not_retried_and_not_called_temporary() {
    let Some(mut test) = AnswerTest::new().await else { return };
    test.stage.apply().await.must(Exit::Done);
    test.answer("ec2:ModifyVolume", TOO_SOON);
    test.stage.edit(&TUTORIAL.replacen("count = 3", "count = 3\n  etcd {\n    gib = 30\n  }", 1));
    let run = test.stage.apply().await;
    assert!(matches!(run.exit, Exit::Error | Exit::Partly), "{run:?}");
    let messages = messages(&run);
    assert!(messages.contains("six hours") && !messages.contains("in a minute"), "{messages}");
    assert_eq!(test.calls("ec2:ModifyVolume"), 3, "once for each volume");
    test.pass();
    test.stage.edit(TUTORIAL);
    assert_eq!(test.stage.changes(PlanMode::Apply).await, Vec::<String>::new(), "nothing was changed");
}

#[tokio::test]
async fn tags_that_iam_takes_for_the_same_stop_the_roles_and_what_needs_them() {
    let Some(mut test) = AnswerTest::new().await else { return };
    test.answer("iam:CreateRole", SAME_TAG);
    let run = test.stage.apply().await.must(Exit::Partly);
    let messages = messages(&run);
    assert!(messages.contains("Tag keys are case insensitive"), "{messages}");
    assert_eq!(test.calls("iam:CreateRole"), 2, "once for each role");
    test.pass();
    test.stage.consenting(Consent { yes: true, delete_data: false }).await.must(Exit::Done);
    assert_eq!(test.stage.changes(PlanMode::Apply).await, Vec::<String>::new());
}
