//! `v6trace top FILE`: all of the recordings is read, then looked at.

use std::{cell::RefCell, process::ExitCode, rc::Rc, sync::mpsc};

use super::{super::recordings::Recordings, Log, Top};
use crate::{
    error_chain::with_causes,
    recording::Replay,
    report::{Options, Report},
    top::{Input, Keeper, Screen, State, Wish, listen_to_keys, listen_to_signals},
};

impl Top {
    pub(super) fn recorded(&self, colours: bool, log: Log) -> anyhow::Result<ExitCode> {
        let filter = self.filter.offline()?;
        let state = Rc::new(RefCell::new(State::new(false, filter.asked())));
        let options = Options {
            filter,
            ..Options::default()
        };
        let report = Report::new(options, Keeper::new(Rc::clone(&state)));
        let mut feed = Replay::new(report);
        let (_, read) = Recordings::new(&self.files).feed(&mut feed, |_| Ok(()));
        // What could be read is shown, whatever came then; that is told at the end.
        let (whole, _) = feed.finish()?;
        let mut state = state.borrow_mut();
        if let Err(error) = &read {
            if state.is_empty() {
                return read.map(|()| ExitCode::FAILURE);
            }
            state.say(with_causes(error.as_ref()));
        }
        look(&mut state, colours, log)?;
        read?;
        Ok(if whole {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// Shows it until somebody wants an end.
fn look(state: &mut State, colours: bool, log: Log) -> anyhow::Result<()> {
    let (send, inputs) = mpsc::channel();
    let send = move |input| send.send(input).is_ok();
    listen_to_signals(send.clone(), move || log.tell())?;
    let mut screen = Screen::open(colours)?;
    listen_to_keys(send)?;
    screen.draw(state)?;
    for input in inputs {
        match input {
            Input::Draw => {}
            Input::End => break,
            #[cfg(feature = "live")]
            Input::Told(told) => state.tell(told),
            Input::Key(key) => match state.key(key) {
                Some(Wish::End) => break,
                Some(Wish::Copy(text)) => state.tell(screen.copy(&text)?),
                Some(Wish::Write) => state.tell("it is a recording already".to_owned()),
                None => {}
            },
        }
        screen.draw(state)?;
    }
    Ok(())
}
