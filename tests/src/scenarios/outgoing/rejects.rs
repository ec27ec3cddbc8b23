//! Routes and rules that reject.

use std::net::Ipv6Addr;

use anyhow::Result;
use serde_json::Value;

use super::{BEYOND, Host, OWN, To, Way};
use crate::guest::{Diagnosis, Expect, Link, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("route-rejects", routes),
    scenario("route-rejects-rule", rule),
    scenario("route-rejects-vrf", vrf),
];

impl Host {
    fn expect_rejected<'d>(
        &self,
        diagnosis: &'d Diagnosis,
        way: Way,
        errno: &str,
        address: Ipv6Addr,
    ) -> Expect<'d> {
        self.expect(diagnosis, way, errno, address)
            .field("cause", "route-rejects")
            .field("severity", "failure")
            .evidence("source", OWN.to_string())
    }
}

/// Each type of route has its errno, and is named whole. Without it, it goes by
/// the default route.
fn routes() -> Result<()> {
    let kinds = [
        (
            "blackhole",
            libc::EINVAL,
            "EINVAL",
            Way::Tcp,
            4_u8,
            "static",
        ),
        (
            "unreachable",
            libc::EHOSTUNREACH,
            "EHOSTUNREACH",
            Way::Udp,
            3,
            "boot",
        ),
        ("prohibit", libc::EACCES, "EACCES", Way::Tcp, 186, "bgp"),
    ];
    let host = Host::with_route("rejecting")?;
    let mut tried = Vec::new();
    for (n, (kind, errno, name, way, protocol, by)) in (1_u16..).zip(kinds) {
        let prefix = Ipv6Addr::new(0x2001, 0xdb8, 0x70 + n, 0, 0, 0, 0, 0);
        let to = Ipv6Addr::new(0x2001, 0xdb8, 0x70 + n, 0, 0, 0, 0, 9);
        let metric = 20 + u32::from(n);
        host.netns.ip(&format!(
            "-6 route add {kind} {prefix}/48 metric {metric} proto {protocol}"
        ))?;
        tried.push((kind, errno, name, way, protocol, by, prefix, to, metric));
    }
    let tracer = Tracing::start()?;
    for (_, errno, _, way, _, _, _, to, _) in &tried {
        host.fails(*errno, *way, *to)?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(tried.len())?;
    for (diagnosis, (kind, _, name, way, protocol, by, prefix, to, metric)) in
        report.diagnoses.iter().zip(&tried)
    {
        let prefix = format!("{prefix}/48");
        host.expect_rejected(diagnosis, *way, name, *to)
            .evidence("prefix", prefix.as_str())
            .evidence("type", *kind)
            .evidence("table", 254)
            .evidence("metric", *metric)
            .evidence("fib_protocol", *protocol)
            .evidence("rule", Value::Null)
            .summary_has([*kind, &prefix, by])
            .summary_has([*metric])
            .check()?;
        let before = host.routes()?;
        diagnosis.follow(&format!("route del {kind}"))?;
        let lost = before.difference(&host.routes()?).count();
        anyhow::ensure!(lost == 1, "{lost} routes were lost");
        host.goes(*way, *to)?;
    }
    Ok(())
}

/// No route, but a rule.
fn rule() -> Result<()> {
    let host = Host::with_route("ruled")?;
    host.netns
        .ip("-6 rule add priority 71 to 2001:db8:7::/48 prohibit")?;
    // Does not concern it.
    host.netns
        .ip("-6 rule add priority 72 fwmark 7 table 100")?;
    let tracer = Tracing::start()?;
    host.fails(libc::EACCES, Way::Tcp, BEYOND)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("route-rejects")?;
    host.expect_rejected(diagnosis, Way::Tcp, "EACCES", BEYOND)
        .evidence("rule", 71)
        .evidence("prefix", Value::Null)
        .summary_has(["71"])
        .some_fix_has("ip -6 rule")
        .check()?;
    host.keeping_routes(|| diagnosis.follow("rule del"))?;
    host.goes(Way::Tcp, BEYOND)
}

/// What keeps lookups of a VRF from going on in main. The default route there is
/// none for it.
fn vrf() -> Result<()> {
    let host = Host::with_route("vrf-out")?;
    host.netns.ip("link add blue up type vrf table 10")?;
    host.netns.ip("link add d0 master blue up type dummy")?;
    host.netns
        .ip("address add 2001:db8:10::2/64 dev d0 nodad")?;
    host.netns
        .ip("-6 route add unreachable default metric 4278198272 table 10")?;
    let blue = Link::find(&host.netns, "blue")?;
    let tracer = Tracing::start()?;
    host.fails(libc::EHOSTUNREACH, Way::Tcp, To::by(BEYOND, "blue"))?;
    host.goes(Way::Tcp, BEYOND)?;
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("route-rejects")?
        .expect()
        .field("errno", "EHOSTUNREACH")
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("interface", "blue")
        .evidence("oif", blue.ifindex)
        .evidence("prefix", "::/0")
        .evidence("table", 10)
        .evidence("metric", 4_278_198_272_u32)
        .summary_has(["unreachable"])
        .summary_has([10])
        .check()
}
