//! One burst of joins on two processors, and how many of them each tracer can
//! show afterwards.

use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::figure;
use super::place::Place;
use super::tracers::{Purpose, Tracer};
use crate::guest::{MulticastSocket, OptmemMax, join_each};

/// Joins of each processor.
const JOINS: u32 = 11_119;
/// Joins of one socket: each makes the next one slower, since the kernel looks
/// through the list.
const SOCKET: u32 = 256;
/// The processors.
const CPUS: [usize; 2] = [0, 1];

pub(super) fn measure(tracers: &[Tracer]) -> Result<()> {
    let place = Place::make()?;
    let _limit = OptmemMax::set_host(1 << 22)?;
    for tracer in tracers {
        tracer.define(Purpose::Record)?;
        let running = tracer.start(Purpose::Record)?;
        let start = Instant::now();
        burst(&place)?;
        figure(
            "burst-ms",
            tracer.name,
            &[start.elapsed().as_secs_f64() * 1e3],
        );
        running.stop()?;
        let recorded = tracer.recorded()?;
        figure("burst", tracer.name, &[f64::from(JOINS) * 2.0]);
        figure("burst-recorded", tracer.name, &[count(recorded.joins)?]);
        if let Some(lost) = recorded.lost {
            figure("burst-reported-lost", tracer.name, &[count(lost)?]);
        }
    }
    Ok(())
}

/// Joins on both processors at once, as fast as it goes.
fn burst(place: &Place) -> Result<()> {
    thread::scope(|scope| {
        let threads = CPUS.map(|cpu| scope.spawn(move || join_on(place, cpu)));
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            })
    })
}

fn join_on(place: &Place, cpu: usize) -> Result<()> {
    let mut cpus = CpuSet::new();
    cpus.set(cpu);
    sched_setaffinity(None, &cpus).with_context(|| format!("cannot stay on CPU {cpu}"))?;
    let mut sockets = Vec::new();
    for first in (0..JOINS).step_by(SOCKET as usize) {
        let socket = MulticastSocket::udp(&place.netns)?;
        join_each(
            &socket,
            place.interface.ifindex,
            first % SOCKET,
            SOCKET.min(JOINS - first),
        )?;
        sockets.push(socket);
    }
    Ok(())
}

fn count(number: u64) -> Result<f64> {
    Ok(f64::from(u32::try_from(number)?))
}
