//! No source, or one that no answer comes back to.

use std::net::{Ipv6Addr, SocketAddrV6};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use super::{BEYOND, Host, NEIGHBOUR, OWN, ROUTER, To, Way};
use crate::guest::{AddressState, Link, Netns, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("no-source-address-ipv6", on_the_link),
    scenario("no-source-address-ipv6-disabled", disabled),
    scenario("source-cannot-be-answered", link_local),
    scenario("source-cannot-be-answered-loopback", loopback),
];

/// Interfaces without a link-local address: none was made, and one is tested for
/// as long as there is no carrier.
fn on_the_link() -> Result<()> {
    let host = Host::with_route("sourceless")?;
    host.netns.ip("link add d0 type dummy")?;
    host.netns.ip("link set d0 addrgenmode none")?;
    host.netns.ip("link set d0 up")?;
    host.netns.ip("link add d1 type veth peer name d2")?;
    host.netns.ip("link set d1 addrgenmode none")?;
    host.netns.ip("link set d1 up")?;
    host.netns.ip("address add fe80::7/64 dev d1")?;
    let [d0, d1] = ["d0", "d1"].map(|name| Link::find(&host.netns, name));
    let (d0, d1) = (d0?, d1?);
    host.netns.ip("-6 route add fe80::/64 dev d0")?;
    let tracer = Tracing::start()?;
    host.fails(
        libc::EADDRNOTAVAIL,
        Way::Tcp,
        To::scoped(ROUTER, d0.ifindex),
    )?;
    host.fails(
        libc::EADDRNOTAVAIL,
        Way::Udp,
        To::scoped(ROUTER, d1.ifindex),
    )?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    let expected = [
        (Way::Tcp, &d0, json!([])),
        (
            Way::Udp,
            &d1,
            json!([{"kind": "tentative", "detail": "fe80::7 on d1"}]),
        ),
    ];
    for (diagnosis, (way, link, unusable)) in report.diagnoses.iter().zip(expected) {
        host.expect(diagnosis, way, "EADDRNOTAVAIL", ROUTER)
            .field("cause", "no-source-address-ipv6")
            .field("severity", "failure")
            .field("ifindex", link.ifindex)
            .field("interface", link.name.as_str())
            .evidence("source", Value::Null)
            .evidence("unusable", unusable)
            .evidence("all_disable_ipv6", 0)
            .summary_has([&link.name])
            .check()?;
    }
    report.diagnoses[1]
        .expect()
        .summary_has(["fe80::7", "tentative"])
        .no_fix_has("address")
        .check()?;
    host.keeping_routes(|| {
        report.diagnoses[0].follow_with("address add ADDRESS/64 dev d0", "fe80::7")
    })?;
    host.goes(Way::Tcp, To::scoped(ROUTER, d0.ifindex))
}

/// As Docker leaves a container without IPv6: an answer to whoever asks.
fn disabled() -> Result<()> {
    let host = Host::new("container")?;
    host.netns.set_sysctl("ipv6/conf/all/disable_ipv6", "1")?;
    let tracer = Tracing::start()?;
    host.fails(libc::EADDRNOTAVAIL, Way::Compare, BEYOND)?;
    host.fails(libc::EADDRNOTAVAIL, Way::Tcp, BEYOND)?;
    host.fails(libc::EADDRNOTAVAIL, Way::Tcp, NEIGHBOUR)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("no-source-address-ipv6")?;
    host.expect(diagnosis, Way::Compare, "EADDRNOTAVAIL", BEYOND)
        .field("severity", "notice")
        .evidence("unusable", json!([]))
        .evidence("all_disable_ipv6", 1)
        .summary_has(["net.ipv6.conf.all.disable_ipv6"])
        .check()?;
    diagnosis.follow("disable_ipv6=0")?;
    AddressState::Usable.wait(&host.netns, "lo", Ipv6Addr::LOCALHOST)?;
    let disabled = host.netns.sysctl("ipv6/conf/v0/disable_ipv6")?;
    ensure!(disabled == "0", "v0 has disable_ipv6 = {disabled}");
    Ok(())
}

/// What a datagram socket that is connected gets as its own address.
fn source(netns: &Netns, to: Ipv6Addr) -> Result<Ipv6Addr> {
    netns.enter(|| {
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
        socket.connect(&SocketAddrV6::new(to, super::PORT, 0, 0).into())?;
        let own = socket.local_addr()?.as_socket_ipv6();
        Ok(*own.context("it has no address")?.ip())
    })
}

/// A default route, and a link-local address alone. What is on the link is
/// answered nevertheless.
fn link_local() -> Result<()> {
    let host = Host::new("unheard")?;
    host.netns
        .ip(&format!("-6 route add default via {ROUTER} dev v0"))?;
    host.netns.ip("-6 route add 2001:db8:9::/64 dev v0")?;
    let tracer = Tracing::start()?;
    for _ in 0..3 {
        host.goes(Way::Tcp, BEYOND)?;
    }
    host.goes(Way::Tcp, NEIGHBOUR)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("source-cannot-be-answered")?;
    host.expect_any(diagnosis, Way::Tcp, BEYOND)
        .field("severity", "hazard")
        .field("confidence", "likely")
        .field("errno", Value::Null)
        .field("comm", "guest")
        .field("interface", "v0")
        .field("ifindex", host.interface.ifindex)
        .evidence("source", "fe80::2")
        .evidence("gateway", ROUTER.to_string())
        .evidence("addresses", json!([]))
        .summary_has(["fe80::2", "v0", "fe80::1"])
        .summary_has_one_of(&["unless that is the router itself"])
        .check()?;
    host.keeping_routes(|| diagnosis.follow_with("address add", &OWN.to_string()))?;
    AddressState::Usable.wait(&host.netns, "v0", OWN)?;
    let own = source(&host.netns, BEYOND)?;
    ensure!(own == OWN, "it sends from {own}");
    Ok(())
}

/// No interface has any address: `::1` is all that there is.
fn loopback() -> Result<()> {
    let netns = Netns::new("bare-out")?;
    netns.ip("link set lo up")?;
    netns.ip("link add d0 type dummy")?;
    netns.ip("link set d0 addrgenmode none")?;
    netns.ip("link set d0 up")?;
    netns.ip("-6 route add default dev d0")?;
    let tracer = Tracing::start()?;
    let own = source(&netns, BEYOND)?;
    ensure!(own == Ipv6Addr::LOCALHOST, "it sends from {own}");
    // It is its own.
    source(&netns, Ipv6Addr::LOCALHOST)?;
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("source-cannot-be-answered")?
        .expect()
        .field("confidence", "likely")
        // It asks for its own address, and sends nothing.
        .field("severity", "notice")
        .field("interface", "d0")
        .evidence("source", "::1")
        .evidence("gateway", Value::Null)
        .summary_has(["::1", "d0"])
        .summary_has_one_of(&["sends nothing"])
        .some_fix_has("address add ADDRESS/64 dev d0")
        .check()
}
