//! Everything that can stop a command: what the person caused apart from what the cloud answered, each with a way out.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::blueprint::Impossible;
use crate::engine::{Failure, PlanError};
use crate::kubeconfig::KubeconfigError;
use crate::pki::PkiError;
use crate::sandbox::HurtError;
use crate::state::{Holder, StateError};
use crate::view::failure::Report;

use super::Exit;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line asks for something that does not exist.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A kubeconfig is none.
    #[error("{} is no kubeconfig that can be changed", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: KubeconfigError,
    },
    /// The cluster's keys are not what they should be.
    #[error("the cluster's keys cannot be used")]
    Keys(#[from] PkiError),
    /// The cluster file is wrong; every problem has been shown.
    #[error("the cluster file {file} has {}", count(*errors))]
    File {
        /// Its name.
        file: String,
        /// How many problems.
        errors: usize,
        /// The first problem's code.
        code: &'static str,
    },
    /// The account or the region cannot give what the file asks for.
    #[error("the cluster cannot be built as the file says")]
    Impossible(#[source] Impossible),
    /// A call failed.
    #[error("{doing} failed")]
    Cloud {
        /// What was done.
        doing: &'static str,
        /// What the cloud said.
        source: Box<Failure>,
    },
    /// The record or the lease is not as it should be.
    #[error("{doing} failed")]
    State {
        /// What was done.
        doing: &'static str,
        /// What is wrong.
        source: Box<StateError>,
    },
    /// What should be contradicts itself.
    #[error("no plan can be made")]
    Plan(#[source] Box<PlanError>),
    /// Going on is not allowed.
    #[error("{message}")]
    Refused {
        /// Why.
        message: String,
        /// What to do.
        hint: String,
    },
    /// Another run works on the cluster.
    #[error("another run works on this cluster: {}", describe(holder))]
    Held {
        /// Which one.
        holder: Box<Holder>,
        /// When its lease ends unless it is renewed.
        until: Timestamp,
    },
    /// Ctrl-C before anything was begun.
    #[error("interrupted before anything was changed")]
    Interrupted,
    /// What a command found or did could not be told.
    #[error("the output could not be written")]
    Output(#[source] std::io::Error),
    /// What is asked for is not there: most of it comes with the first apply.
    #[error("{message}")]
    Absent {
        /// What is not there.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The lease went to another run, or could not be renewed.
    #[error("the lease is lost, so the rest was not begun: another run may work on this cluster")]
    Overtaken,
    /// A value has no form in JSON.
    #[error("the result has no form in JSON")]
    Json(#[from] serde_json::Error),
    /// The simulated cloud does not do that.
    #[error("the sandbox cannot do that")]
    Sandbox(#[source] Box<HurtError>),
    /// The operating system does not give what is needed to run.
    #[error("the program cannot start")]
    Start(#[source] std::io::Error),
}

impl CliError {
    /// A call that failed.
    pub fn cloud(doing: &'static str) -> impl FnOnce(Failure) -> Self {
        move |source| Self::Cloud { doing, source: Box::new(source) }
    }

    /// The record or the lease that is not as it should be.
    pub fn state(doing: &'static str) -> impl FnOnce(StateError) -> Self {
        move |source| Self::State { doing, source: Box::new(source) }
    }

    /// Going on is not allowed.
    pub fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), hint: hint.into() }
    }

    /// Something that only an apply makes.
    pub fn not_applied(message: impl Into<String>) -> Self {
        Self::Absent { message: message.into(), hint: "run `quorate apply` first".to_owned() }
    }

    /// How the program ends with it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::Unreadable { .. } | Self::File { .. } | Self::Impossible(_) => Exit::Usage,
            Self::Refused { .. } => Exit::Refused,
            Self::Held { .. } | Self::Overtaken => Exit::Held,
            Self::Interrupted => Exit::Interrupted,
            Self::Cloud { .. }
            | Self::State { .. }
            | Self::Unwritable { .. }
            | Self::Kubeconfig { .. }
            | Self::Keys(_)
            | Self::Plan(_)
            | Self::Json(_)
            | Self::Output(_)
            | Self::Absent { .. }
            | Self::Sandbox(_)
            | Self::Start(_) => Exit::Error,
        }
    }

    /// What to show.
    pub fn report(&self) -> Report {
        let mut report = Report { message: self.to_string(), hints: self.hints(), ..Report::default() };
        match self {
            Self::Cloud { source, .. } => report.failures.push((None, source.as_ref().clone())),
            Self::State { source, .. } => match source.as_ref() {
                StateError::Store { place, source } => {
                    report.causes.push(place.clone());
                    report.failures.push((None, source.clone()));
                }
                other => {
                    report.causes.push(other.to_string());
                    report.causes.extend(causes(other));
                }
            },
            Self::Impossible(impossible) => {
                report.causes = impossible.problems.iter().map(ToString::to_string).collect();
            }
            other => report.causes = causes(other),
        }
        report
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Usage { hint, .. } | Self::Refused { hint, .. } | Self::Absent { hint, .. } if !hint.is_empty() => {
                vec![hint.clone()]
            }
            Self::File { code, .. } => vec![format!("`quorate explain {code}` tells more")],
            Self::Held { until, .. } => vec![format!(
                "wait for it; if it is dead, its lease ends at {} and the next run takes over by itself",
                until.strftime("%H:%M:%S UTC")
            )],
            Self::Kubeconfig { .. } => {
                vec!["mend it, or name another file with --output; nothing in it was changed".to_owned()]
            }
            Self::Overtaken => vec![
                "once the other run has ended, look with `quorate plan` how the cluster is before you go on".to_owned(),
            ],
            Self::Keys(_) => vec!["restore the last good version of the cluster's `pki/` in the bucket".to_owned()],
            Self::Plan(_) => vec!["this is a mistake in Quorate: please report it with the cluster file".to_owned()],
            _ => Vec::new(),
        }
    }
}

fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}

fn count(errors: usize) -> String {
    if errors == 1 { "an error".to_owned() } else { format!("{errors} errors") }
}

fn describe(holder: &Holder) -> String {
    format!(
        "`{}` by {} on {} (process {}), since {}",
        holder.operation,
        holder.who,
        holder.host,
        holder.pid,
        holder.since.strftime("%Y-%m-%d %H:%M:%S UTC")
    )
}

impl From<PlanError> for CliError {
    fn from(error: PlanError) -> Self {
        Self::Plan(Box::new(error))
    }
}
