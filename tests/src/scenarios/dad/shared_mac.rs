//! One MAC on several interfaces: a VLAN has that of its port, and VRRP masters
//! share one on purpose.

use std::net::Ipv6Addr;
use std::thread::sleep;

use anyhow::Result;

use super::{ADDRESS, APART, Host, MAC};
use crate::guest::{AddressState, Diagnosis, Expect, Segment, Tracing};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("dad-conflict-same-host-vlan-asks", vlan_asks),
    alone("dad-conflict-same-host-vlan-owns", vlan_owns),
    alone("dad-conflict-vrrp-masters", vrrp_masters),
];

/// The fe80 address that an interface makes of [`MAC`].
const FROM_MAC: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0x00ff, 0xfe00, 0x000a);

/// A host with a VLAN that a switch joins to the untagged segment. Both
/// interfaces are up, and still without an address.
fn joined_vlan(segment: &Segment) -> Result<Host> {
    let host = Host::new(segment, "guest", MAC)?;
    host.netns
        .ip("link add link eth0 name eth0.7 type vlan id 7")?;
    host.netns.ip("link set eth0.7 addrgenmode none")?;
    host.netns
        .set_sysctl("ipv6/conf/eth0.7/router_solicitation_delay", "0")?;
    host.netns.ip("link set eth0.7 up")?;
    let switch = &segment.switch;
    switch.ip("link add link to-guest name to-guest.7 type vlan id 7")?;
    switch.ip(&format!(
        "link set to-guest.7 addrgenmode none master {}",
        Segment::BRIDGE
    ))?;
    switch.ip("link set to-guest.7 up")?;
    Ok(host)
}

/// Gives the VLAN the address.
fn add_to_vlan(host: &Host) -> Result<()> {
    host.netns.ip(&format!("addr add {FROM_MAC}/64 dev eth0.7"))
}

/// What holds of the port's failure, whatever the VLAN sent.
fn expect<'d>(host: &Host, diagnosis: &'d Diagnosis) -> Expect<'d> {
    host.expect(diagnosis, FROM_MAC)
        .field("severity", "failure")
        .evidence("source_mac", MAC)
        .evidence("own_mac", MAC)
        .evidence("other_interface", "eth0.7")
        .that(
            diagnosis.evidence("other_netns").is_none(),
            "the other interface is in the same namespace",
        )
        .summary_has(["eth0.7", MAC])
        .some_fix_has("keep eth0 and eth0.7 apart")
}

/// Both ask, each with its own nonce: who sent which was seen.
fn vlan_asks() -> Result<()> {
    let segment = Segment::new()?;
    let host = joined_vlan(&segment)?;
    host.ask_patiently()?;
    let tracer = Tracing::start()?;
    host.add(FROM_MAC, "")?;
    sleep(APART);
    add_to_vlan(&host)?;
    AddressState::Failed.wait(&host.netns, "eth0", FROM_MAC)?;
    AddressState::Usable.wait(&host.netns, "eth0.7", FROM_MAC)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("dad-conflict-same-host")?;
    expect(&host, diagnosis)
        .field("confidence", "certain")
        .evidence("message", "NS")
        .evidence("nonce_sender", "eth0.7")
        .evidence("nonce_sender_netns", host.netns.inode())
        .that(
            diagnosis.evidence("nonce") != diagnosis.evidence("dad_nonce"),
            "the nonces are the same",
        )
        .check()
}

/// The VLAN has the address, and says so without a nonce.
fn vlan_owns() -> Result<()> {
    let segment = Segment::new()?;
    let host = joined_vlan(&segment)?;
    add_to_vlan(&host)?;
    AddressState::Usable.wait(&host.netns, "eth0.7", FROM_MAC)?;
    let report = host.refused(FROM_MAC)?;
    expect(&host, report.only("dad-conflict-same-host")?)
        .field("confidence", "likely")
        .evidence("message", "NA")
        .evidence("override", true)
        .some_fix_has(&format!(
            "ip netns exec guest ip address del {FROM_MAC}/64 dev eth0.7"
        ))
        .check()
}

/// Two masters of one virtual router: its MAC is right on both.
fn vrrp_masters() -> Result<()> {
    const VIRTUAL: &str = "00:00:5e:00:02:33";
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", VIRTUAL)?,
        Host::new(&segment, "master", VIRTUAL)?,
    );
    other.own(ADDRESS)?;
    let report = host.refused(ADDRESS)?;
    let diagnosis = report.only("dad-conflict-cloned-mac")?;
    host.expect(diagnosis, ADDRESS)
        .field("severity", "failure")
        .evidence("source_mac", VIRTUAL)
        .evidence("own_mac", VIRTUAL)
        .evidence("other_netns", other.netns.inode())
        .summary_has(["VRRP", "51", "master"])
        .some_fix_has("virtual router 51")
        .no_fix_has("another MAC")
        .check()
}
