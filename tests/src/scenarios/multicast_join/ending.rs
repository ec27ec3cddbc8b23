//! However v6trace ends, it leaves the kernel as it was.

use std::fs::{self, File};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::guest::{
    MulticastSocket, Netns, OptmemMax, Tracer, Tracing, group, join_each, until, until_some,
    v6trace,
};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("already-joined-before-sigterm", sigterm),
    alone("ending-leaves-no-probe", no_probe),
    alone("ending-while-attaching", while_attaching),
    alone("ending-at-the-second-signal", second_signal),
];

/// After so long, who could go on would have.
const HANGS: Duration = Duration::from_secs(3);

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
    for pause in [0, 100, 400] {
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
    Tracing::start()?.finish()?.complete()?;
    ensure!(probes()?.is_empty(), "{}", probes()?);
    Ok(())
}

/// A tracer whose output nobody takes hangs when it is asked to end: the second
/// Ctrl-C ends it all the same, and leaves no probe.
fn second_signal() -> Result<()> {
    let netns = Netns::new("twice")?;
    let interface = netns.dummy("d0")?;
    let _limit = OptmemMax::set(&netns, 1 << 20)?;
    let socket = MulticastSocket::udp(&netns)?;
    let messages = "/tmp/second-signal.err";
    let mut child = v6trace(&["live", "--events"])
        .stdout(Stdio::piped())
        .stderr(File::create(messages).context(messages)?)
        .spawn()
        .context("cannot start v6trace")?;
    let ended = hang_and_end(&mut child, messages, || {
        // More lines than a pipe and the tracer's own buffer take.
        join_each(&socket, interface.ifindex, 0, 2000)
    });
    let _ = child.kill();
    let _ = child.wait();
    let status = ended?;
    ensure!(status.code() == Some(130), "it ended with {status}");
    until("the probes should go", Duration::from_secs(10), || {
        probes().is_ok_and(|probes| probes.is_empty())
    })?;
    fs::remove_file(messages).context(messages)
}

fn hang_and_end(
    child: &mut Child,
    messages: &str,
    fill: impl Fn() -> Result<()>,
) -> Result<ExitStatus> {
    let limit = Duration::from_secs(40);
    until("v6trace should be ready", limit, || {
        fs::read_to_string(messages).is_ok_and(|said| said.contains("v6trace: ready"))
    })?;
    fill()?;
    std::thread::sleep(HANGS);
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.context("v6trace has no process id")?;
    kill_process(pid, Signal::INT)?;
    std::thread::sleep(HANGS);
    ensure!(child.try_wait()?.is_none(), "it did not hang");
    ensure!(!probes()?.is_empty(), "it has come as far as detaching");
    kill_process(pid, Signal::INT)?;
    until_some("v6trace should end", limit, || Ok(child.try_wait()?))
}
