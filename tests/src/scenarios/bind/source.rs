//! Sources that cannot be used.

use std::net::{Ipv6Addr, SocketAddrV6};

use anyhow::{Context as _, Result};
use socket2::{Domain, Socket, Type};

use super::{ADDRESS, Host, PORT, STAYS, about, refused, traced_by_kprobes};
use crate::guest::{AddressState, Diagnosis, send_from, traced};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("send-source-refused", source)];

/// Where it is sent to.
const TO: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x32, 0, 0, 0, 0, 0, 9);

/// One after the other: waiting for its test, nobody's, of no link, of an interface that
/// has gone; in between what is under test, which is not worth a word, and what the
/// kernel takes.
fn source() -> Result<()> {
    const NOBODYS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x34, 0, 0, 0, 0, 0, 1);
    const SOON: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x35, 0, 0, 0, 0, 0, 1);
    const LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0x31, 7);
    let host = Host::new("sending", "v0")?;
    host.netns.dummy_with_index("d0", 77)?;
    host.netns.ip("link del d0")?;
    host.without_carrier("w0")?;
    host.netns.ip(&format!("address add {ADDRESS}/64 dev w0"))?;
    let send = |source, ifindex| {
        host.serve(|| {
            let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
            let to = SocketAddrV6::new(TO, PORT, 0, 0);
            Ok(send_from(&socket, source, ifindex, to))
        })
    };
    let report = traced(|| {
        refused(send(ADDRESS, 0)?, libc::EINVAL)?;
        refused(send(NOBODYS, 0)?, libc::EINVAL)?;
        refused(send(LOCAL, 0)?, libc::EINVAL)?;
        refused(send(STAYS, 77)?, libc::ENODEV)?;
        // While it is tested; daemons send again after that.
        host.netns.ip(&format!("address add {SOON}/64 dev v0"))?;
        refused(send(SOON, 0)?, libc::EINVAL)?;
        AddressState::Usable.wait(&host.netns, "v0", SOON)?;
        send(SOON, 0)?.context("a source that has been tested")?;
        send(STAYS, 0)?.context("a source that can be used")?;
        send(Ipv6Addr::UNSPECIFIED, host.interface.ifindex)?.context("no source")?;
        Ok(())
    })?;
    report.count(4)?;
    let of = |address| about(&report, "send-source-refused", address);
    let expect = |diagnosis: &Diagnosis, errno: &str, state: &str| {
        diagnosis
            .expect()
            .field("operation", "send-source")
            .field("severity", "failure")
            .field("confidence", "certain")
            .field("errno", errno)
            .field("netns", host.netns.inode())
            .field("comm", super::COMM)
            .evidence("address_state", state)
            .check()
    };
    let tentative = of(ADDRESS)?;
    expect(tentative, "EINVAL", "tentative")?;
    tentative
        .expect()
        .field("interface", "w0")
        .evidence("carrier", false)
        .check()?;
    expect(of(NOBODYS)?, "EINVAL", "absent")?;
    expect(of(LOCAL)?, "EINVAL", "no-scope")?;
    let gone = of(STAYS)?;
    expect(gone, "ENODEV", "no-such-device")?;
    gone.follow("ip link")?;
    // Seen by a kprobe as well.
    let report = traced_by_kprobes(|| refused(send(NOBODYS, 0)?, libc::EINVAL))?;
    expect(
        about(&report, "send-source-refused", NOBODYS)?,
        "EINVAL",
        "absent",
    )?;
    tentative.follow("nodad")?;
    AddressState::Usable.wait(&host.netns, "w0", ADDRESS)?;
    send(ADDRESS, 0)?.context("the fix does not help")?;
    host.rest_stays()
}
