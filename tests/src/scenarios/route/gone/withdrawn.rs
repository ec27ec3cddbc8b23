//! Routes that routers take back.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{BEHIND, ROUTER, Site, lasting, lost};
use crate::guest::{Advertisement, Advertiser, Link, Tracing, default_routes, until};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("routes-withdrawn", withdrawn),
    scenario("routes-withdrawn-two-routers", two_routers),
    scenario("routes-withdrawn-by-neighbour", no_router),
    scenario("routes-withdrawn-by-another-link", another_link),
    scenario("routes-withdrawn-beside-default", beside),
];

/// A router that shuts down says so.
fn withdrawn() -> Result<()> {
    let site = Site::new("farewell")?;
    site.learn(1800)?;
    let tracer = Tracing::start()?;
    site.advertiser.send(&lasting(0).bytes())?;
    site.forgets()?;
    let report = tracer.finish()?;
    report.complete()?;
    site.expect(report.only("routes-withdrawn")?)
        .field("severity", "hazard")
        .field("address", "::")
        .field("pid", Value::Null)
        .evidence("message", 134)
        .evidence("count", 1)
        .evidence("default_routes_left", json!([]))
        .evidence("router_lifetime", 0)
        .summary_has(["fe80::1", "router lifetime 0", "No default route"])
        .some_fix_has("AdvDefaultLifetime")
        .check()
}

/// Two routers that go at once are told each by itself.
fn two_routers() -> Result<()> {
    let site = Site::new("pair")?;
    let second = "fe80::3";
    site.router
        .ip(&format!("address add {second}/64 dev v1 nodad"))?;
    let port = Link::find(&site.router, "v1")?;
    let other = Advertiser::new(&site.router, &port, second.parse()?)?;
    site.learn(1800)?;
    other.send(&lasting(1800).bytes())?;
    until(
        "there should be two routers",
        Duration::from_secs(5),
        || default_routes(&site.host).is_ok_and(|routes| routes.len() == 2),
    )?;
    let tracer = Tracing::start()?;
    for advertiser in [&site.advertiser, &other] {
        advertiser.send(&lasting(0).bytes())?;
    }
    site.forgets()?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for router in ["fe80::1 advertised", "fe80::3 advertised"] {
        let mut told = report.diagnoses.iter();
        let found = told.find(|it| it.summary().contains(router));
        let found = found.with_context(|| format!("nothing says {router}"))?;
        site.expect(found)
            .field("cause", "routes-withdrawn")
            .field("severity", "hazard")
            .evidence("count", 1)
            .check()?;
    }
    Ok(())
}

/// A neighbour advertisement without the flag R makes the kernel forget the router.
fn no_router() -> Result<()> {
    let site = Site::new("demoted")?;
    site.learn(1800)?;
    let tracer = Tracing::start()?;
    site.demote()?;
    site.forgets()?;
    let report = tracer.finish()?;
    report.complete()?;
    site.expect(report.only("routes-withdrawn")?)
        .field("severity", "hazard")
        .evidence("message", 136)
        .evidence("message_interface", "v0")
        .evidence("router_lifetime", Value::Null)
        .summary_has(["fe80::1", "no router", "flag R"])
        .some_fix_has("forward again")
        .check()
}

/// On another link, where a router has the same address: the kernel takes that for the
/// same router.
fn another_link() -> Result<()> {
    let site = Site::new("same-address")?;
    let name = site.router.name();
    site.host
        .ip(&format!("link add w0 type veth peer name w1 netns {name}"))?;
    site.router.ip("link set w1 addrgenmode none up")?;
    site.router
        .ip(&format!("address add {ROUTER}/64 dev w1 nodad"))?;
    site.host.ip("link set w0 addrgenmode none")?;
    site.host.ip("link set w0 up")?;
    // Without one the newest kernel makes no route of what it hears.
    site.host.ip("address add fe80::2/64 dev w0 nodad")?;
    let port = Link::find(&site.router, "w1")?;
    let other = Advertiser::new(&site.router, &port, ROUTER)?;
    site.learn(1800)?;
    let advertisement = lasting(1800).bytes();
    other.send(&advertisement)?;
    until(
        "there should be two routers",
        Duration::from_secs(5),
        || default_routes(&site.host).is_ok_and(|routes| routes.len() == 2),
    )?;
    let tracer = Tracing::start()?;
    site.demote()?;
    site.forgets()?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    let told = |interface: &str| {
        let mut told = report.diagnoses.iter();
        told.find(|it| it.field("interface") == interface)
            .with_context(|| format!("nothing about {interface}"))
    };
    site.expect(told("v0")?)
        .evidence("message_interface", "v0")
        .some_fix_has("forward again")
        .check()?;
    let elsewhere = told("w0")?;
    elsewhere
        .expect()
        .field("cause", "routes-withdrawn")
        .field("confidence", "certain")
        .evidence("message_interface", "v0")
        .summary_has(["on v0", "on w0", "by the address alone"])
        .some_fix_has("next advertisement on w0")
        .check()?;
    // As it says.
    site.learn_by(&other, &lasting(1800), |routes| {
        routes.iter().any(|(_, by)| by == "w0")
    })
}

/// What is no default route is a notice, and the default route stays.
fn beside() -> Result<()> {
    let site = Site::new("less")?;
    site.learn_of(&Advertisement::new().route(BEHIND, 48, 2, 1800))?;
    let tracer = Tracing::start()?;
    let less = Advertisement::new().route(BEHIND, 48, 2, 0);
    site.advertiser.send(&less.bytes())?;
    until("the route should go", Duration::from_secs(5), || {
        let routes = site.routes().unwrap_or_default();
        !routes.iter().any(|route| route.contains("fd00:71::/48"))
    })?;
    let report = tracer.finish()?;
    report.complete()?;
    site.expect(report.only("routes-withdrawn")?)
        .field("severity", "notice")
        .field("address", "fd00:71::")
        .evidence("lost_routes", json!([lost("fd00:71::/48", 1024)]))
        .evidence("message", 134)
        .check()?;
    ensure!(site.has_learnt()?, "the default route went");
    Ok(())
}
