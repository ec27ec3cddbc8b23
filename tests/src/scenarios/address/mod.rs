//! Addresses that the kernel refuses, and what takes addresses away.

mod advertised;
mod came_up;
mod disabled;
mod down;
mod exists;
mod made;
mod mtu;
mod refused;
mod silent;
mod storm;

use std::net::Ipv6Addr;

use anyhow::{Context as _, Result, ensure};

use super::Scenario;
use crate::guest::{AddressState, Diagnosis, Expect, Link, Netns, Report, Tracing, ip_fails};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    refused::SCENARIOS,
    exists::SCENARIOS,
    disabled::SCENARIOS,
    mtu::SCENARIOS,
    down::SCENARIOS,
    made::SCENARIOS,
    advertised::SCENARIOS,
    came_up::SCENARIOS,
    silent::SCENARIOS,
    storm::SCENARIOS,
];

/// An address that somebody sets.
const ADDRESS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x2d, 0, 0, 0, 0, 0, 7);
/// Another one, on the same link.
const SECOND: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x2d, 0, 0, 0, 0, 0, 8);
/// A prefix behind it.
const BEHIND: &str = "fd00:2e::/64";

/// A namespace with a veth that is up at both ends.
struct Host {
    netns: Netns,
    interface: Link,
}

impl Host {
    fn new(name: &str, interface: &str) -> Result<Self> {
        let netns = Netns::new(name)?;
        netns.ip(&format!("link add {interface} type veth peer name peer"))?;
        netns.ip("link set peer addrgenmode none up")?;
        netns.ip(&format!("link set {interface} up"))?;
        let interface = Link::find(&netns, interface)?;
        Ok(Self { netns, interface })
    }

    fn name(&self) -> &str {
        &self.interface.name
    }

    /// Writes a sysctl of the interface, or of `all` or `default`.
    fn set(&self, whose: &str, sysctl: &str, value: &str) -> Result<()> {
        let name = format!("ipv6/conf/{whose}/{sysctl}");
        self.netns.set_sysctl(&name, value)
    }

    fn get(&self, whose: &str, sysctl: &str) -> Result<i64> {
        let name = format!("ipv6/conf/{whose}/{sysctl}");
        Ok(self.netns.sysctl(&name)?.trim().parse()?)
    }

    /// Adds an address that is not tested for duplicates.
    fn own(&self, address: Ipv6Addr) -> Result<()> {
        let name = self.name();
        self.netns
            .ip(&format!("address add {address}/64 dev {name} nodad"))
    }

    /// Asks for an address in a way that is refused, and returns what v6trace
    /// says of it.
    fn refused(&self, words: &str) -> Result<Report> {
        let tracer = Tracing::start()?;
        self.fails(words)?;
        let report = tracer.finish()?;
        report.complete()?;
        Ok(report)
    }

    fn fails(&self, words: &str) -> Result<String> {
        let words = format!("address add {words} dev {}", self.name());
        ip_fails(&self.netns.ip_words(&words))
    }

    /// What holds whatever refused the address, where that is a failure.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis, errno: &str) -> Expect<'d> {
        self.expect_refused(diagnosis, errno)
            .field("severity", "failure")
    }

    /// What holds in any case.
    fn expect_refused<'d>(&self, diagnosis: &'d Diagnosis, errno: &str) -> Expect<'d> {
        diagnosis
            .expect()
            .field("operation", "address-add")
            .field("confidence", "certain")
            .field("errno", errno)
            .field("netns", self.netns.inode())
            .field("ifindex", self.interface.ifindex)
            .field("interface", self.name())
            .evidence("also", Vec::<String>::new())
            .summary_has([self.name(), errno])
    }

    /// Whether the interface has the address and can use it.
    fn has(&self, address: Ipv6Addr) -> Result<bool> {
        let state = AddressState::of(&self.netns, self.name(), address)?;
        Ok(state == AddressState::Usable)
    }

    /// Waits until it can.
    fn gets(&self, address: Ipv6Addr) -> Result<()> {
        AddressState::Usable.wait(&self.netns, self.name(), address)
    }

    /// The interface's addresses with their flags, as the kernel's own table has
    /// them.
    fn table(&self) -> Result<Vec<(Ipv6Addr, u32)>> {
        let table = self.netns.enter(|| {
            std::fs::read_to_string("/proc/thread-self/net/if_inet6")
                .context("cannot read the addresses")
        })?;
        let mut found = Vec::new();
        for line in table.lines() {
            let columns: Vec<_> = line.split_whitespace().collect();
            if let [address, _, _, _, flags, name] = columns[..]
                && name == self.name()
            {
                let address = Ipv6Addr::from(u128::from_str_radix(address, 16)?);
                found.push((address, u32::from_str_radix(flags, 16)?));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The addresses that are not link-local, and how many there are in all.
    fn addresses(&self) -> Result<(Vec<Ipv6Addr>, usize)> {
        let table = self.table()?;
        let addresses = table.iter().map(|(address, _)| *address);
        let routed = addresses.filter(|address| !address.is_unicast_link_local());
        Ok((routed.collect(), table.len()))
    }

    /// Whether the main table has a route to [`BEHIND`].
    fn routes_behind(&self) -> Result<bool> {
        let table = self.netns.enter(|| {
            std::fs::read_to_string("/proc/thread-self/net/ipv6_route")
                .context("cannot read the routes")
        })?;
        Ok(table.lines().any(|line| line.starts_with("fd00002e")))
    }

    /// Two addresses and a route that somebody set, and a link-local one.
    fn furnish(&self) -> Result<()> {
        let name = self.name();
        AddressState::wait_for_link_local(&self.netns, name)?;
        self.own(ADDRESS)?;
        self.own(SECOND)?;
        self.netns
            .ip(&format!("-6 route add {BEHIND} via fd00:2d::9 dev {name}"))?;
        let (set, count) = self.addresses()?;
        ensure!(
            set == [ADDRESS, SECOND] && count == 3,
            "it has {set:?}, and {count} in all"
        );
        Ok(())
    }

    /// Follows what the diagnosis says of addresses and routes, after that which
    /// brings IPv6 back, and checks that all is as [`furnish`](Self::furnish) left
    /// it.
    fn refurnish(&self, diagnosis: &Diagnosis) -> Result<()> {
        let name = self.name();
        AddressState::wait_for_link_local(&self.netns, name)?;
        ensure!(!self.has(ADDRESS)?, "the address came back by itself");
        ensure!(!self.routes_behind()?, "the route came back by itself");
        diagnosis.follow(&format!("address add {ADDRESS}/64"))?;
        diagnosis.follow(&format!("address add {SECOND}/64"))?;
        self.gets(ADDRESS)?;
        self.gets(SECOND)?;
        diagnosis.follow(&format!("route add {BEHIND}"))?;
        ensure!(self.routes_behind()?, "the fix brings no route");
        Ok(())
    }

    /// What the evidence has to say of a loss of all that there is.
    fn expect_all_lost<'d>(&self, diagnosis: &'d Diagnosis) -> Expect<'d> {
        let name = self.name();
        let lost = diagnosis.evidence("lost_addresses").cloned();
        let has = |address: Ipv6Addr| {
            lost.as_ref().is_some_and(|lost| {
                lost.as_array().into_iter().flatten().any(|one| {
                    one["address"] == address.to_string()
                        && one["prefix_len"] == 64
                        && one["interface"] == name
                })
            })
        };
        diagnosis
            .expect()
            .field("confidence", "certain")
            .field("errno", serde_json::Value::Null)
            .field("netns", self.netns.inode())
            .field("ifindex", self.interface.ifindex)
            .field("interface", name)
            .evidence("addresses", 3)
            .evidence("addresses_set", 2)
            .evidence("addresses_learned", 0)
            .evidence("routes", 1)
            .evidence("interfaces", 1)
            .evidence(
                "lost_routes",
                serde_json::json!([{
                    "destination": BEHIND, "gateway": "fd00:2d::9", "interface": name,
                    "protocol": 3, "table": 254,
                }]),
            )
            .that(has(ADDRESS) && has(SECOND), "an address is not named")
            .summary_has([name, "fd00:2d::7/64", "fd00:2d::8/64"])
    }
}
