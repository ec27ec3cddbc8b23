//! `v6trace top`: diagnoses on the screen, as they happen here or as recordings have them.

#[cfg(feature = "live")]
mod here;
mod recorded;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use anstream::{AutoStream, ColorChoice};
use clap::Args;

#[cfg(feature = "live")]
use super::live_options::LiveOptions;
use super::options::{self, Color, FilterOptions};
use crate::top::Screen;

/// Arguments of `v6trace top`.
#[derive(Args, Debug)]
pub(super) struct Top {
    /// Look at these recordings, or the pieces of one in their order, instead of at this
    /// machine
    #[cfg_attr(feature = "live", arg(value_name = "FILE", conflicts_with_all = OF_THIS_MACHINE))]
    #[cfg_attr(not(feature = "live"), arg(value_name = "FILE", required = true))]
    files: Vec<PathBuf>,
    /// Colour what is shown
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    color: Color,
    #[command(flatten)]
    filter: FilterOptions,
    #[cfg(feature = "live")]
    #[command(flatten)]
    live: LiveOptions,
}

/// What means nothing of a recording.
#[cfg(feature = "live")]
const OF_THIS_MACHINE: [&str; 7] = [
    "btf",
    "kallsyms",
    "family",
    "skip_family",
    "verbose",
    "duration",
    "buffer_size",
];

impl Top {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        Screen::must_be_there()?;
        self.color.apply();
        #[cfg(feature = "live")]
        let level = self.live.trace.log_level();
        #[cfg(not(feature = "live"))]
        let level = "warn";
        let log = Log::start(level);
        let _told = AtLast(log.clone());
        let colours = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        #[cfg(feature = "live")]
        let result = if self.files.is_empty() {
            self.here(colours, log)
        } else {
            self.recorded(colours, log)
        };
        #[cfg(not(feature = "live"))]
        let result = self.recorded(colours, log);
        result
    }
}

/// What is logged waits until the screen is the user's again.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Logged>>);

#[derive(Default)]
struct Logged {
    bytes: Vec<u8>,
    /// Lines that there was no room for.
    more: u64,
}

/// Bytes that wait at most.
const MOST_LOGGED: usize = 64 << 10;

impl Log {
    fn start(level: &str) -> Self {
        let log = Self::default();
        options::start_log_into(level, Box::new(log.clone()));
        log
    }

    fn tell(&self) {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Logged { bytes, more } = std::mem::take(&mut *logged);
        let mut stderr = options::stderr();
        // With standard error closed there is nobody to tell.
        let _ = stderr.write_all(&bytes);
        if more > 0 {
            let _ = writeln!(
                stderr,
                "v6trace: {more} more lines were logged, and not kept"
            );
        }
    }
}

impl Write for Log {
    /// Each is a line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.bytes.len() < MOST_LOGGED {
            logged.bytes.extend_from_slice(line);
        } else {
            logged.more += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells it with the end of this value, also while a panic unwinds.
struct AtLast(Log);

impl Drop for AtLast {
    fn drop(&mut self) {
        self.0.tell();
    }
}
