//! Interfaces that are up and lack the IPv6 that they could have.

use anyhow::Result;

use crate::guest::{AddressState, Checked, Netns, host_and_router};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("interface-mtu-below-ipv6-state", small_mtu),
    scenario("link-local-not-made-state", without_link_local),
];

/// The MTU took IPv6 away. Down, nobody misses it; with 1280 it is there.
fn small_mtu() -> Result<()> {
    let host = Netns::new("mtus")?;
    let others = Netns::new("mtuo")?;
    for netns in [&host, &others] {
        netns.ip("link set lo up")?;
        netns.dummy("d0")?;
    }
    host.ip("link set d0 mtu 1279")?;
    others.ip("link set d0 mtu 1280")?;
    others.ip("link add d1 mtu 1000 type dummy")?;
    let checked = Checked::now()?;
    checked.silent(&others)?;
    let found = checked.only(&host, "interface-mtu-below-ipv6")?;
    found
        .expect()
        .field("severity", "hazard")
        .field("interface", "d0")
        .evidence("mtu", 1279)
        .check()?;
    Checked::with(&["--family", "check"])?.only(&host, "interface-mtu-below-ipv6")?;
    Checked::with(&["--family", "dad,address"])?.silent(&host)?;
    found.follow("mtu 1280")?;
    Checked::now()?.silent(&host)?;
    host.ip("address add 2001:db8::7/64 dev d0 nodad")
}

/// The kernel is not to make one and nobody has; where somebody has, nothing is missing.
fn without_link_local() -> Result<()> {
    let (host, router, _) = host_and_router("llnm")?;
    host.ip("address add 2001:db8::7/64 dev v0 nodad")?;
    host.ip("address del fe80::2/64 dev v0")?;
    let checked = Checked::now()?;
    checked.silent(&router)?;
    let found = checked.only(&host, "link-local-not-made")?;
    found
        .expect()
        .field("severity", "notice")
        .field("interface", "v0")
        .evidence("addr_gen_mode", 1)
        .check()?;
    found.follow("addr_gen_mode=0")?;
    AddressState::wait_for_link_local(&host, "v0")?;
    AddressState::Usable.wait(&host, "v0", "2001:db8::7".parse()?)?;
    Checked::now()?.silent(&host)
}
