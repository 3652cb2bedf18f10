//! How long planning takes: `cargo bench --bench plan`.

use std::collections::{BTreeMap, BTreeSet};

use divan::{Bencher, black_box};
use quorate::engine::{
    Address, Attribute, Attributes, Input, Inputs, Kind, Live, Mode, Object, Output, Phase, Recorded, Reference, Value,
    Vocabulary, plan,
};

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
    outputs: &[Output::pattern("id", "part-{hex}")],
    data: false,
    shared: false,
    seconds: 3,
};

impl Vocabulary for OneKind {
    fn kind(&self, name: &str) -> Option<&Kind> {
        (name == KIND.name).then_some(&KIND)
    }
}

/// A cluster with and without live objects.
struct Cluster {
    desired: Vec<Object>,
    live: Vec<Live>,
    recorded: BTreeMap<Address, Recorded>,
}

fn address(number: usize) -> Address {
    Address::new("part", format!("{number:05}"))
}

fn id(address: &Address) -> String {
    format!("part-{}", address.name())
}

fn cluster(size: usize) -> Cluster {
    let desired: Vec<Object> = (0..size).map(|number| object(number, "round")).collect();
    let live: Vec<Live> = desired.iter().map(made).collect();
    let recorded = desired.iter().zip(&live).map(|(object, live)| (object.address.clone(), record(object, live)));
    Cluster { recorded: recorded.collect(), desired, live }
}

fn object(number: usize, shape: &str) -> Object {
    let text = |text: &str| Value::Text(text.to_owned());
    let link = |step: usize| Input::output(address(number / (step + 1)), "id").into();
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
        phase: Phase::Ready,
        proven: true,
        created: None,
        members: Vec::new(),
    }
}

fn record(object: &Object, live: &Live) -> Recorded {
    Recorded {
        id: live.id.clone(),
        attributes: live.attributes.clone(),
        outputs: live.outputs.clone(),
        needs: object.needs(),
    }
}

fn bench(bencher: Bencher<'_, '_>, cluster: &Cluster, mode: Mode) {
    bencher.with_inputs(|| (cluster.desired.clone(), cluster.live.clone())).bench_values(|(desired, live)| {
        let inputs = Inputs { mode, desired, live, recorded: &cluster.recorded, serial: 1, vocabulary: &OneKind };
        black_box(plan(inputs)).is_ok()
    });
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn create(bencher: Bencher<'_, '_>, size: usize) {
    let cluster = Cluster { live: Vec::new(), recorded: BTreeMap::new(), ..cluster(size) };
    bench(bencher, &cluster, Mode::Apply);
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn unchanged(bencher: Bencher<'_, '_>, size: usize) {
    bench(bencher, &cluster(size), Mode::Apply);
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn replace_all(bencher: Bencher<'_, '_>, size: usize) {
    let desired = (0..size).map(|number| object(number, "square")).collect();
    bench(bencher, &Cluster { desired, ..cluster(size) }, Mode::Apply);
}

#[divan::bench(args = SIZES, sample_count = 10)]
fn destroy(bencher: Bencher<'_, '_>, size: usize) {
    bench(bencher, &cluster(size), Mode::Destroy);
}
