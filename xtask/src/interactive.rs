//! Boots one guest for a user who watches: its own output is passed on as it
//! comes, and its exit status handed back.

use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::{ChildStdin, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::binaries::Binaries;
use crate::console::Line;
use crate::filter::Filter;
use crate::kvm;
use crate::paths;
use crate::prepare::BootFiles;
use crate::qemu::{Job, Machine, Output};
use crate::terminal::{self, RawMode};

/// Ctrl-A, the key before commands to the emulator; as QEMU has it.
const ESCAPE_KEY: u8 = 0x01;
/// Ctrl-D, which ends the input of a shell.
const END_KEY: u8 = 0x04;

/// What to run.
pub(crate) enum Task<'a> {
    /// The built-in demonstration.
    Demo,
    /// A bash script.
    Script(&'a Path),
    /// A shell for the user.
    Shell,
}

/// Boots a guest for the task and returns its exit status.
///
/// Fails when the guest crashes or ends without a status.
pub(crate) fn run(files: &BootFiles, binaries: &Binaries, task: &Task) -> Result<ExitCode> {
    let (name, script) = match task {
        Task::Demo => ("demo", None),
        Task::Script(script) => ("script", Some(*script)),
        Task::Shell => ("shell", None),
    };
    let interactive = matches!(task, Task::Shell);
    let job = Job {
        arguments: &[name.to_owned()],
        script,
        environment: &terminal::environment(),
        interactive,
        hardware: kvm::choose(files, binaries),
    };
    let mut machine = Machine::boot(files, binaries, &job, &format!("{}-{name}", files.version))?;
    let raw_mode = if interactive { RawMode::enter() } else { None };
    let keyboard = machine.take_keyboard();
    let end = watch(&machine, keyboard, raw_mode.is_some());
    drop(raw_mode);
    match end? {
        End::Exit(status) => {
            machine.wait_for_end(Duration::from_secs(10));
            Ok(ExitCode::from(u8::try_from(status).unwrap_or(1)))
        }
        End::Crash(message) => {
            machine.wait_for_end(Duration::from_secs(5));
            bail!(
                "the guest's kernel crashed: {message}\nits console is in {}",
                paths::shown(&machine.log)
            )
        }
        End::ByUser => bail!("the guest was ended from the keyboard"),
        End::Off => bail!(
            "the guest ended without an exit status; its console is in {}",
            paths::shown(&machine.log)
        ),
    }
}

enum End {
    Exit(i32),
    Crash(String),
    ByUser,
    Off,
}

/// Passes the guest's output on until it ends, and what the user types to
/// the guest.
fn watch(machine: &Machine, mut keyboard: Option<ChildStdin>, raw: bool) -> Result<End> {
    let ended_by_user = Arc::new(AtomicBool::new(false));
    let to_terminal = io::stdout().is_terminal();
    let mut filter = Filter::default();
    let mut out = io::stdout().lock();
    loop {
        let bytes = match machine.read(Duration::from_millis(200)) {
            Output::Bytes(bytes) => bytes,
            Output::Silence if ended_by_user.load(Ordering::Relaxed) => return Ok(End::ByUser),
            Output::Silence => continue,
            Output::End => return Ok(End::Off),
        };
        let mut shown = Vec::new();
        let kept = filter.push(&bytes, &mut shown);
        if !raw && !to_terminal {
            // The console ends lines as a terminal wants it; files don't.
            shown.retain(|byte| *byte != b'\r');
        }
        let written = out.write_all(&shown).and_then(|()| out.flush());
        if let Err(error) = written {
            if error.kind() == io::ErrorKind::BrokenPipe {
                return Ok(End::Exit(0));
            }
            return Err(error.into());
        }
        // Before its first prompt, the guest would lose what is typed.
        if let Some(keyboard) = keyboard.take_if(|_| !shown.is_empty()) {
            let ended = Arc::clone(&ended_by_user);
            // Never joined: it ends with the task, blocked in a read.
            thread::spawn(move || type_on(keyboard, &ended));
        }
        for line in kept {
            match line {
                Line::Exit(status) => return Ok(End::Exit(status)),
                Line::Fatal(message) => return Ok(End::Crash(message)),
                _ => {}
            }
        }
    }
}

/// Copies standard input to the guest until one of them ends; Ctrl-A x ends
/// the guest, Ctrl-A Ctrl-A is one Ctrl-A.
fn type_on(mut keyboard: ChildStdin, ended_by_user: &AtomicBool) {
    let typing = io::stdin().is_terminal();
    let mut escaped = false;
    let mut buffer = [0; 256];
    loop {
        let length = io::stdin().read(&mut buffer).unwrap_or(0);
        if length == 0 {
            // A guest that is gone needs no end of input.
            let _ = keyboard
                .write_all(&[END_KEY])
                .and_then(|()| keyboard.flush());
            return;
        }
        let mut keys = Vec::new();
        for key in &buffer[..length] {
            match (*key, escaped && typing) {
                (b'x', true) => {
                    ended_by_user.store(true, Ordering::Relaxed);
                    return;
                }
                (ESCAPE_KEY, false) if typing => escaped = true,
                (key, _) => {
                    escaped = false;
                    keys.push(key);
                }
            }
        }
        if keyboard
            .write_all(&keys)
            .and_then(|()| keyboard.flush())
            .is_err()
        {
            return;
        }
    }
}
