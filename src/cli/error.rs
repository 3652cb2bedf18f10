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
use crate::words;

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
    #[error("the cluster file {file} has {}", words::count(*errors, "error"))]
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

    /// An API that only an apply makes.
    pub fn no_api(cluster: &str) -> Self {
        Self::not_applied(format!("{cluster} has no API yet: it was never applied as far as that"))
    }

    /// How the program ends with it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Impossible(impossible) if impossible.is_refusal() => Exit::Refused,
            Self::Usage { .. } | Self::Unreadable { .. } | Self::File { .. } | Self::Impossible(_) => Exit::Usage,
            Self::Refused { .. } => Exit::Refused,
            Self::Held { .. } | Self::Overtaken => Exit::Held,
            Self::State { source, .. } if matches!(**source, StateError::Overtaken { .. }) => Exit::Held,
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
        let mut report =
            Report { message: self.to_string(), hints: self.way_out().into_iter().collect(), ..Report::default() };
        match self {
            Self::Cloud { source, .. } => report.failures.push((None, source.as_ref().clone())),
            Self::State { source, .. } => match source.as_ref() {
                StateError::Store { place, source } => {
                    report.causes.push(place.clone());
                    report.failures.push((None, source.clone()));
                }
                other => report.causes.push(other.to_string()),
            },
            Self::Impossible(impossible) => {
                report.causes = impossible.problems.iter().map(ToString::to_string).collect();
            }
            other => report.causes = causes(other),
        }
        report
    }

    /// What to do now. What the cloud refused has its way out in the failure itself.
    fn way_out(&self) -> Option<String> {
        let told = match self {
            Self::Usage { hint, .. } | Self::Refused { hint, .. } | Self::Absent { hint, .. } => hint,
            Self::File { code, .. } => return Some(format!("`quorate explain {code}` tells more")),
            Self::Held { until, .. } => {
                let end = until.strftime("%H:%M:%S UTC");
                return Some(format!(
                    "wait for it; if it is dead, its lease ends at {end} and the next run takes over by itself"
                ));
            }
            Self::Unreadable { .. } => "is it there, and may you read it? `ls -l` says so",
            Self::Unwritable { .. } => "is there room, and may you write there? `df` and `ls -ld` say so",
            Self::Kubeconfig { .. } => "mend it, or name another file with --output; nothing in it was changed",
            Self::Overtaken => OTHER_RUN,
            Self::State { source, .. } => return way_out_of(source).map(str::to_owned),
            Self::Keys(_) => "restore the last good version of the cluster's `pki/` in the bucket",
            Self::Impossible(_) => "mend what is named, in the file or in the account; nothing was changed",
            Self::Plan(_) | Self::Json(_) => "this is a mistake in Quorate: please report it with the cluster file",
            Self::Output(_) => "what was done is done: `quorate plan` and `quorate show` say how the cluster is now",
            Self::Sandbox(_) => "`quorate sandbox status` lists what is there",
            Self::Start(_) => {
                "the system does not give what every program needs (threads, `/proc`); `ulimit -a` shows its limits"
            }
            Self::Cloud { .. } | Self::Interrupted => return None,
        };
        Some(told.to_owned()).filter(|told| !told.is_empty())
    }
}

const OTHER_RUN: &str = "once the other run has ended, look with `quorate plan` how the cluster is before you go on";

/// What to do about a record or a lease that is not as it should be; nothing where its message, or the store's failure,
/// says so.
fn way_out_of(error: &StateError) -> Option<&'static str> {
    match error {
        StateError::Overtaken { .. } => Some(OTHER_RUN),
        StateError::Unreadable { .. } => Some(
            "restore its last good version, which the bucket keeps; a `state.lock` can simply be removed while no run is \
             at work",
        ),
        StateError::OtherCluster { .. } => Some("name the right place with `state` in the cluster file"),
        StateError::Store { .. } | StateError::Newer { .. } | StateError::Contended { .. } => None,
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

fn describe(holder: &Holder) -> String {
    format!(
        "`{}` by {} on {} (process {}), since {}",
        holder.operation,
        holder.who,
        holder.host,
        holder.pid,
        words::moment(holder.since)
    )
}

impl From<PlanError> for CliError {
    fn from(error: PlanError) -> Self {
        Self::Plan(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::engine::Class;

    fn io() -> std::io::Error {
        std::io::Error::other("no")
    }

    fn json() -> serde_json::Error {
        serde_json::from_str::<u8>("x").unwrap_err()
    }

    fn failure() -> Failure {
        Failure::own(Class::Unavailable, "read", "no answer")
    }

    fn of_the_state() -> Vec<CliError> {
        let place = "s3://state/c/state.json".to_owned();
        let errors = [
            StateError::Store { place: place.clone(), source: failure() },
            StateError::Overtaken { place: place.clone(), found: "serial 7".to_owned() },
            StateError::Newer { place: place.clone(), format: 2, known: 1 },
            StateError::Unreadable { place: place.clone(), source: json() },
            StateError::OtherCluster { place: place.clone(), found: "a".to_owned(), expected: "b".to_owned() },
            StateError::Contended { place },
        ];
        errors.into_iter().map(|error| CliError::state("reading the record")(error)).collect()
    }

    fn held() -> CliError {
        let holder = Holder {
            run: "one".to_owned(),
            who: "ada".to_owned(),
            host: "laptop".to_owned(),
            pid: 7,
            operation: "apply".to_owned(),
            since: Timestamp::UNIX_EPOCH,
        };
        CliError::Held { holder: Box::new(holder), until: Timestamp::UNIX_EPOCH }
    }

    /// One of each that has to have one; `way_out` makes the compiler ask about a new one.
    fn every() -> Vec<CliError> {
        let (message, hint) = ("no".to_owned(), "do this".to_owned());
        let path = || PathBuf::from("cluster.hcl");
        let mut errors = vec![
            CliError::Usage { message: message.clone(), hint: hint.clone() },
            CliError::Unreadable { path: path(), source: io() },
            CliError::Unwritable { path: path(), source: io() },
            CliError::Kubeconfig { path: path(), source: KubeconfigError::Shape("users") },
            CliError::Keys(PkiError::Key),
            CliError::from(PlanError::Cycle(Vec::new())),
            CliError::File { file: "cluster.hcl".to_owned(), errors: 2, code: "Q0101" },
            CliError::Impossible(Impossible { problems: Vec::new() }),
            CliError::cloud("looking")(failure()),
            CliError::refused(message.clone(), hint.clone()),
            CliError::Output(io()),
            CliError::not_applied(message),
            held(),
            CliError::Overtaken,
            CliError::Json(json()),
            CliError::Sandbox(Box::new(HurtError::NoSuchInstance("i-1".to_owned()))),
            CliError::Start(io()),
        ];
        errors.extend(of_the_state());
        errors
    }

    #[test]
    fn another_run_that_comes_between_has_a_code_of_its_own() {
        let between = every().into_iter().filter(|error| error.exit() == Exit::Held);
        let told: Vec<String> = between.map(|error| error.report().message).collect();
        assert_eq!(told.len(), 3, "before, meanwhile, and at the record: {told:?}");
    }

    #[test]
    fn everything_that_stops_a_command_has_a_way_out() {
        for error in every() {
            let report = error.report();
            let told = report.failures.len() + report.hints.iter().filter(|hint| !hint.is_empty()).count();
            let itself =
                report.causes.iter().any(|cause| cause.contains("; try again") || cause.contains("; use a newer"));
            assert!(told > 0 || itself, "{error:?}");
        }
    }
}
