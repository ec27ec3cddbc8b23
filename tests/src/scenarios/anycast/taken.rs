//! Addresses that this host took or gave up without harm.

use std::net::Ipv6Addr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{FIRST, Pair, ping};
use crate::guest::{AddressState, MulticastSocket, Tracing, finish, ip_batch};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("subnet-router-anycast-router", router),
    scenario("subnet-router-anycast-prefix-lengths", prefix_lengths),
    scenario("subnet-router-anycast-many-addresses", many_addresses),
    scenario("subnet-router-anycast-address-usable", address_usable),
    scenario("subnet-router-anycast-setsockopt", setsockopt),
    scenario(
        "subnet-router-anycast-own-address-not-in-force",
        own_address_not_in_force,
    ),
    scenario("subnet-router-anycast-released", released),
    scenario(
        "subnet-router-anycast-own-address-outside-the-vrf",
        own_outside_vrf,
    ),
    scenario(
        "subnet-router-anycast-nobody-in-a-tunnel",
        nobody_in_a_tunnel,
    ),
];

/// A router as it should be, with nobody at the first address.
fn router() -> Result<()> {
    let pair = Pair::new()?;
    pair.near.ip("address add fd00:9::1/64 dev v0 nodad")?;
    let tracer = Tracing::start()?;
    pair.forward("v0", "1")?;
    pair.wait_for(Ipv6Addr::new(0xfd00, 9, 0, 0, 0, 0, 0, 0), true)?;
    let report = tracer.finish()?;
    report.complete()?;
    pair.expect_of_write(report.only("subnet-router-anycast")?, "fd00:9::", "v0")
        .field("severity", "notice")
        .evidence("prefix_len", 64)
        .evidence("used_by", json!([]))
        .evidence("forwarding", 1)
        .evidence("all_forwarding", 0)
        .check()
}

/// Prefixes that do not end at a byte or a half of the address.
fn prefix_lengths() -> Result<()> {
    let pair = Pair::new()?;
    let cases = [
        ("fd00:4::5", 126, "fd00:4::4"),
        ("fd00:77ff:1::1", 20, "fd00:7000::"),
        ("fd00:a:b:c:d::1", 65, "fd00:a:b:c::"),
        ("fd00:a:b:e:8000::1", 65, "fd00:a:b:e:8000::"),
    ];
    for (address, prefix_len, _) in cases {
        let words = format!("address add {address}/{prefix_len} dev v0 nodad");
        pair.near.ip(&words)?;
    }
    let tracer = Tracing::start()?;
    pair.forward("all", "1")?;
    for (_, _, first) in cases {
        pair.wait_for(first.parse()?, true)?;
    }
    let report = tracer.finish()?;
    report.count(cases.len())?;
    for (_, prefix_len, first) in cases {
        let diagnosis = report
            .diagnoses
            .iter()
            .find(|diagnosis| diagnosis.field("address") == first);
        let diagnosis = anyhow::Context::context(diagnosis, first)?;
        pair.expect_of_write(diagnosis, first, "all")
            .field("severity", "notice")
            .evidence("prefix_len", prefix_len)
            .check()?;
    }
    Ok(())
}

/// As a router with a subnet for each of its customers has.
fn many_addresses() -> Result<()> {
    const SUBNETS: u16 = 60;
    let pair = Pair::new()?;
    let add = |subnet| format!("address add fd00:{subnet:x}::1/64 dev v0 nodad");
    let commands: Vec<_> = (1..=SUBNETS).map(add).collect();
    ip_batch(pair.near.name(), &commands)?;
    let tracer = Tracing::start()?;
    pair.forward("v0", "1")?;
    pair.wait_for(Ipv6Addr::new(0xfd00, SUBNETS, 0, 0, 0, 0, 0, 0), true)?;
    pair.wait_for(Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, 0), true)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(usize::from(SUBNETS))?;
    for diagnosis in &report.diagnoses {
        let address = diagnosis.field("address").as_str().unwrap_or_default();
        pair.expect_of_write(diagnosis, address, "v0")
            .field("severity", "notice")
            .evidence("prefix_len", 64)
            .check()?;
    }
    Ok(())
}

/// Once DAD is through, in a worker of the kernel: nobody is to blame.
fn address_usable() -> Result<()> {
    let pair = Pair::new()?;
    pair.forward("v0", "1")?;
    let tracer = Tracing::start()?;
    pair.near.ip("address add fd00:9::1/56 dev v0")?;
    pair.wait_for(Ipv6Addr::new(0xfd00, 9, 0, 0, 0, 0, 0, 0), true)?;
    let report = tracer.finish()?;
    report.complete()?;
    pair.expect(report.only("subnet-router-anycast")?, "fd00:9::")
        .field("severity", "notice")
        .field("pid", Value::Null)
        .field("comm", Value::Null)
        .evidence("trigger", "address-usable")
        .evidence("written", Value::Null)
        .evidence("prefix_len", 56)
        .evidence("used_by", json!([]))
        .check()
}

/// On purpose, so it is no hazard even where a neighbour has the address.
fn setsockopt() -> Result<()> {
    let pair = Pair::in_subnet()?;
    pair.ping()?;
    let tracer = Tracing::start()?;
    let socket = MulticastSocket::udp(&pair.near)?;
    socket.join_anycast(pair.interface.ifindex, FIRST)?;
    pair.wait_for(FIRST, true)?;
    drop(socket);
    pair.wait_for(FIRST, false)?;
    let report = tracer.finish()?;
    report.complete()?;
    pair.expect(report.only("subnet-router-anycast")?, "fd00:4::")
        .field("severity", "notice")
        .field("pid", std::process::id())
        .evidence("trigger", "setsockopt")
        .evidence("written", Value::Null)
        .evidence("prefix_len", 64)
        .summary_has(["IPV6_JOIN_ANYCAST"])
        .check()
}

/// The host's own first address is a duplicate of the neighbour's: packets for
/// it go to the neighbour until the anycast address takes them.
fn own_address_not_in_force() -> Result<()> {
    let pair = Pair::in_subnet()?;
    // Before: a host hears no advertisement of what it has under test itself.
    pair.ping()?;
    pair.near.ip("address add fd00:4::/64 dev v0")?;
    AddressState::Failed.wait(&pair.near, "v0", FIRST)?;
    let report = pair.take("all")?;
    pair.expect_of_write(report.only("subnet-router-anycast")?, "fd00:4::", "all")
        .field("severity", "hazard")
        .evidence("prefix_len", 64)
        .check()
}

fn released() -> Result<()> {
    let pair = Pair::in_subnet()?;
    pair.forward("all", "1")?;
    pair.wait_for(FIRST, true)?;
    let report = pair.release("v0")?;
    let diagnosis = report.only("subnet-router-anycast-released")?;
    pair.expect_of_write(diagnosis, "fd00:4::", "v0")
        .field("severity", "notice")
        .field("operation", "forwarding-change")
        .evidence("prefix_len", 64)
        .evidence("forwarding", 0)
        .evidence("all_forwarding", 1)
        .summary_has_one_of(&["no longer owns fd00:4:: on v0"])
        .check()
}

/// An address of an interface outside the VRF, or of one that is down, is none
/// of the VRF's, but one of the VRF's own device is. Where packets go afterwards
/// is asked in the VRF, too.
fn own_outside_vrf() -> Result<()> {
    let pair = Pair::in_vrf()?;
    pair.near.dummy("d0")?;
    pair.near.ip("address add fd00:4::/128 dev d0 nodad")?;
    pair.near.ip("link add d1 type dummy")?;
    pair.near.ip("link set d1 master red")?;
    pair.near.ip("address add fd00:4::/128 dev d1 nodad")?;
    let report = pair.take("v0")?;
    pair.expect_of_write(report.only("subnet-router-anycast")?, "fd00:4::", "v0")
        .evidence("vrf", "red")
        .check()?;
    let report = pair.release("v0")?;
    let diagnosis = report.only("subnet-router-anycast-released")?;
    pair.expect_of_write(diagnosis, "fd00:4::", "v0")
        .evidence("vrf", "red")
        .check()?;
    diagnosis.follow("ip -6 route get vrf red fd00:4::")?;
    pair.near.ip("address add fd00:4::/128 dev red nodad")?;
    let tracer = Tracing::start()?;
    pair.forward("v0", "1")?;
    pair.wait_for(FIRST, true)?;
    tracer.finish()?.silent()
}

/// Where no address on the link is asked for, whatever is sent makes an entry
/// among the neighbours.
fn nobody_in_a_tunnel() -> Result<()> {
    let pair = Pair::new()?;
    pair.near.ip("link add wg0 type wireguard")?;
    pair.near.dummy("d0")?;
    pair.near.ip("link set wg0 up")?;
    let tunnels = [("wg0", "fd00:6::"), ("d0", "fd00:7::")];
    for (interface, first) in tunnels {
        pair.near
            .ip(&format!("address add {first}5/64 dev {interface} nodad"))?;
        let first: Ipv6Addr = first.parse()?;
        ensure!(ping(&pair.near, first).is_err(), "{first} answers");
    }
    let entries = pair.near.enter(|| {
        let mut ip = Command::new("ip");
        finish(
            ip.args(["-6", "neigh", "show", "nud", "all"]),
            Duration::from_secs(5),
        )
    })?;
    let tracer = Tracing::start()?;
    pair.forward("all", "1")?;
    pair.wait_for("fd00:7::".parse()?, true)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(tunnels.len())?;
    for (interface, first) in tunnels {
        let entry = format!("{first} dev {interface} ");
        ensure!(entries.stdout.contains(&entry), "{entry}: {entries}");
        let mut all = report.diagnoses.iter();
        let found = all.find(|diagnosis| diagnosis.field("address") == first);
        found
            .with_context(|| format!("nothing is said of {first}"))?
            .expect()
            .field("severity", "notice")
            .field("interface", interface)
            .evidence("used_by", json!([]))
            .check()?;
    }
    Ok(())
}
