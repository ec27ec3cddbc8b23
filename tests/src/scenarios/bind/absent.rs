//! Addresses that are not there, or not where they were asked for.

use std::net::{Ipv6Addr, SocketAddrV6};

use anyhow::{Context as _, Result};
use socket2::{Domain, Protocol, Socket, Type};

use super::{ADDRESS, Host, PORT, STAYS, about, refused, traced_by_kprobes};
use crate::guest::{AddressState, Link, Netns, traced};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("bind-address-absent", nowhere),
    scenario("bind-address-absent-in-vrf", in_vrf),
    scenario("bind-address-absent-on-interface", on_interface),
    alone("bind-address-absent-on-many", on_many),
    scenario("bind-address-absent-loopback", loopback),
    scenario("bind-address-absent-mptcp", mptcp),
    scenario("bind-address-anycast", anycast),
];

/// Nowhere, and in another namespace; an IPv4 address likewise.
fn nowhere() -> Result<()> {
    // Others that share the tracer may have the usual one.
    const NOBODYS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x36, 0, 0, 0, 0, 0, 7);
    const THEIRS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x34, 0, 0, 0, 0, 0, 1);
    const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201);
    let host = Host::new("searching", "v0")?;
    let other = Netns::new("blue")?;
    other.dummy("d7")?;
    other.ip(&format!("address add {THEIRS}/64 dev d7 nodad"))?;
    let report = traced(|| {
        for address in [NOBODYS, THEIRS, MAPPED] {
            host.is_refused(address, PORT, libc::EADDRNOTAVAIL)?;
        }
        Ok(())
    })?;
    report.count(3)?;
    let diagnosis = about(&report, "bind-address-absent", NOBODYS)?;
    host.expect(diagnosis, "EADDRNOTAVAIL", NOBODYS)
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("interface", serde_json::Value::Null)
        .evidence("held_by", Vec::<String>::new())
        .evidence("elsewhere", Vec::<String>::new())
        .check()?;
    let theirs = about(&report, "bind-address-absent", THEIRS)?;
    host.expect(theirs, "EADDRNOTAVAIL", THEIRS)
        .field("confidence", "certain")
        .evidence("elsewhere", vec!["d7"])
        .summary_has(["d7", "blue"])
        .some_fix_has("in that network namespace")
        .no_fix_has("address add")
        .check()?;
    let mapped = about(&report, "bind-address-absent", MAPPED)?;
    host.expect(mapped, "EADDRNOTAVAIL", MAPPED)
        .field("severity", "failure")
        .summary_has(["192.0.2.1", "IPv4"])
        .check()?;
    diagnosis.follow("ip_nonlocal_bind")?;
    host.binds(NOBODYS)?;
    host.netns.set_sysctl("ipv6/ip_nonlocal_bind", "0")?;
    diagnosis.follow("dev lo")?;
    AddressState::Usable.wait(&host.netns, "lo", NOBODYS)?;
    host.binds(NOBODYS)?;
    host.rest_stays()
}

/// MPTCP binds by a function of its own from 6.6 on.
fn mptcp() -> Result<()> {
    let host = Host::new("multipath", "v0")?;
    if !host.netns.has_sysctl("mptcp/enabled")? {
        println!("this kernel has no MPTCP");
        return Ok(());
    }
    host.netns.set_sysctl("mptcp/enabled", "1")?;
    let report = traced(|| {
        let bound = |address| {
            host.serve(|| {
                let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::MPTCP))
                    .context("cannot make an MPTCP socket")?;
                Ok(socket.bind(&SocketAddrV6::new(address, PORT, 0, 0).into()))
            })
        };
        bound(STAYS)??;
        refused(bound(ADDRESS)?, libc::EADDRNOTAVAIL)
    })?;
    host.expect(
        report.only("bind-address-absent")?,
        "EADDRNOTAVAIL",
        ADDRESS,
    )
    .field("severity", "failure")
    .field("confidence", "certain")
    .evidence("port", PORT)
    .evidence("sk_protocol", libc::IPPROTO_TCP)
    .check()
}

/// In a VRF, asked for by a socket that is in none, and the other way round.
fn in_vrf() -> Result<()> {
    let host = Host::new("domains", "v0")?;
    host.netns.ip("link add red up type vrf table 731")?;
    let vrf = Link::find(&host.netns, "red")?;
    host.netns.ip("link add d0 up master red type dummy")?;
    host.netns
        .ip(&format!("address add {ADDRESS}/64 dev d0 nodad"))?;
    let bound_to = |vrf: &'static str| {
        move |socket: &socket2::Socket| socket.bind_device(Some(vrf.as_bytes()))
    };
    let report = traced(|| {
        host.is_refused(ADDRESS, PORT, libc::EADDRNOTAVAIL)?;
        let bound = host.bind_with(Type::DGRAM, STAYS, PORT, 0, bound_to("red"))?;
        refused(bound, libc::EADDRNOTAVAIL)?;
        // The fix, which is no command.
        host.bind_with(Type::DGRAM, ADDRESS, PORT, 0, bound_to("red"))?
            .context("the VRF does not have it either")?;
        Ok(())
    })?;
    report.count(2)?;
    let diagnosis = about(&report, "bind-address-absent", ADDRESS)?;
    host.expect(diagnosis, "EADDRNOTAVAIL", ADDRESS)
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("interface", "d0")
        .evidence("vrf", "red")
        .evidence("bound_ifindex", 0)
        .summary_has(["d0", "red"])
        .some_fix_has("SO_BINDTODEVICE")
        .check()?;
    let outside = about(&report, "bind-address-absent", STAYS)?;
    host.expect(outside, "EADDRNOTAVAIL", STAYS)
        .field("confidence", "certain")
        .field("interface", "v0")
        .evidence("socket_vrf", "red")
        .evidence("bound_ifindex", vrf.ifindex)
        .check()
}

/// A link-local address of another interface.
fn on_interface() -> Result<()> {
    const LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0x31, 7);
    const NOBODYS: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0x31, 8);
    let host = Host::new("links", "v0")?;
    let other = host.netns.dummy("d0")?;
    host.netns
        .ip(&format!("address add {LOCAL}/64 dev d0 nodad"))?;
    let report = traced(|| {
        let v0 = host.interface.ifindex;
        for address in [LOCAL, NOBODYS] {
            let bound = host.bind_with(Type::DGRAM, address, PORT, v0, |_| Ok(()))?;
            refused(bound, libc::EADDRNOTAVAIL)?;
        }
        host.bind_with(Type::DGRAM, LOCAL, PORT, other.ifindex, |_| Ok(()))?
            .context("the interface does not have it either")?;
        Ok(())
    })?;
    report.count(2)?;
    let diagnosis = about(&report, "bind-address-absent", LOCAL)?;
    host.expect(diagnosis, "EADDRNOTAVAIL", LOCAL)
        .field("confidence", "certain")
        .field("interface", "v0")
        .evidence("scope_id", host.interface.ifindex)
        .summary_has(["d0", "v0"])
        .some_fix_has(&format!("{LOCAL}%d0"))
        .check()?;
    let nobodys = about(&report, "bind-address-absent", NOBODYS)?;
    host.expect(nobodys, "EADDRNOTAVAIL", NOBODYS)
        .field("confidence", "certain")
        .some_fix_has("scope link")
        .check()?;
    nobodys.follow("scope link")
}

/// One address on more interfaces than a record has room for, as VLANs of one MAC
/// have: the one that was asked for counts.
fn on_many() -> Result<()> {
    const LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0x31, 7);
    let host = Host::new("vlans", "v0")?;
    for name in ["d0", "d1", "d2", "d3", "d4"] {
        host.netns.dummy(name)?;
        host.netns
            .ip(&format!("address add {LOCAL}/64 dev {name} nodad"))?;
    }
    host.without_carrier("w0")?;
    host.netns.ip(&format!("address add {LOCAL}/64 dev w0"))?;
    host.netns.dummy("d5")?;
    let waiting = Link::find(&host.netns, "w0")?.ifindex;
    let without = Link::find(&host.netns, "d5")?.ifindex;
    let report = traced_by_kprobes(|| {
        for scope in [waiting, without] {
            let bound = host.bind_with(Type::DGRAM, LOCAL, PORT, scope, |_| Ok(()))?;
            refused(bound, libc::EADDRNOTAVAIL)?;
        }
        Ok(())
    })?;
    report.count(2)?;
    let tentative = about(&report, "bind-address-tentative", LOCAL)?;
    host.expect(tentative, "EADDRNOTAVAIL", LOCAL)
        .field("confidence", "certain")
        .field("interface", "w0")
        .field("ifindex", waiting)
        .check()?;
    let absent = about(&report, "bind-address-absent", LOCAL)?;
    host.expect(absent, "EADDRNOTAVAIL", LOCAL)
        .field("confidence", "certain")
        .field("interface", "d5")
        .check()
}

/// Without ::1: asked for with a port it is a failure, and with any a notice, as
/// programs learn so whether there is IPv6.
fn loopback() -> Result<()> {
    let host = Host::new("lonely", "v0")?;
    host.netns.ip("link set lo down")?;
    let report = traced(|| {
        for port in [0, PORT] {
            host.is_refused(Ipv6Addr::LOCALHOST, port, libc::EADDRNOTAVAIL)?;
        }
        Ok(())
    })?;
    report.count(2)?;
    for (diagnosis, severity) in report.diagnoses.iter().zip(["notice", "failure"]) {
        host.expect(diagnosis, "EADDRNOTAVAIL", Ipv6Addr::LOCALHOST)
            .field("cause", "bind-address-absent")
            .field("severity", severity)
            .field("confidence", "certain")
            .evidence("up", false)
            .summary_has(["lo", "down"])
            .check()?;
    }
    report.diagnoses[0].follow("ip link set dev lo up")?;
    host.binds(Ipv6Addr::LOCALHOST)?;
    // Switched off on purpose.
    host.netns.set_sysctl("ipv6/conf/lo/disable_ipv6", "1")?;
    let report = traced(|| host.is_refused(Ipv6Addr::LOCALHOST, PORT, libc::EADDRNOTAVAIL))?;
    let diagnosis = report.only("bind-address-absent")?;
    host.expect(diagnosis, "EADDRNOTAVAIL", Ipv6Addr::LOCALHOST)
        .field("severity", "notice")
        .evidence("disable_ipv6", 1)
        .check()?;
    diagnosis.follow("net/ipv6/conf/lo/disable_ipv6=0")?;
    host.binds(Ipv6Addr::LOCALHOST)?;
    host.rest_stays()
}

/// What a router answers for at each of its prefixes.
fn anycast() -> Result<()> {
    const OURS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x32, 0, 0, 0, 0, 0, 0);
    let host = Host::new("routing", "v0")?;
    host.netns.set_sysctl("ipv6/conf/v0/forwarding", "1")?;
    let report = traced(|| host.is_refused(OURS, PORT, libc::EADDRNOTAVAIL))?;
    let diagnosis = report.only("bind-address-anycast")?;
    host.expect(diagnosis, "EADDRNOTAVAIL", OURS)
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("interface", "v0")
        .summary_has(["v0", "anycast"])
        .check()?;
    diagnosis.follow("ip_nonlocal_bind")?;
    host.binds(OURS)?;
    host.rest_stays()
}
