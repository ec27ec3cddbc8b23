//! Puts the user's terminal into raw mode while a guest's shell has it.

use std::io::{self, IsTerminal};

use rustix::termios::{self, OptionalActions, Termios};

/// Raw mode; dropped, also when a panic unwinds, it gives the terminal back
/// as it was.
pub(crate) struct RawMode {
    before: Termios,
}

impl RawMode {
    /// Switches to raw mode; none when standard input is no terminal.
    pub(crate) fn enter() -> Option<Self> {
        let stdin = io::stdin();
        let before = termios::tcgetattr(&stdin).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(&stdin, OptionalActions::Drain, &raw).ok()?;
        Some(Self { before })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

/// Environment for what runs in the guest: the terminal's kind and size, and
/// no colours when the output goes elsewhere.
pub(crate) fn environment() -> String {
    let kind = std::env::var("TERM").unwrap_or_default();
    // It ends up on the kernel's command line, so nothing but a plain word.
    let plain = !kind.is_empty()
        && kind
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_+.".contains(c));
    let mut environment = format!("TERM={}", if plain { &kind } else { "vt220" });
    if let Ok(size) = termios::tcgetwinsize(io::stdout())
        && size.ws_row > 0
        && size.ws_col > 0
    {
        environment += &format!(" LINES={} COLUMNS={}", size.ws_row, size.ws_col);
    }
    if !io::stdout().is_terminal() {
        environment += " NO_COLOR=1";
    }
    environment
}
