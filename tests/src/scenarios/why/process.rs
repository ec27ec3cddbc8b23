//! Processes that run already, and signals.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::{Answered, LIMIT, Other};
use crate::guest::{Recording, finish, v6trace};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("why-of-a-process", of_a_process)];

pub(super) const SIGNALS: &[Scenario] = &[alone("why-passes-signals-on", signals)];

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
        // It ends at the second, of which v6trace itself takes none for its own. It speaks
        // outside of the trap: bash forgets what arrives while that runs.
        let script = format!(
            "trap 'n=x$n' {name}; echo there; \
             while [ \"$said\" != xx ]; do \
             sleep 1 & wait $!; now=$n; [ \"$now\" = \"$said\" ] || echo $now; said=$now; \
             done; exit {status}"
        );
        let mut tracer = v6trace(&["why", "--", "sh", "-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start v6trace")?;
        let pid = i32::try_from(tracer.id())?;
        let pid = Pid::from_raw(pid).context("no process id")?;
        let mut lines = BufReader::new(tracer.stdout.take().context("no output")?).lines();
        for said in ["there", "x", "xx"] {
            let line = lines.next().context("it ended")??;
            ensure!(line == said, "not {said} but {line}");
            if said != "xx" {
                kill_process(pid, signal)?;
            }
        }
        let ended = tracer.wait()?;
        ensure!(ended.code() == Some(status), "{ended}");
    }
    Ok(())
}
