//! Proxies that may not answer.

use std::net::Ipv6Addr;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::json;

use super::{OWN, Site, other, send, wait};
use crate::guest::{
    Advertisement, Advertiser, Diagnosis, Link, Tracing, default_routes, until_some,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("ndp-proxy-idle-without-forwarding", without_forwarding),
    scenario("ndp-proxy-idle-without-proxy-ndp", without_proxy_ndp),
    scenario("ndp-proxy-idle-on-one-interface", on_one_interface),
    scenario("ndp-proxy-idle-left-over", left_over),
    scenario("ndp-proxy-idle-not-where-it-answers", answers),
];

/// The node's own address, by which it asks.
const NODE: Ipv6Addr = other(0xa);
/// What is behind the host.
const BEHIND: Ipv6Addr = other(0xbe);
/// The router of another link.
const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x4e);

/// A host that is to answer on v0 for what is behind it.
fn proxy(name: &str) -> Result<Site> {
    let site = Site::new(name)?;
    site.give(NODE)?;
    // It answers within a second otherwise.
    site.host.set_sysctl("ipv6/neigh/v0/proxy_delay", "1")?;
    site.host.dummy("d0")?;
    site.host.ip(&format!("-6 route add {BEHIND}/128 dev d0"))?;
    site.host
        .ip(&format!("-6 neigh add proxy {BEHIND} dev v0"))?;
    Ok(site)
}

/// The node asks for what is behind the host, in vain.
fn asks(site: &Site) -> Result<()> {
    send(&site.node, BEHIND)??;
    wait(&site.node, BEHIND, "FAILED")
}

/// The node asks, and is answered.
fn is_answered(site: &Site) -> Result<()> {
    send(&site.node, BEHIND)??;
    wait(&site.node, BEHIND, "REACHABLE")
}

fn check(
    site: &Site,
    diagnosis: &Diagnosis,
    proxy_ndp: i32,
    all: i32,
    from: &[&str],
) -> Result<()> {
    let advertised: Vec<_> = from.iter().map(|name| json!(name)).collect();
    diagnosis
        .expect()
        .field("cause", "ndp-proxy-idle")
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("operation", "neighbour-solicitation")
        .field("errno", serde_json::Value::Null)
        .field("comm", serde_json::Value::Null)
        .field("netns", site.host.inode())
        .field("interface", "v0")
        .field("ifindex", site.link.ifindex)
        .field("address", BEHIND.to_string())
        .evidence("source", NODE.to_string())
        .evidence("proxy_ndp", proxy_ndp)
        .evidence("all_proxy_ndp", all)
        .evidence("behind", "d0")
        .evidence("advertised", json!(advertised))
        .summary_has([NODE.to_string(), BEHIND.to_string()])
        .check()
}

/// What the fixes cost: nothing that came from a router.
fn without_forwarding() -> Result<()> {
    let site = proxy("proxy")?;
    // Another link, with a router that is heard of.
    let far = site.node.name();
    site.host
        .ip(&format!("link add v1 type veth peer name p1 netns {far}"))?;
    for (netns, interface) in [(&site.host, "v1"), (&site.node, "p1")] {
        netns.set_sysctl(&format!("ipv6/conf/{interface}/accept_dad"), "0")?;
        netns.ip(&format!("link set {interface} up"))?;
    }
    site.node
        .ip(&format!("address add {ROUTER}/64 dev p1 nodad"))?;
    let router = Advertiser::new(&site.node, &Link::find(&site.node, "p1")?, ROUTER)?;
    until_some("the host hears the router", Duration::from_secs(8), || {
        router.send(&Advertisement::new().bytes())?;
        Ok((default_routes(&site.host)?.len() == 1).then_some(()))
    })?;
    let tracer = Tracing::start()?;
    asks(&site)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = of_host(&report.diagnoses, &site)?;
    check(&site, diagnosis, 0, 0, &["v1"])?;
    diagnosis
        .expect()
        .evidence("forwarding", 0)
        .summary_has_one_of(&["does not forward"])
        .check()?;
    for fix in ["accept_ra=2", "forwarding=1", "proxy_ndp=1"] {
        diagnosis.follow(fix)?;
    }
    is_answered(&site)?;
    let left = default_routes(&site.host)?;
    ensure!(left.len() == 1, "of the default route is left {left:?}");
    Ok(())
}

/// A router, whose proxies are off.
fn without_proxy_ndp() -> Result<()> {
    let site = proxy("proxy-off")?;
    site.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    let tracer = Tracing::start()?;
    asks(&site)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = of_host(&report.diagnoses, &site)?;
    check(&site, diagnosis, 0, 0, &[])?;
    diagnosis
        .expect()
        .evidence("forwarding", 1)
        .no_fix_has("forwarding")
        .check()?;
    diagnosis.follow("proxy_ndp=1")?;
    is_answered(&site)
}

/// All others forward: they are left alone.
fn on_one_interface() -> Result<()> {
    let site = proxy("proxy-side")?;
    site.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    site.host.set_sysctl("ipv6/conf/v0/forwarding", "0")?;
    site.host.set_sysctl("ipv6/conf/d0/forwarding", "0")?;
    site.host.set_sysctl("ipv6/conf/all/proxy_ndp", "1")?;
    let tracer = Tracing::start()?;
    asks(&site)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = of_host(&report.diagnoses, &site)?;
    let own = site.host.sysctl("ipv6/conf/v0/proxy_ndp")?.parse()?;
    check(&site, diagnosis, own, 1, &[])?;
    diagnosis
        .expect()
        .evidence("forwarding", 0)
        .evidence("all_forwarding", 1)
        .no_fix_has("proxy_ndp")
        .no_fix_has("all/forwarding")
        .check()?;
    diagnosis.follow("v0/forwarding=1")?;
    is_answered(&site)?;
    let other = site.host.sysctl("ipv6/conf/d0/forwarding")?;
    ensure!(other == "0", "d0 forwards as well: {other}");
    Ok(())
}

/// What the host's own routes have on that very link is there by itself.
fn left_over() -> Result<()> {
    let site = Site::new("proxy-left")?;
    site.give(NODE)?;
    let entry = format!("-6 neigh add proxy {BEHIND} dev v0");
    site.host.ip(&entry)?;
    let tracer = Tracing::start()?;
    asks(&site)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = of_host(&report.diagnoses, &site)?;
    diagnosis
        .expect()
        .field("cause", "ndp-proxy-idle")
        .field("severity", "notice")
        .evidence("behind", "v0")
        .no_fix_has("forwarding")
        .check()?;
    diagnosis.follow("neigh del proxy")?;
    // It is gone.
    site.host.ip(&entry)
}

/// A proxy at work, an address that the host has itself, and an entry of another
/// interface.
fn answers() -> Result<()> {
    let site = proxy("proxy-works")?;
    site.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    site.host.set_sysctl("ipv6/conf/v0/proxy_ndp", "1")?;
    let idle = Site::new("proxy-own")?;
    idle.give(NODE)?;
    idle.host.dummy("d0")?;
    // Of the same solicited-node group as the host's own, so that it is heard.
    let alike = Ipv6Addr::new(0xfd00, 0x4e, 0, 0, 1, 0, 0, 1);
    for (address, interface) in [(OWN, "v0"), (alike, "d0")] {
        idle.host
            .ip(&format!("-6 neigh add proxy {address} dev {interface}"))?;
    }
    let tracer = Tracing::start()?;
    is_answered(&site)?;
    send(&idle.node, OWN)??;
    wait(&idle.node, OWN, "REACHABLE")?;
    send(&idle.node, alike)??;
    wait(&idle.node, alike, "FAILED")?;
    let report = tracer.finish()?;
    report.complete()?;
    let mut told = report.diagnoses.iter();
    let told = told.find(|it| it.cause() == "ndp-proxy-idle");
    ensure!(told.is_none(), "it says {told:?}");
    Ok(())
}

/// The one diagnosis of the host; that the node gets no answer is told as well.
fn of_host<'d>(diagnoses: &'d [Diagnosis], site: &Site) -> Result<&'d Diagnosis> {
    let own: Vec<_> = diagnoses
        .iter()
        .filter(|it| it.field("netns") == site.host.inode())
        .collect();
    match own[..] {
        [only] => Ok(only),
        _ => bail!("expected one diagnosis of the host: {diagnoses:?}"),
    }
}
