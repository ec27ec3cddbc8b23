//! Filters: the failure is shown to those who asked for it and to nobody else.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::guest::{Link, MulticastSocket, Netns, Tracer, finish, group, v6trace};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("already-joined-filter-pid", pid),
    alone("already-joined-filter-comm", comm),
    alone("already-joined-filter-netns", netns),
    alone("already-joined-filter-netns-to-come", netns_to_come),
    alone("already-joined-filter-interface", interface),
    alone("already-joined-count", count),
    alone("already-joined-duration", duration),
];

/// A place where joins can fail: a namespace, an interface, a socket.
struct Place {
    netns: Netns,
    interface: Link,
    socket: MulticastSocket,
}

impl Place {
    fn new() -> Result<Self> {
        Self::of(Netns::new("place")?)
    }

    fn of(netns: Netns) -> Result<Self> {
        let interface = netns.dummy("d0")?;
        let socket = MulticastSocket::udp(&netns)?;
        socket.join(interface.ifindex, group(1))?;
        Ok(Self {
            netns,
            interface,
            socket,
        })
    }

    /// A join that fails with EADDRINUSE.
    fn fail(&self) -> Result<()> {
        let joined = self.socket.join(self.interface.ifindex, group(1));
        ensure!(joined.is_err(), "the same group was joined twice");
        Ok(())
    }

    /// Lets one join fail before the eyes of several tracers at once: those
    /// with the arguments `seeing` report it, those with `blind` do not.
    fn compare(&self, seeing: &[&[&str]], blind: &[&[&str]]) -> Result<()> {
        let start = |all: &[&[&str]]| {
            let tracers = all.iter().map(|args| Tracer::start(args));
            tracers.collect::<Result<Vec<_>>>()
        };
        let (seeing_tracers, blind_tracers) = (start(seeing)?, start(blind)?);
        self.fail()?;
        for (args, tracer) in seeing.iter().zip(seeing_tracers) {
            let report = tracer.finish()?;
            report
                .only("already-joined")
                .with_context(|| format!("with {args:?}"))?;
        }
        for (args, tracer) in blind.iter().zip(blind_tracers) {
            let report = tracer.finish()?;
            report.silent().with_context(|| format!("with {args:?}"))?;
        }
        Ok(())
    }
}

fn pid() -> Result<()> {
    let own = std::process::id().to_string();
    Place::new()?.compare(&[&["--pid", &own]], &[&["-p", "1"]])
}

fn comm() -> Result<()> {
    Place::new()?.compare(&[&["--comm", "guest"]], &[&["--comm", "radvd"]])
}

/// A namespace can be named, numbered, or pointed at.
fn netns() -> Result<()> {
    let place = Place::new()?;
    let _other = Netns::new("other")?;
    let inode = place.netns.inode().to_string();
    place.compare(
        &[&["--netns", "place"], &["--netns", &inode]],
        &[&["--netns", "other"], &["--netns", "/proc/self/ns/net"]],
    )
}

/// A name counts even if the namespace is made only later, as everybody makes them.
fn netns_to_come() -> Result<()> {
    let tracer = Tracer::start(&["--netns", "place"])?;
    let place = Place::of(Netns::by_ip("place")?)?;
    place.fail()?;
    let report = tracer.finish()?;
    let told = report.only("already-joined")?.expect();
    told.field("netns_name", "place").check()
}

fn interface() -> Result<()> {
    let place = Place::new()?;
    place.netns.dummy("d1")?;
    place.compare(&[&["--interface", "d0"]], &[&["-i", "d1"]])
}

/// `-c 2` ends after the second failure, not before.
fn count() -> Result<()> {
    let place = Place::new()?;
    let mut tracer = Tracer::start(&["-c", "2"])?;
    place.fail()?;
    tracer.wait_for_line("already-joined")?;
    ensure!(tracer.is_running()?, "-c 2 ended after one failure");
    place.fail()?;
    let report = tracer.end()?;
    report.count(2)
}

/// `--duration` ends by itself, no sooner than it should; how much later, the
/// machine decides.
fn duration() -> Result<()> {
    let place = Place::new()?;
    let tracer = Tracer::start(&["--duration", "3s"])?;
    place.fail()?;
    let report = tracer.end()?;
    report.only("already-joined")?;
    let ran = report.summary["duration_ns"].as_u64().unwrap_or_default();
    ensure!(ran >= 3_000_000_000, "--duration 3s ran for {ran} ns");
    let nonsense = finish(
        &mut v6trace(&["live", "--duration", "soon"]),
        Duration::from_secs(20),
    )?;
    ensure!(nonsense.status.code() == Some(2), "{nonsense}");
    Ok(())
}
