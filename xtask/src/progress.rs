//! Tells the user on standard error what takes time: a spinner on a
//! terminal, plain lines elsewhere (CI logs).
//!
//! A [`Step`] is one piece of work; steps of several threads show below each
//! other. Whatever else is printed while steps run goes through [`say`] and
//! [`print`], so that spinners don't run across it.

use std::io::{IsTerminal, Write};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

static STEPS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// A piece of work that is under way; dropping it without [`Step::done`]
/// takes its spinner away.
pub(crate) struct Step {
    what: String,
    bar: Option<ProgressBar>,
    since: Instant,
}

impl Step {
    /// Announces work, for example `Downloading Linux 6.1.192`.
    pub(crate) fn start(what: impl Into<String>) -> Self {
        let what = what.into();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = STEPS.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.set_message(what.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if bar.is_none() {
            eprintln!("{what} ...");
        }
        Self {
            what,
            bar,
            since: Instant::now(),
        }
    }

    /// Says that the work is done and how long it took, unless that was no
    /// time worth a line.
    pub(crate) fn done(mut self) {
        let time = self.since.elapsed();
        let brief = time < Duration::from_secs(1);
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if !brief {
            say(&format!(
                "{}: done in {:.1} s",
                self.what,
                time.as_secs_f64()
            ));
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Prints a line on standard error, beside running steps.
pub(crate) fn say(line: &str) {
    STEPS.suspend(|| eprintln!("{line}"));
}

/// Prints a line of results on standard output, beside running steps.
pub(crate) fn print(line: &str) {
    STEPS.suspend(|| {
        let mut out = std::io::stdout().lock();
        // A reader that has gone away is no reason to stop the work.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    });
}

/// Takes all spinners off the screen.
pub(crate) fn clear() {
    // Only a broken terminal makes this fail; there is nobody to tell.
    let _ = STEPS.clear();
}
