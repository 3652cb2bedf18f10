//! The life of a cluster for simulated years: random edits, upgrades, failures, rolls and killed runs.

use super::rolls::watched;
use super::*;
use crate::cli::MachineSelection;
use crate::engine::Address;
use crate::sandbox::{CrashPoint, FaultRates};

/// Time between two events.
const MONTH: Duration = Duration::from_hours(30 * 24);
/// Time in which groups replace machines that are gone, and new machines boot.
const SETTLE: Duration = Duration::from_mins(5);
/// Zones of the cluster. Any one of them may fail.
const ZONES: [&str; 3] = ["us-east-1a", "us-east-1b", "us-east-1c"];

/// The settings of the file that change in the life of the cluster.
#[derive(Debug, Clone)]
struct Settings {
    masters: u32,
    master_size: &'static str,
    kubernetes: u32,
    nodes: u32,
    size: &'static str,
    roll: &'static str,
    service: Option<u32>,
}

impl Settings {
    fn new() -> Self {
        Self {
            masters: 3,
            master_size: "t3.medium",
            kubernetes: 34,
            nodes: 2,
            size: "t3.medium",
            roll: "",
            service: None,
        }
    }

    fn text(&self) -> String {
        let Self { masters, master_size, kubernetes, nodes, size, roll, service } = self;
        let service = service.map_or_else(String::new, |replicas| {
            format!("service \"web\" {{\n  image = \"nginx:1\"\n  port = 80\n  replicas = {replicas}\n}}\n")
        });
        format!(
            "name = \"chat.poeticoding.com\"\nstate = \"s3://state.chat.poeticoding.com\"\n\
             zones = [\"us-east-1a\", \"us-east-1b\", \"us-east-1c\"]\nkubernetes = \"1.{kubernetes}\"\n\
             masters {{\n  count = {masters}\n  size = \"{master_size}\"\n}}\n\
             nodes \"workers\" {{\n  count = {nodes}\n  size = \"{size}\"\n{roll}}}\n{service}"
        )
    }

    /// Changes one setting.
    fn edit(&mut self, random: &mut fastrand::Rng) -> &'static str {
        match random.u8(0..7) {
            0 => self.nodes = random.u32(2..6),
            1 => self.size = ["t3.medium", "t3.large", "m5.large"][random.usize(0..3)],
            2 => self.master_size = ["t3.medium", "t3.large"][random.usize(0..2)],
            3 => {
                let limits = ["", "  roll {\n max_surge = 2\n }\n", "  roll {\n max_surge = 0\n }\n"];
                self.roll = limits[random.usize(0..limits.len())];
            }
            4 => self.service = random.bool().then(|| random.u32(1..4)),
            5 if self.masters == 3 => self.masters = 5,
            _ => self.kubernetes = (self.kubernetes + 1).min(37),
        }
        "edit"
    }
}

/// A cluster, and everything that has happened to it.
struct Life {
    user: SandboxUser,
    settings: Settings,
    random: fastrand::Rng,
    history: Vec<String>,
}

impl Life {
    async fn begin(seed: u64) -> Self {
        let settings = Settings::new();
        let user = SandboxUser { text: settings.text(), ..SandboxUser::new() };
        let mut life = Self { user, settings, random: fastrand::Rng::with_seed(seed), history: Vec::new() };
        life.apply(PlanRequest::default()).await;
        life
    }

    /// Applies until nothing is left to do; a run that was disturbed may need another one.
    async fn apply(&mut self, request: PlanRequest) {
        watched(&self.user);
        let mut request = Some(request);
        for attempt in 0.. {
            let plan = request.take().unwrap_or_default();
            let (exit, out) =
                self.user.apply_with(ApplyRequest { consent: YES, plan, ..ApplyRequest::default() }).await;
            let messages = self.user.err.read();
            match exit {
                Ok(Exit::Done) => break,
                _ if attempt < 2 => {}
                other => panic!("{other:?} after {:?}: {out}{messages}", self.history),
            }
        }
        let (exit, out) = self.user.plan().await;
        assert_eq!(exit.unwrap(), Exit::Done, "the plan is not empty after {:?}: {out}", self.history);
        self.check(&self.user.sandbox);
    }

    fn check(&self, sandbox: &Sandbox) {
        let problems = sandbox.witness(|witness| std::mem::take(&mut witness.problems));
        assert_eq!(problems, Vec::<String>::new(), "after {:?}", self.history);
    }

    async fn machine(&mut self) -> String {
        let machines = self.user.machines().await;
        machines[self.random.usize(0..machines.len())].0.clone()
    }

    /// The machine of a master ends, and its volume with the data is gone.
    async fn lose_volume(&mut self) -> String {
        let masters = self.user.machines().await;
        let masters: Vec<_> = masters.into_iter().filter(|(_, group)| group.starts_with("masters-")).collect();
        let (machine, group) = &masters[self.random.usize(0..masters.len())];
        let letter = group.strip_prefix("masters-").unwrap();
        let volume: Address = format!("volume/etcd-{letter}").parse().unwrap();
        self.user.sandbox.terminate(machine).unwrap();
        self.user.sandbox.remove(&volume).await.unwrap();
        letter.to_owned()
    }

    /// A run is killed at some call, and the next one continues.
    async fn killed(&mut self) {
        let call = self.random.u64(1..160);
        let crash = Some(CrashPoint { call, after: self.random.bool() });
        let settings = SandboxSettings {
            faults: FaultRates { crash, ..FaultRates::default() },
            ..self.user.sandbox.settings().clone()
        };
        let dying = SandboxUser {
            sandbox: self.user.sandbox.again(settings),
            text: self.user.text.clone(),
            ..SandboxUser::new()
        };
        watched(&dying);
        tokio::select! {
            biased;
            () = dying.sandbox.crashed() => {}
            _ = dying.apply(YES) => {}
        }
        self.check(&dying.sandbox);
        self.user.put_away_lease().await;
    }

    /// Lets a month pass, and something happen.
    async fn month(&mut self) {
        self.user.sandbox.pass(MONTH).unwrap();
        let sandbox = self.user.sandbox.clone();
        let mut request = PlanRequest::default();
        let event = match self.random.u8(0..11) {
            0..3 => self.settings.edit(&mut self.random).to_owned(),
            3 => {
                sandbox.publish_images().unwrap();
                request = PlanRequest::upgrade(Upgrade::ALL);
                "upgrade".to_owned()
            }
            4 => {
                let zone = ZONES[self.random.usize(0..ZONES.len())];
                sandbox.fail_zone(zone).unwrap();
                sandbox.pass(SETTLE).unwrap();
                sandbox.restore_zone(zone).unwrap();
                format!("loss of {zone}")
            }
            5 => {
                let machine = self.machine().await;
                sandbox.terminate(&machine).unwrap();
                format!("end of {machine}")
            }
            6 => {
                request = PlanRequest::replace(MachineSelection::All);
                "roll".to_owned()
            }
            7 => {
                request = PlanRequest::replace(MachineSelection::Machine(self.machine().await));
                "replace".to_owned()
            }
            8 => {
                self.settings.edit(&mut self.random);
                self.user.text = self.settings.text();
                self.killed().await;
                "killed edit".to_owned()
            }
            9 => {
                let volume = self.lose_volume().await;
                format!("loss of volume {volume}")
            }
            _ => {
                self.settings.edit(&mut self.random);
                self.user.text = self.settings.text();
                // The machines follow with the next apply. A new minor version is refused without them.
                let held = PlanRequest::default().without_rolls(true);
                let _ =
                    self.user.apply_with(ApplyRequest { consent: YES, plan: held, ..ApplyRequest::default() }).await;
                "edit without rolls".to_owned()
            }
        };
        self.history.push(event);
        // Twice: the groups notice first, then the new machines boot.
        sandbox.pass(SETTLE).unwrap();
        sandbox.pass(SETTLE).unwrap();
        self.user.text = self.settings.text();
        self.apply(request).await;
    }
}

/// Whatever happens to a cluster in its life, the loss of a volume with its machine too: the plan is empty after each apply, and
/// between two calls the masters keep their quorum, their data and a node.
#[tokio::test(start_paused = true)]
async fn a_cluster_lives_for_years() {
    let mut events = std::collections::BTreeSet::new();
    for seed in 0..4 {
        let mut life = Life::begin(seed).await;
        for _ in 0..24 {
            life.month().await;
        }
        let kind = |event: &String| event.split(' ').take(3).filter(|word| !word.contains('-')).collect::<String>();
        events.extend(life.history.iter().map(kind));
    }
    // The names of zones, machines and masters do not count.
    events.retain(|event| !event.is_empty());
    assert!(events.contains("lossofvolume") && events.len() == 9, "not everything happened: {events:?}");
}
