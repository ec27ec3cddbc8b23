//! trace-cmd, on kprobe events.

use std::process::Command;

use anyhow::Result;

use super::kprobe_events::{self, FILTERED, GROUP};
use super::{Purpose, Ready, Recorded, Stop, Tracer, count_lines, output, ready_command, size};

pub(super) const TRACER: Tracer = Tracer {
    name: "trace-cmd",
    define: kprobe_events::define,
    command,
    // Ctrl-C would go to the command as well.
    ways: |_| (Ready::RunsCommand, Stop::CommandEnds),
    recorded,
    explained: None,
};

fn command(purpose: Purpose) -> Result<Command> {
    let mut command = Command::new("trace-cmd");
    command
        .arg("record")
        .arg("-o")
        .arg(output(TRACER.name, "dat"));
    for name in kprobe_events::names(purpose)? {
        let filtered = name == format!("{GROUP}:{}", FILTERED.0);
        command.args(["-e", &name]);
        if filtered {
            command.args(["-f", FILTERED.1]);
        }
    }
    command.args(ready_command());
    Ok(command)
}

fn recorded() -> Result<Recorded> {
    let mut report = Command::new("trace-cmd");
    report
        .arg("report")
        .arg("-i")
        .arg(output(TRACER.name, "dat"));
    Ok(Recorded {
        joins: count_lines(&mut report, "join_return:")?,
        bytes: size(TRACER.name, "dat")?,
        lost: None,
    })
}
