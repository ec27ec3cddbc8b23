//! Near misses: nothing is refused, and nothing goes that anybody had set.

use std::time::Duration;

use anyhow::Result;

use super::{ADDRESS, Host};
use crate::guest::{AddressState, Link, Netns, Tracing, until_some};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("ipv6-disabled-on-interface-not", nothing_to_lose),
    scenario("mtu-took-ipv6-not", large_enough),
    scenario("addresses-lost-on-down-not", not_by_down),
    scenario("addresses-lost-not-by-namespace", not_by_namespace),
];

/// Written where there is nothing yet, as container runtimes do, or what it is
/// already; by default for what is to come.
fn nothing_to_lose() -> Result<()> {
    let host = Host::new("none-lost", "v0")?;
    host.own(ADDRESS)?;
    host.netns.ip("link add d0 type dummy")?;
    let tracer = Tracing::start()?;
    host.set("d0", "disable_ipv6", "1")?;
    host.set("d0", "disable_ipv6", "2")?;
    host.set("v0", "disable_ipv6", "0")?;
    host.set("default", "disable_ipv6", "1")?;
    host.netns.ip("link add d1 up type dummy")?;
    host.set("d1", "disable_ipv6", "0")?;
    host.set("default", "disable_ipv6", "0")?;
    host.set("all", "disable_ipv6", "0")?;
    host.netns.sysctl("ipv6/conf/v0/disable_ipv6")?;
    tracer.finish()?.silent()
}

/// The least that IPv6 needs; and less, where no address is yet.
fn large_enough() -> Result<()> {
    let host = Host::new("just-enough", "v0")?;
    host.own(ADDRESS)?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set v0 mtu 1280")?;
    host.netns.ip("link add d0 mtu 1200 up type dummy")?;
    host.netns.ip("link add d1 type dummy")?;
    host.netns.ip("link set d1 mtu 1200 up")?;
    host.netns.ip("link set d1 mtu 1500")?;
    tracer.finish()?.silent()
}

/// Kept addresses, those that come back, a carrier that is lost, interfaces that
/// go or move.
fn not_by_down() -> Result<()> {
    let host = Host::new("keeping", "v0")?;
    let elsewhere = Netns::new("elsewhere")?;
    AddressState::wait_for_link_local(&host.netns, "v0")?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set v0 down")?;
    host.netns.ip("link set v0 up")?;
    host.own(ADDRESS)?;
    host.netns.ip("link set peer down")?;
    host.netns.ip("link set peer up")?;
    host.set("v0", "keep_addr_on_down", "1")?;
    host.netns.ip("link set v0 down")?;
    host.netns.ip("link set v0 up")?;
    host.gets(ADDRESS)?;
    host.netns.dummy("d0")?;
    host.netns.ip("address add fd00:2f::1/64 dev d0 nodad")?;
    host.netns
        .ip(&format!("link set d0 netns {}", elsewhere.name()))?;
    host.set("v0", "keep_addr_on_down", "0")?;
    host.netns.ip("link del v0")?;
    tracer.finish()?.silent()
}

/// A namespace that goes takes all of its interfaces along, and a VRF that goes sets
/// those in it down and up.
fn not_by_namespace() -> Result<()> {
    let staying = Netns::new("staying")?;
    let host = Host::new("going", "v0")?;
    host.netns.ip("link add red up type vrf table 9")?;
    host.netns.ip("link set v0 master red")?;
    host.set("all", "forwarding", "1")?;
    AddressState::wait_for_link_local(&host.netns, "v0")?;
    host.own(ADDRESS)?;
    // One that asks for routers, too.
    host.netns.ip(&format!(
        "link add w0 type veth peer name far netns {}",
        staying.name()
    ))?;
    host.set("w0", "accept_ra", "2")?;
    host.set("w0", "router_solicitations", "2")?;
    host.set("w0", "router_solicitation_interval", "1")?;
    staying.ip("link set far addrgenmode none up")?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set w0 up")?;
    AddressState::wait_for_link_local(&host.netns, "w0")?;
    drop(host);
    until_some("the namespace should go", Duration::from_secs(20), || {
        Ok(Link::find(&staying, "far").is_err().then_some(()))
    })?;
    tracer.finish()?.silent()
}
