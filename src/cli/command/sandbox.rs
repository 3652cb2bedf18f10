//! `quorate sandbox`

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::file::Told;
use crate::cli::ground::{forget_state, sandbox};
use crate::cli::{CliError, Exit, Session};
use crate::engine::{Address, Member, NotAnAddress};
use crate::sandbox::{Edit, HurtError, Resident, Sandbox};
use crate::view::{FORMAT, short_id};

/// Inspect the simulated cloud and inject failures
///
/// Changes the sandbox outside Quorate, as a person or a failure would. `plan` then shows the difference, and `apply`
/// repairs it.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Debug, Clone, Subcommand)]
enum Deed {
    /// List all objects in the simulated account, with their owners
    Status,
    /// Terminate an instance; its Auto Scaling group replaces it
    Terminate {
        /// The instance's id, as `quorate show` lists it
        instance: String,
    },
    /// Fail a zone: its machines are terminated, and none can start there
    FailZone {
        /// The zone, for example us-east-1d
        zone: String,
    },
    /// Restore a failed zone
    RestoreZone {
        /// The zone, for example us-east-1d
        zone: String,
    },
    /// Make new machines of an Auto Scaling group fail to boot: they run but never become ready
    FailBoot {
        /// The group, for example autoscaling-group/nodes-workers
        #[arg(value_parser = address)]
        address: Address,
    },
    /// Let new machines of the group boot again
    RestoreBoot {
        /// The group, for example autoscaling-group/nodes-workers
        #[arg(value_parser = address)]
        address: Address,
    },
    /// Change an attribute of an object, as in the AWS console
    Set {
        /// The object, for example subnet/us-east-1a
        #[arg(value_parser = address)]
        address: Address,
        /// For example desired=2, tags.Name=mine, ingress+={...} or ingress-=0
        edit: Edit,
    },
    /// Delete an object that nothing depends on
    Remove {
        /// The object, for example security-group-rules/api
        #[arg(value_parser = address)]
        address: Address,
    },
    /// Remove the tags that mark an object as the cluster's
    Untag {
        /// The object, for example volume/etcd-a
        #[arg(value_parser = address)]
        address: Address,
    },
    /// Delete the simulated account with everything in it
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
                format!("{zone} is down; terminated: {machines}")
            }
            Self::RestoreZone { zone } => {
                sandbox.restore_zone(&zone)?;
                format!("{zone} is restored")
            }
            Self::FailBoot { address } => {
                sandbox.fail_boot(&address)?;
                format!("new machines of {address} fail to boot")
            }
            Self::RestoreBoot { address } => {
                sandbox.restore_boot(&address)?;
                format!("new machines of {address} boot again")
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
                format!("the ownership tags of {address} are removed")
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
