//! Near misses, and programs that try again and again.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use socket2::{Domain, Protocol, Socket, Type};

use super::{ADDRESS, Host, PORT, STAYS, about, refused};
use crate::guest::{Tracing, finish, traced};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("bind-not", as_usual),
    scenario("bind-address-absent-storm", storm),
    scenario("bind-address-absent-processes", processes),
];

/// What programs do all day: bind where they can, learn by errors that are none
/// of an address, and ask for a source without binding.
fn as_usual() -> Result<()> {
    let host = Host::new("as-usual", "v0")?;
    host.without_carrier("w0")?;
    host.netns
        .ip(&format!("address add {ADDRESS}/64 dev w0 nodad"))?;
    let tracer = Tracing::start()?;
    let free = |address, port| host.bind(address, port)?.context("it is free");
    free(ADDRESS, PORT)?;
    free(Ipv6Addr::LOCALHOST, 0)?;
    let _held = free(Ipv6Addr::UNSPECIFIED, PORT)?;
    // Ports are tried one after the other.
    host.is_refused(Ipv6Addr::UNSPECIFIED, PORT, libc::EADDRINUSE)?;
    free(Ipv6Addr::UNSPECIFIED, PORT + 1)?;
    host.serve(|| {
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
        // Sorting addresses: most of them have no route.
        for to in [STAYS, Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)] {
            let _ = socket.connect(&SocketAddrV6::new(to, PORT, 0, 0).into());
        }
        // A program that binds twice, and one that is not at home in IPv6.
        let twice = Socket::new(Domain::IPV6, Type::STREAM, None)?;
        let any = SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, 0, 0, 0);
        twice.bind(&any.into())?;
        refused(twice.bind(&any.into()), libc::EINVAL)?;
        let legacy = std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0);
        let other = Socket::new(Domain::IPV6, Type::STREAM, None)?;
        ensure!(other.bind(&legacy.into()).is_err(), "IPv4 on IPv6");
        // What is refused for its destination, not for its source.
        let raw = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
        raw.bind(&SocketAddrV6::new(STAYS, 0, 0, 0).into())?;
        Ok(())
    })?;
    host.netns.set_sysctl("ipv6/ip_nonlocal_bind", "1")?;
    free(Ipv6Addr::new(0xfd00, 0x3f, 0, 0, 0, 0, 0, 1), PORT + 2)?;
    tracer.finish()?.silent()
}

/// One process that asks again and again is told once for each address and kind
/// of port, and another process for itself.
fn storm() -> Result<()> {
    const SECOND: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x34, 0, 0, 0, 0, 0, 1);
    let host = Host::new("storm", "v0")?;
    let report = traced(|| {
        host.serve(|| {
            for port in 0..200 {
                let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
                let address = SocketAddrV6::new(ADDRESS, PORT + port, 0, 0);
                refused(socket.bind(&address.into()), libc::EADDRNOTAVAIL)?;
            }
            Ok(())
        })?;
        host.is_refused(SECOND, PORT, libc::EADDRNOTAVAIL)?;
        // For longer than a second.
        for _ in 0..3 {
            std::thread::sleep(std::time::Duration::from_millis(500));
            host.is_refused(ADDRESS, PORT, libc::EADDRNOTAVAIL)?;
        }
        Ok(())
    })?;
    report.count(2)?;
    about(&report, "bind-address-absent", ADDRESS)?;
    about(&report, "bind-address-absent", SECOND)?;
    Ok(())
}

/// Processes that end at once are no more news than one that stays, beyond the first.
fn processes() -> Result<()> {
    const MOST: usize = 16;
    let host = Host::new("processes", "v0")?;
    let report = traced(|| {
        let script = format!("for n in {{1..24}}; do ping -6 -c1 -I {ADDRESS} ::1; done; true");
        let mut bash = Command::new("ip");
        bash.args(["netns", "exec", host.netns.name(), "bash", "-c", &script]);
        let done = finish(&mut bash, Duration::from_secs(30))?;
        ensure!(done.status.success(), "{done}");
        Ok(())
    })?;
    report.count(MOST)?;
    for diagnosis in &report.diagnoses {
        host.expect_of("ping", diagnosis, "EADDRNOTAVAIL", ADDRESS)
            .field("cause", "bind-address-absent")
            .check()?;
    }
    Ok(())
}
