//! A storm of failing joins, on one processor, that is followed live: whether all
//! are explained, what that takes, and how far behind it falls.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::figure;
use super::place::Place;
use super::tracers::{Purpose, Tracer};
use crate::guest::{MulticastSocket, fail_at_a_rate, join_until_refused};

/// Failures a second.
const RATE: u32 = 10_000;
/// For how many seconds.
const SECONDS: u32 = 3;

/// Who has printed nothing for so long has nothing left to explain.
const DONE: Duration = Duration::from_millis(500);

pub(super) fn measure(tracers: &[Tracer]) -> Result<()> {
    let place = Place::make()?;
    let ifindex = place.interface.ifindex;
    for tracer in tracers.iter().filter(|tracer| tracer.explains()) {
        let socket = MulticastSocket::udp(&place.netns)?;
        join_until_refused(&socket, ifindex, u32::MAX / 2)?.refused_with(libc::ENOMEM)?;
        tracer.define(Purpose::Explain)?;
        let running = tracer.start(Purpose::Explain)?;
        let before = running.processor_time()?;
        fail_at_a_rate(&socket, ifindex, RATE, RATE * SECONDS)?;
        let behind = silence(tracer)?;
        let spent = running.processor_time()? - before;
        let memory = running.peak_memory()?;
        running.stop()?;
        let Some(explained) = tracer.explained() else {
            continue;
        };
        let explained = explained?;
        let failures = f64::from(RATE * SECONDS);
        figure("storm", tracer.name, &[failures]);
        figure("storm-shown", tracer.name, &[count(explained.failures)?]);
        figure("storm-lost", tracer.name, &[count(explained.lost)?]);
        figure("storm-reader", tracer.name, &[spent / failures]);
        figure("storm-behind", tracer.name, &[behind]);
        figure("storm-memory", tracer.name, &[memory]);
    }
    Ok(())
}

/// Waits until a tracer prints nothing any more, and gives the milliseconds until
/// it had printed all.
fn silence(tracer: &Tracer) -> Result<f64> {
    let start = Instant::now();
    let (mut last, mut printed) = (start, tracer.printed()?);
    while last.elapsed() < DONE {
        sleep(Duration::from_millis(10));
        let now = tracer.printed()?;
        if now != printed {
            (last, printed) = (Instant::now(), now);
        }
    }
    Ok((last - start).as_secs_f64() * 1e3)
}

fn count(number: u64) -> Result<f64> {
    Ok(f64::from(u32::try_from(number)?))
}
