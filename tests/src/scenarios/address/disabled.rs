//! IPv6 that is switched off by `disable_ipv6`: what that takes away, and what it
//! refuses afterwards.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{ADDRESS, Host, SECOND};
use crate::guest::{AddressState, Diagnosis, Report, Tracing, ip_fails};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("address-ipv6-disabled", refused),
    scenario("address-ipv6-disabled-by-all", by_all),
    scenario("address-ipv6-disabled-by-default", by_default),
    scenario("address-ipv6-disabled-not-by-all", own_value_decides),
    scenario("ipv6-disabled-on-interface", lost),
    scenario("ipv6-disabled-on-interface-by-all", lost_by_all),
    scenario("ipv6-disabled-on-interface-kernels-own", kernels_own),
];

/// The one diagnosis of a cause, among others.
pub(super) fn of<'r>(report: &'r Report, cause: &str) -> Result<&'r Diagnosis> {
    let mut found = report.diagnoses.iter().filter(|one| one.cause() == cause);
    let one = found.next().with_context(|| format!("no {cause}"))?;
    ensure!(found.next().is_none(), "{cause} is reported twice");
    Ok(one)
}

/// Who set it was not seen.
fn refused() -> Result<()> {
    let host = Host::new("off", "v0.7")?;
    host.set("v0.7", "disable_ipv6", "1")?;
    let report = host.refused(&format!("{ADDRESS}/64"))?;
    let diagnosis = report.only("address-ipv6-disabled")?;
    host.expect(diagnosis, "EACCES")
        .field("address", ADDRESS.to_string())
        .field("comm", "ip")
        .evidence("disable_ipv6", 1)
        .evidence("all_disable_ipv6", 0)
        .evidence("default_disable_ipv6", 0)
        .evidence("set_by", Value::Null)
        .summary_has_one_of(&["for v0.7 alone"])
        .some_fix_has("net/ipv6/conf/v0.7/disable_ipv6=0")
        .no_fix_has("default")
        .check()?;
    diagnosis.follow("disable_ipv6=0")?;
    diagnosis.follow("address add")?;
    host.gets(ADDRESS)?;
    AddressState::wait_for_link_local(&host.netns, "v0.7")
}

fn by_all() -> Result<()> {
    let host = Host::new("all-off", "v0")?;
    let tracer = Tracing::start()?;
    host.set("all", "disable_ipv6", "1")?;
    host.fails(&format!("{ADDRESS}/64"))?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = of(&report, "address-ipv6-disabled")?;
    let set_by = diagnosis.evidence("set_by").cloned().unwrap_or_default();
    host.expect(diagnosis, "EACCES")
        .evidence("disable_ipv6", 1)
        .evidence("all_disable_ipv6", 1)
        .evidence("default_disable_ipv6", 1)
        .that(set_by["comm"] == "guest", "it names another writer")
        .that(set_by["pid"] == std::process::id(), "another process")
        .that(set_by["wrote"] == "all", "another sysctl")
        .that(set_by["ns_before"].as_u64().is_some(), "not when")
        .summary_has(["guest", "net.ipv6.conf.all.disable_ipv6"])
        .some_fix_has("net/ipv6/conf/v0/disable_ipv6=0")
        .some_fix_has("net/ipv6/conf/default/disable_ipv6=0")
        .check()?;
    diagnosis.follow("v0/disable_ipv6=0")?;
    diagnosis.follow("default/disable_ipv6=0")?;
    ensure!(
        host.get("peer", "disable_ipv6")? == 1,
        "the fix is for this interface"
    );
    host.own(ADDRESS)
}

/// An interface that comes begins with it.
fn by_default() -> Result<()> {
    let host = Host::new("born-off", "v0")?;
    let tracer = Tracing::start()?;
    host.set("default", "disable_ipv6", "1")?;
    let late = host.netns.dummy("d0")?;
    ip_fails(
        &host
            .netns
            .ip_words(&format!("address add {ADDRESS}/64 dev d0")),
    )?;
    // One that was there is as before.
    host.own(ADDRESS)?;
    let report = tracer.finish()?;
    report.complete()?;
    let host = Host {
        interface: late,
        ..host
    };
    let diagnosis = report.only("address-ipv6-disabled")?;
    let set_by = diagnosis.evidence("set_by").cloned().unwrap_or_default();
    host.expect(diagnosis, "EACCES")
        .evidence("disable_ipv6", 1)
        .evidence("all_disable_ipv6", 0)
        .evidence("default_disable_ipv6", 1)
        .that(set_by["wrote"] == "default", "another sysctl")
        .summary_has(["net.ipv6.conf.default.disable_ipv6"])
        .check()
}

/// `conf.all` has no say once an interface has a value of its own.
fn own_value_decides() -> Result<()> {
    let host = Host::new("own-on", "v0")?;
    host.set("all", "disable_ipv6", "1")?;
    host.set("v0", "disable_ipv6", "0")?;
    let tracer = Tracing::start()?;
    host.own(ADDRESS)?;
    tracer.finish()?.silent()?;
    host.set("all", "disable_ipv6", "0")?;
    host.set("v0", "disable_ipv6", "1")?;
    let report = host.refused(&format!("{SECOND}/64"))?;
    host.expect(report.only("address-ipv6-disabled")?, "EACCES")
        .evidence("all_disable_ipv6", 0)
        .check()
}

fn lost() -> Result<()> {
    let host = Host::new("loses", "v0")?;
    host.furnish()?;
    let tracer = Tracing::start()?;
    host.set("v0", "disable_ipv6", "1")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("ipv6-disabled-on-interface")?;
    host.expect_all_lost(diagnosis)
        .field("severity", "hazard")
        .field("operation", "disable-ipv6")
        .field("comm", "guest")
        .field("pid", std::process::id())
        .evidence("written", "v0")
        .summary_has(["guest", "net/ipv6/conf/v0/disable_ipv6"])
        .check()?;
    ensure!(host.addresses()?.1 == 0, "something is left");
    diagnosis.follow("v0/disable_ipv6=0")?;
    host.refurnish(diagnosis)
}

/// Every interface loses what it has, lo its ::1.
fn lost_by_all() -> Result<()> {
    let host = Host::new("all-lose", "v0")?;
    host.furnish()?;
    host.netns.ip("link set lo up")?;
    host.netns.dummy("d0")?;
    AddressState::wait_for_link_local(&host.netns, "d0")?;
    let tracer = Tracing::start()?;
    host.set("all", "disable_ipv6", "1")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("ipv6-disabled-on-interface")?;
    diagnosis
        .expect()
        .field("severity", "hazard")
        .field("confidence", "certain")
        .field("pid", std::process::id())
        .field("interface", Value::Null)
        .field("ifindex", Value::Null)
        .evidence("written", "all")
        // Three of v0, fe80:: of d0, ::1.
        .evidence("addresses", 5)
        .evidence("addresses_set", 2)
        .evidence("routes", 1)
        .evidence("interfaces", 3)
        .summary_has(["3", "fd00:2d::7/64", "net/ipv6/conf/all/disable_ipv6"])
        .check()?;
    diagnosis.follow("all/disable_ipv6=0")?;
    host.refurnish(diagnosis)
}

/// Whoever switches IPv6 off where nobody used it means that.
fn kernels_own() -> Result<()> {
    let host = Host::new("unused", "v0")?;
    AddressState::wait_for_link_local(&host.netns, "v0")?;
    let tracer = Tracing::start()?;
    host.set("v0", "disable_ipv6", "1")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("ipv6-disabled-on-interface")?;
    diagnosis
        .expect()
        .field("severity", "notice")
        .evidence("addresses", 1)
        .evidence("addresses_set", 0)
        .evidence("routes", 0)
        .evidence("lost_routes", json!([]))
        .check()?;
    diagnosis.follow("disable_ipv6=0")?;
    AddressState::wait_for_link_local(&host.netns, "v0")
}
