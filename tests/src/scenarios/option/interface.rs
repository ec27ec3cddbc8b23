//! The interface that packets are to leave by.

use anyhow::{Result, ensure};
use serde_json::json;
use socket2::Type;

use super::{Host, NOBODY, with};
use crate::guest::traced;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("multicast-interface-refused", multicast),
    scenario("unicast-interface-refused", unicast),
];

/// In the order of the kernel's tests; and what it takes: another interface of the
/// socket's VRF, and of a socket that is bound to none.
fn multicast() -> Result<()> {
    const CAUSE: &str = "multicast-interface-refused";
    const OPTION: &str = "IPV6_MULTICAST_IF";
    let host = Host::new("multicast-by")?;
    host.netns.ip("link add blue type vrf table 77")?;
    host.netns.ip("link set blue up")?;
    host.netns.ip("link set d1 master blue")?;
    let (first, second) = (host.first.ifindex, host.second.ifindex);
    let option = libc::IPV6_MULTICAST_IF;
    let report = traced(|| {
        let udp = host.udp()?;
        host.refused(&udp, option, &NOBODY, libc::ENODEV)?;
        host.refused(&udp, option, &1_u16, libc::EINVAL)?;
        host.set(&udp, option, &second)??;
        let bound = host.socket(Type::DGRAM, |socket| socket.bind_device(Some(b"d0")))?;
        host.refused(&bound, option, &second, libc::EINVAL)?;
        host.set(&bound, option, &first)??;
        let of_vrf = host.socket(Type::DGRAM, |socket| socket.bind_device(Some(b"blue")))?;
        host.set(&of_vrf, option, &second)??;
        host.refused(&of_vrf, option, &first, libc::EINVAL)?;
        let tcp = host.socket(Type::STREAM, |_| Ok(()))?;
        host.refused(&tcp, option, &first, libc::ENOPROTOOPT)
    })?;
    report.count(5)?;
    let absent = with(&report, CAUSE, &[("errno", json!("ENODEV"))])?;
    host.expect(absent, OPTION, "ENODEV")
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("ifindex", NOBODY)
        .evidence("value", NOBODY)
        .evidence("bound_ifindex", 0)
        .summary_has([NOBODY])
        .check()?;
    absent.follow("ip link")?;
    host.expect(
        with(&report, CAUSE, &[("optlen", json!(2))])?,
        OPTION,
        "EINVAL",
    )
    .field("confidence", "certain")
    .check()?;
    host.expect(
        with(&report, CAUSE, &[("value", json!(second))])?,
        OPTION,
        "EINVAL",
    )
    .field("severity", "failure")
    .field("confidence", "certain")
    .field("interface", "d1")
    .evidence("bound_ifindex", first)
    .summary_has(["d0", "d1"])
    .check()?;
    let of_vrf = [("value", json!(first)), ("errno", json!("EINVAL"))];
    host.expect(with(&report, CAUSE, &of_vrf)?, OPTION, "EINVAL")
        .field("confidence", "certain")
        .summary_has(["blue", "d0"])
        .check()?;
    host.expect(
        with(&report, CAUSE, &[("errno", json!("ENOPROTOOPT"))])?,
        OPTION,
        "ENOPROTOOPT",
    )
    .field("severity", "notice")
    .field("confidence", "certain")
    .evidence("sk_type", 1)
    .check()
}

/// The index of an interface as it is, one that nobody has, and a socket that is
/// bound.
fn unicast() -> Result<()> {
    const CAUSE: &str = "unicast-interface-refused";
    const OPTION: &str = "IPV6_UNICAST_IF";
    /// From `linux/in6.h`.
    const IPV6_UNICAST_IF: i32 = 76;
    let host = Host::new("unicast-by")?;
    let first = host.first.ifindex;
    ensure!(
        first < 256,
        "the index has so many bytes that it is another's"
    );
    let report = traced(|| {
        let udp = host.udp()?;
        host.refused(&udp, IPV6_UNICAST_IF, &first, libc::EADDRNOTAVAIL)?;
        host.refused(&udp, IPV6_UNICAST_IF, &NOBODY.to_be(), libc::EADDRNOTAVAIL)?;
        // The fix, which is no command.
        host.set(&udp, IPV6_UNICAST_IF, &first.to_be())??;
        let bound = host.socket(Type::DGRAM, |socket| socket.bind_device(Some(b"d0")))?;
        host.refused(&bound, IPV6_UNICAST_IF, &first.to_be(), libc::EINVAL)
    })?;
    report.count(3)?;
    host.expect(
        with(&report, CAUSE, &[("ifindex", json!(first.swap_bytes()))])?,
        OPTION,
        "EADDRNOTAVAIL",
    )
    .field("severity", "failure")
    .field("confidence", "certain")
    .evidence("value", first)
    .summary_has(["d0"])
    .some_fix_has("htonl")
    .check()?;
    let absent = with(&report, CAUSE, &[("ifindex", json!(NOBODY))])?;
    host.expect(absent, OPTION, "EADDRNOTAVAIL")
        .field("severity", "failure")
        .field("confidence", "certain")
        .summary_has([NOBODY])
        .check()?;
    absent.follow("ip link")?;
    host.expect(
        with(&report, CAUSE, &[("errno", json!("EINVAL"))])?,
        OPTION,
        "EINVAL",
    )
    .field("confidence", "certain")
    .field("interface", "d0")
    .evidence("bound_ifindex", first)
    .summary_has(["d0"])
    .check()
}
