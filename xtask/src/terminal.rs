//! Puts the user's terminal into raw mode while a guest's shell has it.

use std::io;

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

/// The terminal's kind and size, as environment for the guest's shell.
pub(crate) fn environment() -> String {
    let kind = std::env::var("TERM").unwrap_or_else(|_| "vt220".to_owned());
    let plain = kind
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_+.".contains(c));
    let kind = if plain { kind } else { "vt220".to_owned() };
    match termios::tcgetwinsize(io::stdin()) {
        Ok(size) if size.ws_row > 0 && size.ws_col > 0 => {
            format!("TERM={kind} LINES={} COLUMNS={}", size.ws_row, size.ws_col)
        }
        _ => format!("TERM={kind}"),
    }
}
