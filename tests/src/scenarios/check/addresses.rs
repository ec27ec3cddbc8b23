//! Addresses that are there and cannot be used.

use std::net::Ipv6Addr;

use anyhow::Result;
use serde_json::json;

use crate::guest::{AddressState, Checked, Netns, Segment};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("address-dadfailed-by-another", by_another),
    scenario("address-dadfailed-by-hairpin", by_hairpin),
    scenario("address-tentative-without-carrier", without_carrier),
];

const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 9, 0, 0, 0, 0xa);

/// Two ends of a veth, in namespaces of their own, that make no addresses themselves.
fn ends(name: &str) -> Result<(Netns, Netns)> {
    let near = Netns::new(name)?;
    let far = Netns::new(&format!("{name}-far"))?;
    near.ip(&format!(
        "link add v0 type veth peer name v1 netns {}",
        far.name()
    ))?;
    for (end, link) in [(&near, "v0"), (&far, "v1")] {
        end.ip(&format!("link set {link} addrgenmode none"))?;
        end.set_sysctl(&format!("ipv6/conf/{link}/router_solicitation_delay"), "0")?;
        end.ip(&format!("link set {link} up"))?;
        // As somebody else would have made it.
        end.ip(&format!("address add fe80::{link}/64 dev {link} nodad").replace("::v", "::"))?;
    }
    Ok((near, far))
}

/// The other end has the address. When it gives it up, the fix works, and what else the
/// interface has stays.
fn by_another() -> Result<()> {
    let (near, far) = ends("dadf")?;
    far.ip(&format!("address add {ADDRESS}/64 dev v1 nodad"))?;
    near.ip("address add fd00:7::7/64 dev v0 nodad")?;
    near.ip(&format!("address add {ADDRESS}/64 dev v0"))?;
    AddressState::Failed.wait(&near, "v0", ADDRESS)?;
    let checked = Checked::now()?;
    checked.silent(&far)?;
    let found = checked.only(&near, "address-dadfailed")?;
    let other = format!("v1 of network namespace {}", far.name());
    found
        .expect()
        .field("severity", "failure")
        .field("confidence", "likely")
        .field("operation", "check")
        .field("interface", "v0")
        .field("address", ADDRESS.to_string())
        .field("netns_name", near.name())
        .evidence("held_by", json!([other]))
        .summary_has(["dadfailed", other.as_str()])
        .check()?;
    far.ip(&format!("address del {ADDRESS}/64 dev v1"))?;
    found.follow("address del")?;
    AddressState::Usable.wait(&near, "v0", ADDRESS)?;
    AddressState::Usable.wait(&near, "v0", "fd00:7::7".parse()?)?;
    Checked::now()?.silent(&near)
}

/// Nobody has it; the port behind the interface sends the question back.
fn by_hairpin() -> Result<()> {
    let segment = Segment::new()?;
    let host = Netns::new("dadh")?;
    segment.plug(&host, "eth0", "to-guest", "02:00:00:00:0d:0a")?;
    segment.hairpin("to-guest")?;
    for whose in ["all", "eth0"] {
        host.set_sysctl(&format!("ipv6/conf/{whose}/enhanced_dad"), "0")?;
    }
    segment.connect(&host, "eth0", "to-guest")?;
    host.ip("address add fe80::7/64 dev eth0 nodad")?;
    host.ip(&format!("address add {ADDRESS}/64 dev eth0"))?;
    AddressState::Failed.wait(&host, "eth0", ADDRESS)?;
    let checked = Checked::now()?;
    let mut found = checked.of(&host).into_iter();
    let found = found.find(|found| found.cause() == "address-dadfailed");
    let found = found.ok_or_else(|| anyhow::anyhow!("nothing about the address"))?;
    found
        .expect()
        .field("interface", "eth0")
        .field("confidence", "likely")
        .evidence("hairpin", "to-guest")
        .evidence("held_by", json!([]))
        .evidence("enhanced_dad", 0)
        .evidence("all_enhanced_dad", 0)
        .summary_has(["to-guest", "hairpin"])
        .some_fix_has("hairpin off")
        .check()?;
    found.follow("enhanced_dad=1")?;
    found.follow("address del")?;
    AddressState::Usable.wait(&host, "eth0", ADDRESS)
}

/// Without a carrier the test does not begin. With one it may take its time, which is
/// no matter; nor is a bridge to which nothing is plugged, nor what is set down.
fn without_carrier() -> Result<()> {
    let (near, far) = ends("tent")?;
    let (tested, _far_tested) = ends("tentm")?;
    let bare = Netns::new("tentb")?;
    // Once it has had a carrier it is ready until it is set down.
    near.ip("link set v0 down")?;
    far.ip("link set v1 down")?;
    near.ip("link set v0 up")?;
    near.ip(&format!("address add {ADDRESS}/64 dev v0"))?;
    // Stays under test for as long as it takes.
    tested.set_sysctl("ipv6/conf/v0/dad_transmits", "60")?;
    tested.ip(&format!("address add {ADDRESS}/64 dev v0"))?;
    bare.ip("link add br0 type bridge")?;
    bare.ip("link set br0 addrgenmode none")?;
    bare.ip("link set br0 up")?;
    bare.ip("link add br1 type bridge")?;
    for bridge in ["br0", "br1"] {
        bare.ip(&format!("address add {ADDRESS}/64 dev {bridge}"))?;
    }
    bare.ip("address add fe80::7/64 dev br0 nodad")?;
    for (end, link) in [(&near, "v0"), (&tested, "v0"), (&bare, "br1")] {
        AddressState::Tentative.wait(end, link, ADDRESS)?;
    }
    let checked = Checked::now()?;
    checked.silent(&tested)?;
    checked.silent(&bare)?;
    let found = checked.only(&near, "address-tentative")?;
    found
        .expect()
        .field("severity", "notice")
        .field("confidence", "likely")
        .field("interface", "v0")
        .field("address", ADDRESS.to_string())
        .evidence("carrier", false)
        .summary_has(["has no carrier"])
        .check()?;
    found.follow("nodad")?;
    AddressState::Usable.wait(&near, "v0", ADDRESS)?;
    Checked::now()?.silent(&near)
}
