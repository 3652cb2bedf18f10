//! Everything that the program says and asks: results to stdout, everything else to stderr.

use std::collections::VecDeque;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::engine::{Listener, Silent};
use crate::view::{self, Style, failure};

use super::error::CliError;
use super::progress::{Bars, Lines};

/// The person, the pipe or the test at the other end.
pub struct Ui {
    out: Screen,
    err: Screen,
    input: Mutex<Input>,
    json: bool,
    quiet: bool,
    /// Whether stderr is a terminal that can be drawn on.
    living: bool,
}

/// How to talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// How results look.
    pub out: Style,
    /// How messages look.
    pub err: Style,
    /// JSON instead of text on stdout, and no progress.
    pub json: bool,
    /// Errors and results only.
    pub quiet: bool,
}

/// Who answers questions.
#[derive(Debug)]
pub enum Input {
    /// Somebody at a terminal.
    Person,
    /// Nobody.
    Nobody,
    /// A test.
    Script(VecDeque<String>),
}

/// A stream that others may write to as well.
type Stream = Arc<Mutex<dyn Write + Send>>;

/// A stream and how text on it looks.
#[derive(Clone)]
pub(super) struct Screen {
    stream: Stream,
    pub(super) style: Style,
    /// Why text on it got lost, the first time.
    lost: Arc<Mutex<Option<io::Error>>>,
}

impl Screen {
    fn new(stream: Stream, style: Style) -> Self {
        Self { stream, style, lost: Arc::default() }
    }

    /// Writes text. That it gets lost is no reason to stop half way through an apply; it is told at the end, unless there
    /// is nobody who would read it any more (a closed pipe).
    pub(super) fn write(&self, text: &str) {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        if let Err(error) = written.or_else(unless_closed) {
            self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    /// Writes a line.
    pub(super) fn line(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }
}

fn unless_closed(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

/// The part of a [`Ui`] that a task can own.
pub(super) struct Teller {
    screen: Screen,
}

impl Teller {
    /// Says what is worth knowing.
    pub(super) fn note(&self, text: &str) {
        self.screen.write(&failure::message("note: ", text, self.screen.style));
    }
}

impl Ui {
    /// The process's own streams.
    pub fn process(manner: Manner) -> Self {
        let person = io::stdin().is_terminal() && io::stderr().is_terminal() && !manner.json;
        Self {
            out: Screen::new(Arc::new(Mutex::new(io::stdout())), manner.out),
            err: Screen::new(Arc::new(Mutex::new(io::stderr())), manner.err),
            input: Mutex::new(if person { Input::Person } else { Input::Nobody }),
            json: manner.json,
            quiet: manner.quiet,
            living: io::stderr().is_terminal() && manner.err.color,
        }
    }

    /// Streams that a test reads afterwards.
    pub fn captured(manner: Manner, input: Input, out: Stream, err: Stream) -> Self {
        Self {
            out: Screen::new(out, manner.out),
            err: Screen::new(err, manner.err),
            input: Mutex::new(input),
            json: manner.json,
            quiet: manner.quiet,
            living: false,
        }
    }

    /// Why a result could not be written, if one could not.
    pub(super) fn lost(&self) -> Option<io::Error> {
        self.out.lost.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether only results and errors are shown.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// How results look.
    pub fn style(&self) -> Style {
        self.out.style
    }

    /// How messages look.
    pub fn message_style(&self) -> Style {
        self.err.style
    }

    /// Prints a result as it is.
    pub fn result(&self, text: &str) {
        self.out.write(text);
    }

    /// Prints a result: JSON with `--json`, text without.
    pub fn document(&self, document: &impl Serialize, text: impl FnOnce(Style) -> String) -> Result<(), CliError> {
        if self.json {
            return self.json(document);
        }
        self.out.write(&text(self.out.style));
        Ok(())
    }

    /// Prints a result that is for programs: nothing without `--json`.
    pub fn json(&self, document: &impl Serialize) -> Result<(), CliError> {
        if self.json {
            self.out.write(&view::json(document)?);
        }
        Ok(())
    }

    /// Prints a result that is for people: nothing with `--json`.
    pub fn text(&self, text: &str) {
        if !self.json {
            self.out.write(text);
        }
    }

    /// Says what is worth knowing.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.err.write(&failure::message("note: ", text, self.err.style));
        }
    }

    /// Says what may turn out badly.
    pub fn warning(&self, text: &str) {
        if !self.quiet {
            self.err.write(&failure::message("warning: ", text, self.err.style));
        }
    }

    /// Says what went wrong.
    pub fn report(&self, report: &failure::Report) {
        self.err.write(&failure::text(report, self.err.style));
    }

    /// Prints a message as it is.
    pub fn message(&self, text: &str) {
        self.err.write(text);
    }

    /// Says things on its own, from another task.
    pub(super) fn teller(&self) -> Teller {
        Teller { screen: self.err.clone() }
    }

    /// Whether somebody can be asked.
    pub fn can_ask(&self) -> bool {
        !matches!(*self.input.lock().unwrap_or_else(PoisonError::into_inner), Input::Nobody)
    }

    /// Asks for a line. `None` when nobody answers.
    pub async fn ask(&self, question: &str) -> Option<String> {
        {
            let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *input {
                Input::Nobody => return None,
                Input::Script(answers) => {
                    self.err.line(question);
                    return answers.pop_front();
                }
                Input::Person => self.err.write(question),
            }
        }
        let read = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            io::stdin().lock().read_line(&mut answer).ok().filter(|bytes| *bytes > 0).map(|_| answer)
        });
        read.await.ok().flatten().map(|answer| answer.trim().to_owned())
    }

    /// Who shows the progress of `changes` changes.
    pub fn listener(&self, changes: usize) -> Box<dyn Listener> {
        if self.json || self.quiet {
            Box::new(Silent)
        } else if self.living {
            Box::new(Bars::new(changes, self.err.style))
        } else {
            Box::new(Lines::new(self.err.clone()))
        }
    }
}
