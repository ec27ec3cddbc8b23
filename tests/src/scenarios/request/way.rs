//! Programs that ask which way packets go.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{Host, about};
use crate::guest::{Netlink, Tracing, attribute};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("route-get-refused", asked),
    scenario("route-get-refused-without-interface", interfaces),
];

const RTM_GETROUTE: u16 = 26;
/// An index that no interface has.
const NOBODY: u32 = 7777;

/// No route, and each sort of route that rejects; what has a way is not told.
fn asked() -> Result<()> {
    let host = Host::new("ways")?;
    host.netns.ip("-6 route del default")?;
    for (kind, prefix) in [
        ("unreachable", "fd00:71::/48"),
        ("blackhole", "fd00:72::/48"),
        ("prohibit", "fd00:73::/48"),
    ] {
        host.netns.ip(&format!("-6 route add {kind} {prefix}"))?;
    }
    let tracer = Tracing::start()?;
    host.netns.ip("-6 route get fd00:5a::9")?;
    let told = [
        ("fd00:70::1", "ENETUNREACH", "no route leads there"),
        ("fd00:71::1", "EHOSTUNREACH", "type unreachable"),
        ("fd00:72::1", "EINVAL", "type blackhole"),
        ("fd00:73::1", "EACCES", "type prohibit"),
    ];
    for (address, ..) in told {
        host.fails(&format!("-6 route get {address}"))?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(told.len())?;
    for (address, errno, says) in told {
        let diagnosis = about(&report, address)?;
        diagnosis
            .expect()
            .field("cause", "route-get-refused")
            .field("severity", "notice")
            .field("confidence", "likely")
            .field("operation", "route-get")
            .field("errno", errno)
            .field("address", address)
            .field("netns", host.netns.inode())
            .evidence("extack", Value::Null)
            .that(
                diagnosis.summary().contains(says),
                format!("the summary does not say {says:?}"),
            )
            .check()?;
        diagnosis.follow("ip -6 route show table all")?;
        diagnosis.follow("ip -6 rule")?;
    }
    Ok(())
}

/// Interfaces that are not there, to come in and to go out by.
fn interfaces() -> Result<()> {
    let host = Host::new("doors")?;
    let mut netlink = Netlink::open(&host.netns)?;
    let tracer = Tracing::start()?;
    for kind in [3, 4] {
        let mut body = vec![10, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let to = std::net::Ipv6Addr::new(0xfd00, 0x5a, 0, 0, 0, 0, 0, 9);
        attribute(&mut body, 1, &to.octets());
        attribute(&mut body, kind, &NOBODY.to_ne_bytes());
        let errno = netlink.ask(RTM_GETROUTE, 0, &body)?;
        ensure!(errno != 0, "the kernel knows a way by {NOBODY}");
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for word in ["iif", "oif"] {
        about(&report, &format!("fd00:5a::9 {word} interface-7777"))?
            .expect()
            .field("cause", "route-get-refused")
            .field("severity", "notice")
            .field("ifindex", NOBODY)
            .summary_has(["7777"])
            .check()?;
    }
    Ok(())
}
