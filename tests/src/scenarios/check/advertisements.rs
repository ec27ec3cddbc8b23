//! Interfaces that ignore what routers say.

use std::net::Ipv6Addr;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::guest::{
    AddressState, AdvertisedPrefix, Advertisement, Advertiser, Checked, Link, Netns,
    host_and_router, until_some,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("ra-ignored-forwarding-state", forwarding),
    scenario("ra-ignored-accept-ra-state", accept_ra),
    scenario("temporary-addresses-stopped-state", temporary),
    scenario("no-default-route-heard", heard),
    scenario("no-default-route-unheard", unheard),
];

const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const PREFIX: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 0, 0);

/// A host with a router that advertises when it is told to. The sockets that do are
/// closed between two advertisements, and none is the host's.
struct Site {
    host: Netns,
    router: Netns,
}

impl Site {
    fn new(name: &str) -> Result<Self> {
        let (host, router, _) = host_and_router(name)?;
        AddressState::Usable.wait(&host, "v0", "fe80::2".parse()?)?;
        Ok(Self { host, router })
    }

    fn set(&self, name: &str, value: &str) -> Result<()> {
        self.host.set_sysctl(&format!("ipv6/conf/v0/{name}"), value)
    }

    /// Sends an advertisement, and waits until it has been counted.
    fn advertise(&self) -> Result<()> {
        self.advertise_for(1800)
    }

    /// The same of a router that is to be used by default for so many seconds.
    fn advertise_for(&self, lifetime: u16) -> Result<()> {
        let before = self.count()?;
        let link = Link::find(&self.router, "v1")?;
        let mut message = Advertisement::new().prefix(AdvertisedPrefix::new(PREFIX));
        message.lifetime = lifetime;
        Advertiser::new(&self.router, &link, ROUTER)?.send(&message.bytes())?;
        until_some(
            "the advertisement should come in",
            Duration::from_secs(5),
            || Ok((self.count()? > before).then_some(())),
        )
    }

    /// Waits until the host has so many advertised addresses that can be used.
    fn has_addresses(&self, count: usize) -> Result<()> {
        until_some("advertised addresses", Duration::from_secs(10), || {
            let all = self
                .host
                .enter(|| Ok(std::fs::read_to_string("/proc/thread-self/net/if_inet6")?))?;
            let is_own = |line: &&str| {
                let fields: Vec<_> = line.split_whitespace().collect();
                matches!(fields[..], [address, _, _, _, flags, "v0"]
                    if !address.starts_with("fe80") && matches!(flags, "00" | "01"))
            };
            Ok((all.lines().filter(is_own).count() == count).then_some(()))
        })
    }

    /// Advertisements that came in, as the kernel counts them.
    fn count(&self) -> Result<u64> {
        self.host.enter(|| {
            let counters = std::fs::read_to_string("/proc/thread-self/net/dev_snmp6/v0")?;
            let mut lines = counters.lines();
            let count = lines.find_map(|line| line.strip_prefix("Icmp6InRouterAdvertisements"));
            Ok(count.map_or(Ok(0), |count| count.trim().parse())?)
        })
    }
}

/// A host that forwards has nothing of what its router says; one that forwards and has
/// an address by other means needs nothing, and with accept_ra = 2 it heeds all.
fn forwarding() -> Result<()> {
    let [site, set, heeds, led] = ["raf", "rafs", "rafh", "rafl"].map(Site::new);
    let (site, set, heeds, led) = (site?, set?, heeds?, led?);
    // On a link of routers there need be no other address.
    led.host.ip("link add d0 up type dummy")?;
    led.host.ip("-6 route add default dev d0")?;
    for one in [&site, &set, &heeds, &led] {
        one.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    }
    heeds.set("accept_ra", "2")?;
    set.host.ip("address add 2001:db8:0:7::7/64 dev v0 nodad")?;
    for one in [&site, &set, &heeds, &led] {
        one.advertise()?;
    }
    let checked = Checked::now()?;
    checked.silent(&led.host)?;
    checked.silent(&set.host)?;
    checked.silent(&heeds.host)?;
    for one in [&site, &set, &heeds] {
        checked.silent(&one.router)?;
    }
    let found = checked.only(&site.host, "ra-ignored-forwarding")?;
    found
        .expect()
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("operation", "check")
        .field("interface", "v0")
        .evidence("forwarding", 1)
        .evidence("accept_ra", 1)
        .evidence("advertisements", site.count()?)
        .evidence("addresses", json!([]))
        .evidence("default_routes", json!([]))
        .evidence("raw_sockets", 0)
        .summary_has(["forwards", "accept_ra"])
        .some_fix_has("forwarding=0")
        .check()?;
    found.follow("accept_ra=2")?;
    site.advertise()?;
    Checked::now()?.silent(&site.host)
}

/// Somebody set accept_ra to 0; whoever then takes advertisements itself, as
/// systemd-networkd does, has given the interface what they bring.
fn accept_ra() -> Result<()> {
    let site = Site::new("raa")?;
    let client = Site::new("raac")?;
    for one in [&site, &client] {
        one.set("accept_ra", "0")?;
        one.advertise()?;
    }
    client
        .host
        .ip("address add 2001:db8:0:7::7/64 dev v0 nodad valid_lft 1800 preferred_lft 900")?;
    client
        .host
        .ip("-6 route add default via fe80::1 dev v0 proto ra expires 1800")?;
    let checked = Checked::now()?;
    checked.silent(&client.host)?;
    let found = checked.only(&site.host, "ra-ignored-accept-ra")?;
    found
        .expect()
        .field("severity", "notice")
        .field("interface", "v0")
        .evidence("accept_ra", 0)
        .evidence("forwarding", 0)
        .check()?;
    found.follow("accept_ra=1")?;
    site.advertise()?;
    Checked::now()?.silent(&site.host)
}

/// The kernel gives temporary addresses up, as one may not fail; where nobody asks for
/// any, or one is made, nothing is the matter.
fn temporary() -> Result<()> {
    let [site, unasked, made] = ["ratg", "ratu", "ratm"].map(Site::new);
    let (site, unasked, made) = (site?, unasked?, made?);
    for one in [&site, &made] {
        one.host.set_sysctl("ipv6/conf/default/use_tempaddr", "1")?;
        one.set("use_tempaddr", "1")?;
    }
    site.set("regen_max_retry", "0")?;
    unasked.set("use_tempaddr", "-1")?;
    for one in [&site, &unasked, &made] {
        one.advertise()?;
    }
    let gives_up = || Ok((site.host.sysctl("ipv6/conf/v0/use_tempaddr")? == "-1").then_some(()));
    until_some("use_tempaddr", Duration::from_secs(10), gives_up)?;
    site.has_addresses(1)?;
    unasked.has_addresses(1)?;
    made.has_addresses(2)?;
    let checked = Checked::now()?;
    checked.silent(&unasked.host)?;
    checked.silent(&made.host)?;
    let found = checked.only(&site.host, "temporary-addresses-stopped")?;
    found
        .expect()
        .field("severity", "notice")
        .field("confidence", "likely")
        .field("interface", "v0")
        .evidence("regen_max_retry", 0)
        .evidence("default_use_tempaddr", 1)
        .check()?;
    found.follow("regen_max_retry=3")?;
    found.follow("use_tempaddr=1")?;
    site.advertise()?;
    site.has_addresses(2)?;
    Checked::now()?.silent(&site.host)
}

/// A router without a lifetime is none by default, nor is one whose lifetime nobody wants;
/// where another way out is set by hand, nothing is the matter.
fn heard() -> Result<()> {
    let [unwanted, none, other] = ["ndrw", "ndrn", "ndro"].map(Site::new);
    let (unwanted, none, other) = (unwanted?, none?, other?);
    unwanted.set("accept_ra_defrtr", "0")?;
    unwanted.advertise()?;
    other.host.ip("link add d0 up type dummy")?;
    other.host.ip("-6 route add 2000::/3 dev d0")?;
    for one in [&none, &other] {
        one.advertise_for(0)?;
    }
    for one in [&unwanted, &none, &other] {
        one.has_addresses(1)?;
    }
    let checked = Checked::now()?;
    checked.silent(&other.host)?;
    for one in [&unwanted, &none, &other] {
        checked.silent(&one.router)?;
    }
    checked
        .only(&none.host, "no-default-route")?
        .expect()
        .field("severity", "notice")
        .field("confidence", "likely")
        .field("interface", "v0")
        .evidence("advertisements", none.count()?)
        .evidence("accept_ra_defrtr", 1)
        .summary_has(["lifetime 0", "silent"])
        .check()?;
    let found = checked.only(&unwanted.host, "no-default-route")?;
    found
        .expect()
        .field("confidence", "certain")
        .evidence("accept_ra", 1)
        .evidence("forwarding", 0)
        .evidence("accept_ra_defrtr", 0)
        .summary_has(["accept_ra_defrtr of v0 is 0"])
        .check()?;
    found.follow("accept_ra_defrtr=1")?;
    unwanted.advertise()?;
    unwanted.has_addresses(1)?;
    Checked::now()?.silent(&unwanted.host)
}

/// Nobody answers solicitations, as where a server gives addresses and no router is there.
/// Not so an address that the world does not know, or that was set by hand, and where
/// nobody was asked.
fn unheard() -> Result<()> {
    let [site, local, by_hand, deaf] = ["ndru", "ndrl", "ndrh", "ndrd"].map(Site::new);
    let (site, local, by_hand, deaf) = (site?, local?, by_hand?, deaf?);
    deaf.set("accept_ra", "0")?;
    let lease = "valid_lft 1800 preferred_lft 900";
    for (one, address, lifetimes) in [
        (&site, "2001:db8:0:7::7/128", lease),
        (&deaf, "2001:db8:0:7::7/128", lease),
        (&local, "fd00:7::7/128", lease),
        (&by_hand, "2001:db8:0:7::7/64", ""),
    ] {
        one.host
            .ip(&format!("address add {address} dev v0 nodad {lifetimes}"))?;
    }
    let checked = Checked::now()?;
    for one in [&local, &by_hand, &deaf] {
        checked.silent(&one.host)?;
    }
    checked
        .only(&site.host, "no-default-route")?
        .expect()
        .field("severity", "notice")
        .field("confidence", "likely")
        .field("interface", "v0")
        .evidence("addresses", json!(["2001:db8:0:7::7"]))
        .evidence("advertisements", 0)
        .summary_has(["2001:db8:0:7::7", "no advertisement came in"])
        .check()
}
