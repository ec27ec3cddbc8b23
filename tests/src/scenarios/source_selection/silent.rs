//! Near misses: lookups that choose a good source, or on behalf of nothing
//! that is sent.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use socket2::{Domain, Protocol, Socket, Type};

use super::{DESTINATION, GATEWAY, Host, PREFIX, Way};
use crate::guest::{Tracer, Tracing, finish};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("no-source-address-not-ipv4-next-hops", ipv4),
    scenario("no-source-address-not-route-get", route_get),
    scenario("no-source-address-not-icmp-errors", icmp_errors),
    scenario("no-source-address-not-groups", groups),
    scenario("no-source-address-not-own-headers", own_headers),
    scenario("borrowed-source-address-not-src", src),
    scenario("borrowed-source-address-not-own", own),
];

/// Busy IPv4 leaves no trace, not even among the events: the programs leave
/// before they would tell.
fn ipv4() -> Result<()> {
    let host = Host::new("busy")?;
    host.netns.dummy("d0")?;
    host.netns.ip("address add 192.0.2.5/24 dev v0")?;
    host.netns.ip("address add 203.0.113.5/24 dev d0")?;
    host.netns
        .ip(&format!("route add {PREFIX} via 192.0.2.1"))?;
    host.netns
        .ip("route add 198.18.0.0/15 nexthop via 192.0.2.1 nexthop via 203.0.113.1")?;
    // As FRR installs all its routes.
    host.netns.ip("nexthop add id 7 via 192.0.2.1 dev v0")?;
    host.netns.ip("route add 203.0.114.0/24 nhid 7")?;
    let tracer = Tracer::start(&["--events"])?;
    for n in 1..=200 {
        host.send(Way::Tcp, DESTINATION, None)?;
        host.send(Way::Udp, Ipv4Addr::new(198, 18, 0, n), None)?;
        host.send(Way::Udp, Ipv4Addr::new(203, 0, 114, n), None)?;
    }
    let report = tracer.finish()?;
    let of_ours = |event: &&serde_json::Value| event["hook"] == "source-selection";
    let seen = report.events.iter().filter(of_ours).count();
    ensure!(seen == 0, "{seen} events of IPv4 next hops");
    report.silent()
}

/// A question to the kernel sends nothing.
fn route_get() -> Result<()> {
    let host = Host::with_route("ask")?;
    let tracer = Tracing::start()?;
    host.netns.ip(&format!("route get {DESTINATION}"))?;
    tracer.finish()?.silent()
}

/// Errors of a router without an IPv4 address bear 192.0.0.8, and arrive.
fn icmp_errors() -> Result<()> {
    let host = Host::with_route("hop")?;
    host.netns.set_sysctl("ipv4/ip_forward", "1")?;
    let (source, far) = (DESTINATION, "203.0.113.9");
    host.router.ip(&format!("address add {source}/32 dev lo"))?;
    host.router.ip("link set lo up")?;
    host.router.ip(&format!(
        "route add {far}/32 via inet6 fe80::2 dev v1 src {source}"
    ))?;
    host.netns
        .ip(&format!("route add {far}/32 via inet6 {GATEWAY} dev v0"))?;
    let tracer = Tracing::start()?;
    let mut ping = Command::new("ip");
    ping.args(["netns", "exec", host.router.name()])
        .args(["ping", "-n", "-c1", "-W2", "-t1", far]);
    let pinged = finish(&mut ping, Duration::from_secs(10))?;
    ensure!(pinged.stdout.contains("From 192.0.0.8"), "{pinged}");
    tracer.finish()?.silent()
}

/// A join looks up no more than the interface; what is sent to everybody on the
/// link needs no next hop.
fn groups() -> Result<()> {
    let host = Host::new("groups")?;
    host.netns
        .ip(&format!("route add 0.0.0.0/0 via inet6 {GATEWAY} dev v0"))?;
    let tracer = Tracing::start()?;
    host.netns.enter(|| {
        let group = Ipv4Addr::new(239, 1, 1, 1);
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        socket
            .join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED)
            .context("cannot join")?;
        socket.set_broadcast(true)?;
        for to in [group, Ipv4Addr::BROADCAST] {
            let to = SocketAddr::from((to, 4000)).into();
            socket.send_to(b"x", &to).context("cannot send")?;
        }
        Ok(())
    })?;
    // By a route for groups alone, what is sent does need the next hop.
    host.netns
        .ip(&format!("route add 224.0.0.0/4 via inet6 {GATEWAY} dev v0"))?;
    host.netns.enter(|| {
        let group = Ipv4Addr::new(239, 1, 1, 2);
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
        let joined = socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED);
        joined.context("cannot join by the route for groups")
    })?;
    tracer.finish()?.silent()
}

/// A program that writes its own IP headers writes the source as well, whatever
/// its protocol.
fn own_headers() -> Result<()> {
    const VRRP: u8 = 112;
    let host = Host::with_route("headers")?;
    let source = Ipv4Addr::new(192, 0, 2, 99);
    let tracer = Tracing::start()?;
    host.netns.enter(|| {
        let protocol = Protocol::from(i32::from(VRRP));
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(protocol))?;
        socket.set_header_included_v4(true)?;
        let mut packet = [0; 24];
        packet[0] = 0x45;
        packet[8] = 255;
        packet[9] = VRRP;
        packet[12..16].copy_from_slice(&source.octets());
        packet[16..20].copy_from_slice(&DESTINATION.octets());
        let to = SocketAddr::from((DESTINATION, 0)).into();
        socket.send_to(&packet, &to).context("cannot send")?;
        let raw = Protocol::from(libc::IPPROTO_RAW);
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(raw))?;
        socket.connect(&to).context("cannot connect")?;
        Ok(())
    })?;
    tracer.finish()?.silent()
}

/// The route names the source.
fn src() -> Result<()> {
    let host = Host::new("named")?;
    host.netns.ip("address add 192.0.2.1/32 dev lo")?;
    host.netns.ip(&format!(
        "route add {PREFIX} via inet6 {GATEWAY} dev v0 src 192.0.2.1"
    ))?;
    let tracer = Tracing::start()?;
    host.send(Way::Tcp, DESTINATION, None)?;
    host.send(Way::Udp, DESTINATION, None)?;
    tracer.finish()?.silent()
}

/// The interface has one of its own, even if it comes late among many.
fn own() -> Result<()> {
    let host = Host::with_route("own")?;
    host.netns.ip("address add 192.0.2.1/32 dev lo")?;
    for n in 1..=10 {
        host.netns
            .ip(&format!("address add 169.254.{n}.1/24 dev v0 scope link"))?;
    }
    host.netns.ip("address add 203.0.113.5/24 dev v0")?;
    let tracer = Tracing::start()?;
    host.send(Way::Tcp, DESTINATION, None)?;
    host.send(Way::Udp, DESTINATION, None)?;
    tracer.finish()?.silent()
}
