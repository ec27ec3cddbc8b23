//! Prefixes of which no address is made.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};

use super::{ADDRESS, PREFIX, Site, ordinary};
use crate::guest::{AddressState, AdvertisedPrefix, Advertisement, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("slaac-no-address", sender),
    scenario("slaac-no-address-sysctls", sysctls),
    scenario("slaac-no-address-pflag", pflag),
    scenario("slaac-no-address-max-addresses", max_addresses),
    scenario("slaac-no-address-not-refreshed", refreshed),
    scenario("slaac-no-address-not-withdrawn", withdrawn),
];

/// An advertisement of no default router with one prefix, so that the host has
/// nothing else.
fn only(prefix: AdvertisedPrefix) -> Advertisement {
    let mut advertisement = Advertisement::new().prefix(prefix);
    advertisement.lifetime = 0;
    advertisement
}

impl Site {
    fn has_no_address(&self) -> Result<()> {
        let state = AddressState::of(&self.host, &self.interface.name, ADDRESS)?;
        ensure!(state == AddressState::Absent, "{ADDRESS} is {state:?}");
        Ok(())
    }
}

/// Whatever is wrong with the prefix itself: each has its reason.
fn sender() -> Result<()> {
    let of = |change: fn(&mut AdvertisedPrefix)| {
        let mut prefix = AdvertisedPrefix::new(PREFIX);
        change(&mut prefix);
        prefix
    };
    for (prefix, managed, reason, severity) in [
        (of(|p| p.length = 60), 0, "length", "failure"),
        (of(|p| p.preferred = p.valid + 1), 0, "lifetimes", "failure"),
        (
            of(|p| p.prefix = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)),
            0,
            "scope",
            "failure",
        ),
        (of(|p| p.flags = 0x80), 0, "autonomous", "notice"),
        (of(|p| p.flags = 0x80), 0x80, "autonomous", "notice"),
    ] {
        let site = Site::new()?;
        let mut advertisement = only(prefix);
        advertisement.flags = managed;
        let report = site.traced(&advertisement.bytes())?;
        site.has_no_address()?;
        report.count(2)?;
        super::of_cause(&report, "ra-no-default-route")?;
        let diagnosis = super::of_cause(&report, "slaac-no-address")?;
        site.expect_advertisement(diagnosis)
            .field("severity", severity)
            .field("address", prefix.prefix.to_string())
            .evidence("prefix", format!("{}/{}", prefix.prefix, prefix.length))
            .evidence("reason", reason)
            .evidence("autonomous", prefix.flags & 0x40 != 0)
            .evidence("managed", managed != 0)
            .evidence("valid_lft", prefix.valid)
            .evidence("preferred_lft", prefix.preferred)
            .summary_has([format!("{}/{}", prefix.prefix, prefix.length)])
            .check()?;
        site.heeds()?;
    }
    Ok(())
}

/// What the host itself does not want; and then each fix.
fn sysctls() -> Result<()> {
    let site = Site::new()?;
    for (sysctl, wrong, reason, fix) in [
        ("accept_ra_pinfo", "0", "pinfo", "accept_ra_pinfo=1"),
        ("autoconf", "0", "autoconf", "autoconf=1"),
        (
            "accept_ra_min_lft",
            "1801",
            "min-lft",
            "accept_ra_min_lft=0",
        ),
    ] {
        if !site.has(sysctl)? {
            println!("no {sysctl} here");
            continue;
        }
        site.set(sysctl, wrong)?;
        let mut advertisement = ordinary();
        advertisement.lifetime = 9000;
        let report = site.traced(&advertisement.bytes())?;
        site.has_no_address()?;
        let diagnosis = report.only("slaac-no-address")?;
        site.expect_advertisement(diagnosis)
            // It has its default route.
            .field("severity", "notice")
            .evidence("reason", reason)
            .summary_has([sysctl])
            .check()?;
        diagnosis.follow(fix)?;
        site.heeds()?;
        site.forget()?;
    }
    Ok(())
}

/// The flag by which hosts are to ask for prefixes.
fn pflag() -> Result<()> {
    let site = Site::new()?;
    let mut prefix = AdvertisedPrefix::new(PREFIX);
    prefix.flags |= 0x10;
    let message = Advertisement::new().prefix(prefix).bytes();
    if !site.has("ra_honor_pio_pflag")? {
        let tracer = Tracing::start()?;
        site.send(&message)?;
        site.has_all()?;
        return tracer.finish()?.silent();
    }
    site.set("ra_honor_pio_pflag", "1")?;
    let report = site.traced(&message)?;
    site.has_no_address()?;
    let diagnosis = report.only("slaac-no-address")?;
    site.expect_advertisement(diagnosis)
        .field("severity", "notice")
        .evidence("reason", "pflag")
        .summary_has(["ra_honor_pio_pflag"])
        .check()?;
    diagnosis.follow("ra_honor_pio_pflag=0")?;
    site.send(&message)?;
    site.has_all()
}

/// The link-local address and two more are as many as may be.
fn max_addresses() -> Result<()> {
    let site = Site::new()?;
    site.set("max_addresses", "3")?;
    for n in 1..=2 {
        site.host
            .ip(&format!("address add fd00:1::{n}/64 dev up.7 nodad"))?;
    }
    let advertiser = site.advertiser()?;
    let tracer = Tracing::start()?;
    for _ in 0..5 {
        advertiser.send(&ordinary().bytes())?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    site.has_no_address()?;
    let diagnosis = report.only("slaac-no-address")?;
    diagnosis
        .expect()
        .field("operation", "router-advertisement")
        .field("severity", "notice")
        .field("confidence", "certain")
        .field("netns", site.host.inode())
        .field("ifindex", site.interface.ifindex)
        .field("interface", site.interface.name.clone())
        .field("address", ADDRESS.to_string())
        .field("comm", serde_json::Value::Null)
        .evidence("reason", "max-addresses")
        .evidence("address_count", 3)
        .evidence("max_addresses", 3)
        .evidence("addresses", vec!["fd00:1::2/64", "fd00:1::1/64"])
        .summary_has(["max_addresses", "3"])
        .check()?;
    diagnosis.follow("max_addresses=6")?;
    site.heeds()
}

/// A prefix that was taken and is refreshed is no news, nor is one that there is
/// just enough room for.
fn refreshed() -> Result<()> {
    let site = Site::new()?;
    site.set("max_addresses", "2")?;
    let advertiser = site.advertiser()?;
    let tracer = Tracing::start()?;
    for n in 0..5 {
        let mut prefix = AdvertisedPrefix::new(PREFIX);
        prefix.valid -= n;
        advertiser.send(&Advertisement::new().prefix(prefix).bytes())?;
    }
    site.has_all()?;
    tracer.finish()?.silent()
}

/// A prefix whose time is up gives no address, and is no loss.
fn withdrawn() -> Result<()> {
    let site = Site::new()?;
    let mut prefix = AdvertisedPrefix::new(PREFIX);
    (prefix.valid, prefix.preferred) = (0, 0);
    let tracer = Tracing::start()?;
    site.send(&Advertisement::new().prefix(prefix).bytes())?;
    site.has_no_address()?;
    tracer.finish()?.silent()
}
