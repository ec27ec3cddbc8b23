//! Two nodes, or two interfaces of one, with the same address on a segment.

use std::thread::sleep;

use anyhow::Result;

use super::own::{address, mac, other_mac};
use super::{APART, Advertised, Host};
use crate::guest::{AddressState, Link, Netns, Segment, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("dad-conflict", owned),
    scenario("dad-conflict-asked-by-both", asked_by_both),
    scenario("dad-conflict-same-host", same_host),
    scenario("dad-conflict-cloned-mac", cloned_mac),
    scenario("dad-conflict-cloned-mac-owned", cloned_mac_owned),
    scenario("dad-conflict-on-another-segment", another_segment),
    scenario("dad-conflict-beside-its-mac", beside_its_mac),
];

fn owned() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "other", other_mac())?,
    );
    other.own(address())?;
    let report = host.refused(address())?;
    host.expect_failure(report.only("dad-conflict")?, "NA", other_mac())
        .field("confidence", "certain")
        .evidence("other_interface", "eth0")
        .evidence("other_netns", other.netns.inode())
        .summary_has([other_mac(), other.netns.name()])
        .some_fix_has(&format!(
            "ip netns exec {} ip address del {}/64 dev eth0",
            other.netns.name(),
            address()
        ))
        .check()?;
    let diagnosis = report.only("dad-conflict")?;
    let there = Advertised::to(&host)?;
    for (of, fix) in [(&other, "del"), (&host, "del"), (&host, "add")] {
        let name = of.netns.name();
        diagnosis.follow(&format!("ip netns exec {name} ip address {fix}"))?;
    }
    AddressState::Usable.wait(&host.netns, "eth0", address())?;
    there.stays()
}

/// An interface of the same namespace that merely has the other node's MAC did
/// not say what only who has the address can say.
fn beside_its_mac() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "other", other_mac())?,
    );
    host.netns.ip(&format!(
        "link add b0 address {} up type dummy",
        other_mac()
    ))?;
    other.own(address())?;
    let report = host.refused(address())?;
    host.expect_failure(report.only("dad-conflict")?, "NA", other_mac())
        .evidence("other_interface", "eth0")
        .evidence("other_netns", other.netns.inode())
        .check()
}

fn asked_by_both() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "other", other_mac())?,
    );
    host.ask_patiently()?;
    let tracer = Tracing::start()?;
    host.add(address(), "")?;
    sleep(APART);
    other.add(address(), "")?;
    AddressState::Failed.wait(&host.netns, "eth0", address())?;
    AddressState::Usable.wait(&other.netns, "eth0", address())?;
    let report = tracer.finish()?;
    report.complete()?;
    host.expect_failure(report.only("dad-conflict")?, "NS", other_mac())
        .field("confidence", "certain")
        .evidence("other_interface", "eth0")
        .evidence("other_netns", other.netns.inode())
        .check()
}

fn same_host() -> Result<()> {
    let segment = Segment::new()?;
    let mut host = Host::new(&segment, "guest", other_mac())?;
    host.own(address())?;
    segment.plug(&host.netns, "eth1", "second", mac())?;
    segment.connect(&host.netns, "eth1", "second")?;
    host.interface = Link::find(&host.netns, "eth1")?;
    let report = host.refused(address())?;
    let diagnosis = report.only("dad-conflict-same-host")?;
    host.expect_failure(diagnosis, "NA", other_mac())
        .field("confidence", "certain")
        .evidence("other_interface", "eth0")
        .that(
            diagnosis.evidence("other_netns").is_none(),
            "the other interface is in the same namespace",
        )
        .summary_has(["eth0", other_mac()])
        .check()
}

/// A solicitation with a nonce of somebody else's decides it.
fn cloned_mac() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "clone", mac())?,
    );
    host.ask_patiently()?;
    let tracer = Tracing::start()?;
    host.add(address(), "")?;
    sleep(APART);
    other.add(address(), "")?;
    AddressState::Failed.wait(&host.netns, "eth0", address())?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("dad-conflict-cloned-mac")?;
    let nonce = |name: &str| diagnosis.evidence(name).and_then(|nonce| nonce.as_str());
    host.expect(diagnosis, address())
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("message", "NS")
        .evidence("source_mac", mac())
        .evidence("own_mac", mac())
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
        .summary_has(["MAC", other.netns.name()])
        .check()
}

/// An advertisement with one's own MAC has no nonce.
fn cloned_mac_owned() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "clone", mac())?,
    );
    other.own(address())?;
    let report = host.refused(address())?;
    host.expect_failure(report.only("dad-conflict-cloned-mac")?, "NA", mac())
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
        bystander.ip(&format!(
            "link add b0 address {} up type dummy",
            other_mac()
        ))?;
    }
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "other", other_mac())?,
    );
    other.own(address())?;
    let report = host.refused(address())?;
    host.expect_failure(report.only("dad-conflict")?, "NA", other_mac())
        .evidence("other_netns", other.netns.inode())
        .no_fix_has("dev b0")
        .check()
}
