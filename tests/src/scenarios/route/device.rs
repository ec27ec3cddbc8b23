//! Interfaces that no route can leave by, and nexthop objects.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{BEHIND, Host};
use crate::guest::{Netlink, Netns, RouteRequest, Tracing, ip_fails};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("route-no-such-device", no_such_device),
    scenario("route-ipv6-off-mtu", off_mtu),
    scenario("route-ipv6-disabled", disabled),
    scenario("route-interface-down", down),
    scenario("route-nexthop-object", object),
];

pub(super) const OFF: &[Scenario] = &[scenario("route-ipv6-off", ipv6_off)];

/// An index that no interface has, and a request that names nothing.
fn no_such_device() -> Result<()> {
    let host = Host::new("gone")?;
    let mut request = RouteRequest {
        destination: "fd00:5b::".parse()?,
        prefix_len: 64,
        ifindex: host.netns.dummy_with_index("d0", 77)?.ifindex,
    };
    host.netns.ip("link del d0")?;
    let mut netlink = Netlink::open(&host.netns)?;
    let tracer = Tracing::start()?;
    for ifindex in [request.ifindex, 0] {
        request.ifindex = ifindex;
        let errno = request.add(&mut netlink)?;
        ensure!(errno == libc::ENODEV, "the kernel says {errno}");
    }
    // What there is it takes.
    request.ifindex = host.first.ifindex;
    ensure!(request.add(&mut netlink)? == 0, "the kernel refuses v0");
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for (diagnosis, index) in report.diagnoses.iter().zip([77.into(), Value::Null]) {
        diagnosis
            .expect()
            .field("cause", "route-no-such-device")
            .field("severity", "failure")
            .field("confidence", "certain")
            .field("errno", "ENODEV")
            .field("netns", host.netns.inode())
            .field("ifindex", index.clone())
            .field("interface", Value::Null)
            .evidence("requested_ifindex", index)
            .check()?;
    }
    Ok(())
}

fn off_mtu() -> Result<()> {
    let host = Host::new("small")?;
    host.netns.dummy("d0")?;
    host.netns.ip("link set d0 mtu 1279")?;
    let report = host.refused(&format!("add {BEHIND} via fe80::9 dev d0"))?;
    let diagnosis = report.only("route-ipv6-off-mtu")?;
    host.expect(diagnosis, "ENODEV", "fd00:5b::/64 via fe80::9 dev d0")
        .field("interface", "d0")
        .evidence("mtu", 1279)
        .evidence("ip6_ptr", 0)
        .summary_has(["1279", "1280"])
        .check()?;
    diagnosis.follow("mtu 1280")?;
    host.follow(
        diagnosis,
        "route add",
        "d0",
        &[BEHIND, "via fe80::9", "dev d0"],
    )
}

fn disabled() -> Result<()> {
    let host = Host::new("off")?;
    host.netns.dummy("d0")?;
    host.netns.set_sysctl("ipv6/conf/d0/disable_ipv6", "1")?;
    let report = host.refused(&format!("add {BEHIND} via fe80::9 dev d0"))?;
    let diagnosis = report.only("route-ipv6-disabled")?;
    host.expect(diagnosis, "EACCES", "fd00:5b::/64 via fe80::9 dev d0")
        .field("interface", "d0")
        .evidence("disable_ipv6", 1)
        .check()?;
    diagnosis.follow("disable_ipv6=0")?;
    host.follow(
        diagnosis,
        "route add",
        "d0",
        &[BEHIND, "via fe80::9", "dev d0"],
    )
}

fn down() -> Result<()> {
    let host = Host::new("down")?;
    host.netns.dummy("d0")?;
    host.netns.ip("link set d0 down")?;
    let tracer = Tracing::start()?;
    host.fails(&format!("add {BEHIND} dev d0"))?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("route-interface-down")?;
    host.expect(diagnosis, "ENETDOWN", "fd00:5b::/64 dev d0")
        .field("interface", "d0")
        .that(
            diagnosis.evidence_u64("flags")? & 1 == 0,
            "the interface is up",
        )
        .check()?;
    diagnosis.follow("link set dev d0 up")?;
    host.follow(diagnosis, "route add", "d0", &[BEHIND, "dev d0"])
}

/// One that is not there, and one of IPv4.
fn object() -> Result<()> {
    let host = Host::new("objects")?;
    host.netns.ip("link set lo up")?;
    host.netns.ip("nexthop add id 9 blackhole")?;
    host.netns.ip("nexthop add id 10 via fe80::9 dev v0")?;
    let tracer = Tracing::start()?;
    host.fails(&format!("add {BEHIND} nhid 7"))?;
    host.fails(&format!("add {BEHIND} nhid 9"))?;
    host.route(&format!("add {BEHIND} nhid 10"))?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for (diagnosis, id) in report.diagnoses.iter().zip([7, 9]) {
        host.expect(diagnosis, "EINVAL", &format!("fd00:5b::/64 nhid {id}"))
            .field("cause", "route-nexthop-object")
            .evidence("nh_id", id)
            .check()?;
        diagnosis.follow("ip nexthop")?;
    }
    Ok(())
}

fn ipv6_off() -> Result<()> {
    let netns = Netns::new("no-ipv6")?;
    netns.ip("link add d0 up type dummy")?;
    netns.ip("address add 10.90.0.1/24 dev d0")?;
    let tracer = Tracing::start()?;
    let words = "route add 10.92.0.0/16 via inet6 fe80::9 dev d0";
    ip_fails(&netns.ip_words(words))?;
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("route-ipv6-off")?
        .expect()
        .field("severity", "failure")
        .field("errno", "EAFNOSUPPORT")
        .field("netns", netns.inode())
        .field("interface", "d0")
        .evidence("request", "10.92.0.0/16 via inet6 fe80::9 dev d0")
        .check()
}
