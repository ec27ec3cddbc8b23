//! Near misses: what looks like a failing join from inside the kernel, or
//! nearly is one, but is none.

use std::net::Ipv6Addr;

use anyhow::{Context as _, Result, ensure};
use socket2::{Domain, Socket, Type};

use crate::guest::{MulticastSocket, Netns, OptmemMax, Tracing, group, join_each, membership_size};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("optmem-exhausted-not-below-the-limit", below_the_limit),
    scenario("already-joined-not-second-source", second_source),
    scenario("optmem-exhausted-not-source-list", source_list),
    scenario("already-joined-not-vxlan", vxlan),
    scenario("no-such-device-not-ipv4", ipv4),
];

/// The last join that fits.
fn below_the_limit() -> Result<()> {
    let netns = Netns::new("below")?;
    let interface = netns.dummy("d0")?;
    let size = membership_size()?;
    let _limit = OptmemMax::set(&netns, 60 * size + 1)?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    join_each(&socket, interface.ifindex, 0, 60)?;
    let report = tracer.finish()?;
    ensure!(socket.option_memory()? == 60 * size);
    report.silent()
}

/// A second source for a group: the kernel's own join says EADDRINUSE, which
/// its caller takes for success.
fn second_source() -> Result<()> {
    let netns = Netns::new("sources")?;
    let interface = netns.dummy("d0")?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    for n in 1..=3 {
        let source = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n);
        socket
            .join_source_group(interface.ifindex, group(1), source)
            .with_context(|| format!("cannot join for source {n}"))?;
    }
    tracer.finish()?.silent()
}

/// The join succeeds; it is the list of sources that finds no room.
fn source_list() -> Result<()> {
    let netns = Netns::new("list")?;
    let interface = netns.dummy("d0")?;
    let size = membership_size()?;
    let _limit = OptmemMax::set(&netns, size + 10)?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    let source = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    let joined = socket.join_source_group(interface.ifindex, group(1), source);
    let errno = joined.err().and_then(|error| error.raw_os_error());
    ensure!(errno == Some(libc::ENOBUFS), "errno {errno:?}");
    ensure!(socket.option_memory()? == size, "the membership is gone");
    let report = tracer.finish()?;
    report.complete()?;
    let join = report
        .diagnoses
        .iter()
        .find(|diagnosis| diagnosis.field("operation") == "multicast-join");
    ensure!(join.is_none(), "the join succeeded: {join:?}");
    Ok(())
}

/// Two tunnels with the same group, port and underlay share one socket of the
/// kernel; the second one's join says EADDRINUSE, which is fine.
fn vxlan() -> Result<()> {
    let netns = Netns::new("tunnels")?;
    netns.dummy("d0")?;
    for n in 1..=2 {
        netns.ip(&format!(
            "link add vx{n} type vxlan id {n} group ff05::100 dev d0 dstport 4789"
        ))?;
    }
    let tracer = Tracing::start()?;
    netns.ip("link set vx1 up")?;
    netns.ip("link set vx2 up")?;
    tracer.finish()?.silent()
}

/// IPv4's joins fail by themselves.
fn ipv4() -> Result<()> {
    let netns = Netns::new("ipv4")?;
    let interface = netns.dummy("d0")?;
    let socket = netns.enter(|| Ok(Socket::new(Domain::IPV4, Type::DGRAM, None)?))?;
    let tracer = Tracing::start()?;
    let any = std::net::Ipv4Addr::UNSPECIFIED;
    let groups = [[224, 0, 0, 5], [192, 0, 2, 1]].map(std::net::Ipv4Addr::from);
    for group in groups {
        let joined = socket.join_multicast_v4(&group, &any);
        ensure!(joined.is_err(), "{group} was joined without a route");
    }
    // And one that succeeds, twice.
    let on = socket2::InterfaceIndexOrAddress::Index(interface.ifindex);
    socket.join_multicast_v4_n(&groups[0], &on)?;
    ensure!(socket.join_multicast_v4_n(&groups[0], &on).is_err());
    tracer.finish()?.silent()
}
