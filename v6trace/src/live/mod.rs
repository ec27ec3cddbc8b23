//! Live tracing: per-CPU perf buffers → records in the order of their time.
//!
//! ```text
//! records held back --\
//! perf buffers --drain--> Merge --due--> Observer --> Record ... --> sink
//!               |  \---- what is urgent ----/             |
//!               \------ ring losses + LOSSES map --> Losses -/
//! ```
//!
//! One task reads every buffer. A drain begins by taking the time; once it is
//! through, whatever happened a little before that time has been read from
//! every CPU, and can go on in order.
//!
//! When it reads is up to `Pace`: now and then while anything happens, else when
//! the kernel side rings the `Bell`. In between it is woken where a buffer fills.
//! It also reads between any two batches that it hands over, so that a long
//! explanation fills no buffer, and explains what it has when there is time.

mod bell;
mod bpf;
mod held;
pub mod kernel_log;
mod losses;
mod mapping;
mod merge;
mod missed;
mod pace;
mod ring;
mod rings;
mod words;

use std::{cell::Cell, future::Future, ops::ControlFlow, time::Duration};

use anyhow::Context as _;
use aya::Ebpf;
use tokio::{
    task::yield_now,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use crate::{
    attach::{Attached, Links},
    clock,
    observe::Observer,
    record::{Record, SessionInfo},
};
use bell::Bell;
use held::Held;
use losses::{LossCounters, Losses};
use merge::Merge;
use missed::Missed;
use pace::{LOOK, Pace};
use rings::Rings;

/// How often losses, and records that were held back or wait, are looked for.
const LOSS_INTERVAL: Duration = Duration::from_secs(1);
/// How long a record waits for earlier ones of other CPUs. A program has its
/// time before its record is in the buffer; in between it can be interrupted,
/// but not for so long.
const MERGE_DELAY: Duration = Duration::from_millis(50);

/// How long nobody waits for the bell after it rang: of changes that come
/// together, each would ring.
const REST: Duration = Duration::from_millis(2);

/// How many events are looked at and handed over together at most, so that a
/// burst does not pile up; each comes with what belongs to it.
const TOGETHER: usize = 256;

/// With so many records due nothing more is read, so that the buffers fill up and
/// losses are counted: explanations that are too slow for what happens must not
/// take all memory.
const MOST_DUE: usize = 1 << 16;

/// A tracer that is attached and has its buffers open.
pub struct Live {
    /// Its maps, which the programs use.
    _ebpf: Ebpf,
    links: Links,
    buffers: Buffers,
    losses: Losses,
    missed: Missed,
    merge: Merge,
    /// When the buffers were last read, nanoseconds since boot.
    read_ns: u64,
    /// Until when everything is due.
    due_ns: u64,
    pace: Pace,
    observer: Observer,
    /// What the host was like when tracing began.
    host: Vec<Record>,
}

/// Where the programs' events and counters are read; opened before the first
/// hook fires, so that nothing of it is lost.
pub struct Buffers {
    rings: Rings,
    bell: Bell,
    counters: LossCounters,
    held: Held,
}

impl Buffers {
    /// Opens the buffers of loaded programs, `bytes` for each CPU.
    pub fn open(ebpf: &mut Ebpf, bytes: usize) -> anyhow::Result<Self> {
        let events = ebpf
            .take_map("EVENTS")
            .context("the programs have no EVENTS map")?;
        Ok(Self {
            rings: Rings::open(events, bytes)?,
            bell: Bell::open(ebpf)?,
            counters: LossCounters::open(ebpf)?,
            held: Held::open(ebpf)?,
        })
    }
}

impl Live {
    /// Reads what an attached tracer puts into its buffers; `host` is what the host was
    /// like, for the beginning of the stream.
    pub fn new(
        attached: Attached,
        buffers: Buffers,
        host: Vec<Record>,
    ) -> anyhow::Result<(Self, SessionInfo)> {
        let Attached {
            ebpf,
            links,
            coverage,
            members,
        } = attached;
        let (observer, info) = Observer::start(coverage, members)?;
        let missed = Missed::watch(&ebpf);
        let live = Self {
            _ebpf: ebpf,
            links,
            buffers,
            losses: Losses::default(),
            missed,
            merge: Merge::default(),
            read_ns: 0,
            due_ns: 0,
            pace: Pace::default(),
            observer,
            host,
        };
        Ok((live, info))
    }

    /// Hands every record to `sink` until `stop` resolves, the time is over or
    /// the sink has enough; then detaches, drains and closes the stream.
    ///
    /// Records that come out together are handed over together, what was looked
    /// up along with the event that it belongs to. At least once a second the
    /// sink is called, with nothing only if nothing is to come either: what follows from
    /// silence may be said then. Where there is a `through_ns`, it tells up to when
    /// everything was handed over, and goes on while nothing happens.
    pub async fn run(
        mut self,
        info: SessionInfo,
        duration: Option<Duration>,
        stop: impl Future<Output = ()>,
        through_ns: Option<&Cell<u64>>,
        mut sink: impl FnMut(Vec<Record>) -> ControlFlow<()>,
    ) -> anyhow::Result<()> {
        let end = duration.map(|duration| Instant::now() + duration);
        let mut opening = vec![Record::Session(info)];
        opening.extend(self.observer.namespaces());
        opening.append(&mut self.host);
        let mut enough = sink(opening).is_break();
        let mut look = interval(LOOK);
        let mut count_losses = interval(LOSS_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        count_losses.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(stop);
        while !enough {
            tokio::select! {
                () = &mut stop => break,
                () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => break,
                rung = self.buffers.bell.rung() => {
                    rung?;
                    self.drain();
                    self.pace = Pace::Awake;
                    // The runtime's own sleep waits in the same place as for the
                    // bell, so each ring would interrupt it.
                    std::thread::sleep(REST);
                }
                filling = self.buffers.rings.filling() => {
                    filling?;
                    self.drain();
                    self.pace = Pace::Awake;
                }
                _ = look.tick(), if self.pace != Pace::Asleep || through_ns.is_some() => self.look(),
                () = yield_now(), if self.merge.due() > 0 => {
                    self.drain();
                    enough = self.hand_over(&mut sink).is_break();
                }
                _ = count_losses.tick() => {
                    self.take_held(clock::boot_ns());
                    // With nothing there is said that nothing happens, so nothing may
                    // still be to come.
                    let through_ns = self.through();
                    let is_idle = through_ns.is_some();
                    if !is_idle {
                        self.pace = Pace::Awake;
                    }
                    let lost = self.count_losses();
                    let due = self.observer.due(clock::boot_ns(), through_ns);
                    for records in [lost, due] {
                        if !enough && (is_idle || !records.is_empty()) {
                            enough = sink(records).is_break();
                        }
                    }
                }
            }
            if let Some(through_ns) = through_ns.filter(|_| self.merge.due() == 0) {
                through_ns.set(self.due_ns);
            }
        }
        self.finish(&mut sink);
        Ok(())
    }

    /// Up to when everything was handed over, if nothing is there that was not.
    fn through(&mut self) -> Option<u64> {
        if self.merge.is_empty() {
            self.read();
        }
        self.merge.is_empty().then(|| self.ordered())
    }

    /// Up to when everything is in order that was read.
    fn ordered(&self) -> u64 {
        // Not later: what happened since may still be in a buffer.
        self.read_ns.saturating_sub(nanoseconds(MERGE_DELAY))
    }

    /// Reads what is there, and lets go what need not wait any longer.
    fn look(&mut self) {
        let any = self.drain();
        let until = self.ordered();
        self.merge.release(until);
        self.due_ns = until;
        self.pace = self.pace.after(any || !self.merge.is_empty());
        if self.pace == Pace::Dozing {
            self.buffers.bell.wake_at_next();
        }
    }

    /// Reads what is there, unless enough is due. Whether anything was.
    fn drain(&mut self) -> bool {
        self.buffers.bell.silence();
        self.merge.due() >= MOST_DUE || self.read()
    }

    fn read(&mut self) -> bool {
        self.read_ns = clock::boot_ns();
        let (merge, losses) = (&mut self.merge, &mut self.losses);
        let mut urgent = Vec::new();
        let observer = &self.observer;
        let any = self.buffers.rings.drain(
            |bytes| {
                if observer.is_urgent(&bytes) {
                    urgent.push(Record::kernel(bytes.clone()));
                }
                merge.push(bytes);
            },
            |cpu, count| losses.ring_lost(cpu, count),
        );
        self.observer.glance(&urgent);
        any
    }

    fn take_held(&mut self, now: u64) {
        let merge = &mut self.merge;
        self.buffers.held.take(now, |bytes| merge.push(bytes));
    }

    /// Hands over some of what is due.
    fn hand_over(
        &mut self,
        sink: &mut impl FnMut(Vec<Record>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let batch = self.merge.take(TOGETHER).map(Record::kernel).collect();
        sink(self.observer.around(batch))
    }

    fn count_losses(&mut self) -> Vec<Record> {
        let mut lost = self.losses.count(&self.buffers.counters);
        lost.extend(self.missed.count());
        lost.into_iter().map(Record::Lost).collect()
    }

    /// Detaches first, so that what is drained afterwards is all there is.
    fn finish(mut self, sink: &mut impl FnMut(Vec<Record>) -> ControlFlow<()>) {
        std::mem::take(&mut self.links).detach();
        self.read();
        let merge = &mut self.merge;
        self.buffers.held.take_all(|bytes| merge.push(bytes));
        self.merge.release(u64::MAX);
        // A sink that has enough is still told how it ended.
        while self.merge.due() > 0 && self.hand_over(sink).is_continue() {}
        // What would be looked at later is not.
        let _ = sink(self.observer.end(clock::boot_ns()));
        let mut lost = self.losses.count(&self.buffers.counters);
        lost.extend(self.losses.unaccounted());
        lost.extend(self.missed.count());
        let mut closing: Vec<Record> = lost.into_iter().map(Record::Lost).collect();
        closing.push(Record::End {
            boot_ns: clock::boot_ns(),
        });
        let _ = sink(closing);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
