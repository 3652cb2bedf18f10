//! `quorate iam-policy`: the least policy for runs on the cluster.

use std::future::{Ready, ready};

use clap::{Args, ValueEnum};

use crate::analysis::permissions::{LeastPolicy, NeededActions, PolicyTarget, RunPurpose};
use crate::cli::connect::BucketLocation;
use crate::cli::file::ShownDiagnostics;
use crate::cli::{CliError, Exit, Session};
use crate::resource::{ElasticIp, KeyPair, NatGateway, Resource, VpcEndpoint, root};
use crate::spec::Cluster;
use crate::view::policy::{self, PolicyDocument};

/// Stands for the account in a bucket's name, if the file does not give the account.
const NO_ACCOUNT: &str = "000000000000";

/// Print the least IAM policy for runs on the cluster
///
/// Prints a policy document in JSON for the user or role that runs Quorate on this cluster file. The reason of each statement is
/// shown on stderr. Needs no account and no network.
#[derive(Debug, Clone, Args)]
pub struct IamPolicyArgs {
    /// The commands that the policy is for. Several are separated by commas
    #[arg(long = "for", value_name = "COMMAND", value_enum, value_delimiter = ',', default_value = "apply")]
    purposes: Vec<PolicyPurpose>,
    /// Print only this part, if the policy is too long for one document
    #[arg(long, value_name = "NUMBER")]
    part: Option<usize>,
}

/// A command that a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PolicyPurpose {
    /// `plan` and all other commands that change nothing
    Plan,
    /// `apply`, `upgrade`, `roll`, `replace` and `access`
    Apply,
    /// `destroy`
    Destroy,
}

impl From<PolicyPurpose> for RunPurpose {
    fn from(purpose: PolicyPurpose) -> Self {
        match purpose {
            PolicyPurpose::Plan => Self::Plan,
            PolicyPurpose::Apply => Self::Apply,
            PolicyPurpose::Destroy => Self::Destroy,
        }
    }
}

impl IamPolicyArgs {
    pub(super) fn run(self, session: &Session) -> Ready<Result<Exit, CliError>> {
        ready(print(session, &self))
    }
}

fn print(session: &Session, arguments: &IamPolicyArgs) -> Result<Exit, CliError> {
    let cluster = session.file()?.cluster(&session.ui, ShownDiagnostics::Errors)?;
    let purposes: Vec<RunPurpose> = arguments.purposes.iter().map(|purpose| (*purpose).into()).collect();
    let is_private = cluster.network.private.is_some();
    let has_kind = |kind: &str| match kind {
        kind if kind == KeyPair::KIND.name => cluster.ssh.public_key.is_some(),
        kind if [ElasticIp::KIND.name, NatGateway::KIND.name, VpcEndpoint::KIND.name].contains(&kind) => is_private,
        _ => true,
    };
    let needed = NeededActions::of_purposes(&purposes, &has_kind);
    let policy = LeastPolicy::new(&needed, &policy_target(&cluster));
    let document = PolicyDocument::new(cluster.name.as_str(), purposes, &policy)?;
    if session.ui.is_json() {
        session.ui.json(&document)?;
        return Ok(Exit::Done);
    }
    let count = document.documents.len();
    let printed = match arguments.part {
        None => document.documents.as_slice(),
        Some(part) => part.checked_sub(1).and_then(|place| document.documents.get(place..=place)).ok_or_else(|| {
            CliError::Usage {
                message: format!("the policy has no part {part}"),
                hint: match count {
                    1 => "it has one document: leave --part out".to_owned(),
                    _ => format!("it has {count}: pass --part 1 to --part {count}, or leave it out for all"),
                },
            }
        })?,
    };
    session.ui.result(&policy::text(printed)?);
    session.ui.message(&policy::reasons(&document, session.ui.message_style()));
    if count > 1 && arguments.part.is_none() {
        session.ui.note(&format!(
            "the policy has {count} documents, because IAM limits the length of one; --part NUMBER prints one of them. Attach all \
             of them"
        ));
    }
    Ok(Exit::Done)
}

/// Returns the cluster that a policy is for. An account that the file does not give is any account.
pub(in crate::cli) fn policy_target(cluster: &Cluster) -> PolicyTarget {
    let account = cluster.account.as_ref().map(ToString::to_string);
    let location = BucketLocation::of(cluster, account.as_deref().unwrap_or(NO_ACCOUNT));
    let any = |text: String| if account.is_none() { text.replace(NO_ACCOUNT, "*") } else { text };
    PolicyTarget {
        cluster: cluster.name.to_string(),
        region: cluster.region.clone(),
        bucket: any(location.bucket.clone()),
        root: root(&location.prefix, cluster.name.as_str()),
        account: account.clone().unwrap_or_else(|| "*".to_owned()),
    }
}
