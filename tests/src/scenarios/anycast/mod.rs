//! Anycast addresses that an interface takes because it forwards, or because a
//! socket asks, and the neighbours that had them.

mod advertised;
mod bird;
mod fixes;
mod late;
mod refused;
mod silent;
mod taken;
mod used;

use std::fs;
use std::net::Ipv6Addr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Scenario, lookups, route::shown};
use crate::guest::{Diagnosis, Expect, Link, Netns, Report, Tracing, finish, until};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    used::SCENARIOS,
    bird::SCENARIOS,
    taken::SCENARIOS,
    fixes::SCENARIOS,
    advertised::SCENARIOS,
    refused::SCENARIOS,
    late::SCENARIOS,
    silent::SCENARIOS,
    lookups::OF_ANYCAST,
];

/// The first address of the subnet between the two.
const FIRST: Ipv6Addr = Ipv6Addr::new(0xfd00, 4, 0, 0, 0, 0, 0, 0);

/// A host that is to forward, and a neighbour on the other end of a veth.
struct Pair {
    near: Netns,
    far: Netns,
    interface: Link,
}

impl Pair {
    /// Both ends up, the neighbour with the first address of fd00:4::/64.
    fn new() -> Result<Self> {
        let near = Netns::new("anycast-near")?;
        let far = Netns::new("anycast-far")?;
        near.ip(&format!(
            "link add v0 type veth peer name w0 netns {}",
            far.name()
        ))?;
        near.ip("link set lo up")?;
        near.ip("link set v0 up")?;
        far.ip("link set w0 up")?;
        far.ip("address add fd00:4::/64 dev w0 nodad")?;
        let interface = Link::find(&near, "v0")?;
        Ok(Self {
            near,
            far,
            interface,
        })
    }

    /// The same, and this host with an address in that subnet.
    fn in_subnet() -> Result<Self> {
        let pair = Self::new()?;
        pair.is_in_subnet()?;
        Ok(pair)
    }

    /// The same in the VRF `red`.
    fn in_vrf() -> Result<Self> {
        let pair = Self::new()?;
        pair.near.ip("link add red type vrf table 100")?;
        pair.near.ip("link set red up")?;
        pair.near.ip("link set v0 master red")?;
        pair.is_in_subnet()?;
        Ok(pair)
    }

    /// Gives this host an address in the subnet. A busy kernel gets to it later than it takes
    /// the request (`addrconf_dad_work`), and takes the first address once more where
    /// forwarding was turned on in between.
    fn is_in_subnet(&self) -> Result<()> {
        self.near.ip("address add fd00:4::5/64 dev v0 nodad")?;
        until("fd00:4::5 should be local", Duration::from_secs(8), || {
            let routes = shown(&self.near, "-6 route show table all fd00:4::5");
            routes.is_ok_and(|routes| routes.iter().any(|route| route.starts_with("local ")))
        })
    }

    fn forward(&self, which: &str, value: &str) -> Result<()> {
        let name = format!("ipv6/conf/{which}/forwarding");
        self.near.set_sysctl(&name, value)
    }

    /// Traces as forwarding is turned on, until the first address is taken.
    fn take(&self, which: &str) -> Result<Report> {
        let tracer = Tracing::start()?;
        self.forward(which, "1")?;
        self.wait_for(FIRST, true)?;
        let report = tracer.finish()?;
        report.complete()?;
        Ok(report)
    }

    /// Traces as forwarding is turned off, until the first address is given up.
    fn release(&self, which: &str) -> Result<Report> {
        let tracer = Tracing::start()?;
        self.forward(which, "0")?;
        self.wait_for(FIRST, false)?;
        let report = tracer.finish()?;
        report.complete()?;
        Ok(report)
    }

    /// Makes the neighbour known, as any exchange with it does.
    fn ping(&self) -> Result<()> {
        ping(&self.near, FIRST)
    }

    /// The neighbour's link-layer address.
    fn neighbour(&self) -> Result<String> {
        let path = "/sys/class/net/w0/address";
        let mut read = Command::new("ip");
        read.args(["netns", "exec", self.far.name(), "cat", path]);
        let done = finish(&mut read, Duration::from_secs(10))?;
        ensure!(done.status.success(), "{done}");
        Ok(done.stdout.trim().to_owned())
    }

    /// Waits until the kernel itself lists the address as anycast, or not.
    fn wait_for(&self, address: Ipv6Addr, listed: bool) -> Result<()> {
        let wanted = format!("{:032x}", u128::from(address));
        let what = format!("{address} should be anycast: {listed}");
        until(&what, Duration::from_secs(8), || {
            let table = self.near.enter(|| {
                fs::read_to_string("/proc/thread-self/net/anycast6")
                    .context("cannot read the anycast addresses")
            });
            table.is_ok_and(|table| table.contains(&wanted) == listed)
        })
    }

    /// Whether a sysctl of an interface has this value.
    fn has(&self, interface: &str, sysctl: &str, value: &str) -> Result<()> {
        let is = self
            .near
            .sysctl(&format!("ipv6/conf/{interface}/{sysctl}"))?;
        ensure!(is == value, "{sysctl} of {interface} is {is}, not {value}");
        Ok(())
    }

    /// What holds for each address of v0 that is reported.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis, address: &str) -> Expect<'d> {
        diagnosis
            .expect()
            .field("errno", serde_json::Value::Null)
            .field("confidence", "certain")
            .field("netns", self.near.inode())
            .field("ifindex", self.interface.ifindex)
            .field("interface", "v0")
            .field("address", address)
            .summary_has(["v0", address])
    }

    /// The same for what a write of the sysctl led to.
    fn expect_of_write<'d>(
        &self,
        diagnosis: &'d Diagnosis,
        address: &str,
        written: &str,
    ) -> Expect<'d> {
        self.expect(diagnosis, address)
            .field("pid", std::process::id())
            .field("comm", "guest")
            .evidence("trigger", "forwarding-change")
            .evidence("written", written)
            .summary_has(["guest", "forwarding"])
    }
}

/// Asks `address` for an answer, from `netns`.
pub(super) fn ping(netns: &Netns, address: Ipv6Addr) -> Result<()> {
    let mut ping = Command::new("ping");
    ping.args(["-6", "-n", "-c", "1", "-W", "5", &address.to_string()]);
    let done = netns.enter(|| finish(&mut ping, Duration::from_secs(10)))?;
    ensure!(done.status.success(), "{address} is silent: {done}");
    Ok(())
}
