//! IPv4 routes with IPv6 next hops, and what source packets get that leave by them.

use anyhow::Result;

use crate::guest::{Checked, Netns, host_and_router};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("no-source-address-state", none),
    scenario("no-source-address-state-vrf", vrf),
    scenario("no-source-address-state-several", several),
    scenario("borrowed-source-address-state", borrowed),
    scenario("source-address-state-usable", usable),
];

const ROUTE: &str = "route add 203.0.112.0/22 via inet6 fe80::1 dev v0";

/// Only 127.0.0.1, and one for the link alone: nothing that counts behind a gateway.
fn none() -> Result<()> {
    let (host, router, _) = host_and_router("sns")?;
    let (passes, other, _) = host_and_router("snp")?;
    for netns in [&host, &passes] {
        netns.ip("link set lo up")?;
        netns.ip("address add 192.0.2.9/32 dev v0 scope link")?;
        netns.ip(ROUTE)?;
        netns.ip("route add default via inet6 fe80::1 dev v0 metric 7")?;
    }
    passes.set_sysctl("ipv4/ip_forward", "1")?;
    let checked = Checked::now()?;
    checked.silent(&router)?;
    checked.silent(&other)?;
    let found = checked.only(&host, "no-source-address")?;
    found
        .expect()
        .field("severity", "hazard")
        .field("confidence", "certain")
        .field("operation", "check")
        .field("interface", "v0")
        .evidence("next_hop", "fe80::1")
        .evidence("source", "0.0.0.0")
        .summary_has(["This host has no IPv4 source", "fe80::1"])
        .check()?;
    checked
        .only(&passes, "no-source-address")?
        .expect()
        .field("severity", "notice")
        .check()?;
    found.follow_with("ip address add", "192.0.2.1")?;
    Checked::now()?.silent(&host)
}

/// Those of a VRF have the VRF's addresses alone; an address on lo is of no use there.
fn vrf() -> Result<()> {
    let (host, router, _) = host_and_router("snv")?;
    host.ip("link set lo up")?;
    host.ip("address add 192.0.2.1/32 dev lo")?;
    host.ip("link add blue type vrf table 77")?;
    host.ip("link set blue up")?;
    host.ip("link set v0 master blue")?;
    host.ip(&format!("{ROUTE} table 77"))?;
    let checked = Checked::now()?;
    checked.silent(&router)?;
    let found = checked.only(&host, "no-source-address")?;
    found
        .expect()
        .evidence("l3mdev", "blue")
        .evidence("prefix", "203.0.112.0/22")
        .some_fix_has("dev blue")
        .check()?;
    found.follow_with("ip address add", "192.0.2.2")?;
    Checked::now()?.silent(&host)
}

/// Of several next hops each is asked for, also where they are nexthop objects.
fn several() -> Result<()> {
    let (host, _router, _) = host_and_router("snm")?;
    let (objects, _other, _) = host_and_router("sno")?;
    for netns in [&host, &objects] {
        netns.ip("link set lo up")?;
        netns.dummy("d0")?;
    }
    host.ip("route add 203.0.112.0/22 nexthop via inet6 fe80::1 dev v0 nexthop via inet6 fe80::7 dev d0")?;
    objects.ip("nexthop add id 5 via fe80::1 dev v0")?;
    objects.ip("nexthop add id 6 via fe80::7 dev d0")?;
    objects.ip("nexthop add id 7 group 5/6")?;
    objects.ip("route add 203.0.112.0/22 nhid 7")?;
    let checked = Checked::now()?;
    for netns in [&host, &objects] {
        checked
            .only(netns, "no-source-address")?
            .expect()
            .evidence("prefix", "203.0.112.0/22")
            .check()?;
        netns.ip("address add 192.0.2.1/32 dev lo")?;
    }
    let checked = Checked::now()?;
    checked.silent(&host)?;
    checked.silent(&objects)
}

/// Borrowed of an interface that is down: nobody routes answers there.
fn borrowed() -> Result<()> {
    let (host, router, _) = host_and_router("snb")?;
    host.ip("link set lo up")?;
    host.ip("link add d0 type dummy")?;
    host.ip("address add 192.0.2.7/24 dev d0")?;
    host.ip(ROUTE)?;
    let checked = Checked::now()?;
    checked.silent(&router)?;
    let found = checked.only(&host, "borrowed-source-address")?;
    found
        .expect()
        .field("severity", "hazard")
        .evidence("source", "192.0.2.7")
        .evidence("source_interface", "d0")
        .evidence("unfit", "down")
        .check()?;
    found.follow_with("ip address add", "192.0.2.1")?;
    Checked::now()?.silent(&host)
}

/// A source by name, one of the interface, one on lo, and a route that leads nowhere.
fn usable() -> Result<()> {
    let sites = ["snun", "snui", "snul", "snud"].map(host_and_router);
    let [named, own, on_lo, dead] = sites;
    let (named, own, on_lo, dead) = (named?, own?, on_lo?, dead?);
    let hosts: [&Netns; 4] = [&named.0, &own.0, &on_lo.0, &dead.0];
    for host in hosts {
        host.ip("link set lo up")?;
    }
    named.0.ip("address add 192.0.2.1/32 dev lo")?;
    named.0.ip(&format!("{ROUTE} src 192.0.2.1"))?;
    own.0.ip("address add 192.0.2.1/24 dev v0")?;
    own.0.ip(ROUTE)?;
    on_lo.0.ip("address add 192.0.2.1/32 dev lo")?;
    on_lo.0.ip(ROUTE)?;
    on_lo.0.ip("route add default via inet6 fe80::1 dev v0")?;
    dead.0.ip("link add d0 up type dummy")?;
    dead.0
        .ip("route add 203.0.112.0/22 via inet6 fe80::7 dev d0")?;
    dead.0.ip("link set d0 down")?;
    let checked = Checked::now()?;
    hosts.iter().try_for_each(|host| checked.silent(host))
}
