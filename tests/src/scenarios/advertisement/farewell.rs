//! Routers that say goodbye: told once, with what is left.

use std::time::Duration;

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde_json::json;

use super::{Site, ordinary};
use crate::guest::{Bird, Radvd, Tracing, default_routes, until};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("routes-withdrawn-once-by-radvd", radvd),
    scenario("routes-withdrawn-once-by-bird", bird),
    scenario("routes-withdrawn-once-repeated", repeated),
    scenario("ra-no-default-route-never-had", never_had),
];

/// Waits until the host has a default route of an advertisement, or none.
fn has_route(site: &Site, wanted: bool) -> Result<()> {
    let what = format!("the host should have a default route: {wanted}");
    until(&what, Duration::from_secs(10), || {
        default_routes(&site.host).is_ok_and(|routes| routes.is_empty() != wanted)
    })
}

/// Traces as a daemon of the router ends.
fn ends(site: &Site, end: impl FnOnce() -> Result<()>) -> Result<()> {
    has_route(site, true)?;
    let tracer = Tracing::start()?;
    end()?;
    has_route(site, false)?;
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("routes-withdrawn")?
        .expect()
        .field("severity", "hazard")
        .field("confidence", "certain")
        .field("netns", site.host.inode())
        .field("interface", site.interface.name.clone())
        .evidence("message", 134)
        .evidence("router_lifetime", 0)
        .evidence("default_routes", 1)
        .evidence("default_routes_left", json!([]))
        .summary_has(["router lifetime 0"])
        .check()
}

fn radvd() -> Result<()> {
    let site = Site::new()?;
    let radvd = Radvd::start_quick(&site.router, "w", true)?;
    ends(&site, || radvd.signal(Signal::TERM))
}

fn bird() -> Result<()> {
    let site = Site::new()?;
    let bird = Bird::advertising(&site.router, "w0")?;
    ends(&site, || bird.signal(Signal::TERM))
}

/// It says so more than once.
fn repeated() -> Result<()> {
    let site = Site::new()?;
    site.heeds()?;
    let advertiser = site.advertiser()?;
    let mut farewell = ordinary();
    farewell.lifetime = 0;
    ends(&site, || {
        (0..3).try_for_each(|_| advertiser.send(&farewell.bytes()))
    })
}

/// Who never was a default router took none away.
fn never_had() -> Result<()> {
    let site = Site::new()?;
    site.host
        .ip("-6 route add default via fe80::53 dev up.7 metric 7")?;
    let mut local = ordinary();
    local.lifetime = 0;
    let report = site.traced(&local.bytes())?;
    site.expect_advertisement(report.only("ra-no-default-route")?)
        .field("severity", "notice")
        .evidence("lifetime", 0)
        .check()?;
    let routes = super::super::route::shown(&site.host, "-6 route show default")?;
    ensure!(routes.len() == 1, "there are {routes:#?}");
    Ok(())
}
