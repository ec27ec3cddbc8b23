//! When the user wants an end: Ctrl-C or SIGTERM once to end well, a second
//! time to end at once.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// As a shell reports a process that SIGINT ended: 128 + 2.
const INTERRUPTED: i32 = 130;

/// A signal that asks for an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// The signals that ask for an end.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Takes the signals over from here on.
    pub(super) fn listen() -> io::Result<Self> {
        // The second one ends the process from within the handler, also where
        // the program hangs in a write that nobody reads.
        let asked = Arc::new(AtomicBool::new(false));
        for kind in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(kind, INTERRUPTED, Arc::clone(&asked))?;
            flag::register(kind, Arc::clone(&asked))?;
        }
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for one of them.
    pub(super) async fn asked(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = self.terminate.recv() => Asked::Terminate,
        }
    }
}
