//! Addresses that the interface has already.

use std::net::Ipv6Addr;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use super::{ADDRESS, Host};
use crate::guest::{
    AddressState, AdvertisedPrefix, Advertisement, Advertiser, Link, Segment, Tracing, until_some,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("address-exists", usable),
    scenario("address-exists-under-test", tentative),
    scenario("address-exists-advertised", advertised),
    scenario("address-exists-dadfailed", dadfailed),
    scenario("address-exists-with-another-prefix", other_prefix),
    scenario("address-exists-not-replaced", replaced),
];

const DADFAILED: u64 = 0x08;
const TENTATIVE: u64 = 0x40;
const PERMANENT: u64 = 0x80;

/// Scripts that run twice.
fn usable() -> Result<()> {
    let host = Host::new("twice", "v0")?;
    host.own(ADDRESS)?;
    let report = host.refused(&format!("{ADDRESS}/64"))?;
    let diagnosis = report.only("address-exists")?;
    host.expect_refused(diagnosis, "EEXIST")
        .field("severity", "notice")
        .field("address", ADDRESS.to_string())
        .field("comm", "ip")
        .field("fix", Vec::<Value>::new())
        .evidence("existing_prefix_len", 64)
        .that(
            diagnosis.evidence_u64("existing_flags")? & (PERMANENT | TENTATIVE | DADFAILED)
                == PERMANENT,
            "the flags are not those of a usable address",
        )
        .summary_has_one_of(&["can use it"])
        .check()
}

/// One that a router's advertisement made; kernels say so since 5.18.
fn advertised() -> Result<()> {
    let host = Host::new("advertised", "v0")?;
    let router = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x53);
    host.netns
        .ip(&format!("address add {router}/64 dev peer nodad"))?;
    let prefix = AdvertisedPrefix::new(Ipv6Addr::new(0x2001, 0xdb8, 0x2d, 0, 0, 0, 0, 0));
    let message = Advertisement::new().prefix(prefix).bytes();
    Advertiser::new(&host.netns, &Link::find(&host.netns, "peer")?, router)?.send(&message)?;
    let made = until_some("an address", Duration::from_secs(10), || {
        Ok(host.addresses()?.0.first().copied())
    })?;
    let report = host.refused(&format!("{made}/64"))?;
    let told = kernel_is_at_least(5, 18)?;
    let expected = host
        .expect_refused(report.only("address-exists")?, "EEXIST")
        .evidence("existing_proto", told.then_some(2));
    if told {
        expected
            .summary_has_one_of(&["a router advertisement made it"])
            .check()
    } else {
        expected.summary_has_none_of(&["made it"]).check()
    }
}

/// Whether the running kernel has this version, or a later one.
fn kernel_is_at_least(major: u32, minor: u32) -> Result<bool> {
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy();
    let mut numbers = release.split('.').map(str::parse::<u32>);
    let version = numbers.next().zip(numbers.next());
    let Some((Ok(first), Ok(second))) = version else {
        bail!("a kernel {release}");
    };
    Ok((first, second) >= (major, minor))
}

/// On a link that never was there, the test does not begin.
fn tentative() -> Result<()> {
    let host = Host::new("waiting", "v0")?;
    host.netns.ip("link add w0 type veth peer name far")?;
    host.netns.ip("link set w0 up")?;
    let host = Host {
        interface: Link::find(&host.netns, "w0")?,
        ..host
    };
    host.netns.ip(&format!("address add {ADDRESS}/64 dev w0"))?;
    let report = host.refused(&format!("{ADDRESS}/64"))?;
    let diagnosis = report.only("address-exists")?;
    host.expect_refused(diagnosis, "EEXIST")
        .field("severity", "notice")
        .that(
            diagnosis.evidence_u64("existing_flags")? & TENTATIVE != 0,
            "it is not tentative",
        )
        .summary_has(["tentative"])
        .check()
}

/// It stays so, whatever is done but to delete it.
fn dadfailed() -> Result<()> {
    let segment = Segment::new()?;
    let host = Host::new("late", "v0")?;
    let other = Host::new("early", "v0")?;
    let [interface, theirs] = [
        (&host, "p0", "02:00:00:00:00:01"),
        (&other, "p1", "02:00:00:00:00:02"),
    ]
    .map(|(host, port, mac)| segment.plug(&host.netns, "eth0", port, mac));
    let host = Host {
        interface: interface?,
        ..host
    };
    let other = Host {
        interface: theirs?,
        ..other
    };
    segment.connect(&host.netns, "eth0", "p0")?;
    segment.connect(&other.netns, "eth0", "p1")?;
    other.own(ADDRESS)?;
    host.netns
        .ip(&format!("address add {ADDRESS}/64 dev eth0"))?;
    AddressState::Failed.wait(&host.netns, "eth0", ADDRESS)?;
    other
        .netns
        .ip(&format!("address del {ADDRESS}/64 dev eth0"))?;
    let report = host.refused(&format!("{ADDRESS}/64"))?;
    let diagnosis = report.only("address-exists")?;
    host.expect(diagnosis, "EEXIST")
        .that(
            diagnosis.evidence_u64("existing_flags")? & DADFAILED != 0,
            "it is not dadfailed",
        )
        .summary_has(["dadfailed"])
        .check()?;
    // That is no way out, the fix is.
    host.netns
        .ip(&format!("address replace {ADDRESS}/64 dev eth0"))?;
    let state = AddressState::of(&host.netns, "eth0", ADDRESS)?;
    ensure!(state == AddressState::Failed, "it is {state:?}");
    diagnosis.follow("address del")?;
    host.gets(ADDRESS)
}

/// The route of the prefix is missing.
fn other_prefix() -> Result<()> {
    let host = Host::new("narrow", "v0")?;
    host.netns
        .ip(&format!("address add {ADDRESS}/128 dev v0 nodad"))?;
    let report = host.refused(&format!("{ADDRESS}/64"))?;
    let diagnosis = report.only("address-exists")?;
    host.expect(diagnosis, "EEXIST")
        .evidence("existing_prefix_len", 128)
        .evidence("prefix_len", 64)
        .summary_has(["128", "64"])
        .check()?;
    diagnosis.follow("address del")?;
    host.gets(ADDRESS)?;
    let added = host.netns.ip("-6 route del fd00:2d::/64 dev v0");
    ensure!(added.is_ok(), "the prefix has no route");
    Ok(())
}

/// Daemons that replace.
fn replaced() -> Result<()> {
    let host = Host::new("replacing", "v0")?;
    let tracer = Tracing::start()?;
    for words in ["replace", "replace", "change"] {
        host.netns
            .ip(&format!("address {words} {ADDRESS}/64 dev v0 nodad"))?;
    }
    tracer.finish()?.silent()
}
