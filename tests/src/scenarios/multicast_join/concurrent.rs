//! Several threads fail at once, each on its own socket: no value of one may
//! end up in the diagnosis of another.

use std::sync::Barrier;
use std::thread;

use anyhow::{Context as _, Result};

use super::{Full, expect_join};
use crate::guest::{
    Link, MulticastSocket, Netns, OptmemMax, Refused, Tracing, group, join_each, membership_size,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] =
    &[scenario("optmem-exhausted-concurrently", concurrently)];

/// How many threads, and how often each of them fails.
const THREADS: u32 = 4;
const ROUNDS: u32 = 25;

/// One thread's part of it.
struct Part {
    socket: MulticastSocket,
    full: Full,
    refused: Vec<Refused>,
}

fn concurrently() -> Result<()> {
    let netns = Netns::new("crowd")?;
    let interface = netns.dummy("d0")?;
    let size = membership_size()?;
    let memberships: u32 = 40;
    let options = 200 + u64::from(THREADS) * 100;
    let limit = OptmemMax::set(&netns, size * u64::from(memberships) + options)?;
    let mut parts = Vec::new();
    for thread in 0..THREADS {
        let socket = MulticastSocket::udp(&netns)?;
        // Different budgets: each socket has other options beside its groups.
        socket.stick_destination_options(8 * (1 + 8 * thread as usize))?;
        let room = size * u64::from(memberships) + options - socket.option_memory()? - 1;
        let own = u32::try_from(room / size)?;
        join_each(&socket, interface.ifindex, thread * 1000, own)?;
        let full = Full {
            socket: socket.inode()?,
            sk_omem_alloc: socket.option_memory()?,
            size,
            optmem_max: size * u64::from(memberships) + options,
            scope: limit.scope(),
            memberships: u64::from(own),
            stale: 0,
        };
        parts.push(Part {
            socket,
            full,
            refused: Vec::new(),
        });
    }
    let tracer = Tracing::start()?;
    fail_together(&interface, &mut parts)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count((THREADS * ROUNDS) as usize)?;
    for refused in parts.iter().flat_map(|part| {
        let full = part.full;
        part.refused.iter().map(move |refused| (full, refused))
    }) {
        let (full, refused) = refused;
        let group = refused.group.to_string();
        let diagnosis = report
            .diagnoses
            .iter()
            .find(|diagnosis| diagnosis.field("address") == group.as_str())
            .with_context(|| format!("nothing was said of {group}"))?;
        full.expect(expect_join(diagnosis, &netns, &interface, refused))
            .check()?;
    }
    Ok(())
}

/// Lets every thread fail again and again, each time on another group.
fn fail_together(interface: &Link, parts: &mut [Part]) -> Result<()> {
    let start = Barrier::new(parts.len());
    thread::scope(|scope| {
        let threads: Vec<_> = parts
            .iter_mut()
            .zip(1..)
            .map(|(part, number)| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    for group in (0..ROUNDS).map(|round| group(number * 100_000 + round)) {
                        let joined = part.socket.join(interface.ifindex, group);
                        let refused = Refused::expect(group, libc::ENOMEM, joined)?;
                        part.refused.push(refused);
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for thread in threads {
            match thread.join() {
                Ok(done) => done?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(())
    })
}
