//! Addresses of other interfaces.

use anyhow::Result;
use serde_json::Value;

use super::{DESTINATION, GATEWAY, Host, PREFIX, Way};
use crate::guest::{Diagnosis, Expect, Tracer};
use crate::scenarios::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "borrowed-source-address",
        run: from_dummy,
    },
    Scenario {
        name: "borrowed-source-address-lo",
        run: from_lo,
    },
    Scenario {
        name: "borrowed-source-address-changes",
        run: changes,
    },
    Scenario {
        name: "borrowed-source-address-leaving-a-vrf",
        run: leaving_a_vrf,
    },
];

fn expect<'d>(host: &Host, diagnosis: &'d Diagnosis, source: &str, on: &str) -> Expect<'d> {
    host.expect(diagnosis, Way::Udp, DESTINATION)
        .field("severity", "notice")
        .evidence("source", source)
        .evidence("source_interface", on)
        .summary_has([source, on])
        .no_fix_has("scope")
}

fn change(source: &str) -> String {
    format!("ip route change {PREFIX} via inet6 {GATEWAY} dev v0 src {source}")
}

/// The accident: the first address that there is, here on an interface that is
/// down. Naming it in the route makes it intended.
fn from_dummy() -> Result<()> {
    let host = Host::with_route("borrow")?;
    host.netns.dummy("d0")?;
    host.netns.ip("address add 192.0.2.5/24 dev d0")?;
    host.netns.ip("link set d0 down")?;
    let tracer = Tracer::live(&[])?;
    host.send(Way::Udp, DESTINATION, None)?;
    let report = tracer.finish()?;
    report.complete()?;
    let change = change("192.0.2.5");
    let diagnosis = report.only("borrowed-source-address")?;
    expect(&host, diagnosis, "192.0.2.5", "d0")
        .evidence("prefsrc", Value::Null)
        .evidence("l3mdev", Value::Null)
        .some_fix_has(&host.command(&change))
        .some_fix_has(&host.command("ip address add ADDRESS/32 dev lo"))
        .check()?;
    host.netns.ip(change.trim_start_matches("ip "))?;
    let tracer = Tracer::live(&[])?;
    host.send(Way::Udp, DESTINATION, None)?;
    tracer.finish()?.silent()
}

/// A router's address on lo: a second one there would not be taken.
fn from_lo() -> Result<()> {
    let host = Host::with_route("router-id")?;
    host.netns.ip("address add 192.0.2.1/32 dev lo")?;
    let tracer = Tracer::live(&[])?;
    host.send(Way::Udp, DESTINATION, None)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("borrowed-source-address")?;
    expect(&host, diagnosis, "192.0.2.1", "lo")
        .some_fix_has(&host.command(&change("192.0.2.1")))
        .no_fix_has("address add")
        .check()
}

/// Another choice is told at once.
fn changes() -> Result<()> {
    let host = Host::with_route("fickle")?;
    host.netns.dummy("d0")?;
    host.netns.ip("address add 192.0.2.5/24 dev d0")?;
    let tracer = Tracer::live(&[])?;
    for _ in 0..10 {
        host.send(Way::Udp, DESTINATION, None)?;
    }
    host.netns.ip("address add 192.0.2.1/32 dev lo")?;
    for _ in 0..10 {
        host.send(Way::Udp, DESTINATION, None)?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    let expected = [("192.0.2.5", "d0"), ("192.0.2.1", "lo")];
    for (diagnosis, (source, on)) in report.diagnoses.iter().zip(expected) {
        expect(&host, diagnosis, source, on)
            .field("cause", "borrowed-source-address")
            .check()?;
    }
    Ok(())
}

/// A packet that leaves its VRF: since Linux 6.1 the VRF gives the source, and
/// the route's own does not count. Before, it does.
fn leaving_a_vrf() -> Result<()> {
    let host = Host::new("leak")?;
    host.netns.ip("link add blue up type vrf table 10")?;
    host.netns.ip("address add 192.0.2.7/32 dev blue")?;
    host.netns.ip("address add 192.0.2.1/32 dev lo")?;
    host.netns.ip(&format!(
        "route add {PREFIX} vrf blue via inet6 {GATEWAY} dev v0 src 192.0.2.1"
    ))?;
    let tracer = Tracer::live(&[])?;
    host.send(Way::Udp, DESTINATION, Some("blue"))?;
    let report = tracer.finish()?;
    report.complete()?;
    let release = rustix::system::uname();
    if release.release().to_bytes().starts_with(b"5.") {
        return report.silent();
    }
    let diagnosis = report.only("borrowed-source-address")?;
    expect(&host, diagnosis, "192.0.2.7", "blue")
        .evidence("prefsrc", "192.0.2.1")
        .evidence("l3mdev", "blue")
        .summary_has(["VRF blue", "192.0.2.1"])
        .no_fix_has("route change")
        .check()
}
