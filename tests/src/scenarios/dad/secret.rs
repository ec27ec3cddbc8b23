//! Stable-privacy addresses (RFC 7217) of two nodes with the same secret: each
//! that one tries, the other has, or tries as well.

use std::net::Ipv6Addr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::own::{address, after, first_address, mac, other_mac, third_mac};
use super::{Advertised, Host};
use crate::guest::{AddressState, Report, Segment, Tracing, finish, until_some};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("dad-conflict-copied-secret", copied),
    scenario("dad-conflict-copied-secret-not-one-address", one_address),
    scenario("dad-conflict-copied-secret-not-configured", configured),
];

/// A host that would make its fe80 address from a secret. Its link is up by then:
/// what is asked while it comes up may not be heard.
fn host(segment: &Segment, name: &str, mac: &str) -> Result<Host> {
    let host = Host::new(segment, name, mac)?;
    host.set("stable_secret", &after(first_address(), 0x5ec).to_string())?;
    Ok(host)
}

/// Has the host make its fe80 address, which a change of the mode does. Random is
/// stable privacy with the secret that there is.
fn make_address(host: &Host) -> Result<()> {
    host.set("addr_gen_mode", "3")
}

/// The host's fe80 addresses that are usable.
fn usable(host: &Host) -> Result<Vec<Ipv6Addr>> {
    let shown = host.netns.enter(|| {
        let words = "-6 -o address show dev eth0 scope link -tentative";
        let mut ip = Command::new("ip");
        finish(ip.args(words.split(' ')), Duration::from_secs(5))
    })?;
    let address = |line: &str| {
        let (_, rest) = line.split_once("inet6 ")?;
        rest.split('/').next()?.parse().ok()
    };
    Ok(shown.stdout.lines().filter_map(address).collect())
}

fn wait_for_usable(host: &Host) -> Result<Ipv6Addr> {
    until_some("an fe80 address", Duration::from_secs(15), || {
        Ok(usable(host)?.first().copied())
    })
}

/// Two nodes with one secret, the second comes up beside the first, which also
/// has the addresses that it would try next.
fn collide(segment: &Segment, tried: u32) -> Result<(Host, Host, Report)> {
    let other = host(segment, "other", other_mac())?;
    make_address(&other)?;
    wait_for_usable(&other)?;
    // Whoever finds one in use makes the next: so the other learns them.
    for n in 1..tried {
        let name = format!("third{n}");
        let third = host(segment, &name, third_mac())?;
        make_address(&third)?;
        let next = wait_for_usable(&third)?;
        // A namespace that was deleted may go on answering for a while.
        segment.switch.ip(&format!("link del to-{name}"))?;
        other.add(next, "nodad")?;
    }
    let host = host(segment, "guest", mac())?;
    let tracer = Tracing::start()?;
    make_address(&host)?;
    wait_for_usable(&host)?;
    let report = tracer.finish()?;
    report.complete()?;
    Ok((host, other, report))
}

fn copied() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other, report) = collide(&segment, 3)?;
    let [first, rest @ ..] = report.diagnoses.as_slice() else {
        anyhow::bail!("nothing was diagnosed");
    };
    first.expect().field("cause", "dad-conflict").check()?;
    ensure!(!rest.is_empty(), "only one failed: {first}");
    for diagnosis in rest {
        diagnosis
            .expect()
            .field("cause", "dad-conflict-copied-secret")
            .field("confidence", "certain")
            .evidence("source_mac", other_mac())
            .evidence("other_netns", other.netns.inode())
            .summary_has(["stable_secret"])
            .that(
                diagnosis.evidence("earlier_address").is_some(),
                "no earlier address",
            )
            .check()?;
    }
    let last = rest.last().context("there are some")?;
    let advertised = Advertised::to(&host)?;
    let before = usable(&host)?;
    let tracer = Tracing::start()?;
    for fix in ["stable_secret=", "addr_gen_mode=3", "ip address del"] {
        last.follow(fix)?;
    }
    until_some("an fe80 address of its own", Duration::from_secs(8), || {
        let now = usable(&host)?;
        Ok(now
            .iter()
            .any(|address| !before.contains(address))
            .then_some(()))
    })?;
    advertised.stays()?;
    tracer.finish()?.silent()
}

/// One address that another has may be chance, or configured there.
fn one_address() -> Result<()> {
    let segment = Segment::new()?;
    let (_host, _other, report) = collide(&segment, 1)?;
    report.only("dad-conflict").map(drop)
}

/// Two addresses that were configured on both.
fn configured() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "other", other_mac())?,
    );
    let second = after(address(), 1);
    other.add(address(), "nodad")?;
    other.add(second, "nodad")?;
    let tracer = Tracing::start()?;
    for address in [address(), second] {
        host.add(address, "")?;
        AddressState::Failed.wait(&host.netns, "eth0", address)?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for diagnosis in &report.diagnoses {
        diagnosis.expect().field("cause", "dad-conflict").check()?;
    }
    Ok(())
}
