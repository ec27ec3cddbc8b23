//! Interfaces that are set down, by whomever.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::{ADDRESS, BEHIND, Host, SECOND};
use crate::guest::{AddressState, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("addresses-lost-on-down", lost),
    scenario("addresses-lost-by-vrf", by_vrf),
    scenario("addresses-lost-by-vrf-to-another", between_vrfs),
    scenario("addresses-lost-by-vrf-not", not_by_vrf),
];

fn lost() -> Result<()> {
    let host = Host::new("flapped", "v0")?;
    host.furnish()?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set v0 down")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("addresses-lost-on-down")?;
    host.expect_all_lost(diagnosis)
        .field("severity", "notice")
        .field("operation", "interface-down")
        .field("comm", "ip")
        .summary_has(["ip", "keep_addr_on_down"])
        .check()?;
    ensure!(host.addresses()?.1 == 0, "something is left");
    diagnosis.follow("keep_addr_on_down=1")?;
    host.netns.ip("link set v0 up")?;
    host.refurnish(diagnosis)?;
    host.netns.ip("link set v0 down")?;
    host.netns.ip("link set v0 up")?;
    host.gets(ADDRESS)?;
    ensure!(!host.routes_behind()?, "routes are kept as well");
    Ok(())
}

impl Host {
    /// A VRF, to which the interface does not belong yet.
    fn vrf(&self, name: &str, table: u32) -> Result<()> {
        self.netns
            .ip(&format!("link add {name} up type vrf table {table}"))
    }

    /// Whether the table has a route to [`BEHIND`].
    fn routes_in(&self, table: &str) -> Result<bool> {
        let script = format!("route show {BEHIND} table {table}");
        let shown = self.netns.enter(|| {
            let mut ip = std::process::Command::new("ip");
            let output = ip.arg("-6").args(script.split(' ')).output();
            output.context("cannot run ip")
        })?;
        Ok(!shown.stdout.is_empty())
    }
}

/// What enters a VRF loses its addresses, and again when it leaves.
fn by_vrf() -> Result<()> {
    let host = Host::new("moved", "v0")?;
    host.furnish()?;
    host.vrf("red", 77)?;
    for (words, entered, table) in [
        ("link set v0 master red", true, 254),
        ("link set v0 nomaster", false, 77),
    ] {
        let tracer = Tracing::start()?;
        host.netns.ip(words)?;
        let report = tracer.finish()?;
        report.complete()?;
        ensure!(host.addresses()?.0.is_empty(), "{words}: something is left");
        let diagnosis = report.only("addresses-lost-by-vrf")?;
        diagnosis
            .expect()
            .field("severity", "hazard")
            .field("confidence", "certain")
            .field("operation", "vrf-change")
            .field("errno", serde_json::Value::Null)
            .field("comm", "ip")
            .field("netns", host.netns.inode())
            .field("ifindex", host.interface.ifindex)
            .field("interface", "v0")
            .evidence("vrf", "red")
            .evidence("entered", entered)
            .evidence("addresses_set", 2)
            .evidence("addresses_learned", 0)
            .evidence(
                "lost_routes",
                json!([{
                    "destination": BEHIND, "gateway": "fd00:2d::9", "interface": "v0",
                    "protocol": 3, "table": table,
                }]),
            )
            .summary_has(["ip", "v0", "red", "fd00:2d::7/64", "keep_addr_on_down"])
            .check()?;
        AddressState::wait_for_link_local(&host.netns, "v0")?;
        diagnosis.follow(&format!("address add {ADDRESS}/64"))?;
        diagnosis.follow(&format!("address add {SECOND}/64"))?;
        host.gets(ADDRESS)?;
        diagnosis.follow(&format!("route add {BEHIND}"))?;
        // Out of it, whether 77 was its table is for whoever follows to say.
        let [inside, outside] = ["77", "main"].map(|table| host.routes_in(table));
        ensure!(
            (inside?, outside?) == (true, false),
            "{words}: the route is elsewhere"
        );
        if !entered {
            diagnosis.follow("keep_addr_on_down=1")?;
        }
    }
    // The routes go nevertheless, which is told.
    host.netns.ip(&format!("-6 route del {BEHIND} table 77"))?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set v0 master red")?;
    host.gets(ADDRESS)?;
    tracer.finish()?.silent()
}

/// What goes from one VRF to another leaves the old one first, and loses it all there.
fn between_vrfs() -> Result<()> {
    let host = Host::new("moved-on", "v0")?;
    host.vrf("red", 77)?;
    host.vrf("blue", 78)?;
    host.netns.ip("link set v0 master red")?;
    AddressState::wait_for_link_local(&host.netns, "v0")?;
    host.own(ADDRESS)?;
    let route = format!("-6 route add {BEHIND} via fd00:2d::9 dev v0 vrf");
    host.netns.ip(&format!("{route} red"))?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set v0 master blue")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("addresses-lost-by-vrf")?;
    diagnosis
        .expect()
        .evidence("vrf", "red")
        .evidence("entered", false)
        .evidence("addresses_set", 1)
        .evidence("routes", 1)
        .some_fix_has("that of the VRF that it is in by now")
        .check()?;
    AddressState::wait_for_link_local(&host.netns, "v0")?;
    diagnosis.follow(&format!("address add {ADDRESS}/64"))?;
    host.gets(ADDRESS)?;
    host.netns.ip(&format!("{route} blue"))?;
    ensure!(host.routes_in("78")?, "the route is elsewhere");
    Ok(())
}

/// Near misses: nothing to lose, and another kind of master; and one that is set down
/// by hand in a VRF is told as that.
fn not_by_vrf() -> Result<()> {
    let host = Host::new("unmoved", "v0")?;
    host.vrf("red", 77)?;
    host.netns.ip("link add br0 type bridge")?;
    AddressState::wait_for_link_local(&host.netns, "v0")?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set v0 master red")?;
    host.netns.ip("link set v0 nomaster")?;
    host.own(ADDRESS)?;
    host.netns.ip("link set v0 master br0")?;
    host.netns.ip("link set v0 nomaster")?;
    host.gets(ADDRESS)?;
    tracer.finish()?.silent()?;
    host.netns.ip("link add d0 up master red type dummy")?;
    host.netns.ip("address add fd00:2f::1/64 dev d0 nodad")?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set d0 down")?;
    let report = tracer.finish()?;
    report.only("addresses-lost-on-down")?;
    Ok(())
}
