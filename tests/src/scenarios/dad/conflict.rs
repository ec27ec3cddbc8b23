//! Two nodes, or two interfaces of one, with the same address on a segment.

use std::thread::sleep;

use anyhow::Result;

use super::{ADDRESS, APART, Advertised, Host, MAC, OTHER_MAC};
use crate::guest::{AddressState, Link, Netns, Segment, Tracing};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("dad-conflict", owned),
    alone("dad-conflict-asked-by-both", asked_by_both),
    alone("dad-conflict-same-host", same_host),
    alone("dad-conflict-cloned-mac", cloned_mac),
    alone("dad-conflict-cloned-mac-owned", cloned_mac_owned),
    alone("dad-conflict-on-another-segment", another_segment),
    alone("dad-conflict-beside-its-mac", beside_its_mac),
];

fn owned() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "other", OTHER_MAC)?,
    );
    other.own(ADDRESS)?;
    let report = host.refused(ADDRESS)?;
    host.expect_failure(report.only("dad-conflict")?, "NA", OTHER_MAC)
        .field("confidence", "certain")
        .evidence("other_interface", "eth0")
        .evidence("other_netns", other.netns.inode())
        .summary_has([OTHER_MAC, "other"])
        .some_fix_has(&format!(
            "ip netns exec other ip address del {ADDRESS}/64 dev eth0"
        ))
        .check()?;
    let diagnosis = report.only("dad-conflict")?;
    let there = Advertised::to(&host)?;
    for fix in [
        "ip netns exec other ip address del",
        "ip netns exec guest ip address del",
        "ip netns exec guest ip address add",
    ] {
        diagnosis.follow(fix)?;
    }
    AddressState::Usable.wait(&host.netns, "eth0", ADDRESS)?;
    there.stays()
}

/// An interface of the same namespace that merely has the other node's MAC did
/// not say what only who has the address can say.
fn beside_its_mac() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "other", OTHER_MAC)?,
    );
    host.netns
        .ip(&format!("link add b0 address {OTHER_MAC} up type dummy"))?;
    other.own(ADDRESS)?;
    let report = host.refused(ADDRESS)?;
    host.expect_failure(report.only("dad-conflict")?, "NA", OTHER_MAC)
        .evidence("other_interface", "eth0")
        .evidence("other_netns", other.netns.inode())
        .check()
}

fn asked_by_both() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "other", OTHER_MAC)?,
    );
    host.ask_patiently()?;
    let tracer = Tracing::start()?;
    host.add(ADDRESS, "")?;
    sleep(APART);
    other.add(ADDRESS, "")?;
    AddressState::Failed.wait(&host.netns, "eth0", ADDRESS)?;
    AddressState::Usable.wait(&other.netns, "eth0", ADDRESS)?;
    let report = tracer.finish()?;
    report.complete()?;
    host.expect_failure(report.only("dad-conflict")?, "NS", OTHER_MAC)
        .field("confidence", "certain")
        .evidence("other_interface", "eth0")
        .evidence("other_netns", other.netns.inode())
        .check()
}

fn same_host() -> Result<()> {
    let segment = Segment::new()?;
    let mut host = Host::new(&segment, "guest", OTHER_MAC)?;
    host.own(ADDRESS)?;
    segment.plug(&host.netns, "eth1", "second", MAC)?;
    host.netns.ip("link set eth1 up")?;
    host.interface = Link::find(&host.netns, "eth1")?;
    let report = host.refused(ADDRESS)?;
    let diagnosis = report.only("dad-conflict-same-host")?;
    host.expect_failure(diagnosis, "NA", OTHER_MAC)
        .field("confidence", "certain")
        .evidence("other_interface", "eth0")
        .that(
            diagnosis.evidence("other_netns").is_none(),
            "the other interface is in the same namespace",
        )
        .summary_has(["eth0", OTHER_MAC])
        .check()
}

/// A solicitation with a nonce of somebody else's decides it.
fn cloned_mac() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "clone", MAC)?,
    );
    host.ask_patiently()?;
    let tracer = Tracing::start()?;
    host.add(ADDRESS, "")?;
    sleep(APART);
    other.add(ADDRESS, "")?;
    AddressState::Failed.wait(&host.netns, "eth0", ADDRESS)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("dad-conflict-cloned-mac")?;
    let nonce = |name: &str| diagnosis.evidence(name).and_then(|nonce| nonce.as_str());
    host.expect(diagnosis, ADDRESS)
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("message", "NS")
        .evidence("source_mac", MAC)
        .evidence("own_mac", MAC)
        .evidence("enhanced_dad", 1)
        .evidence("other_interface", "eth0")
        .evidence("other_netns", other.netns.inode())
        .that(
            [nonce("nonce"), nonce("dad_nonce")]
                .iter()
                .all(|nonce| nonce.is_some_and(|nonce| nonce.len() == 17)),
            "a nonce is missing",
        )
        .that(
            nonce("nonce") != nonce("dad_nonce"),
            "the nonces are the same",
        )
        .evidence("nonce_sender", "eth0")
        .evidence("nonce_sender_netns", other.netns.inode())
        .summary_has(["MAC", "clone"])
        .check()
}

/// An advertisement with one's own MAC has no nonce.
fn cloned_mac_owned() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "clone", MAC)?,
    );
    other.own(ADDRESS)?;
    let report = host.refused(ADDRESS)?;
    host.expect_failure(report.only("dad-conflict-cloned-mac")?, "NA", MAC)
        .field("confidence", "likely")
        .evidence("nonce", "none")
        .evidence("other_netns", other.netns.inode())
        .check()
}

/// The MAC of the node that has the address is that of another interface of
/// this host as well: the one that has the address is named.
fn another_segment() -> Result<()> {
    let segment = Segment::new()?;
    // Its inode number, and so its place among the namespaces, is not known.
    let bystanders = [Netns::new("before")?, Netns::new("after")?];
    for bystander in &bystanders {
        bystander.ip(&format!("link add b0 address {OTHER_MAC} up type dummy"))?;
    }
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "other", OTHER_MAC)?,
    );
    other.own(ADDRESS)?;
    let report = host.refused(ADDRESS)?;
    host.expect_failure(report.only("dad-conflict")?, "NA", OTHER_MAC)
        .evidence("other_netns", other.netns.inode())
        .no_fix_has("dev b0")
        .check()
}
