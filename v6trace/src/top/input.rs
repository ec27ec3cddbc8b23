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
}

/// Hands over what comes until `send` says that nobody takes it any more. A second signal
/// ends the process, with the terminal as it was.
pub(crate) fn listen(send: impl Fn(Input) -> bool + Clone + Send + 'static) -> io::Result<()> {
    #[cfg(unix)]
    signals(send.clone())?;
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

#[cfg(unix)]
fn signals(send: impl Fn(Input) -> bool + Send + 'static) -> io::Result<()> {
    use signal_hook::{
        consts::{SIGHUP, SIGINT, SIGTERM},
        iterator::Signals,
    };

    /// As a shell reports a process that SIGINT ended: 128 + 2.
    const INTERRUPTED: i32 = 130;

    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let wait = move || {
        let mut was_asked = false;
        for _ in &mut signals {
            if was_asked || !send(Input::End) {
                super::screen::restore();
                std::process::exit(INTERRUPTED);
            }
            was_asked = true;
        }
    };
    let thread = thread::Builder::new().name("signals".to_owned());
    thread.spawn(wait).map(drop)
}
