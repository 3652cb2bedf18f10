//! Benchmarks of planning: `cargo bench --bench plan`.
#![allow(clippy::expect_used, reason = "a benchmark that cannot begin says why and ends")]

use std::collections::{BTreeMap, BTreeSet};

use divan::{Bencher, black_box};
use quorate::blueprint::{Pins, blueprint};
use quorate::engine::{
    Address, Attribute, Attributes, GroupMember, Kind, KindRegistry, Live, Object, ObjectPhase, OutputSpec, PlanInputs,
    PlanMode, RecordedObject, Reference, TextInput, Value, plan,
};
use quorate::resource::{Facts, ResourceKinds, SizeFacts};
use quorate::spec::{Architecture, parse};

const SIZES: [usize; 3] = [100, 1_000, 5_000];
const REFERENCES: usize = 3;

fn main() {
    divan::main();
}

struct OneKind;

const KIND: Kind = Kind {
    name: "part",
    title: "part",
    attributes: &[
        Attribute::replace("shape"),
        Attribute::update("links").set(),
        Attribute::update("policy").json(),
        Attribute::update("tags").tags(),
    ],
    outputs: &[OutputSpec::pattern("id", "part-{hex}")],
    data: false,
    shared: false,
    seconds: 3,
};

impl KindRegistry for OneKind {
    fn kind(&self, name: &str) -> Option<&Kind> {
        (name == KIND.name).then_some(&KIND)
    }
}

/// A cluster with and without live objects.
struct BenchCluster {
    desired: Vec<Object>,
    live: Vec<Live>,
    recorded: BTreeMap<Address, RecordedObject>,
}

fn address(number: usize) -> Address {
    Address::new("part", format!("{number:05}"))
}

fn id(address: &Address) -> String {
    format!("part-{}", address.name())
}

fn cluster(size: usize) -> BenchCluster {
    let desired: Vec<Object> = (0..size).map(|number| object(number, "round")).collect();
    let live: Vec<Live> = desired.iter().map(made).collect();
    let recorded = desired.iter().zip(&live).map(|(object, live)| (object.address.clone(), record(object, live)));
    BenchCluster { recorded: recorded.collect(), desired, live }
}

fn object(number: usize, shape: &str) -> Object {
    let text = |text: &str| Value::Text(text.to_owned());
    let link = |step: usize| TextInput::output(address(number / (step + 1)), "id").into();
    let links = if number == 0 { Vec::new() } else { (1..=REFERENCES).map(link).collect() };
    let policy = r#"{"Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:ListBucket"],"Resource":"*"}]}"#;
    let tags = BTreeMap::from([("cluster".to_owned(), text("chat")), ("object".to_owned(), text("part"))]);
    let attributes = [
        ("shape".to_owned(), text(shape)),
        ("links".to_owned(), Value::List(links)),
        ("policy".to_owned(), text(policy)),
        ("tags".to_owned(), Value::Map(tags)),
    ];
    Object {
        address: address(number),
        attributes: Attributes::from(attributes),
        depends_on: BTreeSet::new(),
        lane: None,
        payload: None,
    }
}

fn made(object: &Object) -> Live {
    let resolved = object.resolve(&|reference: &Reference| Some(id(&reference.address)));
    let id = id(&object.address);
    Live {
        address: object.address.clone(),
        outputs: BTreeMap::from([("id".to_owned(), id.clone())]),
        id,
        attributes: resolved.attributes,
        phase: ObjectPhase::Ready,
        proven: true,
        created: None,
        members: Vec::new(),
    }
}

fn record(object: &Object, live: &Live) -> RecordedObject {
    RecordedObject {
        id: live.id.clone(),
        attributes: live.attributes.clone(),
        outputs: live.outputs.clone(),
        needs: object.needs(),
    }
}

/// Returns the example that survives the loss of a zone, with this number of nodes.
fn file(nodes: usize) -> String {
    let file = include_str!("../examples/ha/cluster.hcl").replacen("count = 6", &format!("count = {nodes}"), 1);
    format!("{file}\nnetwork {{\n  plugin = \"none\"\n}}\n")
}

fn facts() -> Facts {
    Facts {
        account: "111122223333".to_owned(),
        caller: "arn:aws:iam::111122223333:user/alvise".to_owned(),
        region: "eu-central-1".to_owned(),
        zones: ["a", "b", "c"].map(|letter| format!("eu-central-1{letter}")).to_vec(),
        images: BTreeMap::from([(Architecture::Arm64, "ami-000000000000000a6".into())]),
        sizes: BTreeMap::from([(
            "m7g.large".to_owned(),
            SizeFacts { architecture: Architecture::Arm64, vcpus: 2, memory_mib: 8192 },
        )]),
        own_images: BTreeMap::new(),
        releases: Vec::new(),
        offered: BTreeMap::new(),
        public_zones: BTreeMap::from([("example.com".to_owned(), vec!["Z0EXAMPLE".to_owned()])]),
    }
}

/// Returns the objects of a cluster file.
fn objects(file: &str, facts: &Facts) -> Vec<Object> {
    let cluster = parse("cluster.hcl", file, &BTreeMap::new()).cluster.expect("the example is a good one");
    blueprint(&cluster, facts, &Pins::default()).expect("the account has all that it asks for").objects
}

/// Returns an object of a cluster file as it is observed once it exists; an Auto Scaling group with its machines.
fn seen(object: &Object) -> Live {
    let reported = |address: &Address, output: &str| format!("{address}.{output}");
    let resolved = object.resolve(&|reference: &Reference| Some(reported(&reference.address, &reference.output)));
    let outputs = ResourceKinds.kind(object.address.kind()).map(|kind| kind.outputs).unwrap_or_default();
    let machines = match object.attributes.get("desired") {
        Some(Value::Integer(count)) => *count,
        _ => 0,
    };
    let member = |number: i64| GroupMember {
        size: None,
        launched: None,
        id: format!("i-{number:017x}"),
        zone: "eu-central-1a".to_owned(),
        state: "InService".to_owned(),
        version: "1".to_owned(),
    };
    Live {
        attributes: resolved.attributes,
        outputs: outputs
            .iter()
            .map(|output| (output.name.to_owned(), reported(&object.address, output.name)))
            .collect(),
        members: (0..machines).map(member).collect(),
        ..made(object)
    }
}

fn bench(bencher: Bencher<'_, '_>, cluster: &BenchCluster, mode: PlanMode) {
    bencher.with_inputs(|| (cluster.desired.clone(), cluster.live.clone())).bench_values(|(desired, live)| {
        let inputs = PlanInputs {
            mode,
            desired,
            live,
            incomplete: BTreeSet::new(),
            recorded: &cluster.recorded,
            serial: 1,
            holds_rolls: false,
            vocabulary: &OneKind,
        };
        black_box(plan(inputs)).is_ok()
    });
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn create(bencher: Bencher<'_, '_>, size: usize) {
    let cluster = BenchCluster { live: Vec::new(), recorded: BTreeMap::new(), ..cluster(size) };
    bench(bencher, &cluster, PlanMode::Apply);
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn unchanged(bencher: Bencher<'_, '_>, size: usize) {
    bench(bencher, &cluster(size), PlanMode::Apply);
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn replace_all(bencher: Bencher<'_, '_>, size: usize) {
    let desired = (0..size).map(|number| object(number, "square")).collect();
    bench(bencher, &BenchCluster { desired, ..cluster(size) }, PlanMode::Apply);
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn destroy(bencher: Bencher<'_, '_>, size: usize) {
    bench(bencher, &cluster(size), PlanMode::Destroy);
}

/// Measures everything that a plan computes, from the file on, for a cluster without differences.
#[divan::bench(args = [3, 300], sample_count = 10)]
fn nodes(bencher: Bencher<'_, '_>, nodes: usize) {
    let (file, facts) = (file(nodes), facts());
    let live: Vec<Live> = objects(&file, &facts).iter().map(seen).collect();
    let recorded = objects(&file, &facts)
        .iter()
        .zip(&live)
        .map(|(object, live)| (object.address.clone(), record(object, live)))
        .collect();
    bencher.with_inputs(|| live.clone()).bench_values(|live| {
        let desired = objects(&file, &facts);
        let inputs = PlanInputs {
            mode: PlanMode::Apply,
            desired,
            live,
            incomplete: BTreeSet::new(),
            recorded: &recorded,
            serial: 1,
            holds_rolls: false,
            vocabulary: &ResourceKinds,
        };
        let prepared = plan(inputs).expect("the objects contradict themselves");
        assert!(prepared.plan.is_empty(), "{:#?}", prepared.plan.changes);
        black_box(prepared.plan.unchanged)
    });
}
