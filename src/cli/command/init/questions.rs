//! The questions of `quorate init` on a terminal.

use crate::cli::{CliError, Session};
use crate::spec::{ClusterDraft, DraftValue, MASTER_SIZE, MASTERS, NODE_GROUP, NODE_SIZE, NODES, default_state};

use super::values::{list, scale, set_scale};

/// A question about a setting.
struct Question {
    /// The flag that gives the same answer.
    flag: &'static str,
    text: &'static str,
    /// An example, for a question without a default.
    example: &'static str,
    /// Returns `true` if the setting is given.
    given: fn(&ClusterDraft) -> bool,
    /// Returns the answer that an empty line stands for.
    default: fn(&ClusterDraft) -> Option<String>,
    /// Sets the answer.
    set: fn(&mut ClusterDraft, &str) -> Result<(), String>,
}

/// The questions, in order.
static QUESTIONS: [Question; 7] = [
    Question {
        flag: "--name",
        text: "Name of the cluster, a DNS name",
        example: "chat.example.com",
        given: |draft| draft.get(&["name"]).is_some(),
        default: |_| None,
        set: |draft, answer| text(draft, &["name"], answer, "--name"),
    },
    Question {
        flag: "--zones",
        text: "Availability zones",
        example: "us-east-1a,us-east-1b,us-east-1c",
        given: |draft| draft.get(&["zones"]).is_some(),
        default: |_| None,
        set: |draft, answer| {
            draft.set(&["zones"], list(answer), "--zones");
            Ok(())
        },
    },
    Question {
        flag: "--masters",
        text: "Number of masters",
        example: "",
        given: |draft| draft.get(&["masters", "count"]).is_some(),
        default: |_| Some(MASTERS.to_string()),
        set: |draft, answer| {
            let count: u32 = answer.parse().map_err(|_| format!("`{answer}` is not a number of masters"))?;
            draft.set(&["masters", "count"], count, "--masters");
            Ok(())
        },
    },
    Question {
        flag: "--size",
        text: "Instance size of the masters",
        example: "",
        given: |draft| draft.get(&["masters", "size"]).is_some(),
        default: |_| Some(MASTER_SIZE.to_owned()),
        set: |draft, answer| text(draft, &["masters", "size"], answer, "--size"),
    },
    Question {
        flag: "--nodes",
        text: "Number of nodes",
        example: "",
        given: |draft| ["count", "min"].iter().any(|number| draft.get(&["nodes", NODE_GROUP, number]).is_some()),
        default: |_| Some(NODES.to_string()),
        set: |draft, answer| {
            set_scale(draft, scale(answer)?);
            Ok(())
        },
    },
    Question {
        flag: "--node-size",
        text: "Instance size of the nodes",
        example: "",
        given: |draft| draft.get(&["nodes", NODE_GROUP, "size"]).is_some(),
        default: |_| Some(NODE_SIZE.to_owned()),
        set: |draft, answer| text(draft, &["nodes", NODE_GROUP, "size"], answer, "--node-size"),
    },
    Question {
        flag: "--state",
        text: "Location of the record of what was applied",
        example: "s3://state.chat.example.com",
        given: |draft| draft.get(&["state"]).is_some(),
        default: |draft| match &draft.get(&["name"])?.value {
            DraftValue::Text(name) => Some(default_state(name)),
            _ => None,
        },
        set: |draft, answer| text(draft, &["state"], answer, "--state"),
    },
];

#[allow(clippy::unnecessary_wraps, reason = "the answer of every question may be an error")]
fn text(draft: &mut ClusterDraft, path: &[&str], answer: &str, flag: &str) -> Result<(), String> {
    draft.set(path, answer, flag);
    Ok(())
}

/// Asks every question whose setting is not given, each until its answer is valid.
pub(super) async fn ask_all(session: &Session, draft: &mut ClusterDraft, file_name: &str) -> Result<(), CliError> {
    session.ui.note("an empty line takes the value in brackets; Ctrl-C ends, and nothing is written");
    for question in QUESTIONS.iter().filter(|question| !(question.given)(draft)).collect::<Vec<_>>() {
        *draft = answered(session, question, draft, file_name).await?;
    }
    Ok(())
}

/// Returns the draft with a valid answer.
async fn answered(
    session: &Session,
    question: &Question,
    draft: &ClusterDraft,
    file_name: &str,
) -> Result<ClusterDraft, CliError> {
    let default = (question.default)(draft);
    let prompt = match &default {
        Some(default) => format!("{} [{default}]: ", question.text),
        None => format!("{} (for example {}): ", question.text, question.example),
    };
    loop {
        let Some(answer) = session.interrupt.or(session.ui.ask(&prompt)).await? else {
            let message = "the questions were not answered: nothing was written";
            return Err(CliError::refused(message, "pass the values as flags: `quorate init --help`"));
        };
        let answer = match (answer.trim(), &default) {
            ("", None) => continue,
            ("", Some(default)) => default.clone(),
            (answer, _) => answer.to_owned(),
        };
        let mut next = draft.clone();
        let problem = match (question.set)(&mut next, &answer) {
            Ok(()) => problem(&next, question, file_name),
            Err(problem) => Some(problem),
        };
        match problem {
            None => return Ok(next),
            Some(problem) => session.ui.message(&format!("  {problem}\n")),
        }
    }
}

/// Returns the problem of an answer. Problems of other settings belong to their own questions.
fn problem(draft: &ClusterDraft, question: &Question, file_name: &str) -> Option<String> {
    let mut draft = draft.clone();
    draft.complete(|flag| format!("--{flag}"));
    let problems = draft.write(file_name).err()?;
    let own = problems.into_iter().find(|problem| problem.origin == question.flag)?;
    Some(format!("{} ({})", own.message, own.code))
}
