//! A kernel that was booted without IPv6.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::net::{AddressFamily, SocketType, socket};

use super::BY_KPROBES;
use crate::guest::{Tracer, finish, v6trace};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("ipv6-off", off)];

/// What is said at the start, by doctor, and of a socket: once for each program.
fn off() -> Result<()> {
    let tracer = Tracer::start(&[])?;
    tracer.wait_for_message("IPv6 is switched off")?;
    for _ in 0..3 {
        let made = socket(AddressFamily::INET6, SocketType::STREAM, None);
        ensure!(
            made.as_ref().err() == Some(&rustix::io::Errno::AFNOSUPPORT),
            "the kernel says {made:?}"
        );
    }
    // Near miss: another family.
    socket(AddressFamily::INET, SocketType::STREAM, None)?;
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("ipv6-off")?
        .expect()
        .field("operation", "socket")
        .field("severity", "notice")
        .field("confidence", "certain")
        .field("errno", "EAFNOSUPPORT")
        .field("comm", "guest")
        .evidence("disable", 1)
        .summary_has(["guest", "ipv6.disable=1"])
        .some_fix_has("reboot")
        .check()?;
    let mut doctor: Command = v6trace(&[&["doctor"], &BY_KPROBES[..]].concat());
    let found = finish(&mut doctor, Duration::from_mins(1))?;
    ensure!(
        found.status.success() && found.stdout.contains("ipv6.disable=1"),
        "doctor says {found}"
    );
    Ok(())
}
