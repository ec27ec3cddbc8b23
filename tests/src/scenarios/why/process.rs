//! Processes that run already, and signals.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::{Answered, LIMIT, Other};
use crate::guest::{Recording, finish, v6trace};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("why-of-a-process", of_a_process),
    alone("why-passes-signals-on", signals),
];

/// A process that runs, and what it has started before and starts then.
fn of_a_process() -> Result<()> {
    let _other = Other::begin("ip token set ::1 dev lo")?;
    let daemon = Other::begin("sh -c 'ip token set ::2 dev lo; :'")?;
    let pid = daemon.0.id().to_string();
    let recording = Recording::new(&[]);
    let words = ["why", "-o", recording.path(), "--duration", "2", "-p", &pid];
    let done = finish(&mut v6trace(&words), LIMIT)?;
    ensure!(done.status.success(), "{done}");
    ensure!(done.stderr.contains("v6trace: ready"), "{done}");
    let answered = Answered::read(done, &recording)?;
    ensure!(!answered.diagnoses.is_empty(), "{}", answered.done);
    for diagnosis in &answered.diagnoses {
        diagnosis.expect().summary_has(["::2"]).check()?;
    }
    ensure!(answered.answer["command"].is_null(), "{}", answered.answer);

    let gone = finish(&mut v6trace(&["why", "-p", "4194304"]), LIMIT)?;
    ensure!(gone.status.code() == Some(1), "{gone}");
    ensure!(
        gone.stderr.contains("there is no process 4194304"),
        "{gone}"
    );
    Ok(())
}

/// A signal reaches the command, which ends as it likes.
fn signals() -> Result<()> {
    for (signal, name, status) in [(Signal::TERM, "TERM", 9), (Signal::INT, "INT", 10)] {
        let script =
            format!("trap 'exit {status}' {name}; echo there; while :; do sleep 0.1; done");
        let mut tracer = v6trace(&["why", "--", "sh", "-c", &script]);
        let ended = std::thread::scope(|scope| {
            let run = scope.spawn(|| finish(&mut tracer, LIMIT));
            while !run.is_finished() {
                std::thread::sleep(Duration::from_millis(200));
                send(signal)?;
            }
            run.join().map_err(|_| anyhow::anyhow!("it panicked"))?
        })?;
        ensure!(ended.status.code() == Some(status), "{ended}");
    }
    Ok(())
}

/// Sends a signal to v6trace, once its command is there.
fn send(signal: Signal) -> Result<()> {
    let found = Command::new("pgrep").args(["-f", "echo there"]).output();
    let found = found.context("pgrep")?.stdout;
    let pids: Vec<i32> = String::from_utf8_lossy(&found)
        .lines()
        .filter_map(|pid| pid.parse().ok())
        .collect();
    if let [tracer, _] = pids[..] {
        let tracer = Pid::from_raw(tracer).context("no process id")?;
        kill_process(tracer, signal)?;
    }
    Ok(())
}
