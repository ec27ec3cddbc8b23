//! Addresses of other interfaces.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde_json::Value;

use super::{DESTINATION, GATEWAY, Host, PREFIX, Way};
use crate::guest::{Diagnosis, Expect, Tracer, Tracing, finish, ip_batch};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("borrowed-source-address", from_dummy),
    scenario("borrowed-source-address-lo", from_lo),
    scenario("borrowed-source-address-changes", changes),
    scenario("borrowed-source-address-of-many-routes", many_routes),
    scenario(
        "borrowed-source-address-once-for-all-programs",
        once_for_all,
    ),
    alone("borrowed-source-address-deleted-before-look-up", deleted),
    scenario("borrowed-source-address-of-a-daemon", of_a_daemon),
    scenario("borrowed-source-address-leaving-a-vrf", leaving_a_vrf),
];

fn expect<'d>(host: &Host, diagnosis: &'d Diagnosis, source: &str, on: &str) -> Expect<'d> {
    host.expect(diagnosis, Way::Udp, DESTINATION)
        .field("severity", "notice")
        .evidence("source", source)
        .evidence("source_interface", on)
        .evidence("unfit", Value::Null)
        .summary_has([source, on])
        .no_fix_has("scope")
}

fn change(source: &str) -> String {
    format!("ip route change {PREFIX} via inet6 {GATEWAY} dev v0 src {source}")
}

/// The accident: the first address that there is. Naming it in the route makes
/// it intended.
fn from_dummy() -> Result<()> {
    let host = Host::with_route("borrow")?;
    host.netns.dummy("d0")?;
    host.netns.ip("address add 192.0.2.5/24 dev d0")?;
    let tracer = Tracing::start()?;
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
    let tracer = Tracing::start()?;
    host.send(Way::Udp, DESTINATION, None)?;
    tracer.finish()?.silent()
}

/// A router's address on lo: a second one there would not be taken.
fn from_lo() -> Result<()> {
    let host = Host::with_route("router-id")?;
    host.netns.ip("address add 192.0.2.1/32 dev lo")?;
    let tracer = Tracing::start()?;
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
    let tracer = Tracing::start()?;
    for _ in 0..10 {
        host.send(Way::Udp, DESTINATION, None)?;
    }
    host.netns.ip("address add 192.0.2.1/32 dev lo")?;
    for _ in 0..10 {
        host.send(Way::Udp, DESTINATION, None)?;
    }
    // Intended for a while, then an accident again.
    let change = format!("route change {PREFIX} via inet6 {GATEWAY} dev v0");
    for route in [format!("{change} src 192.0.2.5"), change] {
        host.netns.ip(&route)?;
        host.send(Way::Udp, DESTINATION, None)?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(3)?;
    let expected = [
        ("192.0.2.5", "d0"),
        ("192.0.2.1", "lo"),
        ("192.0.2.1", "lo"),
    ];
    for (diagnosis, (source, on)) in report.diagnoses.iter().zip(expected) {
        expect(&host, diagnosis, source, on)
            .field("cause", "borrowed-source-address")
            .check()?;
    }
    Ok(())
}

/// One next hop may be that of all the routes there are: some are told.
fn many_routes() -> Result<()> {
    let host = Host::new("many")?;
    host.netns.dummy("d0")?;
    host.netns.ip("address add 192.0.2.5/24 dev d0")?;
    let add = |n| format!("route add 198.18.{n}.0/24 via inet6 {GATEWAY} dev v0");
    let commands: Vec<_> = (0..50).map(add).collect();
    ip_batch(host.netns.name(), &commands)?;
    let tracer = Tracing::start()?;
    for _ in 0..2 {
        for n in 0..50 {
            host.send(Way::Udp, Ipv4Addr::new(198, 18, n, 1), None)?;
        }
    }
    let report = tracer.finish()?;
    report.complete()?;
    let told: BTreeSet<_> = report
        .diagnoses
        .iter()
        .map(|diagnosis| diagnosis.evidence("prefix").map(ToString::to_string))
        .collect();
    ensure!(
        told.len() == report.diagnoses.len() && (2..=20).contains(&told.len()),
        "{} diagnoses of {} routes",
        report.diagnoses.len(),
        told.len()
    );
    Ok(())
}

/// It is the route's, whoever sends; and it stays known when others, whose
/// names no two share, fail on another route.
fn once_for_all() -> Result<()> {
    let host = Host::with_route("names")?;
    host.netns.dummy("d0")?;
    host.netns.ip("address add 192.0.2.5/24 dev d0")?;
    let tracer = Tracing::start()?;
    for n in 0..50 {
        host.send_as(&format!("name{n}"), Way::Udp, DESTINATION, None)?;
        host.send_as(&format!("name{n}"), Way::Tcp, DESTINATION, None)?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("borrowed-source-address")?
        .expect()
        .field("comm", "name0")
        .evidence("suppressed", 0)
        .check()
}

/// Whose address it was is not known any more, and not made up.
fn deleted() -> Result<()> {
    let host = Host::with_route("gone")?;
    let interface = host.netns.dummy("d0")?;
    host.netns.ip("address add 192.0.2.5/24 dev d0")?;
    let tracer = Tracer::start(&[])?;
    tracer.signal(Signal::STOP)?;
    host.send(Way::Udp, DESTINATION, None)?;
    interface.delete(&host.netns)?;
    tracer.signal(Signal::CONT)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("borrowed-source-address")?;
    host.expect(diagnosis, Way::Udp, DESTINATION)
        .evidence("source", "192.0.2.5")
        .evidence("source_interface", Value::Null)
        .summary_has_one_of(&["an address of another interface"])
        .check()
}

/// Typed in by hand, the route would no longer be the daemon's. What an
/// administrator made keeps its mark.
fn of_a_daemon() -> Result<()> {
    let host = Host::new("daemon")?;
    host.netns.dummy("d0")?;
    host.netns.ip("address add 192.0.2.5/24 dev d0")?;
    let said = |proto: &str| {
        host.netns.ip(&format!(
            "route replace {PREFIX} via inet6 {GATEWAY} dev v0 proto {proto}"
        ))?;
        let tracer = Tracing::start()?;
        host.send(Way::Udp, DESTINATION, None)?;
        tracer.finish()
    };
    let report = said("12")?;
    report
        .only("borrowed-source-address")?
        .expect()
        .evidence("fib_protocol", 12)
        .no_fix_has("route change")
        .some_fix_has("krt_prefsrc")
        .some_fix_has("192.0.2.5")
        .check()?;
    let report = said("static")?;
    let diagnosis = report.only("borrowed-source-address")?;
    diagnosis.expect().evidence("fib_protocol", 4).check()?;
    diagnosis.follow("route change")?;
    let mut show = Command::new("ip");
    let words = host.netns.ip_words(&format!("route show {PREFIX}"));
    let shown = finish(show.args(words.split_whitespace()), Duration::from_secs(5))?;
    for part in ["proto static", "src 192.0.2.5"] {
        ensure!(shown.stdout.contains(part), "{part} is not in {shown}");
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
    let tracer = Tracing::start()?;
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
