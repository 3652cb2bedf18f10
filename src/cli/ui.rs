//! All output and prompts of the program: results go to stdout, everything else to stderr.

use std::collections::VecDeque;
use std::io::{self, BufRead, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::engine::{EventListener, NoListener};
use crate::view::{self, TextStyle, failure};

use super::error::CliError;
use super::progress::{ProgressBars, ProgressLines};
use super::screen::{OutputScreen, SharedStream};

/// The user interface: a terminal, a pipe or a test.
pub struct Ui {
    out: OutputScreen,
    err: OutputScreen,
    input: Mutex<PromptInput>,
    json: bool,
    quiet: bool,
    /// `true` if stderr is a terminal that supports drawing.
    living: bool,
}

/// The output options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutputOptions {
    /// The style of results.
    pub out: TextStyle,
    /// The style of messages.
    pub err: TextStyle,
    /// JSON instead of text on stdout, and no progress.
    pub json: bool,
    /// Only errors and results.
    pub quiet: bool,
}

/// The source of answers to prompts.
#[derive(Debug)]
pub enum PromptInput {
    /// A user at a terminal.
    Person,
    /// No source: prompts are not possible.
    Nobody,
    /// The answers of a test.
    Script(VecDeque<String>),
}

/// The part of a [`Ui`] that a task can own.
pub(super) struct MessageSender {
    screen: OutputScreen,
}

impl MessageSender {
    /// Writes a note.
    pub(super) fn note(&self, text: &str) {
        self.screen.write(&failure::message("note: ", text, self.screen.style));
    }
}

impl Ui {
    /// Creates the interface on the process's own streams.
    pub fn process(options: OutputOptions) -> Self {
        let person = io::stdin().is_terminal() && io::stderr().is_terminal() && !options.json;
        Self {
            out: OutputScreen::new(Arc::new(Mutex::new(io::stdout())), options.out),
            err: OutputScreen::new(Arc::new(Mutex::new(io::stderr())), options.err),
            input: Mutex::new(if person { PromptInput::Person } else { PromptInput::Nobody }),
            json: options.json,
            quiet: options.quiet,
            living: io::stderr().is_terminal() && options.err.color,
        }
    }

    /// Creates the interface on streams that a test reads afterwards.
    pub fn captured(options: OutputOptions, input: PromptInput, out: SharedStream, err: SharedStream) -> Self {
        Self {
            out: OutputScreen::new(out, options.out),
            err: OutputScreen::new(err, options.err),
            input: Mutex::new(input),
            json: options.json,
            quiet: options.quiet,
            living: false,
        }
    }

    /// Returns the error of a result that could not be written, if there is one.
    pub(super) fn lost(&self) -> Option<io::Error> {
        self.out.take_error()
    }

    /// Returns `true` if results are JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Returns `true` if only results and errors are shown.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Returns the style of results.
    pub fn style(&self) -> TextStyle {
        self.out.style
    }

    /// Returns the style of messages.
    pub fn message_style(&self) -> TextStyle {
        self.err.style
    }

    /// Prints a result unchanged.
    pub fn result(&self, text: &str) {
        self.out.write(text);
    }

    /// Prints a result: JSON with `--json`, text without.
    pub fn document(&self, document: &impl Serialize, text: impl FnOnce(TextStyle) -> String) -> Result<(), CliError> {
        if self.json {
            return self.json(document);
        }
        self.out.write(&text(self.out.style));
        Ok(())
    }

    /// Prints a result for programs: nothing without `--json`.
    pub fn json(&self, document: &impl Serialize) -> Result<(), CliError> {
        if self.json {
            self.out.write(&view::json(document)?);
        }
        Ok(())
    }

    /// Prints a result for people: nothing with `--json`.
    pub fn text(&self, text: &str) {
        if !self.json {
            self.out.write(text);
        }
    }

    /// Writes a note.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.err.write(&failure::message("note: ", text, self.err.style));
        }
    }

    /// Writes a warning.
    pub fn warning(&self, text: &str) {
        if !self.quiet {
            self.err.write(&failure::message("warning: ", text, self.err.style));
        }
    }

    /// Writes a part of a message: the subject, and what is said about it below.
    pub(super) fn detail(&self, subject: &str, text: &str) {
        if !self.quiet {
            self.err.write(&failure::detail(subject, text, self.err.style));
        }
    }

    /// Writes lines of a log that a message quotes, below their title.
    pub(super) fn excerpt(&self, title: &str, log: &[String]) {
        if !self.quiet {
            self.err.write(&failure::excerpt(title, log, self.err.style));
        }
    }

    /// Writes an error report.
    pub fn report(&self, report: &failure::FailureReport) {
        self.err.write(&failure::text(report, self.err.style));
    }

    /// Prints a message unchanged.
    pub fn message(&self, text: &str) {
        self.err.write(text);
    }

    /// Returns a writer of notes that another task can own.
    pub(super) fn sender(&self) -> MessageSender {
        MessageSender { screen: self.err.clone() }
    }

    /// Returns `true` if a prompt can be answered.
    pub fn can_ask(&self) -> bool {
        !matches!(*self.input.lock().unwrap_or_else(PoisonError::into_inner), PromptInput::Nobody)
    }

    /// Asks for a line. Returns `None` if there is no answer.
    pub async fn ask(&self, question: &str) -> Option<String> {
        {
            let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *input {
                PromptInput::Nobody => return None,
                PromptInput::Script(answers) => {
                    self.err.line(question);
                    return answers.pop_front();
                }
                PromptInput::Person => self.err.write(question),
            }
        }
        let read = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            io::stdin().lock().read_line(&mut answer).ok().filter(|bytes| *bytes > 0).map(|_| answer)
        });
        read.await.ok().flatten().map(|answer| answer.trim().to_owned())
    }

    /// Returns the listener that shows the progress of `changes` changes, which are expected to take this many seconds.
    pub fn listener(&self, changes: usize, seconds: u64) -> Box<dyn EventListener> {
        if self.json || self.quiet {
            Box::new(NoListener)
        } else if self.living {
            Box::new(ProgressBars::new(changes, seconds, self.err.style))
        } else {
            Box::new(ProgressLines::new(self.err.clone()))
        }
    }
}
