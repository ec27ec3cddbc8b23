//! The first address of a prefix: a forwarding router answers for it as
//! anycast, and so does a node that has it.

use std::net::Ipv6Addr;

use anyhow::Result;

use super::{Host, MAC, OTHER_MAC};
use crate::guest::{Expect, Segment};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("dad-conflict-subnet-router", router),
    scenario("dad-conflict-not-subnet-router", owner),
];

const FIRST: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 0, 0);

/// A host adds the first address of the prefix, for which `other` answers.
fn failure(
    segment: &Segment,
    other: &Host,
    expect: impl Fn(Expect<'_>) -> Expect<'_>,
) -> Result<()> {
    let host = Host::new(segment, "guest", MAC)?;
    let report = host.refused(FIRST)?;
    let expected = host
        .expect(report.only("dad-conflict")?, FIRST)
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("message", "NA")
        .evidence("source_mac", OTHER_MAC)
        .evidence("other_netns", other.netns.inode());
    expect(expected).check()
}

fn router() -> Result<()> {
    let segment = Segment::new()?;
    let other = Host::new(&segment, "other", OTHER_MAC)?;
    let address = Ipv6Addr::from(u128::from(FIRST) + 1);
    other.add(address, "nodad")?;
    other.set("forwarding", "1")?;
    failure(&segment, &other, |expected| {
        expected
            .evidence("router", true)
            .evidence("override", false)
            .summary_has(["does not have the address now"])
            .some_fix_has("subnet-router-anycast")
            .no_fix_has("ip netns exec other")
    })
}

/// A node that does not forward has the address itself.
fn owner() -> Result<()> {
    let segment = Segment::new()?;
    let other = Host::new(&segment, "other", OTHER_MAC)?;
    other.add(FIRST, "nodad")?;
    failure(&segment, &other, |expected| {
        expected
            .evidence("router", false)
            .evidence("override", true)
            .some_fix_has(&format!(
                "ip netns exec other ip address del {FIRST}/64 dev eth0"
            ))
            .no_fix_has("subnet-router-anycast")
    })
}
