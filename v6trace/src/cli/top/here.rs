//! `v6trace top` of this machine: traced as `live` does, and the newest of it held, for a
//! recording on demand.

use std::{
    cell::RefCell, io, ops::ControlFlow, path::Path, process::ExitCode, rc::Rc, time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep_until},
};

use super::{
    super::{
        live_options::{Begun, give_up_rights},
        tracing::{quiet, told},
    },
    Top,
};
use crate::{
    clock, live,
    record::Record,
    recording::{Held, OutputFile, PieceOptions, Writer},
    report::{Options, Report},
    top::{Input, Keeper, Screen, State, Wish, listen},
};

/// How long nothing is drawn after it was, but for what a key did.
const REST: Duration = Duration::from_millis(100);

impl Top {
    pub(super) fn here(&self, colours: bool) -> anyhow::Result<ExitCode> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(self.trace(colours))
    }

    async fn trace(&self, colours: bool) -> anyhow::Result<ExitCode> {
        let filter = self.filter.filter()?;
        let state = Rc::new(RefCell::new(State::new(true, filter.asked())));
        let options = Options {
            filter,
            ..Options::default()
        };
        let mut report = Report::new(options, Keeper::new(Rc::clone(&state)));
        let mut begun: Begun = self.live.begin(false, false)?;
        if self.live.trace.verbose > 1 {
            live::kernel_log::start(&mut begun.attached.ebpf)?;
        }
        // A recording may be written into the directory of somebody else.
        give_up_rights(true);
        let (live, info) = begun.into_live()?;
        let held = RefCell::new(Writer::new(Held::default())?);
        let changed = Notify::new();
        let (send, inputs) = mpsc::unbounded_channel();
        let screen = Screen::open(colours)?;
        listen(move |input| send.send(input).is_ok())?;
        let mut failed = None;
        let sink = |mut records: Vec<Record>| {
            records.extend(quiet(&report, records.is_empty()));
            let taken = held.borrow_mut().take(&records);
            let told = taken.and_then(|()| told(&mut report, &records));
            changed.notify_one();
            told.unwrap_or_else(|error| {
                failed = Some(error);
                ControlFlow::Break(())
            })
        };
        let looking = Looking {
            state: &state,
            held: &held,
            changed: &changed,
        };
        let mut looked = Ok(());
        let end = async { looked = looking.look(screen, inputs).await };
        let traced = live.run(info, self.live.duration, end, None, sink).await;
        traced?;
        looked?;
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(ExitCode::SUCCESS),
        }
    }
}

/// What somebody looks at while it changes.
struct Looking<'a> {
    state: &'a RefCell<State>,
    held: &'a RefCell<Writer<Held>>,
    changed: &'a Notify,
}

impl Looking<'_> {
    /// Shows it until somebody wants an end.
    async fn look(
        &self,
        mut screen: Screen,
        mut inputs: mpsc::UnboundedReceiver<Input>,
    ) -> io::Result<()> {
        screen.draw(&mut self.state.borrow_mut())?;
        let mut drawn = Instant::now();
        let mut is_stale = false;
        loop {
            tokio::select! {
                input = inputs.recv() => {
                    let mut state = self.state.borrow_mut();
                    match input {
                        None | Some(Input::End) => return Ok(()),
                        Some(Input::Draw) => {}
                        Some(Input::Key(key)) => match state.key(key) {
                            Some(Wish::End) => return Ok(()),
                            Some(Wish::Copy(text)) => {
                                let told = screen.copy(&text)?;
                                state.tell(told);
                            }
                            Some(Wish::Write) => state.tell(self.write()),
                            None => {}
                        },
                    }
                }
                () = self.changed.notified(), if !is_stale => {
                    is_stale = true;
                    continue;
                }
                () = sleep_until(drawn + REST), if is_stale => {}
            }
            screen.draw(&mut self.state.borrow_mut())?;
            drawn = Instant::now();
            is_stale = false;
        }
    }

    /// Writes what is held, and says what became of that.
    fn write(&self) -> String {
        let name = Timestamp::now().strftime("v6trace-%Y%m%d-%H%M%SZ.v6t");
        let name = name.to_string();
        let file = OutputFile::create(Path::new(&name), false, PieceOptions::default());
        let saved = file.and_then(|mut file| {
            let mut held = self.held.borrow_mut();
            held.save(clock::boot_ns(), &mut file)
        });
        match saved {
            Ok(saved) => {
                let size = saved.size.div_ceil(1024);
                let whole = match saved.let_go {
                    0 => "all of it".to_owned(),
                    pieces => format!("the newest of it, {pieces} MB before were let go"),
                };
                format!("{name}: {size} KB, {whole}")
            }
            Err(error) => format!("{name} cannot be written: {error}"),
        }
    }
}
