//! Sockets whose option memory is full of memberships that are in use: the
//! values must be those that the kernel compared.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};

use super::expected::{NONE, expect_anywhere, proposed_limit};
use super::{Full, OF_A_LEAK, expect_join};
use crate::guest::{
    MulticastSocket, Netns, OptmemMax, Refused, Tracing, check_membership_size, group, join_each,
    join_until_refused, membership_size,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("optmem-exhausted-live-interfaces", live_interfaces),
    scenario("optmem-exhausted-mcast-join-group", mcast_join_group),
    scenario(
        "optmem-exhausted-mcast-join-source-group",
        mcast_join_source_group,
    ),
    scenario("optmem-exhausted-shared-with-options", shared_with_options),
    scenario("optmem-exhausted-among-sockets", among_sockets),
    scenario("optmem-exhausted-any-interface", any_interface),
];

/// Two sockets fill up under two limits, by a thread in the namespace.
fn live_interfaces() -> Result<()> {
    let netns = Netns::new("live")?;
    let interface = netns.dummy("d0")?;
    let tracer = Tracing::start()?;
    let mut cases = Vec::new();
    for optmem_max in [20480, 9000] {
        let limit = OptmemMax::set(&netns, optmem_max)?;
        let socket = MulticastSocket::udp(&netns)?;
        let joins = netns
            .enter_as("joiner", || {
                join_until_refused(&socket, interface.ifindex, 0)
            })?
            .refused_with(libc::ENOMEM)?;
        let full = Full::of(&joins, &socket, &limit)?;
        ensure!(full.sk_omem_alloc == socket.option_memory()?, "{full:?}");
        ensure!(joins.refused.tid != std::process::id());
        cases.push((full, joins.refused));
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for (full, refused) in &cases {
        let diagnosis = report.of_socket(full.socket, "optmem-exhausted")?;
        full.expect(expect_join(diagnosis, &netns, &interface, refused))
            .summary_has_none_of(OF_A_LEAK)
            .no_fix_has("DROP_MEMBERSHIP")
            .that(
                proposed_limit(diagnosis).is_some_and(|limit| limit > full.optmem_max),
                "no fix raises the limit",
            )
            .check()?;
    }
    Ok(())
}

/// The same budget, asked for with the newer socket option.
fn mcast_join_group() -> Result<()> {
    last_straw(MulticastSocket::join_group)
}

/// The same, for one source.
fn mcast_join_source_group() -> Result<()> {
    let source = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    last_straw(|socket, ifindex, group| socket.join_source_group(ifindex, group, source))
}

/// Fills a socket to the brim with successful joins; then `join` must fail, and
/// be explained.
fn last_straw(join: impl Fn(&MulticastSocket, u32, Ipv6Addr) -> std::io::Result<()>) -> Result<()> {
    let netns = Netns::new("straw")?;
    let interface = netns.dummy("d0")?;
    let size = membership_size()?;
    let full = 50;
    let optmem_max = size * u64::from(full) + 1;
    let limit = OptmemMax::set(&netns, optmem_max)?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    join_each(&socket, interface.ifindex, 0, full)?;
    let straw = group(full);
    let result = join(&socket, interface.ifindex, straw);
    let refused = Refused::expect(straw, libc::ENOMEM, result)?;
    let report = tracer.finish()?;
    report.complete()?;
    Full {
        socket: socket.inode()?,
        sk_omem_alloc: size * u64::from(full),
        size,
        optmem_max,
        scope: limit.scope(),
        memberships: u64::from(full),
        stale: 0,
    }
    .expect(expect_join(
        report.only("optmem-exhausted")?,
        &netns,
        &interface,
        &refused,
    ))
    .check()
}

/// Part of the budget went to something else than memberships.
fn shared_with_options() -> Result<()> {
    let netns = Netns::new("shared")?;
    let interface = netns.dummy("d0")?;
    let optmem_max = 10_000;
    let limit = OptmemMax::set(&netns, optmem_max)?;
    let socket = MulticastSocket::udp(&netns)?;
    socket.stick_destination_options(2040)?;
    let options = socket.option_memory()?;
    ensure!(options > 2040, "the options cost only {options} bytes");
    let tracer = Tracing::start()?;
    let joins = join_until_refused(&socket, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
    let report = tracer.finish()?;
    report.complete()?;
    let size = check_membership_size(optmem_max - options, joins.done)?;
    Full {
        socket: socket.inode()?,
        sk_omem_alloc: options + size * joins.done,
        size,
        optmem_max,
        scope: limit.scope(),
        memberships: joins.done,
        stale: 0,
    }
    .expect(expect_join(
        report.only("optmem-exhausted")?,
        &netns,
        &interface,
        &joins.refused,
    ))
    .summary_has_none_of(OF_A_LEAK)
    .check()
}

/// Another socket of the same process is nearly full: the values must be those
/// of the one that failed.
fn among_sockets() -> Result<()> {
    let netns = Netns::new("among")?;
    let interface = netns.dummy("d0")?;
    let size = membership_size()?;
    let optmem_max = 100 * size + 1;
    let limit = OptmemMax::set(&netns, optmem_max)?;
    let nearly_full = MulticastSocket::icmpv6(&netns)?;
    let full = MulticastSocket::udp(&netns)?;
    full.stick_destination_options(1024)?;
    let tracer = Tracing::start()?;
    join_each(&nearly_full, interface.ifindex, 0, 99)?;
    let joins = join_until_refused(&full, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
    join_each(&nearly_full, interface.ifindex, 99, 1)?;
    let report = tracer.finish()?;
    report.complete()?;
    Full {
        socket: full.inode()?,
        sk_omem_alloc: full.option_memory()?,
        size,
        optmem_max,
        scope: limit.scope(),
        memberships: joins.done,
        stale: 0,
    }
    .expect(expect_join(
        report.only("optmem-exhausted")?,
        &netns,
        &interface,
        &joins.refused,
    ))
    .check()
}

/// The program leaves the interface to the routing table: there is none to
/// name, but the numbers are the same.
fn any_interface() -> Result<()> {
    let netns = Netns::new("anywhere")?;
    netns.dummy("d0")?;
    let limit = OptmemMax::set(&netns, 3000)?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracing::start()?;
    let joins = join_until_refused(&socket, 0, 0)?.refused_with(libc::ENOMEM)?;
    let full = Full::of(&joins, &socket, &limit)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("optmem-exhausted")?;
    full.expect(expect_anywhere(diagnosis, &netns, &joins.refused))
        .field("confidence", "certain")
        .field("ifindex", NONE)
        .field("interface", NONE)
        .summary_has_none_of(&["index 0"])
        .check()
}
