//! perf, on kprobe events.

use std::process::Command;

use anyhow::Result;

use super::kprobe_events::{self, FILTERED, GROUP};
use super::{Purpose, Ready, Recorded, Stop, Tracer, count_lines, output, ready_command, size};

pub(super) const TRACER: Tracer = Tracer {
    name: "perf",
    define: kprobe_events::define,
    command,
    ways: |_| (Ready::RunsCommand, Stop::Interrupt),
    recorded,
    explained: None,
};

fn command(purpose: Purpose) -> Result<Command> {
    let mut command = Command::new("perf");
    command
        .args(["record", "--all-cpus", "-o"])
        .arg(output(TRACER.name, "data"));
    for name in kprobe_events::names(purpose)? {
        let filtered = name == format!("{GROUP}:{}", FILTERED.0);
        command.args(["-e", &name]);
        if filtered {
            command.args(["--filter", FILTERED.1]);
        }
    }
    command.arg("--").args(ready_command());
    Ok(command)
}

fn recorded() -> Result<Recorded> {
    let mut script = Command::new("perf");
    script
        .args(["script", "-F", "event", "-i"])
        .arg(output(TRACER.name, "data"));
    Ok(Recorded {
        joins: count_lines(&mut script, "v6:join_return")?,
        bytes: size(TRACER.name, "data")?,
        lost: None,
    })
}
