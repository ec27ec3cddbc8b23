//! Interfaces that come up without a link-local address: some seconds later somebody
//! has made one, or nobody has.

use std::net::Ipv6Addr;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{ADDRESS, Host};
use crate::guest::{
    AddressState, AdvertisedPrefix, Advertisement, Advertiser, Diagnosis, Expect, Link, Netns,
    Networkd, Report, Tracer, Tracing, default_route, until_some,
};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("link-local-not-made", not_made),
    alone("link-local-not-made-so-far", so_far),
    alone("link-local-not-made-otherwise", otherwise),
    scenario("link-local-not-made-networkd", by_networkd),
];

const NONE: &str = "1";
const STABLE_SECRET: &str = "2";
/// How long whoever makes it has.
const LATER: Duration = Duration::from_secs(5);

/// An interface that is down and has neighbours.
fn dummy(netns: &Netns, name: &str, mode: &str) -> Result<Link> {
    let link = netns.dummy(name)?;
    netns.ip(&format!("link set {name} down arp on"))?;
    netns.set_sysctl(&format!("ipv6/conf/{name}/addr_gen_mode"), mode)?;
    Ok(link)
}

/// The one diagnosis of that interface.
fn of<'r>(report: &'r Report, interface: &str) -> Result<&'r Diagnosis> {
    let mut found = report.diagnoses.iter();
    let found = found.find(|diagnosis| diagnosis.field("interface") == interface);
    found.with_context(|| format!("nothing is said of {interface}"))
}

/// Checks that no interface is said to have got no address.
fn untold(report: &Report) -> Result<()> {
    report.complete()?;
    let told = |diagnosis: &Diagnosis| diagnosis.cause() == "link-local-not-made";
    ensure!(
        !report.diagnoses.iter().any(told),
        "all is well: {report:?}"
    );
    Ok(())
}

fn expect<'d>(diagnosis: &'d Diagnosis, netns: &Netns, link: &Link, mode: &str) -> Expect<'d> {
    let mode: u32 = mode.parse().unwrap_or_default();
    diagnosis
        .expect()
        .field("cause", "link-local-not-made")
        .field("severity", "notice")
        .field("operation", "interface-up")
        .field("errno", serde_json::Value::Null)
        .field("netns", netns.inode())
        .field("ifindex", link.ifindex)
        .field("interface", link.name.as_str())
        .evidence("addr_gen_mode", mode)
        .summary_has([link.name.as_str(), "addr_gen_mode"])
        .summary_has([mode])
}

/// One that gets a carrier, one that is set up, one whose IPv6 is switched on; and
/// beside them those that get an address in time, or need none.
fn not_made() -> Result<()> {
    let host = Host::new("no-fe80", "v0")?;
    let netns = &host.netns;
    netns.ip("link set v0 down")?;
    host.set("v0", "addr_gen_mode", NONE)?;
    let secretless = dummy(netns, "d0", STABLE_SECRET).err();
    ensure!(secretless.is_some(), "the kernel asks for no secret");
    netns.ip("link del d0")?;
    // What is yet to come may have the mode nevertheless.
    host.set("default", "addr_gen_mode", STABLE_SECRET)?;
    let set_up = netns.dummy("d0")?;
    host.set("default", "addr_gen_mode", "0")?;
    netns.ip("link set d0 down arp on")?;
    let enabled = dummy(netns, "d1", NONE)?;
    host.set("d1", "disable_ipv6", "1")?;
    netns.ip("link set d1 up")?;
    // By hand, by the kernel, without neighbours, a port, down again, a VRF.
    dummy(netns, "h0", NONE)?;
    dummy(netns, "h1", "0")?;
    dummy(netns, "h2", NONE)?;
    netns.ip("link set h2 arp off")?;
    dummy(netns, "h3", NONE)?;
    dummy(netns, "h4", NONE)?;
    netns.ip("link add br0 type bridge")?;
    netns.ip("link set h3 master br0")?;
    netns.ip("link add red type vrf table 9")?;
    netns.ip("link set red addrgenmode none")?;

    let tracer = Tracer::start(&["--no-fold"])?;
    for silent in ["h0", "h1", "h2", "h3", "h4", "red"] {
        netns.ip(&format!("link set {silent} up"))?;
    }
    netns.ip("link set h4 down")?;
    netns.ip("link set v0 up")?;
    netns.ip("link set d0 up")?;
    host.set("d1", "disable_ipv6", "0")?;
    sleep(Duration::from_secs(1));
    netns.ip("address add fe80::7/64 dev h0 nodad")?;
    tracer.wait_for_lines("link-local-not-made", 6)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(3)?;

    let carrier = of(&report, "v0")?;
    expect(carrier, netns, &host.interface, NONE)
        .field("confidence", "certain")
        .evidence("other_addresses", 0)
        .summary_has_one_of(&["v0 got a carrier"])
        .check()?;
    let set = of(&report, "d0")?;
    expect(set, netns, &set_up, STABLE_SECRET)
        .field("confidence", "certain")
        .field("comm", "ip")
        .summary_has_one_of(&["ip set d0 up"])
        .summary_has(["default", "stable_secret"])
        .check()?;
    let switched = of(&report, "d1")?;
    expect(switched, netns, &enabled, NONE)
        .field("confidence", "certain")
        .summary_has_one_of(&["switched IPv6 of d1 on"])
        .check()?;
    set.follow("addr_gen_mode=3")?;
    AddressState::wait_for_link_local(netns, "d0")?;
    fixed(&host, carrier)
}

/// The fix brings the address, and what somebody set or a router advertised stays.
fn fixed(host: &Host, diagnosis: &Diagnosis) -> Result<()> {
    let netns = &host.netns;
    let router = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x53);
    netns.ip(&format!("address add {router}/64 dev peer nodad"))?;
    host.own(ADDRESS)?;
    let prefix = AdvertisedPrefix::new(Ipv6Addr::new(0x2001, 0xdb8, 0x2d, 0, 0, 0, 0, 0));
    let message = Advertisement::new().prefix(prefix).bytes();
    Advertiser::new(netns, &Link::find(netns, "peer")?, router)?.send(&message)?;
    let has_all = || -> Result<bool> {
        let (addresses, _) = host.addresses()?;
        Ok(addresses.len() == 2
            && addresses.contains(&ADDRESS)
            && default_route(netns)? == Some(router.to_string()))
    };
    until_some("the advertisement", LATER, || Ok(has_all()?.then_some(())))?;
    diagnosis.follow("addr_gen_mode=0")?;
    AddressState::wait_for_link_local(netns, "v0")?;
    ensure!(has_all()?, "something is lost: {:?}", host.addresses()?);
    Ok(())
}

/// Whoever ends v6trace earlier is told nothing: somebody may be about to make it.
fn so_far() -> Result<()> {
    let netns = Netns::new("so-far")?;
    dummy(&netns, "d0", NONE)?;
    let tracer = Tracer::start(&[])?;
    netns.ip("link set d0 up")?;
    tracer.finish()?.silent()
}

/// IPv6 is switched off by then; another is told to have an address made; and one has
/// been down in between, of which only the last time counts.
fn otherwise() -> Result<()> {
    let netns = Netns::new("otherwise")?;
    for name in ["d0", "d1", "d2"] {
        dummy(&netns, name, NONE)?;
    }
    let tracer = Tracer::start(&["--no-fold"])?;
    for name in ["d2", "d0", "d1"] {
        netns.ip(&format!("link set {name} up"))?;
    }
    netns.ip("link set d2 down")?;
    netns.set_sysctl("ipv6/conf/d0/disable_ipv6", "1")?;
    // Makes none before the interface comes up again.
    netns.ip("link set d1 addrgenmode eui64")?;
    netns.ip("link set d2 up")?;
    tracer.wait_for_lines("link-local-not-made", 2)?;
    let report = tracer.finish()?;
    report.complete()?;
    let told = report.only("link-local-not-made")?;
    told.expect().field("interface", "d2").check()
}

/// It manages the interface, and sees to the address itself.
fn by_networkd() -> Result<()> {
    let host = Host::new("managed", "eth0")?;
    host.netns.ip("link set eth0 down")?;
    host.set("eth0", "addr_gen_mode", NONE)?;
    let tracer = Tracing::start()?;
    let networkd = Networkd::start(&host.netns, "eth0")?;
    let made = AddressState::wait_for_link_local(&host.netns, "eth0");
    made.with_context(|| networkd.log())?;
    sleep(LATER + Duration::from_secs(1));
    untold(&tracer.finish()?)
}
