//! When the user wants an end: Ctrl-C or SIGTERM once to end well, a second
//! time to end at once. Of a command whose end is waited for each is for that.

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
    /// Takes the signals over from here on; a second one ends v6trace.
    pub(super) fn listen() -> io::Result<Self> {
        let stop = Self::listen_only()?;
        Self::arm()?;
        Ok(stop)
    }

    /// Takes the signals over from here on, and leaves all of them to who waits.
    pub(super) fn listen_only() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Has the second one from now on end v6trace.
    pub(super) fn arm() -> io::Result<()> {
        // The second one ends the process from within the handler, also where
        // the program hangs in a write that nobody reads.
        let asked = Arc::new(AtomicBool::new(false));
        for kind in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(kind, INTERRUPTED, Arc::clone(&asked))?;
            flag::register(kind, Arc::clone(&asked))?;
        }
        Ok(())
    }

    /// Waits for one of them.
    pub(super) async fn asked(&mut self) -> Asked {
        tokio::select! {
            _ = self.interrupt.recv() => Asked::Interrupt,
            _ = self.terminate.recv() => Asked::Terminate,
        }
    }
}
