//! No address that may be a source.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{DESTINATION, GATEWAY, Host, PREFIX, Way};
use crate::guest::{Diagnosis, Expect, Link, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("no-source-address", only_loopback),
    scenario("no-source-address-scope-link", scope_link),
    scenario("no-source-address-vrf", vrf),
    scenario("no-source-address-nexthop-object", nexthop_object),
    scenario("no-source-address-multipath", multipath),
    scenario("no-source-address-once", once),
    scenario("no-source-address-after-a-source", after_a_source),
    scenario("no-source-address-after-useless-addresses", after_useless),
    scenario("no-source-address-many-names", many_names),
];

fn expect<'d>(host: &Host, diagnosis: &'d Diagnosis, way: Way) -> Expect<'d> {
    host.expect(diagnosis, way, DESTINATION)
        .field("severity", "failure")
        .evidence("source", "0.0.0.0")
        .evidence("source_interface", Value::Null)
        .evidence("prefsrc", Value::Null)
        .summary_has(["0.0.0.0"])
}

/// The story: a host with IPv4 routes and no IPv4 address but 127.0.0.1. The
/// two fixes help.
fn only_loopback() -> Result<()> {
    let host = Host::with_route("bare")?;
    let tracer = Tracing::start()?;
    host.send(Way::Tcp, DESTINATION, None)?;
    let report = tracer.finish()?;
    report.complete()?;
    let add = "ip address add ADDRESS/32 dev lo";
    let change = format!("ip route change {PREFIX} via inet6 {GATEWAY} dev v0 src ADDRESS");
    expect(&host, report.only("no-source-address")?, Way::Tcp)
        .evidence("l3mdev", Value::Null)
        .evidence("oif", Value::Null)
        .evidence(
            "unusable",
            json!([{"kind": "loopback", "detail": "127.0.0.1 on lo"}]),
        )
        .summary_has_one_of(&["times out"])
        .some_fix_has(&host.command(add))
        .some_fix_has(&host.command(&change))
        .check()?;
    for fix in [add, &change] {
        let words = fix
            .trim_start_matches("ip ")
            .replace("ADDRESS", "192.0.2.1");
        host.netns.ip(&words)?;
    }
    let tracer = Tracing::start()?;
    host.send(Way::Tcp, DESTINATION, None)?;
    tracer.finish()?.silent()
}

/// Addresses that are valid on their links only.
fn scope_link() -> Result<()> {
    let host = Host::with_route("local")?;
    host.netns.dummy("d0")?;
    host.netns
        .ip("address add 169.254.7.1/16 dev v0 scope link")?;
    host.netns
        .ip("address add 169.254.8.1/16 dev d0 scope link")?;
    let tracer = Tracing::start()?;
    host.send(Way::Udp, DESTINATION, None)?;
    let report = tracer.finish()?;
    report.complete()?;
    expect(&host, report.only("no-source-address")?, Way::Udp)
        .evidence(
            "unusable",
            json!([
                {"kind": "loopback", "detail": "127.0.0.1 on lo"},
                {"kind": "scope-link", "detail": "169.254.7.1 on v0"},
                {"kind": "scope-link", "detail": "169.254.8.1 on d0"},
            ]),
        )
        .summary_has_none_of(&["times out"])
        .no_fix_has("scope")
        .check()
}

/// A VRF does not take the addresses outside it.
fn vrf() -> Result<()> {
    let host = Host::new("vrf")?;
    host.netns.ip("link add blue up type vrf table 10")?;
    host.netns.ip("link set v0 vrf blue")?;
    // Entering the VRF took it away.
    host.netns.ip("address replace fe80::2/64 dev v0 nodad")?;
    host.netns.ip(&format!(
        "route add {PREFIX} vrf blue via inet6 {GATEWAY} dev v0 metric 20"
    ))?;
    host.netns.ip("address add 192.0.2.1/32 dev lo")?;
    let tracer = Tracing::start()?;
    host.send(Way::Tcp, DESTINATION, Some("blue"))?;
    let report = tracer.finish()?;
    report.complete()?;
    let add = "ip address add ADDRESS/32 dev blue";
    let change = format!(
        "ip route change {PREFIX} table 10 metric 20 via inet6 {GATEWAY} dev v0 src ADDRESS"
    );
    // Kernels whose lookups have no member for the VRF say it here.
    let oif = match rustix::system::uname().release().to_bytes() {
        [b'5', b'.', ..] => Value::from(Link::find(&host.netns, "blue")?.ifindex),
        _ => Value::Null,
    };
    expect(&host, report.only("no-source-address")?, Way::Tcp)
        .evidence("l3mdev", "blue")
        .evidence("oif", oif)
        .evidence(
            "unusable",
            json!([
                {"kind": "loopback", "detail": "127.0.0.1 on lo"},
                {"kind": "other-vrf", "detail": "192.0.2.1 on lo"},
            ]),
        )
        .summary_has(["VRF blue"])
        .some_fix_has(&host.command(add))
        .some_fix_has(&host.command(&change))
        .check()?;
    for fix in [add, &change] {
        let words = fix
            .trim_start_matches("ip ")
            .replace("ADDRESS", "192.0.2.7");
        host.netns.ip(&words)?;
    }
    let tracer = Tracing::start()?;
    host.send(Way::Tcp, DESTINATION, Some("blue"))?;
    tracer.finish()?.silent()
}

/// A route that names a nexthop object.
fn nexthop_object() -> Result<()> {
    let host = Host::new("object")?;
    host.netns
        .ip(&format!("nexthop add id 7 via {GATEWAY} dev v0"))?;
    host.netns.ip(&format!("route add {PREFIX} nhid 7"))?;
    let tracer = Tracing::start()?;
    host.send(Way::Udp, DESTINATION, None)?;
    let report = tracer.finish()?;
    report.complete()?;
    let change = format!("ip route change {PREFIX} nhid 7 src ADDRESS");
    expect(&host, report.only("no-source-address")?, Way::Udp)
        .some_fix_has(&host.command(&change))
        .check()?;
    host.netns.ip("address add 192.0.2.1/32 dev lo")?;
    host.netns.ip(change
        .trim_start_matches("ip ")
        .replace("ADDRESS", "192.0.2.1")
        .as_str())?;
    let tracer = Tracing::start()?;
    host.send(Way::Udp, DESTINATION, None)?;
    tracer.finish()?.silent()
}

/// Only those packets count that take the IPv6 one of two next hops, whether
/// the route has them itself or a group of nexthop objects.
fn multipath() -> Result<()> {
    let host = Host::new("paths")?;
    host.netns.dummy("d0")?;
    host.netns.ip("address add 10.0.0.1/24 dev d0 scope link")?;
    let inline = format!("nexthop via 10.0.0.2 dev d0 nexthop via inet6 {GATEWAY} dev v0");
    host.netns.ip("nexthop add id 1 via 10.0.0.2 dev d0")?;
    host.netns
        .ip(&format!("nexthop add id 2 via {GATEWAY} dev v0"))?;
    host.netns.ip("nexthop add id 3 group 1/2")?;
    for hops in [inline.as_str(), "nhid 3"] {
        host.netns.ip(&format!("route replace {PREFIX} {hops}"))?;
        let tracer = Tracing::start()?;
        for last in 1..=40 {
            host.send(Way::Udp, Ipv4Addr::new(198, 51, 100, last), None)?;
        }
        let report = tracer.finish()?;
        report.complete()?;
        let diagnosis = report.only("no-source-address")?;
        let destination = diagnosis.field("address").as_str().unwrap_or_default();
        diagnosis
            .expect()
            .field("interface", "v0")
            .evidence("next_hop", GATEWAY)
            .evidence("prefix", PREFIX)
            .that(
                destination.starts_with("198.51.100."),
                "the destination is none of those",
            )
            .check()?;
    }
    Ok(())
}

/// A failure is news once there was a source, borrowed or not.
fn after_a_source() -> Result<()> {
    let host = Host::with_route("again")?;
    let tracer = Tracing::start()?;
    host.send(Way::Udp, DESTINATION, None)?;
    for interface in ["lo", "v0"] {
        let address = format!("192.0.2.1/32 dev {interface}");
        host.netns.ip(&format!("address add {address}"))?;
        host.send(Way::Udp, DESTINATION, None)?;
        host.netns.ip(&format!("address del {address}"))?;
        // With the last address went the routes that IPv4 has there.
        host.netns.ip(&format!(
            "route replace {PREFIX} via inet6 {GATEWAY} dev v0"
        ))?;
        for _ in 0..3 {
            host.send(Way::Udp, DESTINATION, None)?;
        }
    }
    let report = tracer.finish()?;
    report.complete()?;
    let causes: Vec<_> = report
        .diagnoses
        .iter()
        .map(|diagnosis| diagnosis.field("cause").clone())
        .collect();
    let expected = [
        "no-source-address",
        "borrowed-source-address",
        "no-source-address",
        "no-source-address",
    ];
    ensure!(causes == expected, "{causes:?}");
    Ok(())
}

/// One fault is told once, however often it is met, until something changes.
fn once() -> Result<()> {
    let host = Host::with_route("often")?;
    // An interface that loses its last IPv4 address loses its routes as well.
    host.netns
        .ip("address add 169.254.7.1/16 dev v0 scope link")?;
    let tracer = Tracing::start()?;
    let fifty = || (0..50).try_for_each(|_| host.send(Way::Tcp, DESTINATION, None));
    fifty()?;
    host.netns.ip("address add 192.0.2.1/24 dev v0")?;
    host.send(Way::Tcp, DESTINATION, None)?;
    host.netns.ip("address del 192.0.2.1/24 dev v0")?;
    fifty()?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for diagnosis in &report.diagnoses {
        expect(&host, diagnosis, Way::Tcp)
            .field("cause", "no-source-address")
            .check()?;
    }
    Ok(())
}

/// Each address that is added and is of no use is tried in vain, and that is
/// told: who mended something wants to know. Nothing new is told without, nor
/// for an address of another namespace.
fn after_useless() -> Result<()> {
    let host = Host::with_route("vain")?;
    let tracer = Tracing::start()?;
    let thrice = |last| {
        let to = Ipv4Addr::new(198, 51, 100, last);
        (0..3).try_for_each(|_| host.send(Way::Udp, to, None))
    };
    thrice(9)?;
    host.netns
        .ip("address add 169.254.7.1/16 dev v0 scope link")?;
    thrice(10)?;
    host.netns
        .ip("address add 192.0.2.1/32 dev lo scope link")?;
    thrice(11)?;
    host.router.ip("address add 192.0.2.9/32 dev v1")?;
    thrice(12)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(3)?;
    let expected = [
        (9, 0, "127.0.0.1 on lo"),
        (10, 2, "169.254.7.1 on v0"),
        (11, 2, "192.0.2.1 on lo"),
    ];
    for (diagnosis, (last, suppressed, unusable)) in report.diagnoses.iter().zip(expected) {
        let listed = diagnosis.evidence("unusable").map(ToString::to_string);
        diagnosis
            .expect()
            .field("cause", "no-source-address")
            .evidence("destination", format!("198.51.100.{last}"))
            .evidence("suppressed", suppressed)
            .that(
                listed.is_some_and(|listed| listed.contains(unusable)),
                format!("{unusable} is not among those that do not count"),
            )
            .check()?;
    }
    Ok(())
}

/// Each program is told, but not as many as somebody may make up.
fn many_names() -> Result<()> {
    let host = Host::with_route("flood")?;
    let tracer = Tracing::start()?;
    for n in 0..100 {
        host.send_as(&format!("name{n}"), Way::Udp, DESTINATION, None)?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    let seen = report.diagnoses.len();
    ensure!((2..=20).contains(&seen), "{seen} diagnoses of one fault");
    let names: Vec<_> = report
        .diagnoses
        .iter()
        .map(|one| one.field("comm").clone())
        .collect();
    ensure!(names[..2] == ["name0", "name1"], "{names:?}");
    Ok(())
}
