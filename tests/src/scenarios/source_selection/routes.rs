//! Routes that are more than a prefix and a next hop: what changes them must
//! not harm them.

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{DESTINATION, GATEWAY, Host, PREFIX, Way};
use crate::guest::{Diagnosis, Report, Tracing, finish};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("borrowed-source-address-routes-with-options", with_options),
    scenario(
        "borrowed-source-address-one-of-several-routes",
        one_of_several,
    ),
    scenario("no-source-address-leaking-into-a-vrf", leaking_into_vrf),
    scenario("no-source-address-second-default", second_default),
    scenario("no-source-address-of-a-tunnel", of_a_tunnel),
];

/// What a changed route would lose is not to be left out of the command.
fn with_options() -> Result<()> {
    let host = Host::new("options")?;
    host.netns.ip("address add 192.0.2.1/32 dev lo")?;
    let options = [
        "mtu lock 1400",
        "advmss 1300",
        "quickack 1",
        "scope link",
        "realm 10",
        "encap ip id 100 src 0.0.0.0 dst 10.9.9.9",
    ];
    let mut prefixes = Vec::new();
    for (third, option) in (0..).zip(options) {
        let prefix = Ipv4Addr::new(198, 18, third, 0);
        let (encap, other) = match option.strip_prefix("encap ") {
            Some(_) => (option, ""),
            None => ("", option),
        };
        host.netns.ip(&format!(
            "route add {prefix}/24 {encap} via inet6 {GATEWAY} dev v0 {other}"
        ))?;
        prefixes.push((prefix, option));
    }
    let tracer = Tracing::start()?;
    for (prefix, _) in &prefixes {
        host.send(Way::Udp, *prefix | Ipv4Addr::new(0, 0, 0, 9), None)?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(options.len())?;
    for (diagnosis, (prefix, option)) in report.diagnoses.iter().zip(&prefixes) {
        let show = format!("ip -4 route show exact {prefix}/24");
        diagnosis
            .expect()
            .field("cause", "borrowed-source-address")
            .evidence("prefix", format!("{prefix}/24"))
            .no_fix_has("ip route change")
            .some_fix_has(&host.command(&show))
            .check()?;
        let done = host.netns.enter(|| {
            let mut ip = Command::new("ip");
            finish(ip.args(show.split(' ').skip(1)), Duration::from_secs(5))
        })?;
        ensure!(done.stdout.contains(option), "{option}: {done}");
    }
    Ok(())
}

/// The first of two routes with one prefix and metric leads nowhere for now; a
/// change would hit that one.
fn one_of_several() -> Result<()> {
    let host = Host::new("twins")?;
    host.netns.ip("link add e0 type veth peer name e1")?;
    host.netns.ip("link set e0 up")?;
    host.netns.ip("address add 10.0.0.1/24 dev e0")?;
    for interface in ["all", "e0"] {
        let sysctl = format!("ipv4/conf/{interface}/ignore_routes_with_linkdown");
        host.netns.set_sysctl(&sysctl, "1")?;
    }
    host.netns
        .ip(&format!("route add {PREFIX} via 10.0.0.2 dev e0"))?;
    host.netns
        .ip(&format!("route append {PREFIX} via inet6 {GATEWAY} dev v0"))?;
    let tracer = Tracing::start()?;
    host.send(Way::Udp, DESTINATION, None)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("borrowed-source-address")?;
    host.expect(diagnosis, Way::Udp, DESTINATION)
        .evidence("source", "10.0.0.1")
        .no_fix_has("ip route change")
        .some_fix_has(&host.command(&format!("ip -4 route show exact {PREFIX}")))
        .check()
}

/// A route of the main table into a VRF: what it names must be of no VRF. The
/// fixes help.
fn leaking_into_vrf() -> Result<()> {
    let host = Host::new("leak")?;
    host.netns.ip("link add blue up type vrf table 10")?;
    host.netns.ip("link set v0 vrf blue")?;
    host.netns.ip("address replace fe80::2/64 dev v0 nodad")?;
    host.netns
        .ip(&format!("route add {PREFIX} via inet6 {GATEWAY} dev v0"))?;
    let send = || -> Result<Report> {
        let tracer = Tracing::start()?;
        host.send(Way::Udp, DESTINATION, None)?;
        let report = tracer.finish()?;
        report.complete()?;
        Ok(report)
    };
    let only_fix = |diagnosis: &Diagnosis, place: &str, address| {
        let fix = format!("ip address add ADDRESS/32 dev {place}");
        diagnosis
            .expect()
            .evidence("l3mdev", "blue")
            .some_fix_has(&host.command(&fix))
            .some_fix_has("l3mdev_accept=1")
            .no_fix_has("src")
            .check()?;
        diagnosis.follow("l3mdev_accept=1")?;
        diagnosis.follow_with(&fix, address)
    };
    let report = send()?;
    only_fix(report.only("no-source-address")?, "blue", "192.0.2.1")?;
    let report = send()?;
    let borrowed = report.only("borrowed-source-address")?;
    borrowed.expect().evidence("source", "192.0.2.1").check()?;
    only_fix(borrowed, "v0", "192.0.2.7")?;
    send()?.silent()
}

/// Of two default routes the first has an IPv4 next hop that does not answer.
fn second_default() -> Result<()> {
    let host = Host::new("defaults")?;
    host.netns.ip("link add e0 type veth peer name e1")?;
    host.netns.ip("link set e1 up")?;
    host.netns.ip("link set e0 up")?;
    host.netns.ip("address add 10.0.0.1/24 dev e0 scope link")?;
    host.netns.ip("neigh add 10.0.0.2 dev e0 nud failed")?;
    host.netns.ip(&format!(
        "neigh add {GATEWAY} lladdr 02:00:00:00:00:01 dev v0 nud reachable"
    ))?;
    host.netns.ip("route add 0.0.0.0/0 via 10.0.0.2 dev e0")?;
    host.netns.ip(&format!(
        "route append 0.0.0.0/0 via inet6 {GATEWAY} dev v0"
    ))?;
    let tracer = Tracing::start()?;
    host.send(Way::Udp, DESTINATION, None)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("no-source-address")?;
    diagnosis
        .expect()
        .field("interface", "v0")
        .evidence("prefix", "0.0.0.0/0")
        .evidence("next_hop", GATEWAY)
        .no_fix_has("ip route change")
        .check()?;
    // With one that answers, packets go that way.
    host.netns
        .ip("neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev e0 nud reachable")?;
    let tracer = Tracing::start()?;
    host.send(Way::Udp, DESTINATION, None)?;
    tracer.finish()?.silent()
}

/// The packets of a tunnel without an address of its own are looked up with
/// softirqs held off, in whichever task sends into it: not that one's doing.
fn of_a_tunnel() -> Result<()> {
    let host = Host::with_route("tunnel")?;
    host.netns.ip(&format!(
        "link add g0 type gre remote {DESTINATION} local 0.0.0.0"
    ))?;
    host.netns.ip("link set g0 addrgenmode none up")?;
    host.netns.ip("address add fd00:9::1/64 dev g0 nodad")?;
    let tracer = Tracing::start()?;
    let mut ping = Command::new("ip");
    ping.args(["netns", "exec", host.netns.name()]).args([
        "ping",
        "-6",
        "-n",
        "-c1",
        "-W1",
        "fd00:9::2",
    ]);
    finish(&mut ping, Duration::from_secs(10))?;
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("no-source-address")?
        .expect()
        .field("confidence", "likely")
        .field("comm", Value::Null)
        .evidence("destination", DESTINATION.to_string())
        .evidence("protocol", libc::IPPROTO_GRE)
        .summary_has_none_of(&["ping"])
        .check()
}
