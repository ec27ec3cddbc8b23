//! v6trace itself.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Explained, Purpose, Ready, Recorded, Stop, Tracer, output, ready_command, size};
use crate::bench::hooks;
use crate::guest;

pub(super) const TRACER: Tracer = Tracer {
    name: "v6trace",
    define: |_| Ok(()),
    command,
    ways: |purpose| match purpose {
        Purpose::Explain | Purpose::Router => (Ready::Says("v6trace: ready"), Stop::Interrupt),
        Purpose::Hooks(_) => (Ready::Says(hooks::READY), Stop::Interrupt),
        Purpose::Record | Purpose::Command => (Ready::RunsCommand, Stop::CommandEnds),
    },
    recorded,
    explained: Some(explained),
};

/// What the recording is called, behind the tracer's name.
const FILE: &str = "rec";

#[expect(clippy::unnecessary_wraps, reason = "as every tracer's")]
fn command(purpose: Purpose) -> Result<Command> {
    Ok(match purpose {
        Purpose::Explain => guest::v6trace(&["live"]),
        Purpose::Router => guest::v6trace(&["live", "--family", "transit"]),
        Purpose::Command => {
            let mut command = guest::v6trace(&["why", "--"]);
            command.args(ready_command());
            command
        }
        Purpose::Hooks(count) => {
            let mut command = Command::new("/init");
            command.args(["bench-hooks", &count.to_string()]);
            command
        }
        Purpose::Record => {
            let mut command = guest::v6trace(&["record", "--events", "--quiet", "--force"]);
            command.arg("-o").arg(output(TRACER.name, FILE));
            command.arg("--").args(ready_command());
            command
        }
    })
}

fn recorded() -> Result<Recorded> {
    let mut info = guest::v6trace(&["info", "--json"]);
    info.arg(output(TRACER.name, FILE));
    let done = guest::finish(&mut info, super::PATIENCE)?;
    let info: Value = serde_json::from_str(&done.stdout).context("`info` says nothing")?;
    let session = &info["sessions"][0];
    let lost = session["lost"].as_array().into_iter().flatten();
    Ok(Recorded {
        joins: session["events"]["multicast-join"]
            .as_u64()
            .unwrap_or_default(),
        bytes: size(TRACER.name, FILE)?,
        lost: Some(lost.filter_map(|lost| lost["count"].as_u64()).sum()),
    })
}

fn explained() -> Result<Explained> {
    let read = |which| {
        let path = output(TRACER.name, which);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let failures = read("out")?
        .lines()
        .filter(|line| line.contains("  FAILURE  "))
        .count();
    let said = read("err")?;
    let lost = said.lines().find_map(|line| {
        let (_, lost) = line.strip_suffix(" lost")?.rsplit_once(", ")?;
        let count = lost.split(' ').next()?;
        if count == "no" {
            Some(0)
        } else {
            count.parse().ok()
        }
    });
    Ok(Explained {
        failures: failures as u64,
        lost: lost.context("no summary says what was lost")?,
    })
}
