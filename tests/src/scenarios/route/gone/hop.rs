//! Next hops whose interface loses its carrier.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::Site;
use crate::guest::{second_link, traced};
use crate::scenarios::route::{marked, shown};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("routes-hop-lost", lost),
    scenario("routes-hop-lost-passed-over", passed_over),
    scenario("routes-hop-lost-of-daemon", of_daemon),
    scenario("routes-hop-lost-not-single", single),
    scenario("routes-hop-lost-not-by-vlans-of-one", vlans_of_one),
    scenario("routes-hop-lost-by-a-vlan", vlan),
];

/// A route with a next hop by each of two links.
fn two_links(name: &str, route: &str) -> Result<Site> {
    let site = Site::new(name)?;
    second_link(&site.host, &site.router)?;
    site.host.ip(&format!(
        "-6 route add {route} metric 9 nexthop via fe80::1 dev v0 nexthop via fe80::9 dev w0"
    ))?;
    Ok(site)
}

/// Unplugs the first link.
fn unplug(site: &Site) -> Result<()> {
    site.router.ip("link set v1 down")?;
    marked(&site.host, true)
}

/// It is used all the same.
fn lost() -> Result<()> {
    let site = two_links("two-uplinks", "default")?;
    let report = traced(|| unplug(&site))?;
    let diagnosis = report.only("routes-hop-lost")?;
    site.expect_of(diagnosis, "route-change")
        .field("severity", "hazard")
        .field("pid", Value::Null)
        .evidence("count", 1)
        .evidence("default_routes", 1)
        .evidence("ignore_linkdown", 0)
        .summary_has(["lost its carrier", "default via fe80::1", "gets nowhere"])
        .check()?;
    let before = shown(&site.host, "-6 route show table all")?;
    diagnosis.follow("ignore_routes_with_linkdown=1")?;
    let after = shown(&site.host, "-6 route show table all")?;
    ensure!(before.len() == after.len(), "{before:#?} became {after:#?}");
    // As it says, the next time: whatever the flow, it goes by the other.
    site.router.ip("link set v1 up")?;
    marked(&site.host, false)?;
    unplug(&site)?;
    for number in 1..=32 {
        let way = shown(&site.host, &format!("-6 route get 2001:db8:1::{number:x}"))?.join(" ");
        ensure!(way.contains("dev w0"), "it goes {way}");
    }
    Ok(())
}

/// The kernel is told to pass over it.
fn passed_over() -> Result<()> {
    let site = two_links("two-uplinks-watched", "fd00:85::/48")?;
    site.host
        .set_sysctl("ipv6/conf/v0/ignore_routes_with_linkdown", "1")?;
    let report = traced(|| unplug(&site))?;
    let diagnosis = report.only("routes-hop-lost")?;
    site.expect_of(diagnosis, "route-change")
        .field("severity", "notice")
        .evidence("ignore_linkdown", 1)
        .summary_has(["fd00:85::/48", "other next hops"])
        .no_fix_has("sysctl")
        .check()
}

/// Whoever made the route hears of the link as well.
fn of_daemon() -> Result<()> {
    let site = two_links("two-uplinks-daemon", "default proto bird")?;
    let report = traced(|| unplug(&site))?;
    let diagnosis = report.only("routes-hop-lost")?;
    site.expect_of(diagnosis, "route-change")
        .field("severity", "notice")
        .summary_has(["(proto bird) the daemon may"])
        .no_fix_has("sysctl")
        .check()
}

/// A route with one next hop stays, as everybody expects, or with several by the same link;
/// and one that somebody sets down.
fn single() -> Result<()> {
    let site = two_links("one-uplink", "fd00:85::/48")?;
    site.host.ip("-6 route del fd00:85::/48")?;
    site.host
        .ip("-6 route add default via fe80::1 dev v0 metric 7")?;
    site.host
        .ip("-6 route add fd00:86::/48 nexthop via fe80::9 dev w0 nexthop via fe80::1 dev v0")?;
    for prefix in ["default metric 8", "fd00:87::/48"] {
        site.host.ip(&format!(
            "-6 route add {prefix} nexthop via fe80::1 dev v0 nexthop via fe80::3 dev v0"
        ))?;
    }
    let report = traced(|| {
        site.host.ip("link set w0 down")?;
        site.host.ip("-6 route del fd00:86::/48")?;
        unplug(&site)
    })?;
    ensure!(
        !report
            .diagnoses
            .iter()
            .any(|it| it.cause() == "routes-hop-lost"),
        "it says {:?}",
        report.diagnoses
    );
    Ok(())
}

/// A link with two VLANs, and a third on another one.
fn vlans(name: &str) -> Result<Site> {
    let site = two_links(name, "fd00:85::/48")?;
    for (link, number) in [("v0", 10), ("v0", 20), ("w0", 30)] {
        site.host.ip(&format!(
            "link add link {link} name {link}.{number} up type vlan id {number}"
        ))?;
    }
    site.host.ip("-6 route del fd00:85::/48")?;
    Ok(site)
}

/// All next hops are lost with one carrier.
fn vlans_of_one() -> Result<()> {
    let site = vlans("vlans-of-one")?;
    for prefix in ["default metric 8", "fd00:87::/48"] {
        site.host.ip(&format!(
            "-6 route add {prefix} nexthop via fe80::1 dev v0.10 nexthop via fe80::2 dev v0.20"
        ))?;
    }
    traced(|| unplug(&site))?.silent()
}

/// One of two is, of a route whose other one is by another link.
fn vlan() -> Result<()> {
    let site = vlans("vlan-of-two")?;
    site.host.ip(
        "-6 route add fd00:87::/48 nexthop via fe80::1 dev v0.10 nexthop via fe80::2 dev w0.30",
    )?;
    let report = traced(|| unplug(&site))?;
    report
        .only("routes-hop-lost")?
        .expect()
        .field("severity", "notice")
        .field("interface", "v0.10")
        .evidence("count", 1)
        .summary_has(["v0.10 has lost its carrier", "fd00:87::/48 via fe80::1"])
        .check()
}
