//! Proposed ways out, typed in as they stand: the neighbour can be reached
//! again, and what else worked still does.

use std::net::Ipv6Addr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{FIRST, Pair, ping};
use crate::guest::{Diagnosis, Netns, Radvd, Report, Tracing, default_route, until_some};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario(
        "subnet-router-anycast-fix-forces-forwarding",
        force_forwarding,
    ),
    scenario("subnet-router-anycast-fix-forces-one-interface", force_one),
    scenario(
        "subnet-router-anycast-fix-keeps-the-uplink",
        keep_the_uplink,
    ),
    scenario(
        "subnet-router-anycast-fix-hears-no-new-router",
        hear_no_new_router,
    ),
    scenario(
        "subnet-router-anycast-fix-hears-routers-again",
        hear_routers_again,
    ),
];

const SECOND: Ipv6Addr = Ipv6Addr::new(0xfd00, 5, 0, 0, 0, 0, 0, 0);

/// The diagnosis of one of several addresses.
fn about(report: &Report, address: Ipv6Addr) -> Result<&Diagnosis> {
    let mut found = report.diagnoses.iter();
    found
        .find(|one| one.field("address") == address.to_string().as_str())
        .with_context(|| format!("nothing is said about {address}"))
}

/// Two interfaces are mended one after the other: the second fix must not undo
/// the first, in the short way or the lasting one, and packets from one side to the other arrive.
fn force_forwarding() -> Result<()> {
    let pair = Pair::in_subnet()?;
    if !pair.near.has_sysctl("ipv6/conf/v0/force_forwarding")? {
        println!("this kernel has no force_forwarding");
        return Ok(());
    }
    let third = Netns::new("anycast-third")?;
    pair.near.ip(&format!(
        "link add v1 type veth peer name w1 netns {}",
        third.name()
    ))?;
    third.ip("link set w1 up")?;
    third.ip("address add fd00:5::9/64 dev w1 nodad")?;
    third.ip("-6 route add default via fd00:5::1")?;
    pair.near.ip("link set v1 up")?;
    pair.near.ip("address add fd00:5::1/64 dev v1 nodad")?;
    pair.far.ip("-6 route add fd00:5::/64 via fd00:4::5")?;
    pair.ping()?;
    let tracer = Tracing::start()?;
    pair.forward("all", "1")?;
    pair.wait_for(FIRST, true)?;
    pair.wait_for(SECOND, true)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for address in [FIRST, SECOND] {
        let diagnosis = about(&report, address)?;
        diagnosis
            .expect()
            .no_fix_has("sh -c")
            .no_fix_has("conf.all.forwarding=")
            .some_fix_has("force_forwarding instead")
            .check()?;
        diagnosis.follow("/forwarding=0")?;
    }
    for address in [FIRST, SECOND] {
        pair.wait_for(address, false)?;
    }
    pair.has("all", "forwarding", "1")?;
    across(&pair, &third)?;
    // As the page says: no router anywhere any more.
    pair.forward("all", "0")?;
    for interface in ["v0", "v1"] {
        pair.forward(interface, "0")?;
        let forced = format!("ipv6/conf/{interface}/force_forwarding");
        pair.near.set_sysctl(&forced, "1")?;
    }
    across(&pair, &third)
}

/// Both sides can be reached, and each from the other by way of this host.
fn across(pair: &Pair, third: &Netns) -> Result<()> {
    pair.ping()?;
    // By way of this host, to the neighbour at the first address, and back.
    let before = pair.near.counter("Ip6OutForwDatagrams")?;
    ping(third, FIRST)?;
    let after = pair.near.counter("Ip6OutForwDatagrams")?;
    ensure!(after >= before + 2, "{before}, then {after} were forwarded");
    Ok(())
}

/// With conf.all.forwarding = 0, which must not be written again: that would
/// clear what is forced on others.
fn force_one() -> Result<()> {
    let pair = Pair::in_subnet()?;
    if !pair.near.has_sysctl("ipv6/conf/v0/force_forwarding")? {
        println!("this kernel has no force_forwarding");
        return Ok(());
    }
    pair.near.dummy("d0")?;
    pair.near.set_sysctl("ipv6/conf/d0/force_forwarding", "1")?;
    pair.ping()?;
    let report = pair.take("v0")?;
    let diagnosis = report.only("subnet-router-anycast")?;
    diagnosis
        .expect()
        .evidence("force_forwarding", 0)
        .evidence("all_forwarding", 0)
        .no_fix_has("conf.all.forwarding=")
        .check()?;
    diagnosis.follow("force_forwarding=1")?;
    pair.wait_for(FIRST, false)?;
    pair.has("v0", "force_forwarding", "1")?;
    pair.has("d0", "force_forwarding", "1")?;
    pair.ping()?;
    // As it is now, a host forwards all the same.
    let tracer = Tracing::start()?;
    pair.forward("v0", "1")?;
    pair.wait_for(FIRST, true)?;
    let report = tracer.finish()?;
    report
        .only("subnet-router-anycast")?
        .expect()
        .evidence("force_forwarding", 1)
        .no_fix_has("force_forwarding=1 ")
        .some_fix_has("still forwards")
        .check()
}

/// A router that has its own default route from advertisements.
fn keep_the_uplink() -> Result<()> {
    let pair = Pair::in_subnet()?;
    pair.near.set_sysctl("ipv6/conf/v0/accept_ra", "2")?;
    pair.far.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    let _radvd = Radvd::start(&pair.far, "w", 1)?;
    let what = "this host should learn a default route";
    let limit = Duration::from_secs(20);
    let gateway = until_some(what, limit, || default_route(&pair.near))?;
    pair.ping()?;
    let tracer = Tracing::start()?;
    pair.forward("all", "1")?;
    pair.wait_for(FIRST, true)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = about(&report, FIRST)?;
    diagnosis
        .expect()
        .field("comm", "guest")
        .evidence("accept_ra", 2)
        .no_fix_has("accept_ra=0")
        .check()?;
    diagnosis.follow("v0/forwarding=0")?;
    pair.wait_for(FIRST, false)?;
    pair.has("v0", "accept_ra", "2")?;
    pair.has("all", "forwarding", "1")?;
    let now = default_route(&pair.near)?;
    ensure!(now == Some(gateway), "the default route is {now:?} now");
    pair.ping()
}

/// A router that heeded no advertisements does not begin to.
fn hear_no_new_router() -> Result<()> {
    let pair = Pair::new()?;
    pair.forward("all", "1")?;
    let tracer = Tracing::start()?;
    pair.near.ip("address add fd00:4::5/64 dev v0 nodad")?;
    pair.wait_for(FIRST, true)?;
    let report = tracer.finish()?;
    report.complete()?;
    be_a_host(&pair, &report)?;
    pair.has("v0", "accept_ra", "0")?;
    pair.ping()
}

/// What became a router by the very write is a host again, as it was.
fn hear_routers_again() -> Result<()> {
    let pair = Pair::in_subnet()?;
    pair.ping()?;
    let report = pair.take("all")?;
    be_a_host(&pair, &report)?;
    pair.has("v0", "accept_ra", "1")?;
    pair.ping()
}

/// Follows the advice for the interface that took the address.
fn be_a_host(pair: &Pair, report: &Report) -> Result<()> {
    let diagnosis = report.only("subnet-router-anycast")?;
    diagnosis.expect().evidence("accept_ra", 1).check()?;
    diagnosis.follow("v0/forwarding=0")?;
    pair.wait_for(FIRST, false)?;
    pair.has("all", "forwarding", "1")
}
