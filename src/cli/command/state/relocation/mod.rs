//! The move of the state: the record and the cluster's keys go to the place that the file names.
//!
//! The order of the steps is what keeps it safe to be killed at any moment: first a mark in the new place, then copies of
//! everything, each compared by its digest, then the mark of departure in the place of the old record, with the record in
//! it, and last the new record. So the record is always in one of the two places, and never valid in both.

mod copy;
mod stage;

use jiff::Timestamp;
use serde_json::json;

use crate::blueprint;
use crate::cli::run::prompt::ask;
use crate::cli::run::run_lock::{RunLock, lease_in_new_store, open_run, right_account};
use crate::cli::run::snapshot::question;
use crate::cli::run::wait::{account, patiently};
use crate::cli::run::{change, claim};
use crate::cli::{CliError, ClusterContext, Exit};
use crate::engine::{self, Address, Outcome, PlanInputs, PlanMode};
use crate::resource::{Bucket, BucketObject, LocationTraces, Resource, ResourceKinds, STATE_BUCKET, Secret};
use crate::spec::StateLocation;
use crate::state::{self, ClusterRecord, MoveMarker, RecordJournal};
use crate::view::FORMAT;
use crate::words;

use copy::Inventory;
use stage::Stage;

/// The operation in the lease.
const OPERATION: &str = "state move";

/// The options of a move of the state.
#[derive(Debug, Clone, Default)]
pub struct MoveOptions {
    /// The old place. `None`: the place that the cluster's objects name.
    pub from: Option<StateLocation>,
    /// `true` to move without a prompt.
    pub yes: bool,
}

/// The two places of a move.
struct Move<'f> {
    context: &'f ClusterContext<'f>,
    old: &'f ClusterContext<'f>,
    /// The old place, as `state` named it.
    from: String,
    account: String,
}

/// Both journals, as they were read.
struct Journals {
    old: RecordJournal,
    new: RecordJournal,
}

/// Moves the state to the place that the file names.
pub async fn move_state(context: &ClusterContext<'_>, options: MoveOptions) -> Result<Exit, CliError> {
    right_account(context).await?;
    let from = match options.from {
        Some(from) => from,
        None => match whereabouts(context).await? {
            Some(from) => from,
            None => return already_there(context),
        },
    };
    if from == context.cluster.state {
        return Err(CliError::refused(
            format!("the file names {from} itself, so there is nothing to move"),
            "change `state` in the cluster file to the new place first; --from names the old one",
        ));
    }
    let old = context.at(&from).await?;
    let this = Move { context, old: &old, from: from.to_string(), account: account(context).await? };
    this.allowed()?;
    let (_, stage) = this.read_stage().await?;
    let record = match stage {
        Stage::Done => return this.report_unchanged(),
        Stage::Copy { ref record } | Stage::Switch { ref record } => record.clone(),
    };
    claim::check(&old, Some(&record)).await?;
    let inventory = this.inventory(&record).await?;
    context.ui.text(&this.announcement(&inventory, &stage));
    if !options.yes {
        let question = "\nMove the state? Only `yes` is accepted: ";
        ask(context, question, "yes", "--yes").await?;
    }
    Box::pin(this.run(&stage)).await
}

/// Reports that the state is at the place that the file names, and that nothing shows another place.
fn already_there(context: &ClusterContext<'_>) -> Result<Exit, CliError> {
    report(context, &MoveReport { from: &context.cluster.state.to_string(), moved: false, copied: 0 })?;
    context.ui.text(&format!(
        "The state of {} is already in {}: nothing to move.\n",
        context.name(),
        context.cluster.state
    ));
    Ok(Exit::Done)
}

/// Returns the place of the state that the objects of the cluster name; `None` if it is the place that the file names.
async fn whereabouts(context: &ClusterContext<'_>) -> Result<Option<StateLocation>, CliError> {
    let mut journal = state::open(context.store.clone(), context.name());
    let entry = context.interrupt.or(journal.read_entry()).await?.map_err(CliError::state("reading the record"))?;
    if let Some(to) = stage::left_for(&entry) {
        return Err(CliError::refused(
            format!("the state moved from {} to {to}", context.cluster.state),
            format!("name {to} as `state` in the cluster file; to move it back: quorate state move --from {to}"),
        ));
    }
    if let Some(from) = stage::recorded_origin(&entry) {
        return Ok(Some(from));
    }
    let live = context.interrupt.or(patiently(context, || context.cloud.observe())).await?;
    let live = live.map_err(CliError::cloud("observing AWS"))?.live;
    let account = account(context).await?;
    let own = blueprint::location(&context.cluster, &account);
    let traces = live.iter().map(|live| LocationTraces::of(context.name(), live));
    let traces = traces.filter(|traces| own.contradicts(traces)).reduce(LocationTraces::or).unwrap_or_default();
    if let Some(region) = traces.region.filter(|region| *region != own.region) {
        return Err(CliError::refused(
            format!("{} lives in {region}, and this file is for {}", context.name(), own.region),
            "a cluster cannot change its region, so its state does not move there",
        ));
    }
    let unknown = |why: &str| {
        CliError::refused(
            format!("the place of the state of {} is unknown{why}", context.name()),
            "name the old place: quorate state move --from s3://BUCKET/PREFIX, or --from file:DIRECTORY",
        )
    };
    let Some(state) = traces.state else {
        let is_here = matches!(entry, state::RecordEntry::Record(_));
        return if is_here { Ok(None) } else { Err(unknown("")) };
    };
    // Machines of a state in a directory start from a bucket of their own.
    let directory = context.location_at(&StateLocation::Directory(".".into()), &account);
    if state == directory.state {
        return Err(unknown(&format!(": its machines start from {state}, so it is in a directory")));
    }
    // A tag writes some characters as `=` and their code.
    StateLocation::parse(&state).map(Some).map_err(|_| unknown(""))
}

impl Move<'_> {
    /// Refuses a location inside the other one: emptying one would empty the other.
    fn allowed(&self) -> Result<(), CliError> {
        let name = self.context.name();
        let new = blueprint::location(&self.context.cluster, &self.account);
        let old = blueprint::location(&self.old.cluster, &self.account);
        let within = |inner: &str, outer: &str| inner.starts_with(&format!("{outer}/"));
        let (inner, outer) = (new.root(name), old.root(name));
        if new.bucket() == old.bucket() && (within(&inner, &outer) || within(&outer, &inner)) {
            return Err(CliError::refused(
                format!("one of {} and {} is inside the other", self.from, self.context.cluster.state),
                "name a place outside of the cluster's own keys",
            ));
        }
        if self.old.store.location() == self.context.store.location() && new == old {
            return Err(CliError::refused(
                format!("{} and {} are the same place", self.from, self.context.cluster.state),
                "the sandbox keeps the records of all directories in .quorate/sandbox-state",
            ));
        }
        Ok(())
    }

    /// Returns whether the machines' files move too. Between two directories, only the record does.
    fn moves_files(&self) -> bool {
        self.old.bucket.location() != self.context.bucket.location()
    }

    async fn read_stage(&self) -> Result<(Journals, Stage), CliError> {
        let mut old = state::open(self.old.store.clone(), self.context.name());
        let mut new = state::open(self.context.store.clone(), self.context.name());
        let read = CliError::state("reading the record");
        let (was, is) = self.context.interrupt.or(async { tokio::join!(old.read_entry(), new.read_entry()) }).await?;
        let (was, is) = match (was, is) {
            (Ok(was), Ok(is)) => (was, is),
            (Err(error), _) | (_, Err(error)) => return Err(read(error)),
        };
        let stage = stage::stage(self, was, is).await?;
        Ok((Journals { old, new }, stage))
    }

    async fn inventory(&self, record: &ClusterRecord) -> Result<Inventory, CliError> {
        if !self.moves_files() {
            return Ok(Inventory::default());
        }
        let inventory = Inventory::of(self.old).await?;
        let missing = record.objects.keys().filter(|address| address.kind() == Secret::KIND.name);
        let missing: Vec<String> =
            missing.map(Address::name).filter(|name| !inventory.secrets.contains(*name)).map(str::to_owned).collect();
        if missing.is_empty() {
            return Ok(inventory);
        }
        Err(CliError::refused(
            format!("{} lacks secrets of the cluster ({}), so nothing was moved", self.from, words::list(&missing)),
            "the bucket keeps old versions: restore them there, then move the state",
        ))
    }

    fn announcement(&self, inventory: &Inventory, stage: &Stage) -> String {
        let mut text = format!(
            "The state of {} moves\n  from {}\n  {:<4} {}\n\n",
            self.context.name(),
            self.from,
            "to",
            self.context.cluster.state
        );
        match stage {
            Stage::Switch { .. } => {
                text.push_str("An earlier run has copied everything; what is left is the record.\n");
            }
            _ if !self.moves_files() => text.push_str("The record moves; machines do not read from it.\n"),
            _ => {
                text.push_str(&inventory.summary());
                text.push_str(
                    "Machines read from the old place until `quorate apply` has replaced them,\n\
                     one after the other. The first apply that finds no machine that reads from it\n\
                     deletes what the cluster has there.\n",
                );
            }
        }
        text
    }

    async fn run(&self, before: &Stage) -> Result<Exit, CliError> {
        let left = open_run(self.old, OPERATION).await?;
        if matches!(left, RunLock::NoStore) {
            return Err(stage::no_record(self.context, &self.from));
        }
        let copied = match Box::pin(self.arrive()).await {
            Ok(right) => {
                let copied = Box::pin(self.switch(before, &left, &right)).await;
                right.end(self.context).await;
                copied
            }
            Err(error) => Err(error),
        };
        left.end(self.old).await;
        self.report(copied?)
    }

    /// Takes the lease in the new place, and makes its bucket if there is none.
    async fn arrive(&self) -> Result<RunLock, CliError> {
        match open_run(self.context, OPERATION).await? {
            RunLock::NoStore => {}
            leased @ RunLock::Leased { .. } => {
                // The lease of a directory does not cover the machines' bucket.
                return match self.make_bucket().await {
                    Ok(()) => Ok(leased),
                    Err(error) => {
                        leased.end(self.context).await;
                        Err(error)
                    }
                };
            }
        }
        self.make_bucket().await?;
        lease_in_new_store(self.context, OPERATION).await
    }

    /// Makes the bucket of the new place, if there is none.
    async fn make_bucket(&self) -> Result<(), CliError> {
        let context = self.context;
        let address = Bucket::address(STATE_BUCKET);
        let found = context.interrupt.or(patiently(context, || context.cloud.find(&address))).await?;
        let live = found.map_err(CliError::cloud("finding the bucket"))?;
        if !live.is_empty() {
            return Ok(());
        }
        let question = question(&context.cluster);
        let facts = context.interrupt.or(patiently(context, || context.cloud.facts(&question))).await?;
        let facts = facts.map_err(CliError::cloud("asking for the account's facts"))?;
        let pins = blueprint::Pins::default();
        let mut desired = blueprint::blueprint(&context.cluster, &facts, &pins).map_err(CliError::Impossible)?.objects;
        desired.retain(|object| object.address == address);
        let recorded = std::collections::BTreeMap::new();
        let inputs = PlanInputs {
            mode: PlanMode::Apply,
            desired,
            incomplete: std::collections::BTreeSet::new(),
            live,
            recorded: &recorded,
            serial: 0,
            holds_rolls: false,
            vocabulary: &ResourceKinds,
        };
        let prepared = engine::plan(inputs)?;
        let made = Box::pin(change(context, &RunLock::NoStore, &prepared, &recorded, context.holder.run.clone()))
            .await
            .outcome;
        made_it(&made)
    }

    /// Copies, proves and switches, with both leases in hand. Returns how many objects were copied.
    async fn switch(&self, before: &Stage, left: &RunLock, right: &RunLock) -> Result<usize, CliError> {
        let (mut journals, stage) = self.read_stage().await?;
        let mut copied = 0;
        let record = match &stage {
            Stage::Done => return Ok(0),
            _ if stage != *before => {
                return Err(CliError::refused(
                    "the record changed during the prompt: nothing was moved",
                    "run `quorate state move` again",
                ));
            }
            Stage::Copy { record } => {
                let run = &self.context.holder.run;
                let mark = MoveMarker::moving_from(&self.from, record, run, Timestamp::now());
                journals.new.mark(&mark).await.map_err(CliError::state("marking the new place"))?;
                if self.moves_files() {
                    copied = copy::copy(self.old, self.context, || held(left, right)).await?;
                }
                confirm(left, right).await?;
                let to = self.context.cluster.state.to_string();
                let mark = MoveMarker::moved_to(&to, record, run, Timestamp::now());
                journals.old.mark(&mark).await.map_err(CliError::state("marking the old record"))?;
                record
            }
            Stage::Switch { record } => record,
        };
        confirm(left, right).await?;
        let moved = self.moved(record);
        journals.new.save(&moved).await.map_err(CliError::state("writing the record"))?;
        Ok(copied)
    }

    /// The record as it is in the new place. It forgets what it knew of the bucket: the next apply finds that there.
    fn moved(&self, record: &ClusterRecord) -> ClusterRecord {
        let mut moved = record.next(&self.context.holder.run, Timestamp::now());
        if self.moves_files() {
            let stays = |address: &Address| {
                ![Bucket::KIND.name, BucketObject::KIND.name, Secret::KIND.name].contains(&address.kind())
            };
            moved.objects.retain(|address, _| stays(address));
            moved.moved_from = stage::former(self.context, &moved.moved_from, &self.from);
        }
        moved
    }

    fn report(&self, copied: usize) -> Result<Exit, CliError> {
        report(self.context, &MoveReport { from: &self.from, moved: true, copied })?;
        let verified = match copied {
            0 => String::new(),
            copied => format!(" {} copied and compared by digest.", words::count(copied, "object")),
        };
        self.context.ui.text(&format!("\nMoved.{verified}\n"));
        if self.moves_files() {
            self.context.ui.note(&format!(
                "run `quorate apply` now: it replaces the machines, which read from {} until then. Run it again when the \
                 plan names nothing but roles: that apply empties {}",
                self.from, self.from
            ));
            self.context.ui.note("kubeconfigs name the old bucket: `quorate kubeconfig` writes the new one");
        }
        Ok(Exit::Done)
    }

    fn report_unchanged(&self) -> Result<Exit, CliError> {
        report(self.context, &MoveReport { from: &self.from, moved: false, copied: 0 })?;
        let (name, to) = (self.context.name(), &self.context.cluster.state);
        self.context
            .ui
            .text(&format!("The state of {name} is in {to} already. `quorate plan` shows what is left to do.\n"));
        Ok(Exit::Done)
    }
}

/// The result of a move for programs.
struct MoveReport<'a> {
    from: &'a str,
    moved: bool,
    /// Number of copied objects.
    copied: usize,
}

fn report(context: &ClusterContext<'_>, MoveReport { from, moved, copied }: &MoveReport<'_>) -> Result<(), CliError> {
    context.ui.json(&json!({
        "format": FORMAT, "cluster": context.name(), "sandbox": context.sandbox, "moved": moved,
        "from": from, "to": context.cluster.state.to_string(), "copied": copied,
    }))
}

/// Fails if one of the leases is not ours for a minute from now.
async fn confirm(left: &RunLock, right: &RunLock) -> Result<(), CliError> {
    for lock in [left, right] {
        lock.confirm().await.map_err(CliError::cloud("confirming the lease"))?;
    }
    Ok(())
}

fn held(left: &RunLock, right: &RunLock) -> Result<(), CliError> {
    if left.is_lost() || right.is_lost() { Err(CliError::Overtaken) } else { Ok(()) }
}

fn made_it(outcome: &Outcome) -> Result<(), CliError> {
    match outcome.failed.first() {
        Some((_, failure)) => Err(CliError::cloud("making the bucket")(failure.clone())),
        None if outcome.is_through() => Ok(()),
        None => Err(CliError::Interrupted),
    }
}
