//! Sockets full of memberships on interfaces that were deleted: the count must
//! be exact, and the summary must name the leak where it is one.

use anyhow::Result;

use super::{Full, OF_A_LEAK, expect_join};
use crate::guest::{
    Link, MulticastSocket, Netns, OptmemMax, Report, Tracing, check_membership_size, join_each,
    join_until_refused,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("optmem-exhausted-stale", mostly_stale),
    scenario("optmem-exhausted-some-stale", some_stale),
    scenario("optmem-exhausted-stale-elsewhere-alive", elsewhere_alive),
    scenario("optmem-exhausted-left-in-time", left_in_time),
];

const OPTMEM_MAX: u64 = 20480;

/// Fills `socket` on the interface `last`, where `stale` of its memberships are
/// already on deleted interfaces and `alive` are not, and checks the counts.
fn fill_up(
    netns: &Netns,
    socket: &MulticastSocket,
    last: &Link,
    stale: u32,
    alive: u32,
) -> Result<Report> {
    let limit = OptmemMax::set(netns, OPTMEM_MAX)?;
    let tracer = Tracing::start()?;
    let joins = join_until_refused(socket, last.ifindex, 10_000)?.refused_with(libc::ENOMEM)?;
    let memberships = u64::from(stale + alive) + joins.done;
    let size = check_membership_size(OPTMEM_MAX, memberships)?;
    let report = tracer.finish()?;
    report.complete()?;
    Full {
        socket: socket.inode()?,
        sk_omem_alloc: size * memberships,
        size,
        optmem_max: OPTMEM_MAX,
        scope: limit.scope(),
        memberships,
        stale: u64::from(stale),
    }
    .expect(expect_join(
        report.only("optmem-exhausted")?,
        netns,
        last,
        &joins.refused,
    ))
    .check()?;
    Ok(report)
}

/// All but a handful are on interfaces that no longer exist.
fn mostly_stale() -> Result<()> {
    let netns = Netns::new("stale")?;
    let socket = MulticastSocket::icmpv6(&netns)?;
    for (n, count) in [150, 120, 37].into_iter().enumerate() {
        let interface = netns.dummy(&format!("old{n}"))?;
        join_each(&socket, interface.ifindex, 0, count)?;
        interface.delete(&netns)?;
    }
    let alive = netns.dummy("alive")?;
    join_each(&socket, alive.ifindex, 0, 3)?;
    let last = netns.dummy("new")?;
    let report = fill_up(&netns, &socket, &last, 307, 3)?;
    let diagnosis = report.only("optmem-exhausted")?;
    diagnosis
        .expect()
        .summary_has([307])
        .summary_has_one_of(OF_A_LEAK)
        .that(
            diagnosis
                .fixes()
                .first()
                .is_some_and(|fix| fix.contains("restart") || fix.contains("DROP_MEMBERSHIP")),
            "the first fix frees no memberships",
        )
        .check()
}

/// A few are; the socket would be full without them as well.
fn some_stale() -> Result<()> {
    let netns = Netns::new("some")?;
    let socket = MulticastSocket::udp(&netns)?;
    let old = netns.dummy("old")?;
    let kept = netns.dummy("kept")?;
    // Interleaved, so that no end of the list is all of one kind.
    for round in 0..10 {
        join_each(&socket, old.ifindex, round * 2, 2)?;
        join_each(&socket, kept.ifindex, round * 20, 20)?;
    }
    old.delete(&netns)?;
    fill_up(&netns, &socket, &kept, 20, 200)?;
    Ok(())
}

/// The deleted interface's index is in use, but in another namespace.
fn elsewhere_alive() -> Result<()> {
    let netns = Netns::new("here")?;
    let other = Netns::new("elsewhere")?;
    other.dummy_with_index("same", 4242)?;
    let socket = MulticastSocket::udp(&netns)?;
    let old = netns.dummy_with_index("old", 4242)?;
    join_each(&socket, old.ifindex, 0, 200)?;
    old.delete(&netns)?;
    let last = netns.dummy("new")?;
    fill_up(&netns, &socket, &last, 200, 0)?;
    Ok(())
}

/// A daemon that leaves a group before its interface goes has no leak, however
/// many interfaces it has seen.
fn left_in_time() -> Result<()> {
    let netns = Netns::new("left")?;
    let socket = MulticastSocket::udp(&netns)?;
    for n in 0..3 {
        let interface = netns.dummy(&format!("old{n}"))?;
        join_each(&socket, interface.ifindex, 0, 100)?;
        for n in 0..100 {
            socket.leave(interface.ifindex, crate::guest::group(n))?;
        }
        interface.delete(&netns)?;
    }
    let last = netns.dummy("new")?;
    let report = fill_up(&netns, &socket, &last, 0, 0)?;
    let diagnosis = report.only("optmem-exhausted")?;
    diagnosis.expect().summary_has_none_of(OF_A_LEAK).check()
}
