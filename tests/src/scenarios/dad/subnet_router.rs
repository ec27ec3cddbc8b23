//! The first address of a prefix: a forwarding router answers for it as
//! anycast, and so does a node that has it.

use std::net::Ipv6Addr;

use anyhow::Result;

use super::{Advertised, Host, MAC, OTHER_MAC};
use crate::guest::Segment;
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("dad-conflict-anycast", router),
    alone("dad-conflict-anycast-same-host", same_host),
    alone("dad-conflict-not-subnet-router", owner),
];

const FIRST: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 0, 0);

/// Makes a host one that answers for the first address of the prefix.
fn forward(host: &Host) -> Result<()> {
    let address = Ipv6Addr::from(u128::from(FIRST) + 1);
    host.add(address, "nodad")?;
    host.set("forwarding", "1")
}

fn router() -> Result<()> {
    let segment = Segment::new()?;
    let other = Host::new(&segment, "other", OTHER_MAC)?;
    forward(&other)?;
    let host = Host::new(&segment, "guest", MAC)?;
    let report = host.refused(FIRST)?;
    let diagnosis = report.only("dad-conflict-anycast")?;
    host.expect(diagnosis, FIRST)
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("message", "NA")
        .evidence("source_mac", OTHER_MAC)
        .evidence("other_netns", other.netns.inode())
        .evidence("router", true)
        .evidence("override", false)
        .summary_has(["has it as anycast"])
        .summary_has_none_of(&["does not have the address now"])
        .some_fix_has("subnet-router-anycast")
        .no_fix_has("ip netns exec other")
        .no_fix_has("address add")
        .check()?;
    let advertised = Advertised::to(&host)?;
    diagnosis.follow("ip address del")?;
    host.own(Ipv6Addr::from(u128::from(FIRST) + 2))?;
    advertised.stays()
}

fn same_host() -> Result<()> {
    let segment = Segment::new()?;
    let mut host = Host::new(&segment, "guest", OTHER_MAC)?;
    forward(&host)?;
    host.interface = segment.plug(&host.netns, "eth1", "second", MAC)?;
    host.netns.ip("link set eth1 up")?;
    let report = host.refused(FIRST)?;
    let diagnosis = report.only("dad-conflict-anycast")?;
    host.expect(diagnosis, FIRST)
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("source_mac", OTHER_MAC)
        .evidence("other_interface", "eth0")
        .evidence("override", false)
        .summary_has(["eth0", "has it as anycast"])
        .summary_has_none_of(&["does not have the address now"])
        .check()
}

/// A node that does not forward has the address itself.
fn owner() -> Result<()> {
    let segment = Segment::new()?;
    let other = Host::new(&segment, "other", OTHER_MAC)?;
    other.add(FIRST, "nodad")?;
    let host = Host::new(&segment, "guest", MAC)?;
    let report = host.refused(FIRST)?;
    host.expect(report.only("dad-conflict")?, FIRST)
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("message", "NA")
        .evidence("source_mac", OTHER_MAC)
        .evidence("other_netns", other.netns.inode())
        .evidence("router", false)
        .evidence("override", true)
        .some_fix_has(&format!(
            "ip netns exec other ip address del {FIRST}/64 dev eth0"
        ))
        .no_fix_has("subnet-router-anycast")
        .check()
}
