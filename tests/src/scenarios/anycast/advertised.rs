//! A host that lives on router advertisements and is to forward: no advice costs
//! it the addresses and routes that they bring.
//!
//! The router's lifetimes are so short that what is not heeded any more is gone
//! within seconds, and its advertisements so many that it shows at once.

use std::net::Ipv6Addr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Pair;
use crate::guest::{
    AddressState, Link, Netns, Radvd, Report, Tracing, default_route, renewed, until_some,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario(
        "subnet-router-anycast-fix-keeps-what-is-advertised",
        keep_what_is_advertised,
    ),
    scenario(
        "subnet-router-anycast-fix-keeps-a-purged-route",
        keep_a_purged_route,
    ),
];

/// The first address of the advertised subnet.
const ADVERTISED: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0);
/// The host's own there, by its MAC.
const OWN: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0x00ff, 0xfe00, 1);

/// The host's uplink v0 is down, and so no advertisement has come yet.
fn uplink() -> Result<Pair> {
    let near = Netns::new("anycast-near")?;
    let far = Netns::new("anycast-far")?;
    near.ip(&format!(
        "link add v0 address 02:00:00:00:00:01 type veth peer name w0 netns {}",
        far.name()
    ))?;
    near.ip("link set lo up")?;
    far.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    far.set_sysctl("ipv6/conf/w0/accept_dad", "0")?;
    far.ip("link set w0 up")?;
    let interface = Link::find(&near, "v0")?;
    Ok(Pair {
        near,
        far,
        interface,
    })
}

fn hear(pair: &Pair) -> Result<String> {
    let what = "the host should hear of its router";
    until_some(what, Duration::from_secs(20), || default_route(&pair.near))
}

/// What advertisements brought is there, and renewed by further ones.
fn survives(pair: &Pair, with_address: bool) -> Result<()> {
    renewed(&pair.near)?;
    let state = AddressState::of(&pair.near, "v0", OWN)?;
    ensure!(
        !with_address || state == AddressState::Usable,
        "{OWN} is {state:?}"
    );
    Ok(())
}

fn of<'r>(report: &'r Report, cause: &str) -> Result<&'r crate::guest::Diagnosis> {
    let mut found = report.diagnoses.iter();
    found
        .find(|one| one.cause() == cause)
        .with_context(|| format!("no {cause}: {:?}", report.diagnoses))
}

/// Forwarding is turned on while the address from the first advertisement is
/// still tentative, as at boot: the default route is purged, and the interface
/// takes the first address a moment later.
fn keep_what_is_advertised() -> Result<()> {
    let pair = uplink()?;
    pair.near.set_sysctl("ipv6/conf/v0/dad_transmits", "5")?;
    let _radvd = Radvd::start_quick(&pair.far, "w", true)?;
    let tracer = Tracing::start()?;
    pair.near.ip("link set v0 up")?;
    hear(&pair)?;
    pair.forward("all", "1")?;
    pair.wait_for(ADVERTISED, true)?;
    let report = tracer.finish()?;
    report.complete()?;
    let purge = of(&report, "default-route-purged")?;
    let taken = of(&report, "subnet-router-anycast")?;
    taken
        .expect()
        .evidence("trigger", "address-usable")
        .evidence("accept_ra", 1)
        .that(
            taken
                .evidence("advertised")
                .is_some_and(|found| found.to_string().contains(&format!("{OWN}/64"))),
            "it does not say what is advertised",
        )
        .no_fix_has("accept_ra=0")
        .no_fix_has("peer")
        .no_fix_has("sh -c")
        .some_fix_has("accept_ra=2")
        .check()?;
    taken.follow("v0/forwarding=0")?;
    pair.wait_for(ADVERTISED, false)?;
    pair.has("all", "forwarding", "1")?;
    hear(&pair)?;
    survives(&pair, true)?;
    // The other diagnosis's fix takes nothing from this one's, nor the reverse.
    purge.follow("v0/accept_ra=2")?;
    pair.has("v0", "forwarding", "0")?;
    survives(&pair, true)?;
    // As the next `sysctl --system` does: a router again, which keeps its route.
    pair.forward("all", "1")?;
    survives(&pair, true)
}

/// The advertisements brought nothing but a default route, which is gone when
/// the interface takes an address: v6trace has seen it go.
fn keep_a_purged_route() -> Result<()> {
    let pair = uplink()?;
    let _radvd = Radvd::start_quick(&pair.far, "w", false)?;
    pair.near.ip("link set v0 up")?;
    hear(&pair)?;
    let tracer = Tracing::start()?;
    pair.forward("all", "1")?;
    ensure!(default_route(&pair.near)?.is_none(), "it is still there");
    pair.near.ip("address add fd00:4::5/64 dev v0 nodad")?;
    pair.wait_for(super::FIRST, true)?;
    let report = tracer.finish()?;
    report.complete()?;
    let taken = of(&report, "subnet-router-anycast")?;
    taken
        .expect()
        .evidence("trigger", "address-usable")
        .evidence(
            "advertised",
            serde_json::json!(["a default route, until forwarding was written"]),
        )
        .no_fix_has("accept_ra=0")
        .check()?;
    taken.follow("v0/forwarding=0")?;
    pair.wait_for(super::FIRST, false)?;
    hear(&pair)?;
    survives(&pair, false)
}
