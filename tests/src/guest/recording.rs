//! A file that v6trace recorded into, and what it says when it is replayed.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Finished, finish, v6trace};

/// How long a replay may take.
const REPLAY: Duration = Duration::from_secs(40);

/// Options of tracing that a replay does not have; each has a value.
const OF_TRACING: [&str; 6] = [
    "--duration",
    "--buffer-size",
    "--btf",
    "--kallsyms",
    "--max-size",
    "--max-files",
];

/// A file or pieces, gone with this value.
pub(crate) struct Recording {
    path: String,
    /// How the session was shown, which is how to show it again.
    args: Vec<String>,
}

impl Recording {
    /// A name for a file to come; `args` are those of the tracer.
    pub(crate) fn new(args: &[&str]) -> Self {
        Self::under("/tmp", args)
    }

    /// The same in another directory.
    pub(crate) fn under(directory: &str, args: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut shown = Vec::new();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if OF_TRACING.contains(arg) {
                args.next();
            } else {
                shown.push(as_inode(arg));
            }
        }
        Self {
            path: format!("{directory}/recording-{}-{count}", std::process::id()),
            args: shown,
        }
    }

    /// Where it is, or its first piece.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// All its pieces, in their order.
    pub(crate) fn pieces(&self) -> Vec<String> {
        let later = (1..).map(|piece| format!("{}.{piece}", self.path));
        let later = later.take_while(|piece| Path::new(piece).exists());
        std::iter::once(self.path.clone()).chain(later).collect()
    }

    /// Replays it as text, which has to be what `live` printed, then as JSON,
    /// which is returned.
    ///
    /// # Errors
    /// They differ, or a replay fails.
    pub(crate) fn replay(&self, live: &Finished) -> Result<Finished> {
        ensure!(live.status.success(), "v6trace failed: {live}");
        let text = self.read("replay", &[])?;
        let differs = |what: &str, live: &str, replayed: &str| {
            format!("{what} of live and of its replay differ:\n{live}---\n{replayed}")
        };
        ensure!(
            text.stdout == live.stdout,
            differs("standard output", &live.stdout, &text.stdout)
        );
        let without_ready: String = live
            .stderr
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("v6trace: ready"))
            .collect();
        ensure!(
            text.stderr == without_ready,
            differs("standard error", &without_ready, &text.stderr)
        );
        let mut json = self.read("replay", &["--json"])?;
        json.stderr.clone_from(&live.stderr);
        Ok(json)
    }

    /// Reads it with a command of v6trace that has to succeed.
    ///
    /// # Errors
    /// It fails: what it said.
    pub(crate) fn read(&self, command: &str, more: &[&str]) -> Result<Finished> {
        let done = self.try_read(command, &self.pieces(), more)?;
        ensure!(done.status.success(), "{command} failed: {done}");
        Ok(done)
    }

    /// Reads some of its pieces with a command of v6trace.
    ///
    /// # Errors
    /// It does not end.
    pub(crate) fn try_read(
        &self,
        command: &str,
        pieces: &[String],
        more: &[&str],
    ) -> Result<Finished> {
        let mut args = vec![command];
        args.extend(pieces.iter().map(String::as_str));
        args.extend(more);
        if command == "replay" {
            args.extend(self.args.iter().map(String::as_str));
        }
        finish(&mut v6trace(&args), REPLAY).with_context(|| command.to_owned())
    }
}

/// A file that stands for a network namespace as the inode number that it has
/// here, since files of this machine mean nothing to a replay.
fn as_inode(arg: &str) -> String {
    let file = arg.starts_with("/proc/").then(|| std::fs::metadata(arg));
    match file {
        Some(Ok(file)) => file.ino().to_string(),
        _ => arg.to_owned(),
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        for piece in self.pieces() {
            // Where nothing was recorded, there is nothing.
            let _ = std::fs::remove_file(piece);
        }
    }
}
