//! A proposed fix, typed in as it stands, must help.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::guest::{
    Diagnosis, MulticastSocket, Netns, OptmemMax, Scope, Tracer, finish, group, join_until_refused,
};
use crate::scenarios::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "optmem-exhausted-fix-helps",
        run: larger_limit,
    },
    Scenario {
        name: "ipv6-disabled-on-device-fix-helps",
        run: larger_mtu,
    },
];

/// Types in, on the host, the first fix that holds `text`.
pub(super) fn follow(diagnosis: &Diagnosis, text: &str) -> Result<()> {
    let fixes = diagnosis.fixes();
    let fix = fixes
        .iter()
        .find(|fix| fix.contains(text))
        .with_context(|| format!("no fix says {text}: {diagnosis}"))?;
    let mut bash = Command::new("/bin/bash");
    let done = finish(bash.args(["-c", fix]), Duration::from_secs(20))?;
    ensure!(done.status.success(), "the fix {fix:?} fails: {done}");
    println!("followed: {fix}");
    Ok(())
}

/// The larger limit lets the very join succeed that failed.
fn larger_limit() -> Result<()> {
    let netns = Netns::new("healed")?;
    let interface = netns.dummy("d0")?;
    let _limit = OptmemMax::set(&netns, 3000)?;
    let host = OptmemMax::host()?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracer::live(&[])?;
    let joins = join_until_refused(&socket, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
    let report = tracer.finish()?;
    follow(report.only("optmem-exhausted")?, "net.core.optmem_max=")?;
    socket
        .join(interface.ifindex, joins.refused.group)
        .context("the join still fails")?;
    if Scope::of(&netns)? == Scope::Netns {
        let now = OptmemMax::host()?;
        ensure!(now == host, "the fix changed the host's limit to {now}");
    }
    Ok(())
}

/// The larger MTU brings IPv6 back to the interface.
fn larger_mtu() -> Result<()> {
    let netns = Netns::new("healed")?;
    let interface = netns.dummy("d0")?;
    netns.ip("link set d0 mtu 1000")?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracer::live(&[])?;
    let failed = socket.join(interface.ifindex, group(1));
    ensure!(failed.is_err(), "the join succeeds without IPv6");
    let report = tracer.finish()?;
    follow(report.only("ipv6-disabled-on-device")?, "mtu")?;
    socket
        .join(interface.ifindex, group(1))
        .context("the join still fails")
}
