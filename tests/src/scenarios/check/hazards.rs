//! Settings that make trouble sooner or later.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::guest::{
    AddressState, Checked, Netns, Radvd, Segment, default_route, default_routes, host_and_router,
    until_some,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("enhanced-dad-off-state", forgetful),
    scenario("mac-twice-on-bridge-state", same_mac),
    scenario("subnet-router-anycast-state", own_gateway),
    scenario("default-route-purged-told-ahead", ahead),
];

/// Off on the interface and in all, behind a port in hairpin mode. Hairpin mode by
/// itself, and off on one of both, are no matter.
fn forgetful() -> Result<()> {
    let segment = Segment::new()?;
    let [off, fine, one] = ["edof", "edon", "edone"].map(Netns::new);
    let (off, fine, one) = (off?, fine?, one?);
    for (netns, port, mac) in [
        (&off, "to-off", "02:00:00:00:0e:01"),
        (&fine, "to-fine", "02:00:00:00:0e:02"),
        (&one, "to-one", "02:00:00:00:0e:03"),
    ] {
        segment.plug(netns, "eth0", port, mac)?;
        segment.hairpin(port)?;
        netns.ip("link set eth0 up")?;
        netns.ip("address add fe80::7/64 dev eth0 nodad")?;
    }
    for whose in ["all", "eth0", "lo"] {
        off.set_sysctl(&format!("ipv6/conf/{whose}/enhanced_dad"), "0")?;
    }
    one.set_sysctl("ipv6/conf/all/enhanced_dad", "0")?;
    // Nothing reflects there.
    let (quiet, _quiet_router, _) = host_and_router("edoq")?;
    for whose in ["all", "v0"] {
        quiet.set_sysctl(&format!("ipv6/conf/{whose}/enhanced_dad"), "0")?;
    }
    let checked = Checked::now()?;
    for silent in [&fine, &one, &quiet, &segment.switch] {
        checked.silent(silent)?;
    }
    let found = checked.only(&off, "enhanced-dad-off")?;
    found
        .expect()
        .field("severity", "hazard")
        .field("interface", "eth0")
        .evidence("enhanced_dad", 0)
        .evidence("all_enhanced_dad", 0)
        .evidence("hairpin", "to-off")
        .some_fix_has("hairpin off")
        .check()?;
    found.follow("enhanced_dad=1")?;
    Checked::now()?.silent(&off)
}

/// Two behind one bridge with one MAC. On another bridge, and stacked on an interface,
/// it is nobody else's.
fn same_mac() -> Result<()> {
    let (segment, other) = (Segment::new()?, Netns::new("mactsw")?);
    let [first, second, third] = ["mact", "mactw", "mactx"].map(Netns::new);
    let (first, second, third) = (first?, second?, third?);
    let mac = "02:00:00:00:0e:11";
    segment.plug(&first, "eth0", "to-first", mac)?;
    segment.plug(&second, "eth0", "to-second", mac)?;
    other.ip("link add br0 type bridge")?;
    other.ip(&format!(
        "link add p0 type veth peer name eth0 address {mac} netns {}",
        third.name()
    ))?;
    other.ip("link set p0 master br0 up")?;
    third.ip("link add link eth0 name eth0.7 type vlan id 7")?;
    for (index, netns) in [&first, &second, &third].into_iter().enumerate() {
        netns.ip("link set eth0 addrgenmode none")?;
        netns.ip("link set eth0 up")?;
        netns.ip(&format!(
            "address add fe80::{}/64 dev eth0 nodad",
            index + 1
        ))?;
    }
    let checked = Checked::now()?;
    checked.silent(&third)?;
    let both = [checked.of(&first), checked.of(&second)].concat();
    let [found] = both[..] else {
        anyhow::bail!("expected one finding: {both:#?}");
    };
    found
        .expect()
        .field("cause", "mac-twice-on-bridge")
        .field("confidence", "likely")
        .field("interface", "eth0")
        .evidence("mac", mac)
        .evidence("bridge", Segment::BRIDGE)
        .check()?;
    found.follow_as("address MAC", "MAC", "02:00:00:00:0e:12")?;
    let checked = Checked::now()?;
    checked.silent(&first)?;
    checked.silent(&second)
}

/// A route by way of prefix::, which this router answers for itself. While it is a host,
/// the neighbour may have that address.
fn own_gateway() -> Result<()> {
    let (host, _router, _) = host_and_router("sras")?;
    host.ip("address add fd00:4::5/64 dev v0 nodad")?;
    host.ip("-6 route add fd00:9::/64 via fd00:4:: dev v0")?;
    Checked::now()?.silent(&host)?;
    host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    let checked = Checked::now()?;
    let found = checked.only(&host, "subnet-router-anycast")?;
    found
        .expect()
        .field("severity", "hazard")
        .field("address", "fd00:4::")
        .field("interface", "v0")
        .evidence("gateway_of", json!(["fd00:9::/64"]))
        .evidence("forwarding", 1)
        .check()
}

/// What forwarding would take and give is told ahead of it: then all of that happens. A
/// host that keeps heeding, and one that forwards already, lose nothing.
fn ahead() -> Result<()> {
    let host = Netns::new("ckif")?;
    let router = Netns::new("ckifr")?;
    host.ip(&format!(
        "link add w0 type veth peer name v0 netns {}",
        router.name()
    ))?;
    router.ip("link set v0 up")?;
    router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    host.ip("link set w0 up")?;
    AddressState::wait_for_link_local(&router, "v0")?;
    let radvd = Radvd::start(&router, "v", 1)?;
    until_some("a default route", Duration::from_secs(20), || {
        Ok(default_route(&host)?.map(drop))
    })?;
    drop(radvd);
    host.ip("link add d0 up type dummy")?;
    host.ip("address add fd00:4::5/64 dev d0 nodad")?;
    host.ip("address add fd00:5::5/64 dev d0 nodad")?;
    host.ip("-6 route add fd00:9::/64 via fd00:4:: dev d0")?;
    let (gateway, _) = default_routes(&host)?.remove(0);
    let ask = || Checked::with(&["--if", "forwarding=1"]);
    let told = ask()?;
    told.silent(&router)?;
    let told = told.of(&host);
    let of = |cause: &str| {
        let mut told = told.iter().filter(|one| one.cause() == cause);
        told.next()
            .ok_or_else(|| anyhow::anyhow!("no {cause}: {told:#?}"))
    };
    anyhow::ensure!(told.len() == 2, "two things would happen: {told:#?}");
    let taken = of("default-route-purged")?;
    taken
        .expect()
        .field("severity", "hazard")
        .field("confidence", "likely")
        .field("interface", "w0")
        .evidence("gateways", json!([gateway]))
        .check()?;
    of("subnet-router-anycast")?
        .expect()
        .field("interface", "d0")
        .field("address", "fd00:4::")
        .evidence("gateway_of", json!(["fd00:9::/64"]))
        .check()?;
    taken.follow("accept_ra=2")?;
    let after = ask()?;
    let after: Vec<_> = after
        .of(&host)
        .iter()
        .map(|one| one.cause().to_owned())
        .collect();
    anyhow::ensure!(after == ["subnet-router-anycast"], "still: {after:?}");
    host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    anyhow::ensure!(default_route(&host)?.is_some(), "the fix keeps no route");
    ask()?.silent(&host)
}
