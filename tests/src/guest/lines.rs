//! Collecting a program's output line by line while it runs.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// The lines that a program has written so far.
#[derive(Default)]
pub(crate) struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    /// None: there is nothing to read.
    reader: Option<JoinHandle<()>>,
}

impl Lines {
    /// Starts reading, and shows each line to `echo` as well.
    pub(crate) fn collect(
        from: impl Read + Send + 'static,
        echo: impl Fn(&str) + Send + 'static,
    ) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&lines);
        let reader = thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let text = String::from_utf8_lossy(&line);
                let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
                echo(&text);
                locked(&shared).push(text);
                line.clear();
            }
        });
        Self {
            lines,
            reader: Some(reader),
        }
    }

    /// Whether a line so far fits.
    pub(crate) fn any(&self, fits: impl Fn(&str) -> bool) -> bool {
        locked(&self.lines).iter().any(|line| fits(line))
    }

    /// How many lines so far fit.
    pub(crate) fn count(&self, fits: impl Fn(&str) -> bool) -> usize {
        locked(&self.lines).iter().filter(|line| fits(line)).count()
    }

    /// What there is so far.
    pub(crate) fn so_far(&self) -> Vec<String> {
        locked(&self.lines).clone()
    }

    /// Whether the program has closed its end.
    pub(crate) fn are_all(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// All of it; the program must have closed its end.
    pub(crate) fn finish(self) -> Vec<String> {
        // The reader does not panic; if it did, the lines so far remain.
        let _ = self.reader.map(JoinHandle::join);
        std::mem::take(&mut *locked(&self.lines))
    }
}

fn locked(lines: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}
