//! Hosts on which nothing is the matter.

use anyhow::Result;

use crate::guest::{AddressState, Checked, Netns, Radvd, default_route, until_some};
use crate::scenarios::{Scenario, scenario};
use std::time::Duration;

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("check-router-and-host", router),
    scenario("check-like-docker", docker),
];

/// A router with static routes and radvd, and a host that heeds it.
fn router() -> Result<()> {
    let router = Netns::new("ckr")?;
    let host = Netns::new("ckh")?;
    router.ip("link set lo up")?;
    host.ip("link set lo up")?;
    router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    router.ip(&format!(
        "link add w0 type veth peer name v0 netns {}",
        host.name()
    ))?;
    router.ip("link set w0 up")?;
    host.ip("link set v0 up")?;
    AddressState::wait_for_link_local(&router, "w0")?;
    router.ip("address add 2001:db8:0:0::1/64 dev w0 nodad")?;
    router.dummy("up0")?;
    router.ip("address add 2001:db8:f::2/64 dev up0 nodad")?;
    router.ip("-6 route add default via 2001:db8:f::1 dev up0")?;
    let _radvd = Radvd::start(&router, "w", 1)?;
    until_some(
        "the host should have a default route",
        Duration::from_secs(20),
        || Ok(default_route(&host)?.map(drop)),
    )?;
    AddressState::wait_for_link_local(&router, "up0")?;
    let checked = Checked::now()?;
    checked.silent(&router)?;
    checked.silent(&host)
}

/// A bridge, veths into namespaces, accept_ra as it is by default, forwarding on.
fn docker() -> Result<()> {
    let host = Netns::new("ckd")?;
    host.ip("link set lo up")?;
    host.ip("link add docker0 type bridge")?;
    host.ip("link add br-idle type bridge")?;
    for bridge in ["docker0", "br-idle"] {
        host.ip(&format!("link set {bridge} up"))?;
    }
    host.ip("address add 172.17.0.1/16 dev docker0")?;
    host.ip("address add fd00:17::1/64 dev docker0")?;
    host.ip("address add fd00:18::1/64 dev br-idle")?;
    host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    host.set_sysctl("ipv4/ip_forward", "1")?;
    let mut containers = Vec::new();
    for n in 0..3 {
        let container = Netns::new(&format!("ckd{n}"))?;
        container.ip("link set lo up")?;
        host.ip(&format!(
            "link add veth{n} type veth peer name eth0 netns {}",
            container.name()
        ))?;
        host.ip(&format!("link set veth{n} master docker0"))?;
        host.ip(&format!("link set veth{n} type bridge_slave hairpin on"))?;
        host.ip(&format!("link set veth{n} up"))?;
        if n == 2 {
            // One of IPv4 alone.
            container.set_sysctl("ipv6/conf/eth0/disable_ipv6", "1")?;
        }
        container.ip("link set eth0 up")?;
        container.ip(&format!("address add 172.17.0.{}/16 dev eth0", n + 2))?;
        if n < 2 {
            container.ip(&format!("address add fd00:17::{}/64 dev eth0 nodad", n + 2))?;
            container.ip("-6 route add default via fd00:17::1 dev eth0")?;
        }
        containers.push(container);
    }
    AddressState::Usable.wait(&host, "docker0", "fd00:17::1".parse()?)?;
    let checked = Checked::now()?;
    checked.silent(&host)?;
    containers.iter().try_for_each(|one| checked.silent(one))
}
