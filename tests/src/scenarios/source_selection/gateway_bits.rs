//! Own addresses that the first bits of the next hop choose.

use anyhow::Result;

use super::{DESTINATION, Host, PREFIX, Way};
use crate::guest::Tracing;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("source-address-by-gateway-bits", chosen),
    scenario("source-address-by-gateway-bits-not", silent),
];

/// 2001:db8:: reads 32.1.13.184.
const NEXT_HOP: &str = "2001:db8::2";

/// A host with a global next hop, and with these addresses on v0.
fn host(name: &str, addresses: &[&str]) -> Result<Host> {
    let host = Host::new(name)?;
    let global = "address add 2001:db8::1/64 dev v0 nodad";
    host.netns.ip(global)?;
    host.router
        .ip(&format!("address add {NEXT_HOP}/64 dev v1 nodad"))?;
    for address in addresses {
        host.netns.ip(&format!("address add {address} dev v0"))?;
    }
    Ok(host)
}

/// Not the first address, though nobody asked for it. The fix makes another
/// one the source.
fn chosen() -> Result<()> {
    let host = host("bits", &["192.0.2.5/24", "203.0.113.5/24", "32.1.13.9/24"])?;
    host.netns
        .ip(&format!("route add {PREFIX} via inet6 {NEXT_HOP} dev v0"))?;
    let tracer = Tracing::start()?;
    for _ in 0..5 {
        host.send(Way::Udp, DESTINATION, None)?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("source-address-by-gateway-bits")?;
    diagnosis
        .expect()
        .field("severity", "notice")
        .field("confidence", "certain")
        .field("operation", "source-selection")
        .field("comm", "guest")
        .field("netns", host.netns.inode())
        .field("interface", "v0")
        .evidence("source", "32.1.13.9")
        .evidence("source_interface", "v0")
        .evidence("gateway_bits", "32.1.13.184")
        .evidence("next_hop", NEXT_HOP)
        .evidence("prefix", PREFIX)
        .summary_has(["32.1.13.9", "32.1.13.184", "v0", NEXT_HOP])
        .check()?;
    diagnosis.follow_with("src ADDRESS", "192.0.2.5")?;
    let tracer = Tracing::start()?;
    host.send(Way::Udp, DESTINATION, None)?;
    tracer.finish()?.silent()
}

/// The same address where it is the first anyway, where nothing matches, and
/// behind a nexthop object, which says that its address is IPv6.
fn silent() -> Result<()> {
    let first = host("first", &["32.1.13.9/24", "192.0.2.5/24"])?;
    let none = host("none", &["192.0.2.5/24", "32.1.14.9/24"])?;
    for host in [&first, &none] {
        host.netns
            .ip(&format!("route add {PREFIX} via inet6 {NEXT_HOP} dev v0"))?;
    }
    let object = host("object", &["192.0.2.5/24", "32.1.13.9/24"])?;
    object
        .netns
        .ip(&format!("nexthop add id 7 via {NEXT_HOP} dev v0"))?;
    object.netns.ip(&format!("route add {PREFIX} nhid 7"))?;
    let tracer = Tracing::start()?;
    for host in [&first, &none, &object] {
        host.send(Way::Udp, DESTINATION, None)?;
    }
    tracer.finish()?.silent()
}
