//! Joins that the kernel refuses for another reason than memory.

use std::net::Ipv6Addr;

use anyhow::Result;

use super::expect_join;
use super::expected::{NONE, expect_anywhere};
use crate::guest::{MulticastSocket, Netns, Refused, Tracing, group};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("group-not-multicast", not_multicast),
    scenario("already-joined", already_joined),
    scenario("already-joined-any-interface", already_joined_any),
    scenario("no-such-device-deleted", deleted),
    scenario("no-such-device-no-route", no_route),
    scenario("ipv6-disabled-on-device", disabled),
];

/// A unicast address, and an IPv4 group in IPv6 clothes.
fn not_multicast() -> Result<()> {
    let netns = Netns::new("unicast")?;
    let interface = netns.dummy("d0")?;
    let groups = [
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
        std::net::Ipv4Addr::new(224, 0, 0, 5).to_ipv6_mapped(),
    ];
    let tracer = Tracing::start()?;
    let mut cases = Vec::new();
    for group in groups {
        let socket = MulticastSocket::udp(&netns)?;
        let result = socket.join(interface.ifindex, group);
        cases.push((socket, Refused::expect(group, libc::EINVAL, result)?));
    }
    let report = tracer.finish()?;
    report.complete()?;
    for (socket, refused) in &cases {
        let diagnosis = report.of_socket(socket.inode()?, "group-not-multicast")?;
        expect_join(diagnosis, &netns, &interface, refused)
            .evidence("group", refused.group.to_string())
            .summary_has_one_of(&["ff00::/8", "no IPv6 group", "multicast"])
            .check()?;
    }
    Ok(())
}

/// The same group twice on the same interface.
fn already_joined() -> Result<()> {
    let netns = Netns::new("twice")?;
    let interface = netns.dummy("d0")?;
    let other = netns.dummy("d1")?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    // Neither of these is in the way of the second join.
    socket.join(interface.ifindex, group(2))?;
    socket.join(other.ifindex, group(1))?;
    socket.join(interface.ifindex, group(1))?;
    let result = socket.join(interface.ifindex, group(1));
    let refused = Refused::expect(group(1), libc::EADDRINUSE, result)?;
    let report = tracer.finish()?;
    report.complete()?;
    expect_join(report.only("already-joined")?, &netns, &interface, &refused)
        .evidence("group", group(1).to_string())
        .evidence("requested_ifindex", interface.ifindex)
        .evidence("joined_ifindex", interface.ifindex)
        .evidence("memberships", 3)
        .evidence("socket", socket.inode()?)
        .check()
}

/// With ifindex 0 the group counts as joined wherever it is.
fn already_joined_any() -> Result<()> {
    let netns = Netns::new("any")?;
    let interface = netns.dummy("d0")?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    socket.join(interface.ifindex, group(1))?;
    let refused = Refused::expect(group(1), libc::EADDRINUSE, socket.join(0, group(1)))?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("already-joined")?;
    expect_anywhere(diagnosis, &netns, &refused)
        .evidence("group", group(1).to_string())
        .field("confidence", "certain")
        .evidence("requested_ifindex", 0)
        .evidence("joined_ifindex", interface.ifindex)
        .evidence("memberships", 1)
        .evidence("socket", socket.inode()?)
        .check()
}

/// The interface was deleted a moment ago.
fn deleted() -> Result<()> {
    let netns = Netns::new("deleted")?;
    let interface = netns.dummy("d0")?;
    let ifindex = interface.ifindex;
    let socket = MulticastSocket::udp(&netns)?;
    interface.delete(&netns)?;
    let tracer = Tracing::start()?;
    let result = socket.join(ifindex, group(1));
    let refused = Refused::expect(group(1), libc::ENODEV, result)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("no-such-device")?;
    expect_anywhere(diagnosis, &netns, &refused)
        .field("ifindex", ifindex)
        .field("interface", NONE)
        .field("confidence", "certain")
        .evidence("requested_ifindex", ifindex)
        .evidence("reason", "no-such-ifindex")
        .evidence("socket", socket.inode()?)
        .summary_has([ifindex])
        .check()
}

/// No interface was named and no route leads to the group.
fn no_route() -> Result<()> {
    let netns = Netns::new("empty")?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    let refused = Refused::expect(group(1), libc::ENODEV, socket.join(0, group(1)))?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("no-such-device")?;
    expect_anywhere(diagnosis, &netns, &refused)
        .field("ifindex", NONE)
        .field("interface", NONE)
        // That no route led there is inferred: the lookup itself is not seen.
        .field("confidence", "likely")
        .evidence("requested_ifindex", 0)
        .evidence("reason", "no-route")
        .evidence("socket", socket.inode()?)
        .summary_has_one_of(&["route"])
        .check()
}

/// An MTU that IPv6 cannot live with takes IPv6 off the interface.
fn disabled() -> Result<()> {
    let netns = Netns::new("small")?;
    let interface = netns.dummy("d0")?;
    netns.ip("link set d0 mtu 1279")?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    let result = socket.join(interface.ifindex, group(1));
    let refused = Refused::expect(group(1), libc::EINVAL, result)?;
    let report = tracer.finish()?;
    report.complete()?;
    expect_join(
        report.only("ipv6-disabled-on-device")?,
        &netns,
        &interface,
        &refused,
    )
    .evidence("mtu", 1279)
    .evidence("ip6_ptr", 0)
    .evidence("socket", socket.inode()?)
    .summary_has(["1279", "1280"])
    .some_fix_has("mtu 1280")
    .check()
}
