//! A segment that reflects a host's own frames: a bridge port in hairpin mode.

use std::net::Ipv6Addr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Host;
use super::own::{address, mac, made_of};
use crate::guest::{AddressState, Diagnosis, Expect, Segment, Tracer, Tracing, finish, until_some};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("dad-loopback-static", stays),
    scenario("dad-loopback-with-lifetime", deleted),
    scenario("dad-loopback-disables-ipv6", disables),
    scenario("dad-loopback-temporary", temporary),
    scenario("dad-loopback-beside-a-vlan", beside_vlan),
    scenario("dad-loopback-in-a-loop", storm),
    alone("dad-loopback-last-of-a-burst", last_of_burst),
    scenario("dad-loopback-ignored", ignored),
];

/// A host on a port in hairpin mode that does not know its own frames.
fn forgetful(segment: &Segment) -> Result<Host> {
    let host = Host::new(segment, "guest", mac())?;
    segment.hairpin("to-guest")?;
    host.netns.set_sysctl("ipv6/conf/all/enhanced_dad", "0")?;
    host.set("enhanced_dad", "0")?;
    Ok(host)
}

fn expect<'d>(
    segment: &Segment,
    host: &Host,
    diagnosis: &'d Diagnosis,
    address: Ipv6Addr,
) -> Expect<'d> {
    host.expect(diagnosis, address)
        .field("severity", "failure")
        .field("confidence", "likely")
        .evidence("message", "NS")
        .evidence("source_mac", mac())
        .evidence("own_mac", mac())
        .evidence("nonce", "none")
        .evidence("dad_nonce", "none")
        .evidence("enhanced_dad", 0)
        .evidence("bridge", Segment::BRIDGE)
        .evidence("bridge_port", "to-guest")
        .summary_has(["reflected", mac()])
        .some_fix_has(&format!(
            "ip netns exec {} sysctl -w net/ipv6/conf/eth0/enhanced_dad=1",
            host.netns.name()
        ))
        .some_fix_has(&format!(
            "ip netns exec {} bridge link set dev to-guest hairpin off",
            segment.switch.name()
        ))
}

fn stays() -> Result<()> {
    let segment = Segment::new()?;
    let host = forgetful(&segment)?;
    let report = host.refused(address())?;
    expect(&segment, &host, report.only("dad-loopback")?, address())
        .evidence("address_deleted", false)
        .evidence("ipv6_disabled", false)
        .summary_has(["tentative", "dadfailed"])
        .check()?;
    // And the fixes are some.
    host.set("enhanced_dad", "1")?;
    host.del(address())?;
    host.own(address())
}

fn deleted() -> Result<()> {
    let segment = Segment::new()?;
    let host = forgetful(&segment)?;
    let tracer = Tracing::start()?;
    host.add(address(), "valid_lft 900 preferred_lft 900")?;
    AddressState::Absent.wait(&host.netns, "eth0", address())?;
    let report = tracer.finish()?;
    report.complete()?;
    expect(&segment, &host, report.only("dad-loopback")?, address())
        .evidence("address_deleted", true)
        .evidence("ipv6_disabled", false)
        .summary_has(["deletes", "lifetime"])
        .no_fix_has("ip address add")
        .check()
}

/// accept_dad = 2 gives up IPv6 with the address made from the MAC.
fn disables() -> Result<()> {
    let address = made_of(mac());
    let segment = Segment::new()?;
    let host = forgetful(&segment)?;
    host.set("accept_dad", "2")?;
    let tracer = Tracing::start()?;
    // On a link that is up: right after it came up, the port may not forward yet.
    host.set("addr_gen_mode", "0")?;
    until_some("IPv6 should be disabled", Duration::from_secs(8), || {
        let disabled = host.netns.sysctl("ipv6/conf/eth0/disable_ipv6")? == "1";
        Ok(disabled.then_some(()))
    })?;
    AddressState::Absent.wait(&host.netns, "eth0", address)?;
    let report = tracer.finish()?;
    report.complete()?;
    expect(&segment, &host, report.only("dad-loopback")?, address)
        .evidence("address_deleted", true)
        .evidence("ipv6_disabled", true)
        .summary_has(["accept_dad", "disable_ipv6"])
        .some_fix_has("net/ipv6/conf/eth0/disable_ipv6=0")
        .check()
}

/// After so many temporary addresses the kernel makes no more, until what they
/// are made from is new.
fn temporary() -> Result<()> {
    let segment = Segment::new()?;
    let host = forgetful(&segment)?;
    host.set("use_tempaddr", "2")?;
    // As an advertisement would have it.
    let advertised = "mngtmpaddr nodad valid_lft 900 preferred_lft 900";
    let tracer = Tracing::start()?;
    host.add(address(), advertised)?;
    until_some("the kernel should give up", Duration::from_secs(20), || {
        let used = host.netns.sysctl("ipv6/conf/eth0/use_tempaddr")?;
        Ok((used == "-1").then_some(()))
    })?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(3)?;
    for diagnosis in &report.diagnoses {
        diagnosis
            .expect()
            .field("cause", "dad-loopback")
            .evidence("address_deleted", true)
            .summary_has(["regen_max_retry", "use_tempaddr of eth0 to -1"])
            .check()?;
    }
    let last = report.diagnoses.last().context("there are three")?;
    for fix in ["hairpin off", "regen_max_retry=10", "use_tempaddr=2"] {
        last.follow(fix)?;
    }
    // The address that they are made from is still there, and advertised again.
    host.change(address(), advertised)?;
    until_some("one should be usable", Duration::from_secs(8), || {
        let shown = host.netns.enter(|| {
            let words = "-6 address show dev eth0 temporary";
            let mut ip = Command::new("ip");
            finish(ip.args(words.split(' ')), Duration::from_secs(5))
        })?;
        let usable = shown.stdout.contains("inet6") && !shown.stdout.contains("tentative");
        Ok(usable.then_some(()))
    })
}

/// A VLAN has the MAC of its port, and so the same fe80 address. It has long been
/// using it, and asks nobody.
fn beside_vlan() -> Result<()> {
    let address = made_of(mac());
    let segment = Segment::new()?;
    let host = forgetful(&segment)?;
    host.netns
        .ip("link add link eth0 name eth0.7 type vlan id 7")?;
    host.netns.ip("link set eth0.7 addrgenmode none")?;
    host.netns.ip("link set eth0.7 up")?;
    host.netns
        .ip(&format!("address add {address}/64 dev eth0.7 nodad"))?;
    let report = host.refused(address)?;
    let diagnosis = report.only("dad-loopback")?;
    expect(&segment, &host, diagnosis, address)
        .that(
            diagnosis.evidence("other_interface").is_none(),
            "the VLAN is blamed",
        )
        .check()
}

/// What repeats itself is told once a second, and counted, the last of it
/// included.
fn storm() -> Result<()> {
    const TIMES: u64 = 5;
    let segment = Segment::new()?;
    let host = forgetful(&segment)?;
    let tracer = Tracing::start()?;
    for _ in 0..TIMES {
        host.add(address(), "valid_lft 900 preferred_lft 900")?;
        AddressState::Absent.wait(&host.netns, "eth0", address())?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    let mut told = 0;
    for diagnosis in &report.diagnoses {
        told += 1 + diagnosis.evidence_u64("suppressed")?;
    }
    ensure!(
        told == TIMES,
        "{told} of {TIMES} failures were told or counted"
    );
    ensure!(
        report.diagnoses.len() < usize::try_from(TIMES)?,
        "none was left out"
    );
    Ok(())
}

/// The last of a burst is told a moment later, not only when the next follows
/// or tracing ends.
fn last_of_burst() -> Result<()> {
    let segment = Segment::new()?;
    let host = forgetful(&segment)?;
    let tracer = Tracer::start(&[])?;
    for _ in 0..2 {
        host.add(address(), "valid_lft 900 preferred_lft 900")?;
        AddressState::Absent.wait(&host.netns, "eth0", address())?;
    }
    tracer.wait_for_lines("dad-loopback", 2)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)
}

/// By default the kernel recognises its own solicitation.
fn ignored() -> Result<()> {
    let segment = Segment::new()?;
    let host = Host::new(&segment, "guest", mac())?;
    segment.hairpin("to-guest")?;
    let tracer = Tracing::start()?;
    host.own(address())?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("dad-loopback-ignored")?;
    let nonce = diagnosis.evidence("nonce").and_then(|nonce| nonce.as_str());
    host.expect(diagnosis, address())
        .field("severity", "notice")
        .field("confidence", "certain")
        .evidence("source_mac", mac())
        .evidence("bridge", Segment::BRIDGE)
        .evidence("bridge_port", "to-guest")
        .that(
            nonce.is_some_and(|nonce| nonce.len() == 17 && nonce != "00:00:00:00:00:00"),
            "the nonce is none",
        )
        .some_fix_has(&format!(
            "ip netns exec {} bridge link set dev to-guest hairpin off",
            segment.switch.name()
        ))
        .check()
}
