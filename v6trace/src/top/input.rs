//! What reaches v6trace from the terminal and by signals, from threads of their own.

use std::{io, thread};

use ratatui::crossterm::event::{self, Event, KeyEvent};

/// What came.
#[derive(Debug)]
pub(crate) enum Input {
    /// A key.
    Key(KeyEvent),
    /// The terminal has another size, or is to be drawn again.
    Draw,
    /// An end is asked for by a signal, or the terminal is gone.
    End,
    /// What became of a wish that takes long.
    #[cfg(feature = "live")]
    Told(String),
}

/// Hands over keys, sizes and that the terminal is gone, until `send` says that nobody takes
/// it any more.
pub(crate) fn keys(send: impl Fn(Input) -> bool + Clone + Send + 'static) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    hangup(send.clone())?;
    thread::Builder::new()
        .name("keys".to_owned())
        .spawn(move || {
            loop {
                let input = match event::read() {
                    Ok(Event::Key(key)) => Input::Key(key),
                    Ok(Event::Resize(..)) => Input::Draw,
                    Ok(_) => continue,
                    Err(_) => Input::End,
                };
                let is_end = matches!(input, Input::End);
                if !send(input) || is_end {
                    break;
                }
            }
        })?;
    Ok(())
}

/// Hands over that the terminal is gone: who reads keys is not told.
#[cfg(target_os = "linux")]
fn hangup(send: impl Fn(Input) -> bool + Send + 'static) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};

    let wait = move || {
        let stdin = io::stdin();
        // A hangup is told in any case, and nothing else is asked for.
        let mut terminal = [PollFd::new(&stdin, PollFlags::empty())];
        while poll(&mut terminal, None) == Err(rustix::io::Errno::INTR) {}
        send(Input::End)
    };
    let thread = thread::Builder::new().name("hangup".to_owned());
    thread.spawn(wait).map(drop)
}

/// Hands over signals that ask for an end. A second one ends the process, with the terminal
/// as it was and after `last`, or without that where the terminal takes nothing any more.
#[cfg(unix)]
pub(crate) fn signals(
    send: impl Fn(Input) -> bool + Send + 'static,
    last: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    use std::{sync::mpsc, time::Duration};

    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };

    /// As a shell reports a process that SIGINT ended: 128 + 2.
    const INTERRUPTED: i32 = 130;
    /// How long the terminal may take for it. Whoever hangs in writing to it has the lock of
    /// standard output.
    const PATIENCE: Duration = Duration::from_secs(1);

    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let wait = move || {
        let mut asked = signals.forever();
        let is_first = asked.next().is_some_and(|_| send(Input::End));
        if is_first {
            asked.next();
        }
        let (done, is_done) = mpsc::channel();
        let restore = move || {
            super::screen::restore();
            last();
            done.send(())
        };
        if thread::Builder::new().spawn(restore).is_ok() {
            // Either it is done, or there is no more to do.
            let _ = is_done.recv_timeout(PATIENCE);
        }
        std::process::exit(INTERRUPTED);
    };
    let thread = thread::Builder::new().name("signals".to_owned());
    thread.spawn(wait).map(drop)
}

/// There are none.
#[cfg(not(unix))]
pub(crate) fn signals(
    _send: impl Fn(Input) -> bool + Send + 'static,
    _last: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    Ok(())
}
