//! What is refused before anybody looks for the address.

use std::net::Ipv6Addr;

use anyhow::{Context as _, Result};
use rustix::process::{Uid, getuid};
use rustix::thread::set_thread_res_uid;
use socket2::{Domain, Socket, Type};

use super::{Host, PORT, STAYS, about, refused};
use crate::guest::traced;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("bind-no-scope", no_scope),
    scenario("bind-no-such-device", no_such_device),
    scenario("bind-mapped-v6only", mapped),
    scenario("bind-port-privileged", privileged),
];

const LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0x31, 7);

/// A link-local address without its link.
fn no_scope() -> Result<()> {
    let host = Host::new("which-link", "v0")?;
    host.netns
        .ip(&format!("address add {LOCAL}/64 dev v0 nodad"))?;
    let report = traced(|| host.is_refused(LOCAL, PORT, libc::EINVAL))?;
    host.expect(report.only("bind-no-scope")?, "EINVAL", LOCAL)
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("scope_id", 0)
        .evidence("bound_ifindex", 0)
        .summary_has(["v0"])
        .some_fix_has(&format!("{LOCAL}%v0"))
        .check()?;
    // The fix, which is no command.
    let scope = host.interface.ifindex;
    host.bind_with(Type::DGRAM, LOCAL, PORT, scope, |_| Ok(()))?
        .context("it cannot be bound with its link either")?;
    Ok(())
}

/// The index of an interface that has gone.
fn no_such_device() -> Result<()> {
    let host = Host::new("no-link", "v0")?;
    host.netns.dummy_with_index("d0", 77)?;
    host.netns.ip("link del d0")?;
    let report = traced(|| {
        let bound = host.bind_with(Type::DGRAM, LOCAL, PORT, 77, |_| Ok(()))?;
        refused(bound, libc::ENODEV)
    })?;
    let diagnosis = report.only("bind-no-such-device")?;
    host.expect(diagnosis, "ENODEV", LOCAL)
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("ifindex", 77)
        .evidence("scope_id", 77)
        .summary_has(["77"])
        .check()?;
    diagnosis.follow("ip link")
}

/// An IPv4 address of a socket that is for IPv6 alone since it was made.
fn mapped() -> Result<()> {
    const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1);
    let host = Host::new("v6-alone", "v0")?;
    host.netns.set_sysctl("ipv6/bindv6only", "1")?;
    let report = traced(|| host.is_refused(MAPPED, PORT, libc::EINVAL))?;
    let diagnosis = report.only("bind-mapped-v6only")?;
    host.expect(diagnosis, "EINVAL", MAPPED)
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("v6only", true)
        .check()?;
    diagnosis.follow("bindv6only=0")?;
    host.binds(MAPPED)?;
    host.rest_stays()
}

/// A port for which a privilege is needed.
fn privileged() -> Result<()> {
    const LOW: u16 = 547;
    let host = Host::new("low-port", "v0")?;
    // A thread that is somebody else has no capabilities; root is not for good.
    let unprivileged = |port: u16| {
        host.serve(|| {
            let root = getuid();
            let nobody = Uid::from_raw(65534);
            let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
            set_thread_res_uid(root, nobody, root).context("cannot become nobody")?;
            let address = std::net::SocketAddrV6::new(STAYS, port, 0, 0);
            Ok(socket.bind(&address.into()))
        })
    };
    let report = traced(|| {
        refused(unprivileged(LOW)?, libc::EACCES)?;
        unprivileged(1024)?.context("1024 needs no privilege")?;
        Ok(())
    })?;
    let diagnosis = about(&report, "bind-port-privileged", STAYS)?;
    report.count(1)?;
    host.expect(diagnosis, "EACCES", STAYS)
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("port", LOW)
        .evidence("ip_unprivileged_port_start", 1024)
        .evidence("cap_net_bind_service", false)
        .summary_has(["547", "1024", "UDP"])
        .check()?;
    diagnosis.follow("ip_unprivileged_port_start=547")?;
    unprivileged(LOW)?.context("the fix does not help")?;
    host.rest_stays()
}
