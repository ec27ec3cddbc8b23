//! An interface that was asked for, and has no IPv6, or is not there.

use anyhow::Result;
use serde_json::Value;

use super::{BEYOND, Host, ROUTER, To, Way};
use crate::guest::{AddressState, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("outgoing-ipv6-off", switched_off),
    scenario("outgoing-no-such-device", no_such_device),
];

/// By `disable_ipv6`, and by its MTU. The fixes bring it back; what the other
/// interface has stays.
fn switched_off() -> Result<()> {
    let host = Host::with_route("off")?;
    host.netns.ip("link add d0 type veth peer name d1")?;
    host.netns.ip("link set d1 up")?;
    host.netns.set_sysctl("ipv6/conf/d0/disable_ipv6", "1")?;
    host.netns.ip("link set d0 up")?;
    host.netns.ip("link add m0 mtu 1279 up type dummy")?;
    let m0 = crate::guest::Link::find(&host.netns, "m0")?;
    let tracer = Tracing::start()?;
    host.fails(libc::ENETUNREACH, Way::Tcp, To::by(BEYOND, "d0"))?;
    host.fails(libc::ENETUNREACH, Way::Udp, To::scoped(ROUTER, m0.ifindex))?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    let [disabled, small] = &report.diagnoses[..] else {
        unreachable!("two were counted")
    };
    host.expect(disabled, Way::Tcp, "ENETUNREACH", BEYOND)
        .field("cause", "outgoing-ipv6-off")
        .field("severity", "failure")
        .field("interface", "d0")
        .evidence("disable_ipv6", 1)
        .evidence("all_disable_ipv6", 0)
        .summary_has(["d0", "disable_ipv6"])
        .check()?;
    host.expect(small, Way::Udp, "ENETUNREACH", ROUTER)
        .field("cause", "outgoing-ipv6-off")
        .field("severity", "failure")
        .field("interface", "m0")
        .field("ifindex", m0.ifindex)
        .evidence("mtu", 1279)
        .evidence("oif", m0.ifindex)
        .summary_has(["m0", "1279", "1280"])
        .check()?;
    host.keeping_routes(|| {
        disabled.follow("disable_ipv6=0")?;
        small.follow("mtu 1280")
    })?;
    AddressState::wait_for_link_local(&host.netns, "d0")?;
    AddressState::wait_for_link_local(&host.netns, "m0")?;
    host.goes(Way::Udp, To::scoped(ROUTER, m0.ifindex))
}

/// An index that no interface has any more.
fn no_such_device() -> Result<()> {
    let host = Host::with_route("gone-out")?;
    host.netns.dummy_with_index("d0", 77)?;
    host.netns.ip("link del d0")?;
    let tracer = Tracing::start()?;
    host.fails(libc::ENETUNREACH, Way::Tcp, To::scoped(ROUTER, 77))?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("outgoing-no-such-device")?;
    host.expect(diagnosis, Way::Tcp, "ENETUNREACH", ROUTER)
        .field("severity", "failure")
        .field("ifindex", 77)
        .field("interface", Value::Null)
        .evidence("oif", 77)
        .summary_has(["77"])
        .check()?;
    diagnosis.follow("ip link")
}
