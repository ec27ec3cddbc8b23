//! Joins as fast as they go.

use std::thread;

use anyhow::{Context as _, Result};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::bench::place::Place;
use crate::guest::{MulticastSocket, join_each};

/// Joins of one socket: each makes the next one slower, since the kernel looks
/// through the list.
const SOCKET: u32 = 256;

/// Joins so often on each of these processors at once, as fast as it goes. The
/// sockets are given back, since closing them takes its time.
pub(in crate::bench) fn join(
    place: &Place,
    cpus: &[usize],
    joins: u32,
) -> Result<Vec<MulticastSocket>> {
    thread::scope(|scope| {
        let start = |&cpu| scope.spawn(move || join_on(place, cpu, joins));
        let threads: Vec<_> = cpus.iter().map(start).collect();
        let mut sockets = Vec::new();
        for thread in threads {
            match thread.join() {
                Ok(done) => sockets.extend(done?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(sockets)
    })
}

fn join_on(place: &Place, cpu: usize, joins: u32) -> Result<Vec<MulticastSocket>> {
    let mut cpus = CpuSet::new();
    cpus.set(cpu);
    sched_setaffinity(None, &cpus).with_context(|| format!("cannot stay on CPU {cpu}"))?;
    let mut sockets = Vec::new();
    for first in (0..joins).step_by(SOCKET as usize) {
        let socket = MulticastSocket::udp(&place.netns)?;
        join_each(
            &socket,
            place.interface.ifindex,
            first % SOCKET,
            SOCKET.min(joins - first),
        )?;
        sockets.push(socket);
    }
    Ok(sockets)
}
