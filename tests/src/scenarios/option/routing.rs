//! Multicast routing.

use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::json;
use socket2::{Domain, Protocol, Socket, Type};

use super::{COMM, Host, NOBODY, with};
use crate::guest::traced;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("multicast-routing-refused", refused)];

/// From `linux/mroute6.h`.
const MRT6_INIT: i32 = 200;
const MRT6_DONE: i32 = 201;
const MRT6_ADD_MIF: i32 = 202;

/// `struct mif6ctl`
#[repr(C)]
struct Mif {
    number: u16,
    flags: u8,
    threshold: u8,
    ifindex: u16,
    rate_limit: u32,
}

fn mif(number: u16, ifindex: u32) -> Result<Mif> {
    Ok(Mif {
        number,
        flags: 0,
        threshold: 1,
        ifindex: u16::try_from(ifindex)?,
        rate_limit: 0,
    })
}

/// In the order of the kernel's tests.
fn refused() -> Result<()> {
    const CAUSE: &str = "multicast-routing-refused";
    let host = Host::new("multicasts")?;
    let raw = || {
        host.netns.enter_as(COMM, || {
            Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))
                .context("cannot make a raw socket")
        })
    };
    let first = host.first.ifindex;
    let router = raw()?;
    host.set(&router, MRT6_INIT, &1)??;
    host.set(&router, MRT6_ADD_MIF, &mif(3, first)?)??;
    let other = raw()?;
    // Another process has the socket that routes as well, and only that.
    let passed = router.try_clone().context("cannot pass the socket on")?;
    let mut process = Command::new("sleep")
        .arg("60")
        .stdin(Stdio::from(OwnedFd::from(passed)))
        .spawn()
        .context("cannot start the other process")?;
    drop(router);
    let report = traced(|| {
        let udp = host.udp()?;
        host.refused(&udp, MRT6_INIT, &1, libc::EOPNOTSUPP)?;
        host.refused_nobody(&other, MRT6_ADD_MIF, &mif(4, first)?, libc::EACCES)?;
        host.refused(&other, MRT6_INIT, &1, libc::EADDRINUSE)?;
        host.refused(&other, MRT6_DONE, &1, libc::EACCES)?;
        host.refused(&other, MRT6_ADD_MIF, &mif(32, first)?, libc::ENFILE)?;
        host.refused(&other, MRT6_ADD_MIF, &mif(3, first)?, libc::EADDRINUSE)?;
        host.refused(&other, MRT6_ADD_MIF, &mif(4, NOBODY)?, libc::EADDRNOTAVAIL)?;
        // What it takes.
        host.set(&other, MRT6_ADD_MIF, &mif(4, first)?)??;
        Ok(())
    });
    let pid = process.id();
    process.kill().context("cannot end the other process")?;
    process.wait().context("cannot wait for it")?;
    let report = report?;
    report.count(7)?;
    let of = |option: &str, errno: &str| {
        let wanted = [("option", json!(option)), ("errno", json!(errno))];
        with(&report, CAUSE, &wanted)
    };
    let certain = |option: &str, errno: &str| -> Result<_> {
        let expect = host.expect(of(option, errno)?, option, errno);
        Ok(expect.field("confidence", "certain"))
    };
    certain("MRT6_INIT", "EOPNOTSUPP")?
        .evidence("sk_type", 2)
        .check()?;
    certain("MRT6_ADD_MIF", "EACCES")?
        .summary_has(["CAP_NET_ADMIN", "sleep"])
        .check()?;
    certain("MRT6_INIT", "EADDRINUSE")?
        .field("severity", "failure")
        .evidence("inet_num", 58)
        .summary_has(["sleep", &pid.to_string()])
        .some_fix_has(&format!("stop sleep (pid {pid})"))
        .check()?;
    certain("MRT6_DONE", "EACCES")?
        .field("severity", "notice")
        .check()?;
    certain("MRT6_ADD_MIF", "ENFILE")?
        .summary_has(["32"])
        .check()?;
    let taken = of("MRT6_ADD_MIF", "EADDRINUSE")?;
    certain("MRT6_ADD_MIF", "EADDRINUSE")?
        .field("severity", "failure")
        .summary_has(["3"])
        .check()?;
    taken.follow("ip6_mr_vif")?;
    certain("MRT6_ADD_MIF", "EADDRNOTAVAIL")?
        .field("severity", "failure")
        .field("ifindex", NOBODY)
        .summary_has([NOBODY])
        .check()?;
    of("MRT6_ADD_MIF", "EADDRNOTAVAIL")?.follow("ip link")?;
    // The first fix: with the other process gone, nobody routes.
    host.set(&other, MRT6_INIT, &1)?
        .context("that nobody routes any more does not help")
}
