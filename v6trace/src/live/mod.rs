//! Live tracing: per-CPU perf buffers → records in the order of their time.
//!
//! ```text
//! records held back --\
//! perf buffers --drain--> Merge --released--> Observer --> Record ... --> sink
//!               |  \---- what is urgent -------/             |
//!               \------ ring losses + LOSSES map --> Losses -/
//! ```
//!
//! One task reads every buffer. A drain begins by taking the time; once it is
//! through, whatever happened a little before that time has been read from
//! every CPU, and can go on in order.

mod held;
pub mod kernel_log;
mod losses;
mod merge;
mod missed;
mod rings;

use std::{future::Future, ops::ControlFlow, time::Duration};

use anyhow::Context as _;
use aya::{Ebpf, maps::PerCpuArray};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::{
    attach::{Attached, Links},
    clock,
    observe::Observer,
    record::{KernelRecord, Record, SessionInfo},
};
use held::Held;
use losses::{LossCounters, Losses};
use merge::Merge;
use missed::Missed;
use rings::Rings;

/// How often losses, and records held back, are looked for.
const LOSS_INTERVAL: Duration = Duration::from_secs(1);
/// How long a record waits for earlier ones of other CPUs. A program has its
/// time before its record is in the buffer; in between it can be interrupted,
/// but not for so long.
const MERGE_DELAY: Duration = Duration::from_millis(50);

/// How long nobody waits for records after a drain: in a burst, being woken for
/// each costs more than the record. A buffer holds far more than comes
/// meanwhile.
const REST: Duration = Duration::from_millis(2);

/// How many events are looked at and handed over together at most, so that a
/// burst does not pile up; each comes with what belongs to it.
const TOGETHER: usize = 256;

/// A tracer that is attached and has its buffers open.
pub struct Live {
    /// Its maps, which the programs use.
    _ebpf: Ebpf,
    links: Links,
    rings: Rings,
    counters: LossCounters,
    held: Held,
    losses: Losses,
    missed: Missed,
    merge: Merge,
    observer: Observer,
}

/// Where the programs' events and counters are read; opened before the first
/// hook fires, so that nothing of it is lost.
pub struct Buffers {
    rings: Rings,
    counters: LossCounters,
    held: Held,
}

impl Buffers {
    /// Opens the buffers of loaded programs, `bytes` for each CPU.
    pub fn open(ebpf: &mut Ebpf, bytes: usize) -> anyhow::Result<Self> {
        let events = ebpf
            .take_map("EVENTS")
            .context("the programs have no EVENTS map")?;
        let counters = ebpf
            .take_map("LOSSES")
            .context("the programs have no LOSSES map")?;
        Ok(Self {
            rings: Rings::open(events, bytes)?,
            counters: PerCpuArray::try_from(counters)?,
            held: Held::open(ebpf)?,
        })
    }
}

impl Live {
    /// Reads what an attached tracer puts into its buffers.
    pub fn new(attached: Attached, buffers: Buffers) -> anyhow::Result<(Self, SessionInfo)> {
        let Attached {
            ebpf,
            links,
            coverage,
            members,
        } = attached;
        let Buffers {
            rings,
            counters,
            held,
        } = buffers;
        let (observer, info) = Observer::start(coverage, members)?;
        let missed = Missed::watch(&ebpf);
        let live = Self {
            _ebpf: ebpf,
            links,
            rings,
            counters,
            held,
            losses: Losses::default(),
            missed,
            merge: Merge::default(),
            observer,
        };
        Ok((live, info))
    }

    /// Hands every record to `sink` until `stop` resolves, the time is over or
    /// the sink has enough; then detaches, drains and closes the stream.
    ///
    /// Records that come out together are handed over together, what was looked
    /// up along with the event that it belongs to. At least once a second the
    /// sink is called, with nothing if nothing happened.
    pub async fn run(
        mut self,
        info: SessionInfo,
        duration: Option<Duration>,
        stop: impl Future<Output = ()>,
        mut sink: impl FnMut(Vec<Record>) -> ControlFlow<()>,
    ) -> anyhow::Result<()> {
        let end = duration.map(|duration| Instant::now() + duration);
        let mut opening = vec![Record::Session(info)];
        opening.extend(self.observer.namespaces());
        let mut enough = sink(opening).is_break();
        let mut release = interval(MERGE_DELAY);
        let mut count_losses = interval(LOSS_INTERVAL);
        release.set_missed_tick_behavior(MissedTickBehavior::Delay);
        count_losses.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(stop);
        while !enough {
            tokio::select! {
                () = &mut stop => break,
                () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => break,
                ready = self.rings.readable() => {
                    ready?;
                    self.drain();
                    // The runtime's own sleep waits in the same place as for
                    // records, so each of them would interrupt it.
                    std::thread::sleep(REST);
                }
                _ = release.tick(), if !self.merge.is_empty() => {
                    let until = clock::boot_ns().saturating_sub(nanoseconds(MERGE_DELAY));
                    self.drain();
                    enough = self.release(until, &mut sink).is_break();
                }
                _ = count_losses.tick() => {
                    self.take_held(clock::boot_ns());
                    enough = self.count_losses(&mut sink).is_break();
                }
            }
        }
        self.finish(&mut sink)
    }

    fn drain(&mut self) {
        let (merge, losses) = (&mut self.merge, &mut self.losses);
        let mut urgent = Vec::new();
        let observer = &self.observer;
        self.rings.drain(
            |bytes| {
                if observer.is_urgent(&bytes) {
                    urgent.push(KernelRecord::new(bytes.clone()));
                }
                merge.push(bytes);
            },
            |cpu, count| losses.ring_lost(cpu, count),
        );
        self.observer.glance(&urgent);
    }

    fn take_held(&mut self, now: u64) {
        let merge = &mut self.merge;
        self.held.take(now, |bytes| merge.push(bytes));
    }

    fn release(
        &mut self,
        until: u64,
        sink: &mut impl FnMut(Vec<Record>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        loop {
            let mut batch = Vec::with_capacity(self.merge.len().min(TOGETHER));
            let due = std::iter::from_fn(|| self.merge.pop(until));
            batch.extend(due.take(TOGETHER).map(KernelRecord::new));
            let last = batch.len() < TOGETHER;
            sink(self.observer.around(batch))?;
            if last {
                return ControlFlow::Continue(());
            }
        }
    }

    fn count_losses(
        &mut self,
        sink: &mut impl FnMut(Vec<Record>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let lost = self.losses.count(&self.counters).unwrap_or_else(|error| {
            log::warn!("the loss counters could not be read: {error}");
            Vec::new()
        });
        let lost = lost.into_iter().chain(self.missed.count());
        sink(lost.map(Record::Lost).collect())
    }

    /// Detaches first, so that what is drained afterwards is all there is.
    fn finish(
        mut self,
        sink: &mut impl FnMut(Vec<Record>) -> ControlFlow<()>,
    ) -> anyhow::Result<()> {
        std::mem::take(&mut self.links).detach();
        self.drain();
        self.take_held(u64::MAX);
        // A sink that has enough is still told how it ended.
        let _ = self.release(u64::MAX, sink);
        let lost = self.losses.count(&self.counters)?;
        let lost = lost.into_iter().chain(self.losses.unaccounted());
        let lost = lost.chain(self.missed.count());
        let mut closing: Vec<Record> = lost.map(Record::Lost).collect();
        closing.push(Record::End {
            boot_ns: clock::boot_ns(),
        });
        let _ = sink(closing);
        Ok(())
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
