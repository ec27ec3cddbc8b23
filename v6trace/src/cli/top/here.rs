//! `v6trace top` of this machine: traced as `live` does, and the newest of it held, for a
//! recording on demand.

use std::{
    cell::RefCell,
    io::{self, Write as _},
    ops::ControlFlow,
    path::Path,
    process::ExitCode,
    rc::Rc,
    thread::{self, JoinHandle},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep_until},
};

use super::{
    super::{
        live_options::{Begun, give_up_rights},
        options,
        tracing::{quiet, told},
    },
    Log, Top,
};
use crate::{
    clock, live,
    privilege::kept::Files,
    record::Record,
    recording::{Copied, Held, Writer},
    report::{Options, Report},
    top::{Input, Keeper, Screen, State, Wish, listen_to_keys, listen_to_signals},
};

/// How long nothing is drawn after it was, but for what a key did.
const REST: Duration = Duration::from_millis(100);

impl Top {
    pub(super) fn here(&self, colours: bool, log: Log) -> anyhow::Result<ExitCode> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(self.trace(colours, log))
    }

    async fn trace(&self, colours: bool, log: Log) -> anyhow::Result<ExitCode> {
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
        give_up_rights(Files::Made);
        let (live, info) = begun.into_live()?;
        let held = RefCell::new(Writer::new(Held::default())?);
        let changed = Notify::new();
        let (send, inputs) = mpsc::unbounded_channel();
        let writing = send.clone();
        let send = move |input| send.send(input).is_ok();
        listen_to_signals(send.clone(), move || log.tell())?;
        let screen = Screen::open(colours)?;
        listen_to_keys(send)?;
        let mut failed = None;
        let sink = |mut records: Vec<Record>| {
            records.extend(quiet(&report, records.is_empty()));
            if let Err(error) = held.borrow_mut().take(&records) {
                let what = format!("what `w` writes will lack records: {error}");
                state.borrow_mut().say(what);
            }
            let told = told(&mut report, &records);
            state.borrow_mut().count(report.totals());
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
            send: writing,
            writing: RefCell::default(),
        };
        let mut looked = Ok(());
        let end = async { looked = looking.look(screen, inputs).await };
        let traced = live.run(info, self.live.duration, end, None, sink).await;
        looking.written();
        // With standard error closed there is nobody to tell.
        let _ = options::stderr().write_all(state.borrow().closing());
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
    send: mpsc::UnboundedSender<Input>,
    /// The file that is written.
    writing: RefCell<Option<JoinHandle<()>>>,
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
                        Some(Input::Told(told)) => state.tell(told),
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

    /// Has what is held written by a thread, for a disk may be slow; says what comes of that.
    fn write(&self) -> String {
        let mut writing = self.writing.borrow_mut();
        if writing.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return "the one before is still being written".to_owned();
        }
        let name = Timestamp::now().strftime("v6trace-%Y%m%d-%H%M%SZ.v6t");
        let name = name.to_string();
        let copied = self.held.borrow_mut().copy(clock::boot_ns());
        let send = self.send.clone();
        let path = name.clone();
        let begun = copied.and_then(|copied| {
            let thread = thread::Builder::new().name("writer".to_owned());
            // Whoever has ended meanwhile is told nothing.
            thread.spawn(move || drop(send.send(Input::Told(write(&path, &copied)))))
        });
        match begun {
            Ok(thread) => {
                *writing = Some(thread);
                format!("writing {name}")
            }
            Err(error) => format!("{name} cannot be written: {error}"),
        }
    }

    /// Waits until nothing is written any more.
    fn written(&self) {
        if let Some(thread) = self.writing.take() {
            // A panic has told of itself.
            let _ = thread.join();
        }
    }
}

/// Writes it, and says what became of that.
fn write(name: &str, copied: &Copied) -> String {
    if let Err(error) = copied.write(Path::new(name)) {
        return format!("{name} cannot be written: {error}");
    }
    let size = copied.size().div_ceil(1024);
    let whole = match copied.let_go {
        0 if copied.unrecorded > 0 => String::new(),
        0 => ", all of it".to_owned(),
        pieces => format!(", the newest of it, {pieces} MB before were let go"),
    };
    let lacks = match copied.unrecorded {
        0 => String::new(),
        records => format!(", without {records} records that could not be held"),
    };
    format!("{name}: {size} KB{whole}{lacks}")
}
