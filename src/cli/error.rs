//! Everything that can stop a command: mistakes of the user apart from answers of the cloud, each with what to do next.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::blueprint::BlueprintError;
use crate::engine::{Failure, PlanError};
use crate::kubeconfig::KubeconfigError;
use crate::pki::PkiError;
use crate::sandbox::InjectError;
use crate::spec::DraftProblem;
use crate::state::{LeaseHolder, SavedPlanError, StateError};
use crate::view::failure::FailureReport;
use crate::words;

use super::Exit;

/// The reason why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line asks for something that does not exist.
    #[error("{message}")]
    Usage {
        /// The mistake.
        message: String,
        /// The next step.
        hint: String,
    },
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        #[source]
        source: std::io::Error,
    },
    /// A file is not a valid kubeconfig.
    #[error("{} is not a kubeconfig that can be changed", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// The error in the file.
        #[source]
        source: KubeconfigError,
    },
    /// The cluster's keys are invalid.
    #[error("the cluster's keys cannot be used")]
    Keys(#[from] PkiError),
    /// The cluster file is wrong; every problem has been shown.
    #[error("the cluster file {file} has {}", words::count(*errors, "error"))]
    File {
        /// The file's name.
        file: String,
        /// Number of problems.
        errors: usize,
        /// The first problem's code.
        code: &'static str,
    },
    /// Values that were given for a new cluster file are invalid.
    #[error("no cluster file can be written with these values: nothing was written")]
    Values {
        /// The problems, each with the origin of its value.
        problems: Vec<String>,
        /// The first problem's code.
        code: &'static str,
    },
    /// The account or the region cannot give what the file asks for.
    #[error("the cluster cannot be built as the file describes it")]
    Impossible(#[source] BlueprintError),
    /// A call failed.
    #[error("{doing} failed")]
    Cloud {
        /// The operation that failed.
        doing: &'static str,
        /// The answer of the cloud.
        source: Box<Failure>,
    },
    /// The record or the lease is invalid, or cannot be read or written.
    #[error("{doing} failed")]
    State {
        /// The operation that failed.
        doing: &'static str,
        /// The error of the state.
        source: Box<StateError>,
    },
    /// The desired objects contradict each other.
    #[error("no plan can be made")]
    Plan(#[source] Box<PlanError>),
    /// Continuing is not allowed.
    #[error("{message}")]
    Refused {
        /// The reason.
        message: String,
        /// The next step.
        hint: String,
    },
    /// A saved plan is not applied.
    #[error("the plan in {} is not applied: {source}", file.display())]
    SavedPlan {
        /// The file.
        file: PathBuf,
        /// The reason.
        source: SavedPlanError,
    },
    /// Another run works on the cluster.
    #[error("another run works on this cluster: {}", describe(holder))]
    Held {
        /// The holder of the lease.
        holder: Box<LeaseHolder>,
        /// The time at which the lease expires unless it is renewed.
        until: Timestamp,
    },
    /// Ctrl-C before any change was started.
    #[error("interrupted before anything was changed")]
    Interrupted,
    /// The output of a command could not be written.
    #[error("the output could not be written")]
    Output(#[source] std::io::Error),
    /// Something does not exist: most of it is created by the first apply.
    #[error("{message}")]
    Absent {
        /// The missing thing.
        message: String,
        /// The next step.
        hint: String,
    },
    /// Another run took the lease, or it could not be renewed.
    #[error("the lease is lost, so the rest was not begun: another run may work on this cluster")]
    Overtaken,
    /// A value cannot be represented in JSON.
    #[error("the result has no form in JSON")]
    Json(#[from] serde_json::Error),
    /// The simulated cloud does not support the operation.
    #[error("the sandbox cannot do that")]
    Sandbox(#[source] Box<InjectError>),
    /// The operating system does not provide what the program needs to start.
    #[error("the program cannot start")]
    Start(#[source] std::io::Error),
}

impl CliError {
    /// Returns a function that wraps the failure of a call.
    pub fn cloud(doing: &'static str) -> impl FnOnce(Failure) -> Self {
        move |source| Self::Cloud { doing, source: Box::new(source) }
    }

    /// Returns a function that wraps an error of the record or the lease.
    pub fn state(doing: &'static str) -> impl FnOnce(StateError) -> Self {
        move |source| Self::State { doing, source: Box::new(source) }
    }

    /// Creates the error of a run that is not allowed to continue.
    pub fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { message: message.into(), hint: hint.into() }
    }

    /// Creates the error for invalid values of a new cluster file.
    pub(super) fn values(problems: Vec<DraftProblem>) -> Self {
        let code = problems.first().map_or("CODE", |problem| problem.code);
        let described = |problem: DraftProblem| match problem.origin.as_str() {
            "" => problem.message,
            origin => format!("{origin}: {}", problem.message),
        };
        Self::Values { problems: problems.into_iter().map(described).collect(), code }
    }

    /// Creates the error for something that only an apply creates.
    pub fn not_applied(message: impl Into<String>) -> Self {
        Self::Absent { message: message.into(), hint: "run `quorate apply` first".to_owned() }
    }

    /// Creates the error for an API that only an apply creates.
    pub fn no_api(cluster: &str) -> Self {
        Self::not_applied(format!("{cluster} has no API yet: no apply has created it"))
    }

    /// Returns the exit code for the error.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Impossible(impossible) if impossible.is_refusal() => Exit::Refused,
            Self::Usage { .. }
            | Self::Unreadable { .. }
            | Self::File { .. }
            | Self::Values { .. }
            | Self::Impossible(_)
            | Self::SavedPlan { source: SavedPlanError::Invalid { .. } | SavedPlanError::Newer { .. }, .. } => {
                Exit::Usage
            }
            Self::Refused { .. } | Self::SavedPlan { .. } => Exit::Refused,
            Self::Held { .. } | Self::Overtaken => Exit::Held,
            Self::State { source, .. } if matches!(**source, StateError::Overtaken { .. }) => Exit::Held,
            Self::State { source, .. }
                if matches!(**source, StateError::MovedAway { .. } | StateError::MoveUnfinished { .. }) =>
            {
                Exit::Refused
            }
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

    /// Returns the report that is shown to the user.
    pub fn report(&self) -> FailureReport {
        let mut report = FailureReport {
            message: self.to_string(),
            hints: self.way_out().into_iter().collect(),
            ..FailureReport::default()
        };
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
            Self::Values { problems, .. } => report.causes.clone_from(problems),
            Self::SavedPlan { source, .. } => {
                if let SavedPlanError::Changes { differences } = source {
                    report.causes.clone_from(differences);
                }
            }
            other => report.causes = causes(other),
        }
        report
    }

    /// Returns the next step. A failure of the cloud contains its own.
    fn way_out(&self) -> Option<String> {
        let hint = match self {
            Self::Usage { hint, .. } | Self::Refused { hint, .. } | Self::Absent { hint, .. } => hint,
            Self::File { code, .. } | Self::Values { code, .. } => {
                return Some(format!("see `quorate explain {code}`"));
            }
            Self::Held { until, .. } => {
                let end = until.strftime("%H:%M:%S UTC");
                return Some(format!(
                    "wait for it; if its process has ended, its lease expires at {end} and the next run takes over"
                ));
            }
            Self::Unreadable { .. } => "check that it exists and that you have permission to read it: `ls -l`",
            Self::Unwritable { .. } => "check the free space with `df`, and the permissions with `ls -ld`",
            Self::Kubeconfig { .. } => "fix it, or name another file with --output; nothing in it was changed",
            Self::Overtaken => OTHER_RUN,
            Self::SavedPlan { source, .. } => way_out_of_plan(source),
            Self::State { source, .. } => return way_out_of(source).map(str::to_owned),
            Self::Keys(_) => "restore the last good version of the cluster's `pki/` in the bucket",
            Self::Impossible(_) => "fix the named problems, in the file or in the account; nothing was changed",
            Self::Plan(_) | Self::Json(_) => "this is a bug in Quorate: please report it with the cluster file",
            Self::Output(_) => "completed changes stay: `quorate plan` and `quorate show` show the current state",
            Self::Sandbox(_) => "`quorate sandbox status` lists the objects",
            Self::Start(_) => {
                "the system refuses resources that the program needs (threads, `/proc`); `ulimit -a` shows its limits"
            }
            Self::Cloud { .. } | Self::Interrupted => return None,
        };
        Some(hint.to_owned()).filter(|hint| !hint.is_empty())
    }
}

const OTHER_RUN: &str =
    "when the other run has ended, check the state of the cluster with `quorate plan` before you continue";

/// Returns the next step for an error of the record or the lease; `None` if its message, or the store's failure, contains
/// it.
fn way_out_of(error: &StateError) -> Option<&'static str> {
    match error {
        StateError::Overtaken { .. } => Some(OTHER_RUN),
        StateError::Unreadable { .. } => Some(
            "restore its last good version, which the bucket keeps; a `state.lock` can be removed while no run is \
             at work",
        ),
        StateError::MovedAway { .. } => {
            Some("name that place as `state` in the cluster file; `quorate state move` moves the state")
        }
        StateError::MoveUnfinished { .. } => Some("run `quorate state move` again to resume"),
        StateError::OtherCluster { .. } => Some("name the right place with `state` in the cluster file"),
        StateError::Store { .. } | StateError::Newer { .. } | StateError::Contended { .. } => None,
    }
}

/// Returns the next step for a saved plan that is not applied.
fn way_out_of_plan(error: &SavedPlanError) -> &'static str {
    match error {
        SavedPlanError::Invalid { .. } => "write a plan with `quorate plan --out FILE`",
        SavedPlanError::Newer { .. } => "use a newer Quorate, the one that made the plan",
        SavedPlanError::Release { .. } => {
            "use the release that made the plan, or make another one: `quorate plan --out FILE`"
        }
        SavedPlanError::Target { .. } => "check the cluster file, the credentials and the region; nothing was changed",
        SavedPlanError::Used { .. } => {
            "`quorate plan` shows what is left to change; `quorate apply` makes these changes"
        }
        SavedPlanError::Changes { .. } => {
            "nothing was changed; the changes above are those that an apply would make now: make another plan with `quorate plan \
             --out FILE`"
        }
        SavedPlanError::Expired { .. }
        | SavedPlanError::Future { .. }
        | SavedPlanError::RecordChanged { .. }
        | SavedPlanError::RecordGone { .. }
        | SavedPlanError::HiddenValues => "nothing was changed; make another plan: `quorate plan --out FILE`",
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

fn describe(holder: &LeaseHolder) -> String {
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
    use crate::engine::FailureClass;

    fn io() -> std::io::Error {
        std::io::Error::other("no")
    }

    fn json() -> serde_json::Error {
        serde_json::from_str::<u8>("x").unwrap_err()
    }

    fn failure() -> Failure {
        Failure::own(FailureClass::Unavailable, "read", "no answer")
    }

    fn of_the_state() -> Vec<CliError> {
        let place = "s3://state/c/state.json".to_owned();
        let errors = [
            StateError::Store { place: place.clone(), source: failure() },
            StateError::Overtaken { place: place.clone(), found: "serial 7".to_owned() },
            StateError::Newer { place: place.clone(), format: 2, known: 1 },
            StateError::Unreadable { place: place.clone(), source: json() },
            StateError::MovedAway { place: place.clone(), to: "s3://new".to_owned() },
            StateError::MoveUnfinished { place: place.clone(), from: "s3://old".to_owned() },
            StateError::OtherCluster { place: place.clone(), found: "a".to_owned(), expected: "b".to_owned() },
            StateError::Contended { place },
        ];
        errors.into_iter().map(|error| CliError::state("reading the record")(error)).collect()
    }

    fn held() -> CliError {
        let holder = LeaseHolder {
            run: "one".to_owned(),
            who: "ada".to_owned(),
            host: "laptop".to_owned(),
            pid: 7,
            process: None,
            operation: "apply".to_owned(),
            since: Timestamp::UNIX_EPOCH,
        };
        CliError::Held { holder: Box::new(holder), until: Timestamp::UNIX_EPOCH }
    }

    /// One error of each kind that needs a hint; `way_out` makes the compiler ask about a new one.
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
            CliError::Values { problems: vec![message.clone()], code: "Q0101" },
            CliError::Impossible(BlueprintError { problems: Vec::new() }),
            CliError::cloud("observing AWS")(failure()),
            CliError::refused(message.clone(), hint.clone()),
            CliError::Output(io()),
            CliError::not_applied(message),
            held(),
            CliError::Overtaken,
            CliError::Json(json()),
            CliError::Sandbox(Box::new(InjectError::NoSuchInstance("i-1".to_owned()))),
            CliError::Start(io()),
        ];
        errors.extend(of_the_state());
        errors
    }

    #[test]
    fn another_run_that_comes_between_has_a_code_of_its_own() {
        let between = every().into_iter().filter(|error| error.exit() == Exit::Held);
        let reported: Vec<String> = between.map(|error| error.report().message).collect();
        assert_eq!(reported.len(), 3, "before, meanwhile, and at the record: {reported:?}");
    }

    #[test]
    fn everything_that_stops_a_command_has_a_way_out() {
        for error in every() {
            let report = error.report();
            let reported = report.failures.len() + report.hints.iter().filter(|hint| !hint.is_empty()).count();
            let itself =
                report.causes.iter().any(|cause| cause.contains("; try again") || cause.contains("; use a newer"));
            assert!(reported > 0 || itself, "{error:?}");
        }
    }
}
