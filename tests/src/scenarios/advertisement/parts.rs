//! Advertisements that are heeded but for the default route, a route, the hop limit
//! or the MTU.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};

use super::{ADDRESS, ROUTER, Site, ordinary};
use crate::guest::{AddressState, Report, Tracing, default_routes};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("ra-no-default-route-defrtr", defrtr),
    scenario("ra-no-default-route-lifetime", lifetime),
    scenario("ra-no-default-route-min-lft", min_lft),
    scenario("ra-no-default-route-from-local", from_local),
    scenario("ra-route-information-ignored", route),
    scenario("ra-route-information-ignored-otherwise", route_otherwise),
    scenario("ra-hop-limit-ignored", hop_limit),
    scenario("ra-mtu-ignored", mtu),
    scenario("ra-mtu-ignored-once-lowered", lowered),
    scenario("ra-mtu-not-ignored", nothing_ignored),
];

/// What a route is announced to.
const ROUTE: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x53, 5, 0, 0, 0, 0, 0);

impl Site {
    /// Checks that the host took the address, but no default route.
    fn has_no_default_route(&self) -> Result<()> {
        AddressState::Usable.wait(&self.host, &self.interface.name, ADDRESS)?;
        let routes = default_routes(&self.host)?;
        ensure!(routes.is_empty(), "the default routes are {routes:?}");
        Ok(())
    }

    /// Checks that the default route is said to be missing for that reason.
    fn no_default_route(&self, report: &Report, phrase: &str) -> Result<()> {
        self.has_no_default_route()?;
        self.expect_advertisement(report.only("ra-no-default-route")?)
            .field("severity", "notice")
            .field("address", ROUTER.to_string())
            .evidence("accept_ra_defrtr", self.get("accept_ra_defrtr")?)
            .evidence("accept_ra_from_local", self.get("accept_ra_from_local")?)
            .summary_has_one_of(&[phrase])
            .check()
    }

    /// Whether the host has a route to that prefix.
    fn has_route(&self, prefix: Ipv6Addr) -> Result<bool> {
        let table = self
            .host
            .enter(|| Ok(std::fs::read_to_string("/proc/thread-self/net/ipv6_route")?))?;
        let prefix = format!("{:032x}", u128::from(prefix));
        Ok(table.lines().any(|line| line.starts_with(&prefix)))
    }
}

fn defrtr() -> Result<()> {
    let site = Site::new()?;
    site.set("accept_ra_defrtr", "0")?;
    let report = site.traced(&ordinary().bytes())?;
    site.no_default_route(&report, "accept_ra_defrtr is 0")?;
    let diagnosis = report.only("ra-no-default-route")?;
    diagnosis.follow("accept_ra_defrtr=1")?;
    site.heeds()
}

/// A router that is none for others, and one that ceases to be.
fn lifetime() -> Result<()> {
    let site = Site::new()?;
    let mut advertisement = ordinary();
    advertisement.lifetime = 0;
    let report = site.traced(&advertisement.bytes())?;
    site.no_default_route(&report, "its router lifetime is 0")?;
    site.heeds()?;
    let report = site.traced(&advertisement.bytes())?;
    site.no_default_route(&report, "its router lifetime is 0")
}

fn min_lft() -> Result<()> {
    let site = Site::new()?;
    if !site.has("accept_ra_min_lft")? {
        println!("no accept_ra_min_lft here");
        return Ok(());
    }
    // The prefix lives longer.
    site.set("accept_ra_min_lft", "1000")?;
    let mut advertisement = ordinary();
    advertisement.lifetime = 999;
    let report = site.traced(&advertisement.bytes())?;
    site.no_default_route(&report, "below accept_ra_min_lft = 1000")?;
    let diagnosis = report.only("ra-no-default-route")?;
    diagnosis.follow("accept_ra_min_lft=0")?;
    site.send(&advertisement.bytes())?;
    site.has_all()
}

/// The host has the router's address, too.
fn from_local() -> Result<()> {
    let site = Site::new()?;
    site.host
        .ip(&format!("address add {ROUTER}/64 dev up.7 nodad"))?;
    let report = site.traced(&ordinary().bytes())?;
    site.no_default_route(&report, "accept_ra_from_local is 0")
}

/// By default no routes are taken.
fn route() -> Result<()> {
    let site = Site::new()?;
    let message = ordinary().route(ROUTE, 48, 2, 600).bytes();
    let report = site.traced(&message)?;
    site.has_all()?;
    ensure!(!site.has_route(ROUTE)?, "the route was taken");
    let diagnosis = report.only("ra-route-information-ignored")?;
    site.expect_advertisement(diagnosis)
        .field("severity", "notice")
        .field("address", ROUTE.to_string())
        .evidence("prefix", format!("{ROUTE}/48"))
        .evidence("route_lifetime", 600)
        .evidence("accept_ra_rt_info_max_plen", 0)
        .evidence("accept_ra_rt_info_min_plen", 0)
        .evidence("accept_ra_rtr_pref", 1)
        .summary_has([format!("{ROUTE}/48")])
        .check()?;
    diagnosis.follow("accept_ra_rt_info_max_plen=64")?;
    let tracer = Tracing::start()?;
    site.send(&message)?;
    ensure!(site.has_route(ROUTE)?, "the route was not taken");
    site.has_all()?;
    tracer.finish()?.silent()
}

/// Each of the other reasons, and what is none: a route that is withdrawn.
fn route_otherwise() -> Result<()> {
    /// The sysctls, the bits, units and lifetime of the option, what the summary
    /// says, and the fix.
    type Case = (
        &'static [(&'static str, &'static str)],
        (u8, u8, u32),
        &'static str,
        &'static str,
    );
    const MAX: (&str, &str) = ("accept_ra_rt_info_max_plen", "64");
    const CASES: [Case; 5] = [
        (
            &[MAX, ("accept_ra_rtr_pref", "0")],
            (48, 2, 600),
            "accept_ra_rtr_pref is 0",
            "accept_ra_rtr_pref=1",
        ),
        (
            &[MAX, ("accept_ra_rt_info_min_plen", "56")],
            (48, 2, 600),
            "accept_ra_rt_info_min_plen = 56",
            "accept_ra_rt_info_min_plen=48",
        ),
        (&[MAX], (48, 4, 600), "malformed", "mend its sender"),
        (
            &[("accept_ra_rt_info_max_plen", "128")],
            (129, 3, 600),
            "129 bits",
            "mend its sender",
        ),
        (&[MAX], (48, 2, 0), "", ""),
    ];
    for (sysctls, (length, units, lifetime), phrase, fix) in CASES {
        let site = Site::new()?;
        for (sysctl, value) in sysctls {
            site.set(sysctl, value)?;
        }
        let message = ordinary().route(ROUTE, length, units, lifetime);
        let report = site.traced(&message.bytes())?;
        site.has_all()?;
        ensure!(!site.has_route(ROUTE)?, "{phrase}: the route was taken");
        if phrase.is_empty() {
            report.silent()?;
            continue;
        }
        let diagnosis = report.only("ra-route-information-ignored")?;
        site.expect_advertisement(diagnosis)
            .field("severity", "notice")
            .summary_has_one_of(&[phrase])
            .check()?;
        if fix.starts_with("accept") {
            diagnosis.follow(fix)?;
            site.send(&message.bytes())?;
            ensure!(site.has_route(ROUTE)?, "{fix}: the route was not taken");
            site.has_all()?;
        }
    }
    Ok(())
}

fn hop_limit() -> Result<()> {
    let site = Site::new()?;
    site.set("accept_ra_min_hop_limit", "65")?;
    let before = site.get("hop_limit")?;
    let mut advertisement = ordinary();
    advertisement.hop_limit = 33;
    let report = site.traced(&advertisement.bytes())?;
    site.has_all()?;
    ensure!(site.get("hop_limit")? == before, "it was taken");
    let diagnosis = report.only("ra-hop-limit-ignored")?;
    site.expect_advertisement(diagnosis)
        .field("severity", "notice")
        .evidence("hop_limit", 33)
        .evidence("accept_ra_min_hop_limit", 65)
        .summary_has(["33", "65"])
        .check()?;
    diagnosis.follow("accept_ra_min_hop_limit=33")?;
    site.send(&advertisement.bytes())?;
    ensure!(site.get("hop_limit")? == 33, "it was not taken");
    site.has_all()
}

/// Above the interface's, below the least, and not wanted.
fn mtu() -> Result<()> {
    let site = Site::new()?;
    for (mtu, sysctl, phrase, fix) in [
        (1600, "1", "above the interface's own, 1500", "mtu 1600"),
        (1279, "1", "below 1280", ""),
        (1400, "0", "accept_ra_mtu is 0", "accept_ra_mtu=1"),
    ] {
        site.set("accept_ra_mtu", sysctl)?;
        let message = ordinary().mtu(mtu).bytes();
        let before = site.get("mtu")?;
        let report = site.traced(&message)?;
        site.has_all()?;
        ensure!(site.get("mtu")? == before, "{mtu} was taken");
        let diagnosis = report.only("ra-mtu-ignored")?;
        site.expect_advertisement(diagnosis)
            .field("severity", "notice")
            .evidence("advertised_mtu", mtu)
            .evidence("mtu", 1500)
            .evidence("accept_ra_mtu", site.get("accept_ra_mtu")?)
            .summary_has([mtu])
            .summary_has_one_of(&[phrase])
            .check()?;
        if !fix.is_empty() {
            diagnosis.follow(fix)?;
            site.send(&message)?;
            ensure!(site.get("mtu")? == i64::from(mtu), "{mtu} was not taken");
            site.has_all()?;
            site.host.ip("link set up.7 mtu 1500")?;
        }
    }
    Ok(())
}

/// The same advertisement was heeded before the interface's MTU was lowered, and is
/// again once that is raised.
fn lowered() -> Result<()> {
    let site = Site::new()?;
    let message = ordinary().mtu(1500).bytes();
    let tracer = Tracing::start()?;
    site.send(&message)?;
    site.has_all()?;
    site.host.ip("link set up.7 mtu 1400")?;
    site.send(&message)?;
    site.host.ip("link set up.7 mtu 1500")?;
    site.send(&message)?;
    ensure!(site.get("mtu")? == 1500, "the MTU is not what it was");
    let report = tracer.finish()?;
    report.complete()?;
    site.expect_advertisement(report.only("ra-mtu-ignored")?)
        .field("severity", "notice")
        .evidence("advertised_mtu", 1500)
        .evidence("mtu", 1400)
        .summary_has_one_of(&["above the interface's own, 1400"])
        .check()
}

/// Everything that an advertisement can hold, within the limits.
fn nothing_ignored() -> Result<()> {
    let site = Site::new()?;
    site.set("accept_ra_rt_info_max_plen", "48")?;
    let message = ordinary()
        .mtu(1500)
        .route(ROUTE, 48, 2, 600)
        // A DNS server.
        .option(&[25, 3, 0, 0, 0, 0, 2, 88])
        .option(&Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x35).octets())
        .bytes();
    let tracer = Tracing::start()?;
    site.send(&message)?;
    site.has_all()?;
    ensure!(site.has_route(ROUTE)?, "the route was not taken");
    tracer.finish()?.silent()
}
