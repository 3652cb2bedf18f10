//! A stream of the program with its style.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::view::TextStyle;

/// A stream that other tasks may write to as well.
pub(super) type SharedStream = Arc<Mutex<dyn Write + Send>>;

/// A stream and the style of text on it.
#[derive(Clone)]
pub(super) struct OutputScreen {
    stream: SharedStream,
    pub(super) style: TextStyle,
    /// The first error of a write.
    lost: Arc<Mutex<Option<io::Error>>>,
}

impl OutputScreen {
    pub(super) fn new(stream: SharedStream, style: TextStyle) -> Self {
        Self { stream, style, lost: Arc::default() }
    }

    /// Writes text. A failed write does not stop an apply halfway; it is reported at the end, unless the reader has closed
    /// the pipe.
    pub(super) fn write(&self, text: &str) {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        if let Err(error) = written.or_else(unless_closed) {
            self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    /// Returns the first error of a write, if there was one.
    pub(super) fn take_error(&self) -> Option<io::Error> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Writes a line.
    pub(super) fn line(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }
}

fn unless_closed(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}
