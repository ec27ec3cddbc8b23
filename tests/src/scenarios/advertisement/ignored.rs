//! Whole advertisements that are ignored by configuration.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use super::{ADDRESS, ROUTER, Site, ordinary};
use crate::guest::{
    AddressState, MulticastSocket, Radvd, Tracer, Tracing, default_route, until_some,
};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("ra-ignored-forwarding", forwarding),
    scenario("ra-ignored-forwarding-written", written),
    scenario("ra-ignored-forwarding-docker", docker),
    scenario("ra-ignored-forwarding-has-others", has_others),
    alone("ra-ignored-forwarding-run-out", run_out),
    scenario("ra-ignored-accept-ra", accept_ra),
    scenario("ra-ignored-accept-ra-taken", taken),
    scenario("ra-ignored-not-heeded", heeded),
    alone("ra-ignored-not-again", not_again),
];

/// The story: forwarding is on before the first advertisement.
fn forwarding() -> Result<()> {
    let site = Site::new()?;
    site.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    let report = site.traced(&ordinary().bytes())?;
    site.has_nothing()?;
    let diagnosis = report.only("ra-ignored-forwarding")?;
    site.expect_advertisement(diagnosis)
        .field("severity", "failure")
        .field("address", ROUTER.to_string())
        .evidence("forwarding", 1)
        .evidence("accept_ra", 1)
        .evidence("addresses", Vec::<String>::new())
        .evidence("default_routes", Vec::<String>::new())
        .evidence("takers", 0)
        .evidence("taker", Value::Null)
        .summary_has(["forwards", "accept_ra"])
        .check()?;
    for fix in ["accept_ra=2", "forwarding=0"] {
        diagnosis.follow(fix)?;
        site.heeds()?;
        site.set("accept_ra", "1")?;
        site.set("forwarding", "1")?;
        site.forget()?;
    }
    Ok(())
}

/// Who wrote forwarding is known where that took something away.
fn written() -> Result<()> {
    let site = Site::new()?;
    site.heeds()?;
    let tracer = Tracing::start()?;
    site.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    site.send(&ordinary().bytes())?;
    let report = tracer.finish()?;
    report.complete()?;
    super::of_cause(&report, "default-route-purged")?;
    site.expect_advertisement(super::of_cause(&report, "ra-ignored-forwarding")?)
        // Its address is still there.
        .field("severity", "notice")
        .evidence("addresses", vec![format!("{ADDRESS}/64")])
        .summary_has(["wrote", "net.ipv6.conf.all.forwarding"])
        .summary_has([format!("guest[{}]", std::process::id())])
        .check()
}

/// radvd announces what a host ignores that has turned forwarding on for all.
fn docker() -> Result<()> {
    let site = Site::new()?;
    site.router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    let heard = || site.host.counter("Icmp6InRouterAdvertisements");
    let before = heard()?;
    let tracer = Tracing::start()?;
    site.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    let radvd = Radvd::start_quick(&site.router, "w", true)?;
    until_some("radvd is heard", Duration::from_secs(10), || {
        Ok((heard()? > before).then_some(()))
    })?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = super::of_cause(&report, "ra-ignored-forwarding")?;
    site.expect_advertisement(diagnosis)
        .field("severity", "failure")
        .some_fix_has("accept_ra=2")
        .check()?;
    diagnosis.follow("accept_ra=2")?;
    until_some("the next is heeded", Duration::from_secs(10), || {
        default_route(&site.host)
    })?;
    drop(radvd);
    Ok(())
}

/// What the interface has from somebody else is no failure.
fn has_others() -> Result<()> {
    let site = Site::new()?;
    site.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    site.host
        .ip("address add 2001:db8:9::9/48 dev up.7 nodad")?;
    let report = site.traced(&ordinary().bytes())?;
    site.expect_advertisement(report.only("ra-ignored-forwarding")?)
        .field("severity", "notice")
        .evidence("addresses", vec!["2001:db8:9::9/48"])
        .summary_has(["2001:db8:9::9/48"])
        .check()?;
    site.host.ip("address del 2001:db8:9::9/48 dev up.7")?;
    site.host
        .ip("-6 route add default via fe80::99 dev up.7 proto static")?;
    let report = site.traced(&ordinary().bytes())?;
    site.expect_advertisement(report.only("ra-ignored-forwarding")?)
        .field("severity", "notice")
        .evidence("default_routes", vec!["via fe80::99 (static)"])
        .check()
}

/// What came before forwarding was on runs out: it is no failure before, told when it is
/// one, and not again.
fn run_out() -> Result<()> {
    let site = Site::new()?;
    site.heeds()?;
    site.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    let advertiser = site.advertiser()?;
    let message = ordinary().bytes();
    let tracer = Tracer::start(&[])?;
    for _ in 0..3 {
        advertiser.send(&message)?;
    }
    // With what it has by then.
    tracer.wait_for_line("ra-ignored-forwarding")?;
    // As it would go by itself, later.
    site.host.ip(&format!(
        "address change {ADDRESS}/64 dev {} valid_lft 1 preferred_lft 1",
        site.interface.name
    ))?;
    AddressState::Absent.wait(&site.host, &site.interface.name, ADDRESS)?;
    // A lifetime that counts down makes no other advertisement of it.
    for lifetime in [1800, 1790, 1780] {
        let mut message = ordinary();
        message.lifetime = lifetime;
        advertiser.send(&message.bytes())?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    let told: Vec<_> = report
        .diagnoses
        .iter()
        .filter(|it| it.cause() == "ra-ignored-forwarding")
        .collect();
    let [first, second] = told[..] else {
        bail!("expected two of them: {:#?}", report.diagnoses);
    };
    site.expect_advertisement(first)
        .field("severity", "notice")
        .evidence("addresses", vec![format!("{ADDRESS}/64")])
        .check()?;
    site.expect_advertisement(second)
        .field("severity", "failure")
        .evidence("forwarding", 1)
        .evidence("accept_ra", 1)
        .evidence("addresses", Vec::<String>::new())
        .evidence("default_routes", Vec::<String>::new())
        .check()?;
    second.follow("accept_ra=2")?;
    site.heeds()
}

/// No failure before whoever set it has had its time, and one then.
fn accept_ra() -> Result<()> {
    let site = Site::new()?;
    site.set("accept_ra", "0")?;
    let advertiser = site.advertiser()?;
    let tracer = Tracing::start()?;
    advertiser.send(&ordinary().bytes())?;
    std::thread::sleep(Duration::from_millis(10_500));
    for _ in 0..3 {
        advertiser.send(&ordinary().bytes())?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    site.has_nothing()?;
    let [first, second] = &report.diagnoses[..] else {
        bail!("expected two diagnoses: {:#?}", report.diagnoses);
    };
    for (diagnosis, severity) in [(first, "notice"), (second, "failure")] {
        site.expect_advertisement(diagnosis)
            .field("cause", "ra-ignored-accept-ra")
            .field("severity", severity)
            .evidence("forwarding", 0)
            .evidence("accept_ra", 0)
            .evidence("takers", 0)
            .check()?;
    }
    second.follow("accept_ra=1")?;
    site.heeds()
}

/// The trap: a program of the host takes advertisements itself.
fn taken() -> Result<()> {
    let site = Site::new()?;
    site.set("accept_ra", "0")?;
    let _socket = MulticastSocket::icmpv6(&site.host)?;
    let report = site.traced(&ordinary().bytes())?;
    let own = format!("guest[{}]", std::process::id());
    site.expect_advertisement(report.only("ra-ignored-accept-ra")?)
        .field("severity", "notice")
        .evidence("takers", 1)
        .evidence("taker", "guest")
        .summary_has([own])
        .check()
}

/// Near misses: what is heeded.
fn heeded() -> Result<()> {
    let site = Site::new()?;
    let tracer = Tracing::start()?;
    site.heeds()?;
    site.set("accept_ra", "2")?;
    site.set("forwarding", "1")?;
    site.heeds()?;
    // The whole host's values have no say.
    site.host.set_sysctl("ipv6/conf/all/accept_ra", "0")?;
    site.heeds()?;
    tracer.finish()?.silent()
}

/// The same is told once, and again when something has changed.
fn not_again() -> Result<()> {
    let site = Site::new()?;
    site.set("accept_ra", "0")?;
    let advertiser = site.advertiser()?;
    let tracer = Tracer::start(&["--events"])?;
    for _ in 0..20 {
        advertiser.send(&ordinary().bytes())?;
    }
    // A lifetime that counts down is not worth telling.
    let mut older = ordinary();
    older.lifetime -= 5;
    advertiser.send(&older.bytes())?;
    // Heeded in between, which is no news by itself.
    site.set("accept_ra", "1")?;
    site.heeds()?;
    site.set("accept_ra", "0")?;
    advertiser.send(&ordinary().bytes())?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    ensure!(
        report
            .diagnoses
            .iter()
            .all(|one| one.cause() == "ra-ignored-accept-ra"),
        "another cause"
    );
    let state = crate::guest::AddressState::of(&site.host, &site.interface.name, ADDRESS)?;
    ensure!(state == crate::guest::AddressState::Usable, "{state:?}");
    Ok(())
}
