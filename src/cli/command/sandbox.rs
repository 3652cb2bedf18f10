//! `quorate sandbox`

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::completion;
use crate::cli::connect::{forget_state, sandbox};
use crate::cli::file::ShownDiagnostics;
use crate::cli::{CliError, Exit, Session};
use crate::engine::{Address, GroupMember, NotAnAddress};
use crate::sandbox::{AccountObject, AttributeEdit, InjectError, Sandbox};
use crate::view::{FORMAT, short_id};

/// Inspect the simulated cloud and inject failures
///
/// Changes the sandbox outside Quorate, as a person or a failure would. `plan` then shows the difference, and `apply`
/// repairs it.
#[derive(Debug, Clone, Args)]
pub struct SandboxArgs {
    #[command(subcommand)]
    action: SandboxAction,
}

#[derive(Debug, Clone, Subcommand)]
enum SandboxAction {
    /// List all objects in the simulated account, with their owners
    Status,
    /// Terminate an instance; its Auto Scaling group replaces it
    Terminate {
        /// The instance's id, as `quorate show` lists it
        #[arg(add = completion::instances())]
        instance: String,
    },
    /// Fail a zone: its machines are terminated, and none can start there
    FailZone {
        /// The zone, for example us-east-1d
        #[arg(add = completion::zones())]
        zone: String,
    },
    /// Restore a failed zone
    RestoreZone {
        /// The zone, for example us-east-1d
        #[arg(add = completion::zones())]
        zone: String,
    },
    /// Make new machines of an Auto Scaling group fail to boot: they run but never become ready
    FailBoot {
        /// The group, for example autoscaling-group/nodes-workers
        #[arg(value_parser = address, add = completion::addresses())]
        address: Address,
    },
    /// Let new machines of the group boot again
    RestoreBoot {
        /// The group, for example autoscaling-group/nodes-workers
        #[arg(value_parser = address, add = completion::addresses())]
        address: Address,
    },
    /// Change an attribute of an object, as in the AWS console
    Set {
        /// The object, for example subnet/us-east-1a
        #[arg(value_parser = address, add = completion::addresses())]
        address: Address,
        /// For example desired=2, tags.Name=mine, ingress+={...} or ingress-=0
        edit: AttributeEdit,
    },
    /// Delete an object that nothing depends on
    Remove {
        /// The object, for example security-group-rules/api
        #[arg(value_parser = address, add = completion::addresses())]
        address: Address,
    },
    /// Remove the tags that mark an object as the cluster's
    Untag {
        /// The object, for example volume/etcd-a
        #[arg(value_parser = address, add = completion::addresses())]
        address: Address,
    },
    /// Publish newer machine images, as AWS does every two weeks
    PublishImages,
    /// Delete the simulated account with everything in it
    Reset,
}

fn address(text: &str) -> Result<Address, NotAnAddress> {
    text.parse()
}

impl SandboxArgs {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, CliError> {
        let cluster = session.file()?.cluster(&session.ui, ShownDiagnostics::Errors)?;
        let sandbox = sandbox(session, &cluster)?;
        if matches!(self.action, SandboxAction::Reset) {
            forget_state(session).await?;
        }
        match self.action.on(&sandbox).await {
            Ok(SandboxAnswer::Inventory(residents)) => {
                let document = json!({ "format": FORMAT, "sandbox": true, "objects": residents });
                session.ui.document(&document, |_| status(&residents))?;
            }
            Ok(SandboxAnswer::Line(line)) => {
                let document = json!({ "format": FORMAT, "sandbox": true, "done": line });
                session.ui.document(&document, |_| format!("{line}\n"))?;
            }
            Err(error) => return Err(CliError::Sandbox(Box::new(error))),
        }
        Ok(Exit::Done)
    }
}

enum SandboxAnswer {
    Inventory(Vec<AccountObject>),
    Line(String),
}

impl SandboxAction {
    async fn on(self, sandbox: &Sandbox) -> Result<SandboxAnswer, InjectError> {
        Ok(SandboxAnswer::Line(match self {
            Self::Status => return Ok(SandboxAnswer::Inventory(sandbox.inventory()?)),
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
            Self::PublishImages => {
                let day = sandbox.publish_images()?;
                format!("machine images of {day} are published")
            }
            Self::Reset => {
                sandbox.reset().await?;
                "the sandbox is empty".to_owned()
            }
        }))
    }
}

/// Returns a table of resources: kind, identifier and owner.
fn status(residents: &[AccountObject]) -> String {
    let width = |text: &dyn Fn(&AccountObject) -> usize| residents.iter().map(text).max().unwrap_or_default();
    let (kinds, ids) =
        (width(&|resident| resident.kind.len()), width(&|resident| short_id(&resident.id).len().min(40)));
    let row = |resident: &AccountObject| {
        let owner = match (&resident.cluster, &resident.address) {
            (Some(cluster), Some(address)) => format!("{address} of {cluster}"),
            _ => "not of this cluster".to_owned(),
        };
        let machine =
            |member: &GroupMember| format!("{:<kinds$}  {}  {}  {}\n", "", member.id, member.zone, member.state);
        let head = format!("{:<kinds$}  {:<ids$}  {owner}\n", resident.kind, short_id(&resident.id));
        head + &resident.members.iter().map(machine).collect::<String>()
    };
    let head = "SANDBOX  a simulated cloud: nothing here is real\n".to_owned();
    head + &residents.iter().map(row).collect::<String>()
}
