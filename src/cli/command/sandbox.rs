//! `quorate sandbox`

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::file::Told;
use crate::cli::ground::{forget_state, sandbox};
use crate::cli::{CliError, Exit, Session};
use crate::engine::{Address, Member, NotAnAddress};
use crate::sandbox::{Edit, HurtError, Resident, Sandbox};
use crate::view::{FORMAT, short_id};

/// Look into the simulated cloud, and hurt it on purpose
///
/// Changes the sandbox behind the cluster's back, as people and fate do: `plan` then shows what it found, and `apply`
/// mends it.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Debug, Clone, Subcommand)]
enum Deed {
    /// List everything in the simulated account, whoever it belongs to
    Status,
    /// End an instance; its group replaces it
    Terminate {
        /// The instance's id, as `quorate show` lists it
        instance: String,
    },
    /// Take a zone down: its machines end, and none can be started there
    FailZone {
        /// The zone, for example us-east-1d
        zone: String,
    },
    /// Bring a zone back
    RestoreZone {
        /// The zone, for example us-east-1d
        zone: String,
    },
    /// Let new machines of an Auto Scaling group run and never become ready
    FailBoot {
        /// The group, for example autoscaling-group/nodes-workers
        #[arg(value_parser = address)]
        address: Address,
    },
    /// Let them become ready again
    RestoreBoot {
        /// The group, for example autoscaling-group/nodes-workers
        #[arg(value_parser = address)]
        address: Address,
    },
    /// Change an attribute of an object, as somebody would in the console
    Set {
        /// The object, for example subnet/us-east-1a
        #[arg(value_parser = address)]
        address: Address,
        /// For example desired=2, tags.Name=mine, ingress+={...} or ingress-=0
        edit: Edit,
    },
    /// Remove an object, if nothing holds it
    Remove {
        /// The object, for example security-group-rules/api
        #[arg(value_parser = address)]
        address: Address,
    },
    /// Take away the tags that show whose an object is
    Untag {
        /// The object, for example volume/etcd-a
        #[arg(value_parser = address)]
        address: Address,
    },
    /// Forget the simulated account and everything in it
    Reset,
}

fn address(text: &str) -> Result<Address, NotAnAddress> {
    text.parse()
}

impl Arguments {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let cluster = session.file()?.cluster(&session.ui, Told::Errors)?;
        let sandbox = sandbox(session, &cluster)?;
        if matches!(self.deed, Deed::Reset) {
            forget_state(session).await?;
        }
        match self.deed.on(&sandbox).await {
            Ok(Answer::Inventory(residents)) => {
                let document = json!({ "format": FORMAT, "sandbox": true, "objects": residents });
                session.ui.document(&document, |_| status(&residents))?;
            }
            Ok(Answer::Line(line)) => {
                let document = json!({ "format": FORMAT, "sandbox": true, "done": line });
                session.ui.document(&document, |_| format!("{line}\n"))?;
            }
            Err(error) => return Err(CliError::Sandbox(Box::new(error))),
        }
        Ok(Exit::Done)
    }
}

enum Answer {
    Inventory(Vec<Resident>),
    Line(String),
}

impl Deed {
    async fn on(self, sandbox: &Sandbox) -> Result<Answer, HurtError> {
        Ok(Answer::Line(match self {
            Self::Status => return Ok(Answer::Inventory(sandbox.inventory()?)),
            Self::Terminate { instance } => {
                sandbox.terminate(&instance)?;
                format!("{instance} is terminated")
            }
            Self::FailZone { zone } => {
                let ended = sandbox.fail_zone(&zone)?;
                let machines = if ended.is_empty() { "no machine".to_owned() } else { ended.join(", ") };
                format!("{zone} is down; ended: {machines}")
            }
            Self::RestoreZone { zone } => {
                sandbox.restore_zone(&zone)?;
                format!("{zone} is back")
            }
            Self::FailBoot { address } => {
                sandbox.fail_boot(&address)?;
                format!("new machines of {address} do not become ready")
            }
            Self::RestoreBoot { address } => {
                sandbox.restore_boot(&address)?;
                format!("the machines of {address} become ready again")
            }
            Self::Set { address, edit } => {
                sandbox.set(&address, &edit)?;
                format!("{address} is changed")
            }
            Self::Remove { address } => {
                sandbox.remove(&address).await?;
                format!("{address} is removed")
            }
            Self::Untag { address } => {
                sandbox.untag(&address)?;
                format!("{address} no longer shows whose it is")
            }
            Self::Reset => {
                sandbox.reset().await?;
                "the sandbox is empty".to_owned()
            }
        }))
    }
}

/// A table: kind, identifier, and whose it is.
fn status(residents: &[Resident]) -> String {
    let width = |text: &dyn Fn(&Resident) -> usize| residents.iter().map(text).max().unwrap_or_default();
    let (kinds, ids) =
        (width(&|resident| resident.kind.len()), width(&|resident| short_id(&resident.id).len().min(40)));
    let row = |resident: &Resident| {
        let owner = match (&resident.cluster, &resident.address) {
            (Some(cluster), Some(address)) => format!("{address} of {cluster}"),
            _ => "somebody else's".to_owned(),
        };
        let machine = |member: &Member| format!("{:<kinds$}  {}  {}  {}\n", "", member.id, member.zone, member.state);
        let head = format!("{:<kinds$}  {:<ids$}  {owner}\n", resident.kind, short_id(&resident.id));
        head + &resident.members.iter().map(machine).collect::<String>()
    };
    let head = "SANDBOX  a simulated cloud: nothing here is real\n".to_owned();
    head + &residents.iter().map(row).collect::<String>()
}
