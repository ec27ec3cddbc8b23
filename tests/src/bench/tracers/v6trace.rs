//! v6trace itself.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{Purpose, Ready, Recorded, Stop, Tracer, output};
use crate::guest;

pub(super) const TRACER: Tracer = Tracer {
    name: "v6trace",
    define: |_| Ok(()),
    command,
    ready: Ready::Says("v6trace: ready"),
    stop: Stop::Interrupt,
    recorded,
};

#[expect(clippy::unnecessary_wraps, reason = "as every tracer's")]
fn command(purpose: Purpose) -> Result<Command> {
    Ok(guest::v6trace(match purpose {
        Purpose::Explain => &["live"],
        Purpose::Record => &["live", "--json", "--events"],
    }))
}

fn recorded() -> Result<Recorded> {
    let stream = fs::read_to_string(output("v6trace", "out"))?;
    let joins = stream
        .lines()
        .filter(|line| line.contains(r#""type":"event""#) && line.contains(r#""multicast-join""#))
        .count();
    let summary: Value = serde_json::from_str(stream.lines().next_back().unwrap_or_default())
        .context("the stream has no summary")?;
    Ok(Recorded {
        joins: joins as u64,
        lost: summary["lost"].as_u64(),
    })
}
