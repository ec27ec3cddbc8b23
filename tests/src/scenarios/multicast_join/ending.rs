//! However v6trace ends, it leaves the kernel as it was.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::guest::{MulticastSocket, Netns, Tracer, finish, group, until, until_some, v6trace};
use crate::scenarios::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "already-joined-before-sigterm",
        run: sigterm,
    },
    Scenario {
        name: "ending-leaves-no-probe",
        run: no_probe,
    },
    Scenario {
        name: "ending-while-attaching",
        run: while_attaching,
    },
];

/// The kernel's probes, one per line.
fn probes() -> Result<String> {
    // Trampolines are only in the second.
    let lists = [
        "/sys/kernel/debug/kprobes/list",
        "/sys/kernel/debug/tracing/enabled_functions",
    ];
    let read = |list| fs::read_to_string(list).with_context(|| format!("cannot read {list}"));
    lists.into_iter().map(read).collect()
}

/// SIGTERM, as a service manager sends it, loses nothing that has happened.
fn sigterm() -> Result<()> {
    let netns = Netns::new("term")?;
    let interface = netns.dummy("d0")?;
    let socket = MulticastSocket::udp(&netns)?;
    socket.join(interface.ifindex, group(1))?;
    let tracer = Tracer::start(&[])?;
    ensure!(socket.join(interface.ifindex, group(1)).is_err());
    tracer.signal(Signal::TERM)?;
    tracer.end()?.only("already-joined")?;
    Ok(())
}

/// The probes are there while it runs, and gone when it was asked to end and
/// when it was killed.
fn no_probe() -> Result<()> {
    ensure!(probes()?.is_empty(), "before: {}", probes()?);
    for signal in [Signal::INT, Signal::KILL] {
        let mut tracer = Tracer::start(&[])?;
        ensure!(probes()?.contains("ipv6_sock_mc_join"), "{}", probes()?);
        tracer.signal(signal)?;
        until("v6trace should end", Duration::from_secs(20), || {
            tracer.is_running().is_ok_and(|running| !running)
        })?;
        // What a killed program leaves open is closed, but not at once.
        let left = until("the probes should go", Duration::from_secs(10), || {
            probes().is_ok_and(|probes| probes.is_empty())
        });
        left.with_context(|| format!("after {signal:?}"))?;
    }
    Ok(())
}

/// Ctrl-C is heard while the verifier works and the symbols are read.
fn while_attaching() -> Result<()> {
    for pause in [0, 100, 400, 1000] {
        let mut command = v6trace(&["live"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().context("cannot start v6trace")?;
        std::thread::sleep(Duration::from_millis(pause));
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("v6trace has no process id")?, Signal::INT)?;
        let ended = until_some("v6trace should end", Duration::from_secs(15), || {
            Ok(child.try_wait()?)
        });
        if ended.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
        ended.with_context(|| format!("Ctrl-C came {pause} ms after the start"))?;
    }
    // None of them is in the way of the next one.
    let done = finish(&mut v6trace(&["doctor"]), Duration::from_secs(40))?;
    ensure!(done.status.success(), "{done}");
    ensure!(probes()?.is_empty(), "{}", probes()?);
    Ok(())
}
