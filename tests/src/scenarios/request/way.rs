//! Programs that ask which way packets go.

use anyhow::Result;
use serde_json::Value;

use super::{Host, about};
use crate::guest::Tracing;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("route-get-refused", asked)];

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
        ("fd00:70::1", "ENETUNREACH", None),
        (
            "fd00:71::1",
            "EHOSTUNREACH",
            Some("unreachable fd00:71::/48"),
        ),
        ("fd00:72::1", "EINVAL", Some("blackhole fd00:72::/48")),
        ("fd00:73::1", "EACCES", Some("prohibit fd00:73::/48")),
    ];
    for (address, ..) in told {
        host.fails(&format!("-6 route get {address}"))?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(told.len())?;
    for (address, errno, route) in told {
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
            .evidence("route", route.map_or(Value::Null, Value::from))
            .that(
                diagnosis.summary().contains(route.unwrap_or("no route")),
                format!("the summary does not say {route:?}"),
            )
            .check()?;
    }
    Ok(())
}
