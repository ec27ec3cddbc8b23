//! Routes whose source goes with its address.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{super::shown, Site};
use crate::guest::{Diagnosis, Tracing, traced};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("routes-source-lost", of_ipv6),
    scenario("routes-source-lost-of-ipv4", of_ipv4),
    scenario(
        "routes-source-lost-of-ipv4-beside-others",
        of_ipv4_beside_others,
    ),
    scenario("routes-source-lost-of-several-hops", of_several_hops),
    scenario("routes-source-lost-beside-advertised", beside_advertised),
    scenario("routes-source-lost-not-others", others),
];

const SOURCE: &str = "fd00:80::5";
const SOURCE4: &str = "10.96.0.1";

/// Routes that have a source, and one that has none.
fn with_source(site: &Site) -> Result<()> {
    site.host
        .ip(&format!("address add {SOURCE}/128 dev v0 nodad"))?;
    for route in [
        format!("default via fe80::1 dev v0 metric 50 src {SOURCE}"),
        format!("fd00:81::/64 via fe80::1 dev v0 proto static src {SOURCE}"),
        format!("fd00:83::/64 via fe80::1 dev v0 proto bird src {SOURCE}"),
        "fd00:82::/64 via fe80::1 dev v0".to_owned(),
    ] {
        site.host.ip(&format!("-6 route add {route}"))?;
    }
    Ok(())
}

/// The routes stay, and nothing says that they have no source any more.
fn of_ipv6() -> Result<()> {
    let site = Site::new("renumbered")?;
    with_source(&site)?;
    let report = traced(|| site.host.ip(&format!("address del {SOURCE}/128 dev v0")))?;
    let diagnosis = report.only("routes-source-lost")?;
    site.expect_of(diagnosis, "route-change")
        .field("severity", "notice")
        .field("comm", "ip")
        .evidence("source", SOURCE)
        .evidence("count", 3)
        .evidence("default_routes", 1)
        .summary_has([
            &format!("ip removed the address {SOURCE}"),
            "3 routes",
            "They stay without",
            "(proto bird)",
        ])
        .no_fix_has("fd00:83::/64")
        .check()?;
    let before = shown(&site.host, "-6 route show")?;
    ensure!(
        before.len() >= 4 && before.iter().all(|route| !route.contains("src")),
        "the routes are {before:#?}"
    );
    // As it says, and nothing else goes.
    site.host
        .ip(&format!("address add {SOURCE}/128 dev v0 nodad"))?;
    let before = shown(&site.host, "-6 route show")?;
    for fix in diagnosis.fixes() {
        diagnosis.follow(fix)?;
    }
    let after = shown(&site.host, "-6 route show")?;
    ensure!(before.len() == after.len(), "{before:#?} became {after:#?}");
    for words in [
        "default via fe80::1 dev v0",
        "fd00:81::/64 via fe80::1 dev v0 proto static",
    ] {
        let found = after.iter().find(|route| route.starts_with(words));
        let found = found.with_context(|| format!("no {words}: {after:#?}"))?;
        ensure!(found.contains(&format!("src {SOURCE}")), "it is {found}");
    }
    Ok(())
}

/// Of IPv4 they go; what goes by a gateway of IPv4 is not told.
fn of_ipv4() -> Result<()> {
    let site = Site::new("renumbered-v4")?;
    site.host.ip(&format!("address add {SOURCE4}/32 dev lo"))?;
    site.host.ip("address add 10.99.0.1/24 dev v0")?;
    for route in [
        format!("default via inet6 fe80::1 dev v0 src {SOURCE4}"),
        format!("10.97.0.0/16 via inet6 fe80::1 dev v0 metric 7 src {SOURCE4}"),
        format!("10.100.0.0/16 via 10.99.0.2 src {SOURCE4}"),
        "10.98.0.0/16 via inet6 fe80::1 dev v0".to_owned(),
    ] {
        site.host.ip(&format!("-4 route add {route}"))?;
    }
    let report = traced(|| {
        site.host.ip("route del 10.98.0.0/16")?;
        site.host.ip(&format!("address del {SOURCE4}/32 dev lo"))
    })?;
    let diagnosis = report.only("routes-source-lost")?;
    site.expect_of(diagnosis, "route-removal")
        .field("severity", "hazard")
        .field("comm", "ip")
        .field("address", "0.0.0.0")
        .evidence("source", SOURCE4)
        .evidence("count", 2)
        .evidence("default_routes", 1)
        .evidence("default_routes_left", Value::Null)
        .summary_has([
            "No other default route of IPv4 was left",
            "default via inet6 fe80::1",
            "10.97.0.0/16 via inet6 fe80::1",
        ])
        .check()?;
    site.host.ip(&format!("address add {SOURCE4}/32 dev lo"))?;
    follow_all(&site, diagnosis)?;
    let routes = shown(&site.host, "route show")?;
    for words in [
        "default via inet6 fe80::1 dev v0",
        "10.97.0.0/16 via inet6 fe80::1 dev v0",
    ] {
        let found = routes.iter().find(|route| route.starts_with(words));
        let found = found.with_context(|| format!("no {words}: {routes:#?}"))?;
        ensure!(found.contains(&format!("src {SOURCE4}")), "it is {found}");
    }
    Ok(())
}

/// Follows every fix, which takes no route of IPv4 away.
fn follow_all(site: &Site, diagnosis: &Diagnosis) -> Result<()> {
    let before = shown(&site.host, "route show")?;
    for fix in diagnosis.fixes() {
        diagnosis.follow(fix)?;
    }
    let after = shown(&site.host, "route show")?;
    ensure!(
        before.iter().all(|route| after.contains(route)),
        "{before:#?} became {after:#?}"
    );
    Ok(())
}

/// The kernel tells of the last one to a prefix alone. Of one with two next hops, which is
/// one route, no command is given.
fn of_ipv4_beside_others() -> Result<()> {
    let site = Site::new("renumbered-v4-beside")?;
    site.host.ip(&format!("address add {SOURCE4}/32 dev lo"))?;
    site.host.ip("address add 10.99.0.1/24 dev v0")?;
    for route in [
        format!("default via inet6 fe80::1 dev v0 metric 10 src {SOURCE4}"),
        "default via 10.99.0.2 metric 100".to_owned(),
        format!("10.97.0.0/16 via inet6 fe80::1 dev v0 metric 10 src {SOURCE4}"),
        format!("10.97.0.0/16 via inet6 fe80::1 dev v0 metric 20 src {SOURCE4}"),
        format!(
            "10.98.0.0/16 src {SOURCE4} nexthop via inet6 fe80::1 dev v0 nexthop via inet6 fe80::3 dev v0"
        ),
    ] {
        site.host.ip(&format!("-4 route add {route}"))?;
    }
    let report = traced(|| site.host.ip(&format!("address del {SOURCE4}/32 dev lo")))?;
    let diagnosis = report.only("routes-source-lost")?;
    site.expect_of(diagnosis, "route-removal")
        .field("severity", "notice")
        .evidence("count", 2)
        .evidence("default_routes", 0)
        .summary_has(["10.97.0.0/16 via inet6 fe80::1", "10.98.0.0/16"])
        .no_fix_has("10.98.0.0/16")
        .check()?;
    site.host.ip(&format!("address add {SOURCE4}/32 dev lo"))?;
    follow_all(&site, diagnosis)?;
    let routes = shown(&site.host, "route show")?;
    ensure!(
        routes
            .iter()
            .any(|route| route.starts_with("10.97.0.0/16") && route.contains("metric 20")),
        "{routes:#?}"
    );
    Ok(())
}

/// To replace a route without a gateway would take the advertised one of the same metric.
fn beside_advertised() -> Result<()> {
    let site = Site::new("renumbered-tunnel")?;
    site.learn(1800)?;
    site.host.ip("link add d0 type dummy")?;
    site.host.ip("link set d0 up")?;
    site.host
        .ip(&format!("address add {SOURCE}/128 dev d0 nodad"))?;
    site.host.ip(&format!(
        "-6 route append default dev d0 metric 1024 src {SOURCE}"
    ))?;
    let report = traced(|| site.host.ip(&format!("address del {SOURCE}/128 dev d0")))?;
    let diagnosis = report.only("routes-source-lost")?;
    diagnosis
        .expect()
        .field("interface", "d0")
        .evidence("source", SOURCE)
        .evidence("default_routes", 1)
        .check()?;
    ensure!(diagnosis.fixes().is_empty(), "it says {diagnosis}");
    ensure!(site.has_learnt()?, "the advertised route went");
    Ok(())
}

/// To replace one next hop would take the others: no command is given.
fn of_several_hops() -> Result<()> {
    let site = Site::new("renumbered-hops")?;
    site.host
        .ip(&format!("address add {SOURCE}/128 dev v0 nodad"))?;
    site.host.ip(&format!(
        "-6 route add fd00:81::/64 src {SOURCE} nexthop via fe80::1 dev v0 nexthop via fe80::3 dev v0"
    ))?;
    let report = traced(|| site.host.ip(&format!("address del {SOURCE}/128 dev v0")))?;
    let diagnosis = report.only("routes-source-lost")?;
    site.expect_of(diagnosis, "route-change")
        .evidence("count", 2)
        .evidence("source", SOURCE)
        .check()?;
    ensure!(diagnosis.fixes().is_empty(), "it says {diagnosis}");
    Ok(())
}

/// Addresses that no route has as source, and routes that somebody deletes.
fn others() -> Result<()> {
    let site = Site::new("other-addresses")?;
    with_source(&site)?;
    site.host.ip("address add fd00:84::1/64 dev v0 nodad")?;
    site.host.ip("address add 10.96.0.2/32 dev lo")?;
    site.host
        .ip("route add 10.97.0.0/16 via inet6 fe80::1 dev v0 src 10.96.0.2")?;
    let tracer = Tracing::start()?;
    site.host.ip("address del fd00:84::1/64 dev v0")?;
    for prefix in ["default", "fd00:81::/64", "fd00:83::/64"] {
        site.host
            .ip(&format!("-6 route del {prefix} via fe80::1"))?;
    }
    site.host.ip(&format!("address del {SOURCE}/128 dev v0"))?;
    site.host.ip("route del 10.97.0.0/16")?;
    site.host.ip("address del 10.96.0.2/32 dev lo")?;
    let report = tracer.finish()?;
    let routes = shown(&site.host, "-6 route show")?;
    ensure!(
        routes.iter().any(|route| route.starts_with("fd00:82::/64")),
        "{}",
        json!(routes)
    );
    report.silent()
}
