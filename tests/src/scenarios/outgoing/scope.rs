//! Link-local addresses without an interface.

use std::net::Ipv6Addr;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::{Host, ROUTER, To, Way};
use crate::guest::{Link, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("connect-scope-missing", missing)];

/// To a host and to a group; a datagram socket that only compares is no failure,
/// and with an interface there is nothing to tell.
fn missing() -> Result<()> {
    let host = Host::with_route("which")?;
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x6e);
    let scoped = To::scoped(ROUTER, host.interface.ifindex);
    let tracer = Tracing::start()?;
    for way in [Way::Tcp, Way::Compare] {
        for _ in 0..3 {
            host.fails(libc::EINVAL, way, ROUTER)?;
        }
        host.goes(way, scoped)?;
        host.goes(way, To::by(ROUTER, "v0"))?;
    }
    host.fails(libc::EINVAL, Way::Compare, group)?;
    host.goes(Way::Udp, scoped)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    let expected = [(Way::Tcp, "failure"), (Way::Compare, "notice")];
    for (diagnosis, (way, severity)) in report.diagnoses.iter().zip(expected) {
        diagnosis
            .expect()
            .field("cause", "connect-scope-missing")
            .field("severity", severity)
            .field("confidence", "certain")
            .field("operation", "connect")
            .field("errno", "EINVAL")
            .field("comm", "guest")
            .field("netns", host.netns.inode())
            .field("address", ROUTER.to_string())
            .evidence("port", super::PORT)
            .evidence("protocol", if way == Way::Tcp { 6 } else { 17 })
            .evidence("sin6_scope_id", 0)
            .evidence("sk_bound_dev_if", 0)
            .evidence("interfaces", json!(["v0"]))
            .evidence("suppressed", 0)
            .summary_has(["guest", "fe80::1", "EINVAL"])
            .check()?;
    }
    // What is to be given to the program leads there.
    let fixes = report.diagnoses[0].fixes();
    let (address, rest) = fixes
        .first()
        .and_then(|fix| fix.strip_prefix("give the program "))
        .and_then(|fix| fix.split_once('%'))
        .context("no fix names an address")?;
    let name = rest.split_whitespace().next().unwrap_or_default();
    ensure!(address == "fe80::1", "{fixes:?}");
    let named = Link::find(&host.netns, name)?;
    host.goes(Way::Tcp, To::scoped(ROUTER, named.ifindex))
}
