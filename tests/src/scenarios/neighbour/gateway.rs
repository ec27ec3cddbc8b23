//! Gateways that do not answer.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{BEYOND, GATEWAY, Site, other, shown};
use crate::guest::Tracing;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("neighbour-unreachable-gateway", gateway),
    scenario("neighbour-unreachable-gateway-of-ipv4", of_ipv4),
    scenario(
        "neighbour-unreachable-gateway-lost-its-address",
        lost_address,
    ),
    scenario("neighbour-unreachable-gateway-has-another", has_another),
    scenario("neighbour-unreachable-gateway-of-a-second-way", second),
    scenario(
        "neighbour-unreachable-gateway-of-a-second-way-beyond",
        second_beyond,
    ),
    scenario("neighbour-unreachable-gateway-first-of-one", first_of_one),
];

/// A gateway that is not there: what goes by it is lost.
fn gateway() -> Result<()> {
    let site = Site::new("gateway")?;
    let routes = [
        format!("default via {GATEWAY} dev v0 metric 9"),
        format!("2001:db8:77::/48 via {GATEWAY} dev v0"),
        format!("2001:db8:78::/48 via {GATEWAY} dev v0 table 77"),
    ];
    for route in &routes {
        site.host.ip(&format!("-6 route add {route}"))?;
    }
    let tracer = Tracing::start()?;
    site.send_in_vain(BEYOND)?;
    site.send_in_vain(BEYOND)?;
    site.wait(GATEWAY, "FAILED")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("neighbour-unreachable")?;
    site.expect(diagnosis, GATEWAY)
        .field("severity", "failure")
        .evidence("nud_state", "INCOMPLETE")
        .evidence("solicitations", 3)
        .evidence("waiting", 2)
        .evidence("waiting_for", BEYOND.to_string())
        .evidence("could_ask", true)
        .evidence("router", false)
        .evidence("lladdr", Value::Null)
        .evidence("carrier", true)
        .evidence(
            "routes",
            json!(["2001:db8:78::/48 (table 77)", "::/0", "2001:db8:77::/48"]),
        )
        .evidence("route_count", 3)
        .evidence("other_gateways", json!([]))
        .evidence("same_mac", json!([]))
        .evidence("holders", json!([]))
        .summary_has(["3", "2", "EHOSTUNREACH", "::/0"])
        .check()?;
    // Who is there answers, and nothing is lost by asking.
    let before = shown(&site.host, "-6 route show table all")?;
    diagnosis.follow("ff02::1%v0")?;
    let after = shown(&site.host, "-6 route show table all")?;
    ensure!(before == after, "{before:#?} became {after:#?}");
    Ok(())
}

/// A route of IPv4 by way of an IPv6 gateway.
fn of_ipv4() -> Result<()> {
    let site = Site::new("rfc8950")?;
    let gateway = "fe80::4e".parse()?;
    site.host.ip("address add 10.94.0.1/32 dev v0")?;
    site.host
        .ip("route add 10.95.0.0/16 via inet6 fe80::4e dev v0")?;
    let tracer = Tracing::start()?;
    site.send(std::net::Ipv4Addr::new(10, 95, 0, 1))??;
    site.wait(gateway, "FAILED")?;
    let report = tracer.finish()?;
    report.complete()?;
    site.expect(report.only("neighbour-unreachable")?, gateway)
        .field("severity", "failure")
        .evidence("waiting", 1)
        .evidence("waiting_for", "10.95.0.1")
        .evidence("routes", json!(["10.95.0.0/16"]))
        .check()
}

/// A gateway that was there; the node still answers for another address.
fn lost_address() -> Result<()> {
    let site = Site::new("lost-gateway")?;
    let still = other(0xfd);
    site.give(GATEWAY)?;
    site.give(still)?;
    site.host
        .ip(&format!("-6 route add default via {GATEWAY} dev v0"))?;
    for address in [GATEWAY, still] {
        site.send(address)??;
        site.wait(address, "REACHABLE")?;
    }
    let mac = site.mac()?;
    site.node.ip(&format!("address del {GATEWAY}/64 dev p0"))?;
    let tracer = Tracing::start()?;
    // It may be a while since it was heard.
    site.host.ip(&format!(
        "-6 neigh replace {still} lladdr {mac} nud reachable dev v0"
    ))?;
    // As it is asked when nothing has come from it for a while.
    site.host.ip(&format!(
        "-6 neigh replace {GATEWAY} lladdr {mac} nud probe dev v0"
    ))?;
    site.wait(GATEWAY, "FAILED")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("neighbour-unreachable")?;
    site.expect(diagnosis, GATEWAY)
        .field("severity", "failure")
        .evidence("nud_state", "PROBE")
        .evidence("solicitations", 3)
        .evidence("waiting", 0)
        .evidence("lladdr", mac.as_str())
        .evidence("routes", json!(["::/0"]))
        .summary_has([mac, "nothing has confirmed that for".to_owned()])
        .check()?;
    // It may have been heard by its link-local address as well.
    let same = diagnosis.evidence("same_mac").cloned().unwrap_or_default();
    let same: Vec<String> = serde_json::from_value(same)?;
    ensure!(
        same.contains(&still.to_string()) && diagnosis.summary().contains(&same[0]),
        "{still} answers: {diagnosis}"
    );
    Ok(())
}

/// Others have the same route: they are named.
fn has_another() -> Result<()> {
    let site = Site::new("two-gateways")?;
    let second = other(0xfd);
    site.give(second)?;
    for gateway in [GATEWAY, second] {
        site.host
            .ip(&format!("-6 route append default via {gateway} dev v0"))?;
    }
    let report = site.unanswered(GATEWAY, GATEWAY)?;
    site.expect(report.only("neighbour-unreachable")?, GATEWAY)
        .field("severity", "failure")
        .evidence("waiting_for", GATEWAY.to_string())
        .evidence("routes", json!(["::/0"]))
        .evidence("other_gateways", json!([format!("{second} on v0")]))
        .summary_has([second.to_string()])
        .check()
}

/// A second way out, which nothing goes by while there is the first.
fn second() -> Result<()> {
    let site = Site::new("second-way")?;
    let first = other(0xfd);
    site.give(first)?;
    for (gateway, metric) in [(first, 100), (GATEWAY, 4096)] {
        site.host.ip(&format!(
            "-6 route add default via {gateway} dev v0 metric {metric}"
        ))?;
    }
    let tracer = Tracing::start()?;
    // Somebody looks whether it is there.
    site.send_in_vain(GATEWAY)?;
    site.wait(GATEWAY, "FAILED")?;
    let report = tracer.finish()?;
    report.complete()?;
    site.expect(report.only("neighbour-unreachable")?, GATEWAY)
        .field("severity", "notice")
        .evidence("routes", json!(["::/0"]))
        .summary_has_one_of(&["goes ahead"])
        .check()
}

/// The same of a prefix that is no default route, which another gateway, or a route that
/// rejects, is ahead for; but not of one that it is the first for.
fn second_beyond() -> Result<()> {
    let site = Site::new("second-beyond")?;
    let first = other(0xfd);
    site.give(first)?;
    let beyond = "2001:db8:77::/48";
    let rejected = "2001:db8:79::/48";
    for route in [
        format!("{beyond} via {first} dev v0 metric 100"),
        format!("{beyond} via {GATEWAY} dev v0 metric 4096"),
        format!("unreachable {rejected} metric 100"),
        format!("{rejected} via {GATEWAY} dev v0 metric 4096"),
    ] {
        site.host.ip(&format!("-6 route add {route}"))?;
    }
    let report = site.unanswered(GATEWAY, GATEWAY)?;
    site.expect(report.only("neighbour-unreachable")?, GATEWAY)
        .field("severity", "notice")
        .evidence("routes", json!([beyond, rejected]))
        .evidence("route_count", 2)
        .summary_has_one_of(&["goes ahead"])
        .check()
}

/// One more that it is the first for is a failure.
fn first_of_one() -> Result<()> {
    let site = Site::new("first-of-one")?;
    let first = other(0xfd);
    site.give(first)?;
    for route in [
        format!("default via {first} dev v0 metric 100"),
        format!("default via {GATEWAY} dev v0 metric 4096"),
        format!("2001:db8:78::/48 via {GATEWAY} dev v0 metric 4096"),
        format!("2001:db8:78::/48 via {first} dev v0 metric 5000"),
    ] {
        site.host.ip(&format!("-6 route add {route}"))?;
    }
    let report = site.unanswered(GATEWAY, GATEWAY)?;
    site.expect(report.only("neighbour-unreachable")?, GATEWAY)
        .field("severity", "failure")
        .evidence("route_count", 2)
        .check()
}
