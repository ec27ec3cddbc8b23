//! What it takes to ask about one command: how long it takes to start and to stop, and what
//! whoever is not asked about pays meanwhile.

use std::net::{Ipv6Addr, UdpSocket};

use anyhow::{Context as _, Result};

use super::figure;
use super::measure::times;
use super::place::Place;
use super::tracers::{Purpose, Tracer};

/// How often it is started only to see how long that takes.
const STARTS: usize = 3;
/// System calls, and datagrams, of each measurement.
const CALLS: u32 = 50_000;
const DATAGRAMS: u32 = 4000;
/// Where datagrams go, which nobody answers.
const BEYOND: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x8000, 0, 0, 0, 0, 1);

pub(super) fn measure(tracers: &[Tracer]) -> Result<()> {
    let _place = Place::make()?;
    bystander("none")?;
    for tracer in tracers.iter().filter(|tracer| tracer.explains_more()) {
        let mut starts = Vec::new();
        let mut stops = Vec::new();
        for _ in 0..STARTS {
            let running = tracer.start(Purpose::Command)?;
            starts.push(running.start_ms);
            stops.push(running.stop()?);
        }
        let name = format!("{}-why", tracer.name);
        figure("start", &name, &starts);
        figure("stop", &name, &stops);
        let running = tracer.start(Purpose::Command)?;
        bystander(&name)?;
        running.stop()?;
    }
    Ok(())
}

/// What somebody else does.
fn bystander(tracer: &str) -> Result<()> {
    let call = |_| {
        let _ = rustix::process::getppid();
        Ok(())
    };
    figure("system-call", tracer, &times(CALLS, call)?);
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).context("cannot make a socket")?;
    let send = |_| {
        let sent = socket.send_to(&[0], (BEYOND, 4000));
        sent.map(drop).context("cannot send")
    };
    figure("udp6-send", tracer, &times(DATAGRAMS, send)?);
    Ok(())
}
