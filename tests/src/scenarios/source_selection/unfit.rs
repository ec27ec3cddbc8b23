//! Borrowed sources that no answer comes back to: a hazard, and what comes first
//! is how the host gets a proper one.

use anyhow::Result;
use serde_json::Value;

use super::{DESTINATION, GATEWAY, Host, PREFIX, Way};
use crate::guest::{Diagnosis, Expect, Report, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("borrowed-source-address-lender-down", lender_down),
    scenario(
        "borrowed-source-address-lender-without-carrier",
        lender_without_carrier,
    ),
    scenario("borrowed-source-address-special", special),
    scenario("borrowed-source-address-special-on-lo", special_on_lo),
    scenario("borrowed-source-address-special-in-a-vrf", special_in_a_vrf),
    scenario("borrowed-source-address-not-special", not_special),
];

/// What is said when the host sends.
fn said(host: &Host, device: Option<&str>) -> Result<Report> {
    let tracer = Tracing::start()?;
    host.send(Way::Udp, DESTINATION, device)?;
    let report = tracer.finish()?;
    report.complete()?;
    Ok(report)
}

fn hazard<'d>(diagnosis: &'d Diagnosis, source: &str, on: &str, unfit: &str) -> Expect<'d> {
    diagnosis
        .expect()
        .field("cause", "borrowed-source-address")
        .field("severity", "hazard")
        .evidence("source", source)
        .evidence("source_interface", on)
        .evidence("unfit", unfit)
        .summary_has([source, on, "answers hardly come back"])
        .summary_has_none_of(&["It works"])
}

/// The first fix is this one, with `ADDRESS` where none of the host's is
/// named; followed, the host borrows `address` of `on`, which is but a notice.
fn mended(
    host: &Host,
    diagnosis: &Diagnosis,
    fix: &str,
    (address, on): (&str, &str),
    device: Option<&str>,
) -> Result<()> {
    let fix = host.command(fix);
    let first = diagnosis.fixes().first().copied().unwrap_or_default();
    diagnosis
        .expect()
        .that(
            first.starts_with(&fix),
            format!("{fix} is not the first fix"),
        )
        .check()?;
    diagnosis.follow_with(&fix, address)?;
    let report = said(host, device)?;
    report
        .only("borrowed-source-address")?
        .expect()
        .field("severity", "notice")
        .evidence("source", address)
        .evidence("source_interface", on)
        .evidence("unfit", Value::Null)
        .check()
}

const ADD: &str = "ip address add ADDRESS/32 dev lo";

/// An interface gives its address also while it is down.
fn lender_down() -> Result<()> {
    let host = Host::with_route("downed")?;
    host.netns.dummy("d0")?;
    host.netns.ip("address add 192.0.2.5/24 dev d0")?;
    host.netns.ip("link set d0 down")?;
    let report = said(&host, None)?;
    let diagnosis = report.only("borrowed-source-address")?;
    hazard(diagnosis, "192.0.2.5", "d0", "down")
        .summary_has(["d0 is down"])
        .no_fix_has("192.0.2.5")
        .some_fix_has(&host.command(&format!(
            "ip route change {PREFIX} via inet6 {GATEWAY} dev v0 src ADDRESS"
        )))
        .check()?;
    mended(&host, diagnosis, ADD, ("203.0.113.1", "lo"), None)
}

/// A link whose other end is down, as docker0 is once the last container is
/// gone. The host has a proper address, on an interface that comes later.
fn lender_without_carrier() -> Result<()> {
    let host = Host::with_route("unplugged")?;
    host.netns.ip("link add e0 type veth peer name e1")?;
    host.netns.ip("link set e0 up")?;
    host.netns.ip("address add 172.17.0.1/16 dev e0")?;
    let report = said(&host, None)?;
    let diagnosis = report.only("borrowed-source-address")?;
    hazard(diagnosis, "172.17.0.1", "e0", "no-carrier")
        .summary_has(["e0 has no carrier"])
        .some_fix_has(&host.command(ADD))
        .check()?;
    host.netns.dummy("d0")?;
    host.netns.ip("address add 203.0.113.5/24 dev d0")?;
    let report = said(&host, None)?;
    let diagnosis = report.only("borrowed-source-address")?;
    hazard(diagnosis, "172.17.0.1", "e0", "no-carrier").check()?;
    let add = "ip address add 203.0.113.5/32 dev lo";
    mended(&host, diagnosis, add, ("203.0.113.5", "lo"), None)?;
    // What the other interface has is as it was.
    host.netns.ip("route get 203.0.113.77 oif d0")?;
    host.netns.ip("address del 203.0.113.5/24 dev d0")
}

/// Addresses that are routed nowhere, or only within networks of their own.
fn special() -> Result<()> {
    let addresses = [
        ("240.0.0.5", "class-e", "240.0.0.0/4"),
        ("169.254.7.5", "link-local", "169.254.0.0/16"),
        ("100.64.0.5", "shared", "100.64.0.0/10"),
        ("198.18.0.5", "benchmark", "198.18.0.0/15"),
        ("192.0.0.4", "protocol", "464XLAT"),
    ];
    let host = Host::with_route("special")?;
    host.netns.dummy("d0")?;
    let tracer = Tracing::start()?;
    for (address, ..) in addresses {
        host.netns
            .ip(&format!("address add {address}/24 dev d0 scope global"))?;
        host.send(Way::Udp, DESTINATION, None)?;
        host.netns.ip(&format!("address del {address}/24 dev d0"))?;
    }
    host.netns
        .ip(&format!("address add {}/24 dev d0", addresses[0].0))?;
    host.send(Way::Udp, DESTINATION, None)?;
    let report = tracer.finish()?;
    report.complete()?;
    let said: Vec<_> = report.diagnoses.iter().collect();
    for (diagnosis, (address, unfit, space)) in said.iter().zip(addresses) {
        diagnosis
            .expect()
            .field("severity", "hazard")
            .evidence("source", address)
            .evidence("unfit", unfit)
            .summary_has([address, space])
            .no_fix_has(address)
            .check()?;
    }
    report.count(addresses.len() + 1)?;
    mended(
        &host,
        said[addresses.len()],
        ADD,
        ("203.0.113.1", "lo"),
        None,
    )
}

/// lo is asked first, and of lo the first: another address there is only taken
/// if the route names it.
fn special_on_lo() -> Result<()> {
    let host = Host::with_route("class-e")?;
    host.netns.ip("address add 240.0.0.1/32 dev lo")?;
    let report = said(&host, None)?;
    let diagnosis = report.only("borrowed-source-address")?;
    let change =
        |source| format!("ip route change {PREFIX} via inet6 {GATEWAY} dev v0 src {source}");
    hazard(diagnosis, "240.0.0.1", "lo", "class-e")
        .some_fix_has(&host.command(ADD))
        .some_fix_has(&host.command(&change("ADDRESS")))
        .check()?;
    diagnosis.follow_with(&host.command(ADD), "203.0.113.1")?;
    let report = said(&host, None)?;
    let diagnosis = report.only("borrowed-source-address")?;
    hazard(diagnosis, "240.0.0.1", "lo", "class-e")
        .no_fix_has("address add")
        .check()?;
    diagnosis.follow(&host.command(&change("203.0.113.1")))?;
    said(&host, None)?.silent()
}

/// In a VRF its device is asked first.
fn special_in_a_vrf() -> Result<()> {
    let host = Host::new("blue")?;
    host.netns.ip("link add blue up type vrf table 10")?;
    host.netns.ip("link set v0 vrf blue")?;
    host.netns.ip("address replace fe80::2/64 dev v0 nodad")?;
    host.netns.ip(&format!(
        "route add {PREFIX} vrf blue via inet6 {GATEWAY} dev v0"
    ))?;
    host.netns.dummy("d0")?;
    host.netns.ip("link set d0 vrf blue")?;
    host.netns.ip("address add 100.64.0.5/24 dev d0")?;
    // Outside the VRF, and so none of its addresses.
    host.netns.ip("address add 203.0.113.9/32 dev lo")?;
    let report = said(&host, Some("blue"))?;
    let diagnosis = report.only("borrowed-source-address")?;
    hazard(diagnosis, "100.64.0.5", "d0", "shared")
        .evidence("l3mdev", "blue")
        .no_fix_has("203.0.113.9")
        .check()?;
    let add = "ip address add ADDRESS/32 dev blue";
    mended(&host, diagnosis, add, ("192.0.2.7", "blue"), Some("blue"))
}

/// Near misses: private space may well be routed back; whoever sends within a
/// network of shared addresses has one of them; and an address that a working
/// interface has as well.
fn not_special() -> Result<()> {
    let private = Host::with_route("private")?;
    private.netns.dummy("d0")?;
    private.netns.ip("address add 10.0.0.5/24 dev d0")?;
    let shared = Host::new("provider")?;
    shared.netns.ip(&format!(
        "route add 100.64.0.0/10 via inet6 {GATEWAY} dev v0"
    ))?;
    shared.netns.ip("address add 100.64.0.5/32 dev lo")?;
    let twice = Host::with_route("twice")?;
    twice.netns.dummy("d0")?;
    twice.netns.dummy("d1")?;
    for dummy in ["d0", "d1"] {
        twice
            .netns
            .ip(&format!("address add 192.0.2.5/32 dev {dummy}"))?;
    }
    twice.netns.ip("link set d0 down")?;
    let tracer = Tracing::start()?;
    private.send(Way::Udp, DESTINATION, None)?;
    shared.send(Way::Udp, [100, 100, 0, 9].into(), None)?;
    twice.send(Way::Udp, DESTINATION, None)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(3)?;
    for diagnosis in &report.diagnoses {
        diagnosis
            .expect()
            .field("cause", "borrowed-source-address")
            .field("severity", "notice")
            .evidence("unfit", Value::Null)
            .summary_has(["It works as long as"])
            .check()?;
    }
    Ok(())
}
