//! A terminal: what a program draws there, and keys for it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use vt100::Parser;

use super::{command, until, until_some};

/// How long a program may take to draw what is waited for; it may have to attach first.
const LIMIT: Duration = Duration::from_secs(40);

/// Its size.
const ROWS: NonZeroU16 = NonZeroU16::new(24).unwrap();
const COLUMNS: NonZeroU16 = NonZeroU16::new(80).unwrap();

/// A program in a terminal of its own, which ends with this value.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    /// The terminal as the program has it.
    line: OwnedFd,
    screen: Arc<Mutex<Parser>>,
}

impl Terminal {
    /// Starts a program there.
    ///
    /// # Errors
    /// There is no terminal to be had, or no such program.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let keys = openpt(flags).context("there is no terminal")?;
        grantpt(&keys)?;
        unlockpt(&keys)?;
        let name = ptsname(&keys, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let line = rustix::fs::open(&*name, flags, Mode::empty()).context("no other end")?;
        tcsetwinsize(
            &line,
            Winsize {
                ws_row: ROWS.get(),
                ws_col: COLUMNS.get(),
                ws_xpixel: 0,
                ws_ypixel: 0,
            },
        )?;
        let end = || line.try_clone().map(Stdio::from);
        let child = command
            .env("TERM", "xterm-256color")
            .stdin(end()?)
            .stdout(end()?)
            .stderr(end()?)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let screen = Arc::new(Mutex::new(Parser::new(ROWS, COLUMNS, 0)));
        let keys = File::from(keys);
        let mut drawn = keys.try_clone()?;
        let parser = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It fails when the last who had the other end is gone.
            while let Ok(count @ 1..) = drawn.read(&mut bytes) {
                let mut parser = parser.lock().unwrap_or_else(PoisonError::into_inner);
                parser.process(&bytes[..count]);
            }
        });
        Ok(Self {
            child,
            keys,
            line,
            screen,
        })
    }

    /// What is on the screen.
    pub(crate) fn shown(&self) -> String {
        let parser = self.screen.lock();
        let parser = parser.unwrap_or_else(PoisonError::into_inner);
        parser.screen().contents()
    }

    /// Waits until this is on the screen.
    ///
    /// # Errors
    /// It is not.
    pub(crate) fn wait_for(&self, text: &str) -> Result<()> {
        let waited = until(&format!("the screen should show {text}"), LIMIT, || {
            self.shown().contains(text)
        });
        waited.with_context(|| self.shown())
    }

    /// Presses keys.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn press(&mut self, keys: &str) -> Result<()> {
        self.keys.write_all(keys.as_bytes()).context("a key")
    }

    /// The program's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends the program a signal.
    ///
    /// # Errors
    /// It is gone.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        command::signal(&self.child, "the program", signal)
    }

    /// How the program ends.
    ///
    /// # Errors
    /// It goes on.
    pub(crate) fn ended(&mut self) -> Result<ExitStatus> {
        let child = &mut self.child;
        until_some("the program should end", LIMIT, || Ok(child.try_wait()?))
    }

    /// Whether the terminal is as a shell leaves it to programs: it shows what is typed, by
    /// the line, on the screen that scrolls.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn is_given_back(&self) -> Result<bool> {
        let modes = tcgetattr(&self.line)?.local_modes;
        let parser = self.screen.lock();
        let parser = parser.unwrap_or_else(PoisonError::into_inner);
        let screen = parser.screen();
        Ok(modes.contains(LocalModes::ICANON | LocalModes::ECHO)
            && !screen.alternate_screen()
            && !screen.hide_cursor())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended, mostly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
