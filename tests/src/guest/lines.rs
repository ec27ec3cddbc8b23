//! Collecting a program's output line by line while it runs.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::wait::SLOWEST;

/// The lines that a program has written so far.
#[derive(Default)]
pub(crate) struct Lines {
    shared: Arc<Shared>,
    /// None: there is nothing to read.
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    collected: Mutex<Collected>,
    /// Woken for each line, and at the end.
    more: Condvar,
}

#[derive(Default)]
struct Collected {
    lines: Vec<String>,
    ended: bool,
}

/// What waiting for lines came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// They are there.
    There,
    /// The program has closed its end without them.
    Ended,
    /// They are not there in time.
    Late,
}

impl Lines {
    /// Starts reading, and shows each line to `echo` as well.
    pub(crate) fn collect(
        from: impl Read + Send + 'static,
        echo: impl Fn(&str) + Send + 'static,
    ) -> Self {
        let shared = Arc::<Shared>::default();
        let its = Arc::clone(&shared);
        let reader = thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let text = String::from_utf8_lossy(&line);
                let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
                echo(&text);
                its.locked().lines.push(text);
                its.more.notify_all();
                line.clear();
            }
            its.locked().ended = true;
            its.more.notify_all();
        });
        Self {
            shared,
            reader: Some(reader),
        }
    }

    /// Waits until so many lines fit, looking at each once: what a program is waited for
    /// would take longer otherwise.
    pub(crate) fn wait(
        &self,
        fits: impl Fn(&str) -> bool,
        count: usize,
        limit: Duration,
    ) -> Awaited {
        let until = Instant::now() + limit;
        let (mut seen, mut fitting) = (0, 0);
        let mut collected = self.shared.locked();
        loop {
            let new = &collected.lines[seen..];
            fitting += new.iter().filter(|line| fits(line)).count();
            seen += new.len();
            if fitting >= count {
                return Awaited::There;
            }
            if collected.ended {
                return Awaited::Ended;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Awaited::Late;
            }
            let woken = self.shared.more.wait_timeout(collected, left);
            (collected, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What there is so far.
    pub(crate) fn so_far(&self) -> Vec<String> {
        self.shared.locked().lines.clone()
    }

    /// Waits until the program has closed its end: whether it has.
    pub(crate) fn wait_for_all(&self, limit: Duration) -> bool {
        self.wait(|_| false, 1, limit * SLOWEST) == Awaited::Ended
    }

    /// All of it; the program must have closed its end.
    pub(crate) fn finish(self) -> Vec<String> {
        // The reader does not panic; if it did, the lines so far remain.
        let _ = self.reader.map(JoinHandle::join);
        std::mem::take(&mut self.shared.locked().lines)
    }
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, Collected> {
        self.collected
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
