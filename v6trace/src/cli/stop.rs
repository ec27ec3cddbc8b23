//! When the user wants an end: Ctrl-C or SIGTERM once to end well, a second
//! time to end at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask for an end.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Takes the signals over from here on.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the first of them; the next one ends the process.
    pub(super) async fn wait(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            // 128 + SIGINT, as a shell reports a process that was interrupted.
            std::process::exit(130);
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
