//! The first address of a prefix: a forwarding router answers for it as
//! anycast, and so does a node that has it.

use anyhow::Result;

use super::own::{after, first_address, mac, other_mac};
use super::{Advertised, Host};
use crate::guest::Segment;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("dad-conflict-anycast", router),
    scenario("dad-conflict-anycast-same-host", same_host),
    scenario("dad-conflict-not-subnet-router", owner),
];

/// Makes a host one that answers for the first address of the prefix.
fn forward(host: &Host) -> Result<()> {
    let address = after(first_address(), 1);
    host.add(address, "nodad")?;
    host.set("forwarding", "1")
}

fn router() -> Result<()> {
    let segment = Segment::new()?;
    let other = Host::new(&segment, "other", other_mac())?;
    forward(&other)?;
    let host = Host::new(&segment, "guest", mac())?;
    let report = host.refused(first_address())?;
    let diagnosis = report.only("dad-conflict-anycast")?;
    host.expect(diagnosis, first_address())
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("message", "NA")
        .evidence("source_mac", other_mac())
        .evidence("other_netns", other.netns.inode())
        .evidence("router", true)
        .evidence("override", false)
        .summary_has(["has it as anycast"])
        .summary_has_none_of(&["does not have the address now"])
        .some_fix_has("subnet-router-anycast")
        .no_fix_has(&format!("ip netns exec {}", other.netns.name()))
        .no_fix_has("address add")
        .check()?;
    let advertised = Advertised::to(&host)?;
    diagnosis.follow("ip address del")?;
    host.own(after(first_address(), 2))?;
    advertised.stays()
}

fn same_host() -> Result<()> {
    let segment = Segment::new()?;
    let mut host = Host::new(&segment, "guest", other_mac())?;
    forward(&host)?;
    host.interface = segment.plug(&host.netns, "eth1", "second", mac())?;
    segment.connect(&host.netns, "eth1", "second")?;
    let report = host.refused(first_address())?;
    let diagnosis = report.only("dad-conflict-anycast")?;
    host.expect(diagnosis, first_address())
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("source_mac", other_mac())
        .evidence("other_interface", "eth0")
        .evidence("override", false)
        .summary_has(["eth0", "has it as anycast"])
        .summary_has_none_of(&["does not have the address now"])
        .check()
}

/// A node that does not forward has the address itself.
fn owner() -> Result<()> {
    let segment = Segment::new()?;
    let other = Host::new(&segment, "other", other_mac())?;
    other.add(first_address(), "nodad")?;
    let host = Host::new(&segment, "guest", mac())?;
    let report = host.refused(first_address())?;
    host.expect(report.only("dad-conflict")?, first_address())
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("message", "NA")
        .evidence("source_mac", other_mac())
        .evidence("other_netns", other.netns.inode())
        .evidence("router", false)
        .evidence("override", true)
        .some_fix_has(&format!(
            "ip netns exec {} ip address del {}/64 dev eth0",
            other.netns.name(),
            first_address()
        ))
        .no_fix_has("subnet-router-anycast")
        .check()
}
