//! One MAC on several interfaces: a VLAN has that of its port, and VRRP masters
//! share one on purpose.

use std::net::Ipv6Addr;
use std::thread::sleep;

use anyhow::Result;

use super::own::{address, mac, made_of};
use super::{APART, Host};
use crate::guest::{AddressState, Diagnosis, Expect, Segment, Tracing, place};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("dad-conflict-same-host-vlan-asks", vlan_asks),
    scenario("dad-conflict-same-host-vlan-owns", vlan_owns),
    scenario("dad-conflict-vrrp-masters", vrrp_masters),
];

/// The fe80 address that an interface makes of the host's MAC.
fn from_mac() -> Ipv6Addr {
    made_of(mac())
}

/// A host with a VLAN that a switch joins to the untagged segment. Both
/// interfaces are up, and still without an address.
fn joined_vlan(segment: &Segment) -> Result<Host> {
    let host = Host::new(segment, "guest", mac())?;
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
    host.netns
        .ip(&format!("addr add {}/64 dev eth0.7", from_mac()))
}

/// What holds of the port's failure, whatever the VLAN sent.
fn expect<'d>(host: &Host, diagnosis: &'d Diagnosis) -> Expect<'d> {
    host.expect(diagnosis, from_mac())
        .field("severity", "failure")
        .evidence("source_mac", mac())
        .evidence("own_mac", mac())
        .evidence("other_interface", "eth0.7")
        .that(
            diagnosis.evidence("other_netns").is_none(),
            "the other interface is in the same namespace",
        )
        .summary_has(["eth0.7", mac()])
        .some_fix_has("keep eth0 and eth0.7 apart")
}

/// Both ask, each with its own nonce: who sent which was seen.
fn vlan_asks() -> Result<()> {
    let segment = Segment::new()?;
    let host = joined_vlan(&segment)?;
    host.ask_patiently()?;
    let tracer = Tracing::start()?;
    host.add(from_mac(), "")?;
    sleep(APART);
    add_to_vlan(&host)?;
    AddressState::Failed.wait(&host.netns, "eth0", from_mac())?;
    AddressState::Usable.wait(&host.netns, "eth0.7", from_mac())?;
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
    AddressState::Usable.wait(&host.netns, "eth0.7", from_mac())?;
    let report = host.refused(from_mac())?;
    expect(&host, report.only("dad-conflict-same-host")?)
        .field("confidence", "likely")
        .evidence("message", "NA")
        .evidence("override", true)
        .some_fix_has(&format!(
            "ip netns exec {} ip address del {}/64 dev eth0.7",
            host.netns.name(),
            from_mac()
        ))
        .check()
}

/// Two masters of one virtual router: its MAC is right on both.
fn vrrp_masters() -> Result<()> {
    let router = 51 + place();
    let mac = format!("00:00:5e:00:02:{router:02x}");
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", &mac)?,
        Host::new(&segment, "master", &mac)?,
    );
    other.own(address())?;
    let report = host.refused(address())?;
    let diagnosis = report.only("dad-conflict-cloned-mac")?;
    host.expect(diagnosis, address())
        .field("severity", "failure")
        .evidence("source_mac", mac.as_str())
        .evidence("own_mac", mac.as_str())
        .evidence("other_netns", other.netns.inode())
        .summary_has(["VRRP", &router.to_string(), other.netns.name()])
        .some_fix_has(&format!("virtual router {router}"))
        .no_fix_has("another MAC")
        .check()
}
