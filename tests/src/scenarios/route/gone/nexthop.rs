//! Routes that go with their nexthop object, and what goes as somebody asked for it.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{BEHIND, Site, lasting};
use crate::guest::{Advertisement, Diagnosis, Tracing, second_link, until};
use crate::scenarios::route::shown;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("routes-lost-with-nexthop", with_carrier),
    scenario("routes-lost-with-nexthop-of-ipv4", of_ipv4),
    scenario("routes-lost-with-nexthop-down", with_down),
    scenario("routes-lost-with-nexthop-group", with_group),
    scenario("routes-lost-with-nexthop-not-group", not_group),
    scenario("routes-gone-as-asked", as_asked),
];

/// A default route and another one by way of a nexthop object, and one without.
fn with_objects(site: &Site) -> Result<()> {
    site.host.ip("nexthop add id 10 via fe80::1 dev v0")?;
    site.host.ip("-6 route add default nhid 10")?;
    site.host
        .ip("-6 route add fd00:74::/64 nhid 10 proto static metric 7")?;
    site.host.ip("-6 route add fd00:75::/64 via fe80::1 dev v0")
}

/// The carrier goes and comes back: what had no nexthop object is there again.
fn with_carrier() -> Result<()> {
    let site = Site::new("unplugged")?;
    with_objects(&site)?;
    let tracer = Tracing::start()?;
    unplug(&site, "v1", "id 10 ")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("routes-lost-with-nexthop")?;
    site.expect(diagnosis)
        .field("severity", "hazard")
        .field("pid", Value::Null)
        .evidence("count", 2)
        .evidence("default_routes", 1)
        .evidence("default_routes_left", json!([]))
        .summary_has(["carrier", "nhid 10", "fd00:74::/64"])
        .check()?;
    site.router.ip("link set v1 up")?;
    back(&site, diagnosis)
}

/// Routes of IPv4 by way of an IPv6 gateway go the same way.
fn of_ipv4() -> Result<()> {
    let site = Site::new("unplugged-v4")?;
    site.host.ip("address add 10.96.0.1/32 dev lo")?;
    site.host.ip("nexthop add id 10 via fe80::1 dev v0")?;
    site.host
        .ip("route add 10.97.0.0/16 nhid 10 proto static")?;
    site.host
        .ip("route add 10.98.0.0/16 via inet6 fe80::1 dev v0")?;
    let tracer = Tracing::start()?;
    unplug(&site, "v1", "id 10 ")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("routes-lost-with-nexthop")?;
    site.expect(diagnosis)
        .field("severity", "notice")
        .field("address", "10.97.0.0")
        .evidence("count", 1)
        .summary_has(["carrier", "nhid 10", "10.97.0.0/16"])
        .check()?;
    site.router.ip("link set v1 up")?;
    site.host.carries("v0")?;
    for fix in diagnosis.fixes() {
        diagnosis.follow(fix)?;
    }
    let routes = shown(&site.host, "route show")?;
    ensure!(
        routes
            .iter()
            .any(|route| route.starts_with("10.97.0.0/16 nhid 10") && route.contains("static")),
        "there are {routes:#?}"
    );
    Ok(())
}

/// The same where somebody sets the interface down.
fn with_down() -> Result<()> {
    let site = Site::new("switched-off")?;
    with_objects(&site)?;
    let tracer = Tracing::start()?;
    site.host.ip("link set v0 down")?;
    let report = tracer.finish()?;
    report.complete()?;
    let mut told = report.diagnoses.iter();
    let diagnosis = told
        .find(|it| it.cause() == "routes-lost-with-nexthop")
        .with_context(|| format!("it says {:?}", report.diagnoses))?;
    site.expect(diagnosis)
        .field("severity", "notice")
        .field("comm", "ip")
        .evidence("count", 2)
        .evidence("default_routes_left", json!([]))
        .summary_has(["ip set v0 down", "fd00:74::/64"])
        .check()?;
    site.host.ip("link set v0 up")?;
    site.host.ip("address add fe80::2/64 dev v0 nodad")?;
    back(&site, diagnosis)
}

/// A group with an object by each of two links, and routes of both protocols.
fn with_groups(site: &Site) -> Result<()> {
    second_link(&site.host, &site.router)?;
    site.host.ip("address add 10.96.0.1/32 dev lo")?;
    site.host.ip("nexthop add id 10 via fe80::1 dev v0")?;
    site.host.ip("nexthop add id 11 via fe80::9 dev w0")?;
    site.host.ip("nexthop add id 20 group 10/11")?;
    site.host.ip("-6 route add default nhid 20")?;
    site.host
        .ip("-6 route add fd00:74::/64 nhid 20 proto static metric 7")?;
    site.host.ip("route add 10.97.0.0/16 nhid 20 proto static")
}

/// Unplugs a link, and waits until its object is gone.
fn unplug(site: &Site, port: &str, id: &str) -> Result<()> {
    site.router.ip(&format!("link set {port} down"))?;
    until("the object should go", Duration::from_secs(5), || {
        let objects = shown(&site.host, "nexthop show").unwrap_or_default();
        !objects.iter().any(|object| object.starts_with(id))
    })
}

/// The last of a group goes, and with it the group.
fn with_group() -> Result<()> {
    let site = Site::new("unplugged-group")?;
    with_groups(&site)?;
    let tracer = Tracing::start()?;
    unplug(&site, "w1", "id 11 ")?;
    unplug(&site, "v1", "id 10 ")?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    let told = |address: &str| {
        let mut told = report.diagnoses.iter();
        let found = told.find(|it| it.field("address") == address);
        found.with_context(|| format!("nothing about {address}: {:?}", report.diagnoses))
    };
    let ipv6 = told("::")?;
    site.expect(ipv6)
        .field("cause", "routes-lost-with-nexthop")
        .field("severity", "hazard")
        .evidence("count", 2)
        .evidence("default_routes", 1)
        .evidence("default_routes_left", json!([]))
        .summary_has([
            "v0 has lost its carrier",
            "groups",
            "nhid 20",
            "fd00:74::/64",
        ])
        .check()?;
    let ipv4 = told("10.97.0.0")?;
    site.expect(ipv4)
        .field("cause", "routes-lost-with-nexthop")
        .evidence("count", 1)
        .summary_has(["groups", "nhid 20", "10.97.0.0/16"])
        .check()?;
    site.router.ip("link set v1 up")?;
    site.host.carries("v0")?;
    for fix in ipv6.fixes() {
        ipv6.follow(fix)?;
    }
    let routes = site.routes()?;
    for words in ["default nhid 20 ", "fd00:74::/64 nhid 20 "] {
        ensure!(
            routes.iter().any(|route| route.starts_with(words)),
            "no {words}: {routes:#?}"
        );
    }
    Ok(())
}

/// Another one is left in the group; and what somebody deletes is no news.
fn not_group() -> Result<()> {
    let site = Site::new("unplugged-one")?;
    with_groups(&site)?;
    let tracer = Tracing::start()?;
    unplug(&site, "v1", "id 10 ")?;
    let routes = site.routes()?;
    ensure!(
        routes
            .iter()
            .any(|route| route.starts_with("default nhid 20")),
        "{routes:#?}"
    );
    site.host.ip("nexthop del id 11")?;
    tracer.finish()?.silent()
}

/// Every fix works as soon as the link is there.
fn back(site: &Site, diagnosis: &Diagnosis) -> Result<()> {
    site.host.carries("v0")?;
    for fix in diagnosis.fixes() {
        diagnosis.follow(fix)?;
    }
    let routes = site.routes()?;
    ensure!(
        routes.iter().any(|route| {
            route.contains("fd00:74::/64 nhid 10")
                && route.contains("metric 7")
                && route.contains("proto static")
        }),
        "there are {routes:#?}"
    );
    Ok(())
}

/// What somebody asks for, what goes with its interface, and what the kernel makes and
/// takes with an address, is no news.
fn as_asked() -> Result<()> {
    let site = Site::new("tidy")?;
    site.host.ip("link add d0 type dummy")?;
    site.host.ip("link set d0 up")?;
    site.learn_of(&Advertisement::new().route(BEHIND, 48, 2, 1800))?;
    site.host.ip("nexthop add id 10 via fe80::1 dev v0")?;
    site.host.ip("-6 route add fd00:74::/64 nhid 10")?;
    let tracer = Tracing::start()?;
    site.advertiser.send(&lasting(1799).bytes())?;
    site.host.ip("-6 route del fd00:71::/48")?;
    site.host.ip("-6 route flush proto ra")?;
    site.host
        .ip("-6 route add fd00:76::/64 dev d0 expires 900")?;
    site.host.ip("-6 route del fd00:76::/64")?;
    site.host.ip("nexthop del id 10")?;
    let routes = site.routes()?;
    ensure!(
        !routes.iter().any(|route| route.contains("fd00:7")),
        "there are {routes:#?}"
    );
    // It rejects, and leads nowhere.
    site.host
        .ip("-6 route add unreachable fd00:79::/64 expires 1")
        .ok();
    site.host
        .ip("address add fd00:77::1/64 dev d0 nodad valid_lft 1 preferred_lft 1")?;
    site.host.ip("nexthop add id 11 via fe80::9 dev d0")?;
    site.host.ip("-6 route add fd00:78::/64 nhid 11")?;
    sleep(Duration::from_millis(2300));
    site.host.set_sysctl("ipv6/route/flush", "1")?;
    // Down on its way to another namespace, which nobody has set it.
    site.host
        .ip(&format!("link set d0 netns {}", site.router.name()))?;
    site.router.ip("link del d0")?;
    site.host.ip("link del v0")?;
    tracer.finish()?.silent()
}
