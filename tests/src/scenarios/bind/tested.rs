//! Addresses that are under test for duplicates, or failed it.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};
use socket2::Type;

use super::{ADDRESS, Host, PORT, STAYS, about, refused};
use crate::guest::{AddressState, Netns, Segment, traced};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("bind-address-tentative", tentative),
    scenario("bind-address-tentative-without-carrier", without_carrier),
    scenario("bind-address-dadfailed", failed),
];

/// An address on the interface below.
const BELOW: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x33, 0, 0, 0, 0, 0, 9);

/// While the test runs; the same socket address can be had once it is over.
fn tentative() -> Result<()> {
    let host = Host::new("testing", "v0")?;
    let report = traced(|| {
        host.netns.ip(&format!("address add {ADDRESS}/64 dev v0"))?;
        let bound = host.bind_with(Type::STREAM, ADDRESS, PORT, 0, |_| Ok(()))?;
        refused(bound, libc::EADDRNOTAVAIL)?;
        AddressState::Usable.wait(&host.netns, "v0", ADDRESS)?;
        host.binds(ADDRESS)
    })?;
    let diagnosis = report.only("bind-address-tentative")?;
    host.expect(diagnosis, "EADDRNOTAVAIL", ADDRESS)
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("interface", "v0")
        .field("ifindex", host.interface.ifindex)
        .evidence("port", PORT)
        .evidence("sk_protocol", 6)
        .evidence("ready", true)
        .summary_has(["v0", "tentative", "TCP", "5300"])
        .some_fix_has("start it again")
        .check()
}

/// Where it cannot begin: nobody is at the other end, or the interface is down.
fn without_carrier() -> Result<()> {
    let host = Host::new("waiting", "v0")?;
    host.without_carrier("w0")?;
    host.quick("w0")?;
    host.netns.ip("link add d0 type veth peer name far-d0")?;
    host.netns.ip("link set far-d0 addrgenmode none up")?;
    host.quick("d0")?;
    host.netns.ip(&format!("address add {ADDRESS}/64 dev w0"))?;
    host.netns.ip(&format!("address add {BELOW}/64 dev d0"))?;
    let report = traced(|| {
        for address in [ADDRESS, BELOW] {
            host.is_refused(address, PORT, libc::EADDRNOTAVAIL)?;
        }
        Ok(())
    })?;
    report.count(2)?;
    let diagnosis = about(&report, "bind-address-tentative", ADDRESS)?;
    host.expect(diagnosis, "EADDRNOTAVAIL", ADDRESS)
        .field("confidence", "certain")
        .field("interface", "w0")
        .evidence("ready", false)
        .evidence("carrier", false)
        .evidence("up", true)
        .summary_has(["w0", "carrier"])
        .some_fix_has("a carrier")
        .check()?;
    let down = about(&report, "bind-address-tentative", BELOW)?;
    host.expect(down, "EADDRNOTAVAIL", BELOW)
        .field("interface", "d0")
        .evidence("up", false)
        .summary_has(["d0", "down"])
        .check()?;
    down.follow("ip link set dev d0 up")?;
    AddressState::Usable.wait(&host.netns, "d0", BELOW)?;
    host.binds(BELOW)?;
    // One fix, and the other; neither takes anything else away.
    diagnosis.follow("ip_nonlocal_bind")?;
    host.binds(ADDRESS)?;
    host.netns.set_sysctl("ipv6/ip_nonlocal_bind", "0")?;
    host.is_refused(ADDRESS, PORT, libc::EADDRNOTAVAIL)?;
    diagnosis.follow("nodad")?;
    host.binds(ADDRESS)?;
    // The first of them, which is no command.
    host.netns.ip(&format!("address del {ADDRESS}/64 dev w0"))?;
    host.netns.ip(&format!("address add {ADDRESS}/64 dev w0"))?;
    host.netns.ip("link set far-w0 up")?;
    AddressState::Usable.wait(&host.netns, "w0", ADDRESS)?;
    host.binds(ADDRESS)?;
    host.binds(BELOW)?;
    host.rest_stays()
}

/// Found in use by another node, which this session saw.
fn failed() -> Result<()> {
    const OTHERS: &str = "02:00:00:00:31:02";
    let segment = Segment::new()?;
    let host = Host::new("served", "v0")?;
    let other = Netns::new("other")?;
    let link = segment.plug(&host.netns, "eth0", "port0", "02:00:00:00:31:01")?;
    host.quick("eth0")?;
    segment.plug(&other, "eth0", "port1", OTHERS)?;
    segment.connect(&other, "eth0", "port1")?;
    other.ip(&format!("address add {ADDRESS}/64 dev eth0 nodad"))?;
    segment.connect(&host.netns, "eth0", "port0")?;
    let report = traced(|| {
        host.netns
            .ip(&format!("address add {ADDRESS}/64 dev eth0"))?;
        AddressState::Failed.wait(&host.netns, "eth0", ADDRESS)?;
        host.is_refused(ADDRESS, PORT, libc::EADDRNOTAVAIL)
    })?;
    report.count(2)?;
    about(&report, "dad-conflict", ADDRESS)?;
    let diagnosis = about(&report, "bind-address-dadfailed", ADDRESS)?;
    host.expect(diagnosis, "EADDRNOTAVAIL", ADDRESS)
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("interface", "eth0")
        .field("ifindex", link.ifindex)
        .evidence("found_in_use_by", OTHERS)
        .summary_has(["eth0", "dadfailed", OTHERS])
        .check()?;
    other.ip(&format!("address del {ADDRESS}/64 dev eth0"))?;
    diagnosis.follow("ip -6 address del")?;
    AddressState::Usable.wait(&host.netns, "eth0", ADDRESS)?;
    host.binds(ADDRESS)?;
    ensure!(
        AddressState::of(&host.netns, "v0", STAYS)? == AddressState::Usable,
        "{STAYS} is gone"
    );
    Ok(())
}
