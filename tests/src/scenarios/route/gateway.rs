//! Gateways and sources that the kernel does not take.

use anyhow::{Result, ensure};
use rustix::system::uname;
use serde_json::Value;

use super::{BEHIND, Host, OWN, about};
use crate::guest::{AddressState, Tracing, ip_fails};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("route-gateway-not-on-link", nowhere),
    scenario("route-gateway-not-on-link-by-which-route", elsewhere),
    scenario("route-gateway-not-on-link-of-several", several),
    scenario("route-gateway-not-on-link-of-what-is-off", off),
    scenario("route-gateway-not-on-link-ipv4", ipv4),
    scenario("route-gateway-not-on-link-several-of-ipv4", several_of_ipv4),
    scenario("route-gateway-own-address", own),
    scenario("route-gateway-without-interface", without_interface),
    scenario("route-gateway-invalid", invalid),
    scenario("route-by-loopback", by_loopback),
    scenario("route-onlink-mismatch", mismatch),
    scenario("route-source-not-local", source),
];

/// No route leads to the gateway.
fn nowhere() -> Result<()> {
    let host = Host::new("nowhere")?;
    let report = host.refused(&format!("add {BEHIND} via fd00:99::1 dev v0"))?;
    let diagnosis = report.only("route-gateway-not-on-link")?;
    host.expect(
        diagnosis,
        "EHOSTUNREACH",
        "fd00:5b::/64 via fd00:99::1 dev v0",
    )
    .field("address", "fd00:99::1")
    .field("interface", "v0")
    .field("ifindex", host.first.ifindex)
    .evidence("gateway", "fd00:99::1")
    .evidence("gateway_route", Value::Null)
    .evidence("extack", Value::Null)
    .summary_has(["fd00:99::1", "no route leads to it"])
    .check()?;
    host.follow(
        diagnosis,
        "onlink",
        "v0",
        &[BEHIND, "via fd00:99::1", "dev v0", "onlink"],
    )?;
    // The other fix, from the beginning.
    host.route(&format!("del {BEHIND}"))?;
    host.follow(
        diagnosis,
        "fd00:99::1/128",
        "v0",
        &[BEHIND, "via fd00:99::1", "dev v0"],
    )
}

/// Behind another gateway, on another interface's link, and rejected.
fn elsewhere() -> Result<()> {
    let host = Host::new("elsewhere")?;
    host.route("add default via fd00:5a::fe dev v0 proto static metric 9")?;
    host.route("add unreachable fd00:98::/64")?;
    // Of another table it does not count.
    host.route("add fd00:97::/64 dev v1 table 77")?;
    let tracer = Tracing::start()?;
    host.fails(&format!("add {BEHIND} via fd00:99::1 table 100 metric 5"))?;
    host.fails(&format!("add {BEHIND} via fd00:5a::9 dev v1"))?;
    host.fails(&format!("add {BEHIND} via fd00:98::1"))?;
    host.fails(&format!("add {BEHIND} via fd00:97::1"))?;
    // The table that the route is for does.
    host.route(&format!("add {BEHIND} via fd00:97::1 table 77"))?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(4)?;
    let default = "default via fd00:5a::fe dev v0 proto static metric 9";
    let behind = about(&report, "fd00:99::1")?;
    host.expect(
        behind,
        "EHOSTUNREACH",
        "fd00:5b::/64 via fd00:99::1 table 100 metric 5",
    )
    .field("cause", "route-gateway-not-on-link")
    .field("interface", Value::Null)
    .evidence("gateway_route", default)
    .summary_has(["another gateway"])
    .check()?;
    let table = "fd00:97::1";
    about(&report, table)?
        .expect()
        .evidence("gateway_route", default)
        .check()?;
    let direct = about(&report, "fd00:5a::9")?;
    host.expect(direct, "EHOSTUNREACH", "fd00:5b::/64 via fd00:5a::9 dev v1")
        .field("interface", "v1")
        .field("ifindex", host.second.ifindex)
        .evidence(
            "gateway_route",
            "fd00:5a::/64 dev v0 proto kernel metric 256",
        )
        .summary_has(["v0", "v1"])
        .no_fix_has("onlink")
        .no_fix_has("/128")
        .check()?;
    let rejected = about(&report, "fd00:98::1")?;
    host.expect(rejected, "EHOSTUNREACH", "fd00:5b::/64 via fd00:98::1")
        .summary_has(["unreachable", "rejects"])
        .no_fix_has("/128")
        .check()?;
    host.follow(
        behind,
        "fd00:99::1/128",
        "v0",
        &[BEHIND, "via fd00:99::1", "table 100", "metric 5"],
    )?;
    host.follow(
        direct,
        "dev v0",
        "v0",
        &[BEHIND, "via fd00:5a::9", "dev v0"],
    )
}

/// Of two next hops one is not on the link.
fn several() -> Result<()> {
    let host = Host::new("several")?;
    let words = "add fd00:5b::/64 nexthop via fd00:5a::9 dev v0 nexthop via fd00:99::1 dev v1";
    let report = host.refused(words)?;
    report
        .only("route-gateway-not-on-link")?
        .expect()
        .field("confidence", "likely")
        .field("errno", "EHOSTUNREACH")
        .field("address", "fd00:99::1")
        .field("interface", Value::Null)
        .evidence(
            "request",
            "fd00:5b::/64 nexthop via fd00:5a::9 dev v0 nexthop via fd00:99::1 dev v1",
        )
        .check()
}

/// An interface that is down, and one without IPv6, have lost what led to the gateway.
fn off() -> Result<()> {
    let host = Host::new("lost")?;
    for interface in ["d0", "d1"] {
        host.netns.dummy(interface)?;
    }
    host.netns.ip("address add fd00:70::1/64 dev d0 nodad")?;
    host.netns.ip("address add fd00:71::1/64 dev d1 nodad")?;
    host.netns.ip("link set d0 down")?;
    host.netns.set_sysctl("ipv6/conf/d1/disable_ipv6", "1")?;
    let tracer = Tracing::start()?;
    host.fails(&format!("add {BEHIND} via fd00:70::9 dev d0"))?;
    host.fails("add fd00:5c::/64 via fd00:71::9 dev d1")?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for (gateway, request, says, fix) in [
        (
            "fd00:70::9",
            "fd00:5b::/64 via fd00:70::9 dev d0",
            "d0 is not up",
            "link set dev d0 up",
        ),
        (
            "fd00:71::9",
            "fd00:5c::/64 via fd00:71::9 dev d1",
            "disable_ipv6 is 1",
            "disable_ipv6=0",
        ),
    ] {
        let diagnosis = about(&report, gateway)?;
        host.expect(diagnosis, "EHOSTUNREACH", request)
            .field("cause", "route-gateway-not-on-link")
            .summary_has([says])
            .no_fix_has("onlink")
            .no_fix_has("/128")
            .check()?;
        diagnosis.follow(fix)?;
    }
    // They come back without their addresses, which are to be added first.
    host.netns.ip("address add fd00:70::1/64 dev d0 nodad")?;
    let diagnosis = about(&report, "fd00:70::9")?;
    let has = [BEHIND, "via fd00:70::9", "dev d0"];
    host.follow(diagnosis, "route add", "d0", &has)
}

/// A route of IPv4 is tested the same way; what IPv4 refuses by itself is not told.
fn ipv4() -> Result<()> {
    let host = Host::new("rfc8950")?;
    host.netns.ip("address add 10.90.0.1/24 dev v0")?;
    let tracer = Tracing::start()?;
    ip_fails(&host.netns.ip_words("route add 10.91.0.0/16 via 10.99.0.1"))?;
    ip_fails(
        &host
            .netns
            .ip_words("route add 10.91.0.0/16 via 10.90.0.9 src 10.1.2.3"),
    )?;
    let words = "route add 10.92.0.0/16 via inet6 fd00:99::1 dev v0";
    ip_fails(&host.netns.ip_words(words))?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("route-gateway-not-on-link")?;
    host.expect(
        diagnosis,
        "EHOSTUNREACH",
        "10.92.0.0/16 via inet6 fd00:99::1 dev v0",
    )
    .field("address", "fd00:99::1")
    .evidence("gateway_route", Value::Null)
    .check()?;
    diagnosis.follow("onlink")?;
    let shown = super::shown(&host.netns, "route show 10.92.0.0/16")?;
    ensure!(
        shown
            .iter()
            .any(|line| line.contains("via inet6 fd00:99::1 dev v0 onlink")),
        "the fix brings {shown:?}"
    );
    Ok(())
}

/// One of two next hops is on no link; what IPv4 refuses of its own gateways is not told.
fn several_of_ipv4() -> Result<()> {
    let host = Host::new("rfc8950-hops")?;
    host.netns.ip("address add 10.90.0.1/24 dev v0")?;
    let fails = |hops: &str| ip_fails(&host.netns.ip_words(&format!("route add {hops}")));
    let tracer = Tracing::start()?;
    fails("10.91.0.0/16 nexthop via 10.99.0.1 dev v0 nexthop via 10.90.0.9 dev v0")?;
    let request =
        "10.92.0.0/16 nexthop via inet6 fe80::9 dev v1 nexthop via inet6 fd00:99::1 dev v0";
    fails(request)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("route-gateway-not-on-link")?;
    diagnosis
        .expect()
        .field("operation", "route-add")
        .field("severity", "failure")
        // It is one of them, and the kernel does not say which.
        .field("confidence", "likely")
        .field("errno", "EHOSTUNREACH")
        .field("netns", host.netns.inode())
        .field("address", "fd00:99::1")
        .evidence("gateway", "fd00:99::1")
        .evidence("request", request)
        .summary_has([request, "fd00:99::1"])
        .check()?;
    // As it says.
    let onlink = format!("{request} onlink");
    host.netns.ip(&format!("route add {onlink}"))
}

fn own() -> Result<()> {
    let host = Host::new("own")?;
    let report = host.refused(&format!("add {BEHIND} via {OWN} dev v0"))?;
    let diagnosis = report.only("route-gateway-own-address")?;
    host.expect(diagnosis, "EINVAL", "fd00:5b::/64 via fd00:5a::1 dev v0")
        .field("address", OWN.to_string())
        .evidence("gateway", OWN.to_string())
        .evidence("own_interface", "v0")
        .summary_has(["v0"])
        .check()?;
    host.follow(diagnosis, "route add", "v0", &[BEHIND, "dev v0"])
}

fn without_interface() -> Result<()> {
    let host = Host::new("unscoped")?;
    let report = host.refused(&format!("add {BEHIND} via fe80::9 metric 5"))?;
    let diagnosis = report.only("route-gateway-without-interface")?;
    host.expect(diagnosis, "EINVAL", "fd00:5b::/64 via fe80::9 metric 5")
        .field("address", "fe80::9")
        .field("interface", Value::Null)
        .evidence("gateway", "fe80::9")
        .check()?;
    host.follow(
        diagnosis,
        "IFNAME",
        "v1",
        &[BEHIND, "via fe80::9", "dev v1", "metric 5"],
    )
}

/// A group, and what stands for none.
fn invalid() -> Result<()> {
    let host = Host::new("nobody")?;
    let tracer = Tracing::start()?;
    host.fails(&format!("add {BEHIND} via ff02::1 dev v0"))?;
    host.fails(&format!("add {BEHIND} via :: dev v0"))?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for (gateway, says) in [("ff02::1", "multicast"), ("::", "no address")] {
        let request = format!("fd00:5b::/64 via {gateway} dev v0");
        host.expect(about(&report, gateway)?, "EINVAL", &request)
            .field("cause", "route-gateway-invalid")
            .evidence("gateway", gateway)
            .summary_has([says])
            .check()?;
    }
    Ok(())
}

/// Linux 5.10 takes it, and makes a route that rejects.
fn by_loopback() -> Result<()> {
    let host = Host::new("loop")?;
    host.netns.ip("link set lo up")?;
    let tracer = Tracing::start()?;
    let is_taken = host
        .route(&format!("add {BEHIND} via fe80::9 dev lo"))
        .is_ok();
    let report = tracer.finish()?;
    ensure!(is_taken == is_linux("5."), "taken: {is_taken}");
    if is_taken {
        return report.silent();
    }
    report.complete()?;
    let diagnosis = report.only("route-by-loopback")?;
    host.expect(diagnosis, "EINVAL", "fd00:5b::/64 via fe80::9 dev lo")
        .field("interface", "lo")
        .evidence("gateway", "fe80::9")
        .check()?;
    host.follow(diagnosis, "blackhole", "lo", &["blackhole", BEHIND])
}

/// Linux 7.2 takes it.
fn mismatch() -> Result<()> {
    let host = Host::new("mismatch")?;
    let tracer = Tracing::start()?;
    let is_taken = host
        .route(&format!("add {BEHIND} via fd00:5a::9 dev v1 onlink"))
        .is_ok();
    let report = tracer.finish()?;
    ensure!(is_taken == is_linux("7."), "taken: {is_taken}");
    if is_taken {
        return report.silent();
    }
    report.complete()?;
    let diagnosis = report.only("route-onlink-mismatch")?;
    host.expect(
        diagnosis,
        "EINVAL",
        "fd00:5b::/64 via fd00:5a::9 dev v1 onlink",
    )
    .field("address", "fd00:5a::9")
    .field("interface", "v1")
    .evidence("gateway", "fd00:5a::9")
    .evidence(
        "gateway_route",
        "fd00:5a::/64 dev v0 proto kernel metric 256",
    )
    .summary_has(["v0"])
    .check()?;
    host.follow(
        diagnosis,
        "dev v0",
        "v0",
        &[BEHIND, "via fd00:5a::9", "dev v0"],
    )
}

/// Whether this kernel's release begins like that.
fn is_linux(release: &str) -> bool {
    uname().release().to_string_lossy().starts_with(release)
}

fn source() -> Result<()> {
    let host = Host::new("source")?;
    let words = format!("add {BEHIND} via fe80::9 dev v0 src fd00:77::7");
    let report = host.refused(&words)?;
    let diagnosis = report.only("route-source-not-local")?;
    let request = "fd00:5b::/64 via fe80::9 dev v0 src fd00:77::7";
    host.expect(diagnosis, "EINVAL", request)
        .field("address", "fd00:77::7")
        .evidence("prefsrc", "fd00:77::7")
        .evidence("own_interface", Value::Null)
        .check()?;
    host.follow(diagnosis, "route add", "v0", &[BEHIND, "via fe80::9"])?;
    host.route(&format!("del {BEHIND}"))?;
    diagnosis.follow("address add fd00:77::7/128")?;
    let source = "fd00:77::7".parse()?;
    AddressState::Usable.wait(&host.netns, "v0", source)?;
    host.route(&words)
}
