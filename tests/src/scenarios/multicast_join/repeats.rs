//! A daemon that fails on one interface after the other reads as one failure and a count;
//! what else fails meanwhile stays apart, and a value that changed is told.

use anyhow::{Context as _, Result, ensure};

use crate::guest::{
    Link, MulticastSocket, Netns, OptmemMax, Report, Tracer, group, ip_batch, join_until_refused,
};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("optmem-exhausted-repeats", repeats),
    alone("optmem-exhausted-not-repeats", apart),
];

/// Interfaces of a switch on which the daemon fails.
const PORTS: u32 = 35;

/// A daemon whose socket is full.
struct Full {
    netns: Netns,
    socket: MulticastSocket,
    ports: Vec<Link>,
    _limit: OptmemMax,
}

impl Full {
    fn new() -> Result<Self> {
        let netns = Netns::new("ports")?;
        let add: Vec<_> = (366..366 + PORTS)
            .map(|n| format!("link add swp{n} up type dummy"))
            .collect();
        ip_batch(netns.name(), &add)?;
        let ports = (366..366 + PORTS).map(|n| Link::find(&netns, &format!("swp{n}")));
        let ports: Vec<Link> = ports.collect::<Result<_>>()?;
        let limit = OptmemMax::set(&netns, 4000)?;
        let socket = MulticastSocket::udp(&netns)?;
        join_until_refused(&socket, ports[0].ifindex, 1000)?.refused_with(libc::ENOMEM)?;
        Ok(Self {
            netns,
            socket,
            ports,
            _limit: limit,
        })
    }

    /// Joins a group that the socket has no room for, or is a member of.
    fn fails(&self, port: &Link, number: u32, errno: i32) -> Result<()> {
        let refused = self.socket.join(port.ifindex, group(number)).err();
        let refused = refused.and_then(|error| error.raw_os_error());
        ensure!(refused == Some(errno), "{refused:?} on {}", port.ifindex);
        Ok(())
    }
}

/// The lines of what a tracer printed, and the report of its recording, whose replay has
/// printed the same.
fn finish(mut tracer: Tracer) -> Result<(Vec<String>, Report)> {
    let recording = tracer.take_recording().context("nothing is recorded")?;
    let live = tracer.finish_text()?;
    let report = Report::parse(recording.replay(&live)?)?;
    report.complete()?;
    Ok((live.stdout.lines().map(str::to_owned).collect(), report))
}

/// How often a line holds `text`.
fn count(lines: &[String], text: &str) -> usize {
    lines.iter().filter(|line| line.contains(text)).count()
}

/// How many repeats lines that hold `text` count: one line, or more where the guest is slow.
fn repeated(lines: &[String], text: &str) -> usize {
    let lines = lines.iter().filter(|line| line.contains(text));
    let counts = lines.filter_map(|line| {
        let (_, counted) = line.split_once("… ")?;
        let (count, _) = counted.split_once(" more like it")?;
        count.parse::<usize>().ok()
    });
    counts.sum()
}

/// 35 interfaces: a block and a line, which comes though nothing else happens. Programs are
/// told each, and who asks for it.
fn repeats() -> Result<()> {
    let full = Full::new()?;
    let fail = || -> Result<()> {
        let mut ports = full.ports.iter();
        ports.try_for_each(|port| full.fails(port, 1, libc::ENOMEM))
    };
    let tracer = Tracer::start(&[])?;
    fail()?;
    tracer.wait_for_line(" more like it in ")?;
    let (lines, report) = finish(tracer)?;
    report.count(PORTS as usize)?;
    for (repeat, diagnosis) in (0..).zip(&report.diagnoses) {
        diagnosis
            .expect()
            .field("cause", "optmem-exhausted")
            .field("group", 1)
            .field("repeat", repeat)
            .field("interface", format!("swp{}", 366 + repeat))
            .check()?;
    }
    let said = lines.join("\n");
    let told = repeated(&lines, "  FAILURE  optmem-exhausted  ");
    ensure!(told == PORTS as usize - 1, "{told}: {said}");
    ensure!(count(&lines, "v6trace explain") == 1, "{said}");
    ensure!(count(&lines, ": swp367") == 1, "{said}");
    ensure!(count(&lines, "    changed ") == 0, "{said}");
    let tracer = Tracer::start(&["--no-fold"])?;
    fail()?;
    let (lines, _) = finish(tracer)?;
    let told = count(&lines, "v6trace explain");
    ensure!(told == PORTS as usize, "{told}: {}", lines.join("\n"));
    ensure!(count(&lines, "more like it") == 0, "{}", lines.join("\n"));
    Ok(())
}

/// Two failures that come in turn, and one under another limit.
fn apart() -> Result<()> {
    let full = Full::new()?;
    let tracer = Tracer::start(&[])?;
    let port = &full.ports[0];
    for _ in 0..5 {
        full.fails(port, 1, libc::ENOMEM)?;
        full.fails(port, 1000, libc::EADDRINUSE)?;
    }
    let _lower = OptmemMax::set(&full.netns, 3999)?;
    full.fails(port, 1, libc::ENOMEM)?;
    tracer.wait_for_lines("more like it", 2)?;
    let (lines, report) = finish(tracer)?;
    report.count(11)?;
    let said = lines.join("\n");
    ensure!(count(&lines, "v6trace explain") == 2, "{said}");
    for (severity, repeats) in [("  FAILURE  ", 5), ("  NOTICE  ", 4)] {
        let told = repeated(&lines, severity);
        ensure!(told == repeats, "{told} of {severity}: {said}");
    }
    for line in ["swp366  netns ports  …", "    changed    optmem_max 3999"] {
        ensure!(count(&lines, line) >= 1, "no {line:?}: {said}");
    }
    ensure!(count(&lines, "    changed ") == 1, "{said}");
    Ok(())
}
