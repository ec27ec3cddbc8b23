//! Other options, and programs that ask again and again.

use std::net::{Ipv6Addr, SocketAddrV6};

use anyhow::Result;
use serde_json::json;
use socket2::Type;

use super::{Host, is_refused, with};
use crate::guest::{set_option, traced};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("option-refused", refused),
    scenario("option-refused-storm", storm),
];

const CAUSE: &str = "option-refused";

/// From `linux/in6.h`.
const IPV6_ADDRFORM: i32 = 1;
const IPV6_TRANSPARENT: i32 = 75;

/// What can be told for certain, and what cannot.
fn refused() -> Result<()> {
    /// No option, nor one that is likely to be.
    const NONE: i32 = 190;
    let host = Host::new("options")?;
    let at = |port| SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, port, 0, 0);
    let report = traced(|| {
        let bound = host.socket(Type::DGRAM, |socket| socket.bind(&at(5300).into()))?;
        host.refused(&bound, libc::IPV6_V6ONLY, &1, libc::EINVAL)?;
        // Nothing would change.
        host.refused(&bound, libc::IPV6_V6ONLY, &0, libc::EINVAL)?;
        let udp = host.udp()?;
        // The fix, which is no command.
        host.set(&udp, libc::IPV6_V6ONLY, &1)??;
        host.refused_nobody(&udp, IPV6_TRANSPARENT, &1, libc::EPERM)?;
        host.set(&udp, IPV6_TRANSPARENT, &1)??;
        host.refused(&udp, libc::IPV6_UNICAST_HOPS, &256, libc::EINVAL)?;
        host.refused(&udp, libc::IPV6_MTU, &1279, libc::EINVAL)?;
        host.refused(&udp, libc::IPV6_TCLASS, &1_u8, libc::EINVAL)?;
        host.refused(&udp, IPV6_ADDRFORM, &libc::AF_INET, libc::ENOTCONN)?;
        host.refused(&udp, NONE, &1, libc::ENOPROTOOPT)
    })?;
    report.count(8)?;
    let of = |option: &str, value: i32| {
        let wanted = [("option", json!(option)), ("value", json!(value))];
        with(&report, CAUSE, &wanted)
    };
    host.expect(of("IPV6_V6ONLY", 1)?, "IPV6_V6ONLY", "EINVAL")
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("inet_num", 5300)
        .evidence("v6only", false)
        .summary_has(["5300"])
        .check()?;
    host.expect(of("IPV6_V6ONLY", 0)?, "IPV6_V6ONLY", "EINVAL")
        .field("severity", "notice")
        .check()?;
    host.expect(of("IPV6_TRANSPARENT", 1)?, "IPV6_TRANSPARENT", "EPERM")
        .field("severity", "failure")
        .field("confidence", "certain")
        .summary_has(["CAP_NET_ADMIN", "CAP_NET_RAW"])
        .check()?;
    for (option, value, bound) in [
        ("IPV6_UNICAST_HOPS", 256, "255"),
        ("IPV6_MTU", 1279, "1280"),
    ] {
        host.expect(of(option, value)?, option, "EINVAL")
            .field("severity", "failure")
            .field("confidence", "certain")
            .summary_has([bound])
            .check()?;
    }
    let short = with(&report, CAUSE, &[("option", json!("IPV6_TCLASS"))])?;
    host.expect(short, "IPV6_TCLASS", "EINVAL")
        .field("confidence", "certain")
        .evidence("optlen", 1)
        .check()?;
    host.expect(
        of("IPV6_ADDRFORM", libc::AF_INET)?,
        "IPV6_ADDRFORM",
        "ENOTCONN",
    )
    .field("confidence", "certain")
    .evidence("sk_state", 7)
    .check()?;
    host.expect(of("option 190", 1)?, "option 190", "ENOPROTOOPT")
        .field("severity", "notice")
        .field("confidence", "likely")
        .check()
}

/// One program is told of the same once, and a namespace of no more than so many
/// whoever it is.
fn storm() -> Result<()> {
    const PROGRAMS: usize = 40;
    const MOST: usize = 16;
    let host = Host::new("options-storm")?;
    let report = traced(|| {
        let udp = host.udp()?;
        for _ in 0..100 {
            host.refused(&udp, libc::IPV6_UNICAST_HOPS, &300, libc::EINVAL)?;
        }
        for program in 0..PROGRAMS {
            host.netns.enter_as(&format!("p{program}"), || {
                let done = set_option(&udp, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, &300);
                is_refused(done, libc::EINVAL)
            })?;
        }
        Ok(())
    })?;
    report.count(MOST)?;
    with(&report, CAUSE, &[("option", json!("IPV6_UNICAST_HOPS"))])?;
    Ok(())
}
