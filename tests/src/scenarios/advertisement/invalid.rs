//! Advertisements that are not valid.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};

use super::{ADDRESS, PREFIX, ROUTER, ROUTER_MAC, Site, ordinary};
use crate::guest::{
    AddressState, AdvertisedPrefix, Advertisement, Advertiser, Diagnosis, Expect, Tracing,
    default_routes,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("ra-invalid-hop-limit", hop_limit),
    scenario("ra-invalid-code", code),
    scenario("ra-invalid-source", source),
    scenario("ra-invalid-short", short),
    scenario("ra-invalid-options", options),
    scenario("ra-invalid-source-option", source_option),
    scenario("ra-invalid-fragmented", fragmented),
    scenario("ra-invalid-not-unknown-options", unknown_options),
    scenario("ra-invalid-flood", flood),
];

impl Site {
    fn expect_invalid<'d>(&self, diagnosis: &'d Diagnosis, reason: &str) -> Expect<'d> {
        self.expect_advertisement(diagnosis)
            .field("severity", "failure")
            .evidence("reason", reason)
            .some_fix_has(ROUTER_MAC)
    }

    /// Checks that the host has the default route alone.
    fn has_only_router(&self) -> Result<()> {
        let state = AddressState::of(&self.host, &self.interface.name, ADDRESS)?;
        ensure!(state == AddressState::Absent, "{ADDRESS} is {state:?}");
        let routes = default_routes(&self.host)?;
        let wanted = (ROUTER.to_string(), self.interface.name.clone());
        ensure!(routes == [wanted], "the default routes are {routes:?}");
        Ok(())
    }

    fn invalid(&self, message: &[u8], reason: &str) -> Result<()> {
        let report = self.traced(message)?;
        self.has_nothing()?;
        self.expect_invalid(report.only("ra-invalid")?, reason)
            .evidence("hop_limit", 255)
            .evidence("length", message.len())
            .check()?;
        // The host is as well as before.
        self.heeds()
    }
}

/// As a router would lower it that forwards the message.
fn hop_limit() -> Result<()> {
    let site = Site::new()?;
    let advertiser = site.advertiser()?;
    let tracer = Tracing::start()?;
    advertiser.hop_limit(254)?;
    for _ in 0..9 {
        advertiser.send(&ordinary().bytes())?;
    }
    let report = tracer.finish()?;
    site.has_nothing()?;
    site.expect_invalid(report.only("ra-invalid")?, "hop-limit")
        .evidence("hop_limit", 254)
        .evidence("length", ordinary().bytes().len())
        .summary_has(["254"])
        .check()
}

fn code() -> Result<()> {
    let site = Site::new()?;
    let mut advertisement = ordinary();
    advertisement.code = 3;
    site.invalid(&advertisement.bytes(), "code")
}

fn source() -> Result<()> {
    let site = Site::new()?;
    let global = Ipv6Addr::new(0x2001, 0xdb8, 0x99, 0, 0, 0, 0, 1);
    site.router
        .ip(&format!("address add {global}/64 dev w0 nodad"))?;
    let advertiser = Advertiser::new(&site.router, &site.port, global)?;
    let tracer = Tracing::start()?;
    advertiser.send(&ordinary().bytes())?;
    let report = tracer.finish()?;
    site.has_nothing()?;
    let diagnosis = report.only("ra-invalid")?;
    diagnosis
        .expect()
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("address", global.to_string())
        .evidence("reason", "source")
        .evidence("router", global.to_string())
        .evidence("source_mac", ROUTER_MAC)
        .check()
}

fn short() -> Result<()> {
    let site = Site::new()?;
    site.invalid(&ordinary().bytes()[..12], "short")
}

/// An option without a length, one beyond the end, and a byte too many.
fn options() -> Result<()> {
    let site = Site::new()?;
    for more in [
        &[1, 0, 0, 0, 0, 0, 0, 0][..],
        &[1, 2, 0, 0, 0, 0, 0, 0],
        &[1],
    ] {
        site.forget()?;
        site.invalid(&ordinary().option(more).bytes(), "options")?;
    }
    Ok(())
}

/// An address of the link that is longer than those of Ethernet: the router is taken,
/// and its hop limit, the rest is not.
fn source_option() -> Result<()> {
    let site = Site::new()?;
    let own = [1, 1, 2, 0, 0, 0, 0, 1];
    let longer = [1, 2, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let router = Advertisement::new();
    let prefix = AdvertisedPrefix::new(PREFIX);
    // The first counts.
    let message = router
        .clone()
        .option(&longer)
        .option(&own)
        .mtu(9000)
        .prefix(prefix)
        .bytes();
    let report = site.traced(&message)?;
    site.has_only_router()?;
    site.expect_invalid(report.only("ra-invalid")?, "source-option")
        .evidence("option_bytes", 16)
        .evidence("addr_len", 6)
        .evidence("length", message.len())
        .evidence("addresses", Vec::<String>::new())
        .evidence("default_routes", vec![format!("via {ROUTER} (ra)")])
        .summary_has(["16 bytes", "must have 8"])
        .check()?;
    // Nothing that it needs is missed.
    site.host
        .ip("address add 2001:db8:9::9/64 dev up.7 nodad")?;
    let report = site.traced(&router.clone().option(&longer).bytes())?;
    site.expect_advertisement(report.only("ra-invalid")?)
        .field("severity", "notice")
        .check()?;
    let tracer = Tracing::start()?;
    site.send(&router.option(&own).option(&longer).prefix(prefix).bytes())?;
    site.has_all()?;
    tracer.finish()?.silent()
}

/// Options to ignore make it longer than the link bears.
fn fragmented() -> Result<()> {
    let site = Site::new()?;
    let mut option = vec![0; 200 * 8];
    option[..2].copy_from_slice(&[99, 200]);
    let long = ordinary().option(&option).bytes();
    let report = site.traced(&long)?;
    site.has_nothing()?;
    site.expect_invalid(report.only("ra-invalid")?, "fragmented")
        .evidence("length", long.len())
        .check()?;
    site.set("suppress_frag_ndisc", "0")?;
    let tracer = Tracing::start()?;
    site.send(&long)?;
    site.has_all()?;
    tracer.finish()?.silent()
}

/// Options that nobody knows are no fault, however many.
fn unknown_options() -> Result<()> {
    let site = Site::new()?;
    let mut advertisement = Advertisement::new();
    for kind in 100..180 {
        advertisement = advertisement.option(&[kind, 1, 1, 2, 3, 4, 5, 6]);
    }
    let advertisement = advertisement.prefix(AdvertisedPrefix::new(PREFIX));
    let tracer = Tracing::start()?;
    site.send(&advertisement.bytes())?;
    site.has_all()?;
    tracer.finish()?.silent()
}

/// Whoever sends from ever new addresses is told some times a second, and counted.
fn flood() -> Result<()> {
    const SENDERS: u16 = 64;
    let site = Site::new()?;
    let senders = (1..=SENDERS).map(|n| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 1, n));
    let mut advertisers = Vec::new();
    for source in senders {
        site.router
            .ip(&format!("address add {source}/64 dev w0 nodad"))?;
        let advertiser = Advertiser::new(&site.router, &site.port, source)?;
        advertiser.hop_limit(64)?;
        advertisers.push(advertiser);
    }
    let tracer = Tracing::start()?;
    for advertiser in &advertisers {
        advertiser.send(&ordinary().bytes())?;
    }
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let late = site.advertiser()?;
    late.hop_limit(64)?;
    late.send(&ordinary().bytes())?;
    let report = tracer.finish()?;
    report.complete()?;
    let told = report.diagnoses.len();
    let counted: u64 = report
        .diagnoses
        .iter()
        .filter_map(|one| one.evidence("suppressed")?.as_u64())
        .sum();
    ensure!(
        told < usize::from(SENDERS) / 2 && told as u64 + counted == u64::from(SENDERS) + 1,
        "{told} told, {counted} counted"
    );
    Ok(())
}
