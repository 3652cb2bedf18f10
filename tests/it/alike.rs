//! The sandbox is as strict as AWS: the same calls get the same class of answer from the sandbox and from moto.
//!
//! A row of `alike/moto.txt` names each case where moto is laxer or stricter than AWS documents; the sandbox follows AWS.

mod breach;
mod cluster;

use std::collections::BTreeMap;

use quorate::aws::{AwsProvider, ClusterScope};
use quorate::engine::{Address, Failure, FailureClass, IdempotencyToken, Live, Object, Provider, Reference, Value};
use quorate::sandbox::{Sandbox, SandboxSettings};

use crate::moto::MotoServer;
use crate::wire::TestWire;
use breach::{RefusedCreation, attempts};
use cluster::{CLUSTER, objects};

/// The answer of a cloud, as far as the caller acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CloudAnswer {
    /// Success.
    Done,
    /// An object of that name exists.
    Exists,
    /// Another object uses it.
    Held,
    /// The object, or one that it refers to, does not exist.
    Missing,
    /// The request is not valid.
    Refused,
    /// An answer without a known outcome: moto fails.
    Broken,
}

impl CloudAnswer {
    fn of<T>(result: &Result<T, Failure>) -> Self {
        let Err(failure) = result else { return Self::Done };
        let code = failure.code.as_deref().unwrap_or_default();
        match failure.class {
            FailureClass::AlreadyExists => Self::Exists,
            FailureClass::Held => Self::Held,
            FailureClass::Gone => Self::Missing,
            // The general codes are classed so, too: whether something is missing is in the code.
            FailureClass::MaybeNotYetConsistent | FailureClass::NotYetConsistent
                if code.contains("NotFound") || code.starts_with("NoSuch") =>
            {
                Self::Missing
            }
            FailureClass::Invalid | FailureClass::Quota | FailureClass::Fatal | FailureClass::MaybeNotYetConsistent => {
                Self::Refused
            }
            FailureClass::UnknownOutcome => Self::Broken,
            class => panic!("{class:?}: {failure}"),
        }
    }
}

/// Cases where moto's answer differs from that of AWS and the sandbox: the question, moto's answer, and the documentation of
/// AWS.
fn moto_differs() -> Vec<(&'static str, &'static str, &'static str)> {
    let rows = include_str!("alike/moto.txt").lines().filter(|row| !row.starts_with('#'));
    let columns =
        |row: &'static str| <[&str; 3]>::try_from(row.split('\t').collect::<Vec<_>>()).expect("three columns");
    rows.map(columns).map(|[question, answer, documented]| (question, answer, documented)).collect()
}

/// Makes every call to a cloud, in one order.
struct CloudTester<'c> {
    cloud: &'c dyn Provider,
    made: BTreeMap<Address, Live>,
    answers: Vec<(String, CloudAnswer)>,
    tokens: u32,
}

impl<'c> CloudTester<'c> {
    async fn ask(cloud: &'c dyn Provider) -> Vec<(String, CloudAnswer)> {
        let mut asker = Self { cloud, made: BTreeMap::new(), answers: Vec::new(), tokens: 0 };
        asker.make_all().await;
        asker.make_twice().await;
        for attempt in attempts() {
            asker.attempt(&attempt).await;
        }
        asker.delete_what_is_used().await;
        asker.delete_all().await;
        asker.answers
    }

    async fn make_all(&mut self) {
        for object in objects() {
            let made = self.create(&object).await;
            self.answer(format!("make {}", object.address), &made);
            let Ok(live) = made else { continue };
            let ready = self.cloud.ready(&live, &|_| ()).await;
            self.answer(format!("wait for {}", object.address), &ready);
            self.made.insert(object.address, ready.unwrap_or(live));
        }
    }

    /// Creates another object of every name that exists.
    async fn make_twice(&mut self) {
        for object in objects() {
            let address = Address::new(object.address.kind(), "twin");
            let twin = Object { address: address.clone(), ..object };
            let made = self.create(&twin).await;
            self.answer(format!("make a second {}", address.kind()), &made);
            if let Ok(live) = made {
                // What was made over again is what is there: its twin stays.
                if self.made.values().all(|first| first.id != live.id || first.address.kind() != live.address.kind()) {
                    self.cloud.delete(&live, &|_| ()).await.unwrap();
                }
            }
        }
    }

    async fn attempt(&mut self, attempt: &RefusedCreation) {
        let made = self.create(&attempt.object).await;
        self.answer(attempt.question.clone(), &made);
        // Also of a refused creation, something may be there.
        let left = self.cloud.find(&attempt.object.address).await.unwrap_or_default();
        for live in left.into_iter().chain(made) {
            let _ = self.cloud.delete(&live, &|_| ()).await;
        }
    }

    async fn delete_what_is_used(&mut self) {
        for address in cluster::USED {
            let live = self.made[&address.parse().unwrap()].clone();
            let deleted = self.cloud.delete(&live, &|_| ()).await;
            self.answer(format!("delete {address}, which is used"), &deleted);
        }
    }

    /// Deletes everything, twice, and then changes the deleted objects.
    async fn delete_all(&mut self) {
        for object in objects().into_iter().rev() {
            let address = &object.address;
            let Some(live) = self.made.get(address).cloned() else { continue };
            for time in ["", " again"] {
                let deleted = self.cloud.delete(&live, &|_| ()).await;
                self.answer(format!("delete {address}{time}"), &deleted);
            }
            if let Some(attribute) = cluster::CHANGED.iter().find(|(kind, _)| *kind == address.kind()) {
                let object = self.resolve(&object);
                let changed = [attribute.1.to_owned()].into();
                let updated = self.cloud.update(&live, &object, &changed).await;
                self.answer(format!("change {address}, which is gone"), &updated);
            }
        }
    }

    async fn create(&mut self, object: &Object) -> Result<Live, Failure> {
        self.tokens += 1;
        self.cloud.create(&self.resolve(object), &IdempotencyToken(format!("token-{}", self.tokens))).await
    }

    fn resolve(&self, object: &Object) -> Object {
        let output = |reference: &Reference| self.made.get(&reference.address)?.outputs.get(&reference.output).cloned();
        let mut object = object.resolve(&output);
        // The machines of a group are those of its version.
        if let Some(version) = object.attributes.get("version").cloned() {
            object.attributes.insert("machines".to_owned(), version);
        }
        object
    }

    fn answer<T>(&mut self, question: String, result: &Result<T, Failure>) {
        self.answers.push((question, CloudAnswer::of(result)));
    }
}

#[tokio::test]
async fn the_sandbox_answers_as_aws_does() {
    let Some(moto) = MotoServer::start() else { return };
    let scope = ClusterScope {
        cluster: CLUSTER.to_owned(),
        region: "us-east-1".to_owned(),
        bucket: cluster::BUCKET.to_owned(),
        prefix: format!("{CLUSTER}/"),
    };
    let aws = AwsProvider::connect(scope, Some(TestWire::to(moto.endpoint()).client())).await;
    let moto = CloudTester::ask(&aws).await;
    let settings =
        SandboxSettings { bucket: Some(cluster::BUCKET.to_owned()), ..SandboxSettings::new("us-east-1", CLUSTER) };
    let sandbox = CloudTester::ask(&Sandbox::in_memory(settings)).await;

    let questions =
        |answers: &[(String, CloudAnswer)]| answers.iter().map(|(question, _)| question.clone()).collect::<Vec<_>>();
    assert_eq!(questions(&moto), questions(&sandbox), "both were asked the same");
    assert!(moto.len() >= 250, "{} questions", moto.len());
    let mut wrong = Vec::new();
    let differs = moto_differs();
    let mut unused: Vec<&str> = differs.iter().map(|(question, ..)| *question).collect();
    for ((question, of_moto), (_, of_sandbox)) in moto.iter().zip(&sandbox) {
        let row = differs.iter().find(|(known, ..)| known == question);
        unused.retain(|known| known != question);
        match row {
            None if of_moto == of_sandbox => {}
            // What moto answers differs from run to run.
            Some((_, "Any", _)) => {}
            Some((_, known, _)) if **known == format!("{of_moto:?}") && of_moto != of_sandbox => {}
            _ => wrong.push(format!("(\"{question}\", {of_moto:?}, \"\"), // the sandbox: {of_sandbox:?}")),
        }
    }
    assert!(wrong.is_empty() && unused.is_empty(), "{}\nnot asked: {unused:?}", wrong.join("\n"));
}

/// Every breach of a limit is refused by the sandbox, whatever moto answers.
#[tokio::test]
async fn the_sandbox_refuses_every_breach_of_a_limit() {
    let sandbox = Sandbox::in_memory(SandboxSettings::new("us-east-1", CLUSTER));
    let mut asker = CloudTester { cloud: &sandbox, made: BTreeMap::new(), answers: Vec::new(), tokens: 0 };
    asker.make_all().await;
    asker.answers.clear();
    for attempt in attempts() {
        asker.attempt(&attempt).await;
    }
    let taken: Vec<_> = asker.answers.iter().filter(|(_, answer)| *answer != CloudAnswer::Refused).collect();
    assert!(taken.is_empty(), "{taken:#?}");
    assert!(asker.answers.len() >= 120, "{} breaches", asker.answers.len());
}

/// Returns `true` if a value is a text.
fn is_text(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::Text(_) | Value::Pending(_)))
}
