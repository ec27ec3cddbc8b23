//! Sockets with very many memberships: what cannot be counted to the end must
//! not be told as if it were.

use anyhow::{Result, ensure};

use super::{OF_A_LEAK, expect_join};
use crate::guest::{
    Link, MulticastSocket, Netns, OptmemMax, Tracing, check_membership_size, join_until_refused,
    membership_size,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("optmem-exhausted-many", many),
    scenario("optmem-exhausted-too-many-to-count", too_many),
];

/// As many as fit into the larger default of newer kernels.
fn many() -> Result<()> {
    let complete = fill(131_072)?;
    ensure!(complete, "so many should be counted to the end");
    Ok(())
}

/// More than anyone counts while a program waits for its join.
fn too_many() -> Result<()> {
    fill(membership_size()? * 5000 + 1).map(drop)
}

/// Fills a socket under this limit; gives whether the diagnosis says that all
/// memberships were counted.
fn fill(optmem_max: u64) -> Result<bool> {
    let netns = Netns::new("many")?;
    // Down, so that the kernel need not announce thousands of groups.
    netns.ip("link add d0 type dummy")?;
    let interface = Link::find(&netns, "d0")?;
    let _limit = OptmemMax::set(&netns, optmem_max)?;
    let tracer = Tracing::start()?;
    let socket = MulticastSocket::udp(&netns)?;
    let joins = join_until_refused(&socket, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
    let size = check_membership_size(optmem_max, joins.done)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("optmem-exhausted")?;
    let counted = diagnosis.evidence_u64("memberships")?;
    let complete = diagnosis.evidence("memberships_complete") == Some(&true.into());
    let expect = expect_join(diagnosis, &netns, &interface, &joins.refused)
        .evidence("sk_omem_alloc", size * joins.done)
        .evidence("size", size)
        .evidence("optmem_max", optmem_max)
        .evidence("stale_memberships", 0)
        .summary_has_none_of(&OF_A_LEAK[1..]);
    let expect = if complete {
        expect
            .evidence("memberships", joins.done)
            .summary_has_none_of(OF_A_LEAK)
    } else {
        expect
            .evidence("memberships_complete", false)
            .that(
                (1..joins.done).contains(&counted),
                format!("{counted} memberships are not a part of {}", joins.done),
            )
            .summary_has_one_of(&["at least", "or more", "more than", "there are more"])
    };
    expect.check()?;
    Ok(complete)
}
