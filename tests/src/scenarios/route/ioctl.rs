//! Routes that are refused to `route -A inet6`, which asks by an ioctl.

use std::net::Ipv6Addr;
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result, ensure};
use socket2::{Domain, Socket, Type};

use super::{BEHIND, Host};
use crate::guest::{Diagnosis, Link, Netns, Report, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("route-gateway-not-on-link-by-ioctl", gateway),
    scenario("route-no-such-device-by-ioctl", device),
    scenario("route-exists-by-ioctl", present),
    scenario("route-by-ioctl-not", silent),
];

/// `RTF_UP` and `RTF_GATEWAY`
const UP: u32 = 1;
const GATEWAY: u32 = 2;

/// A `struct in6_rtmsg`.
#[repr(C)]
struct RouteMessage {
    destination: [u8; 16],
    source: [u8; 16],
    gateway: [u8; 16],
    kind: u32,
    prefix_len: u16,
    source_len: u16,
    metric: u32,
    info: libc::c_ulong,
    flags: u32,
    ifindex: i32,
}

/// A route to what is behind a gateway or on a link, as `route` asks for it.
#[derive(Clone, Copy)]
struct Asked {
    gateway: Option<Ipv6Addr>,
    ifindex: u32,
    metric: u32,
}

impl Asked {
    /// The errno of an ioctl, 0 where it is granted.
    fn by_ioctl(self, netns: &Netns, operation: libc::Ioctl) -> Result<i32> {
        let (prefix, prefix_len) = BEHIND.split_once('/').context("no prefix")?;
        let prefix: Ipv6Addr = prefix.parse()?;
        let gateway = self.gateway.unwrap_or(Ipv6Addr::UNSPECIFIED);
        let request = RouteMessage {
            destination: prefix.octets(),
            source: [0; 16],
            gateway: gateway.octets(),
            kind: 0,
            prefix_len: prefix_len.parse()?,
            source_len: 0,
            metric: self.metric,
            info: 0,
            flags: UP | self.gateway.map_or(0, |_| GATEWAY),
            ifindex: self.ifindex.try_into()?,
        };
        netns.enter(|| {
            let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
            // SAFETY: SIOCADDRT and SIOCDELRT of such a socket read one struct in6_rtmsg,
            // whose size and layout `request` has; the descriptor is open.
            let done = unsafe { libc::ioctl(socket.as_raw_fd(), operation, &raw const request) };
            let error = std::io::Error::last_os_error();
            Ok(if done == 0 {
                0
            } else {
                error.raw_os_error().unwrap_or_default()
            })
        })
    }

    fn add(self, netns: &Netns, errno: i32) -> Result<()> {
        let got = self.by_ioctl(netns, libc::SIOCADDRT as libc::Ioctl)?;
        ensure!(got == errno, "the kernel says {got}, not {errno}");
        Ok(())
    }

    fn delete(self, netns: &Netns, errno: i32) -> Result<()> {
        let got = self.by_ioctl(netns, libc::SIOCDELRT as libc::Ioctl)?;
        ensure!(got == errno, "the kernel says {got}, not {errno}");
        Ok(())
    }
}

fn of<'r>(report: &'r Report, cause: &str) -> Result<&'r Diagnosis> {
    let mut found = report.diagnoses.iter().filter(|one| one.cause() == cause);
    found.next().with_context(|| format!("no {cause}"))
}

/// As over netlink, and the fixes are the same.
fn gateway() -> Result<()> {
    let host = Host::new("old-route")?;
    let asked = Asked {
        gateway: Some("fd00:99::1".parse()?),
        ifindex: host.first.ifindex,
        metric: 5,
    };
    let tracer = Tracing::start()?;
    asked.add(&host.netns, libc::EHOSTUNREACH)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("route-gateway-not-on-link")?;
    diagnosis
        .expect()
        .field("operation", "route-add")
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("errno", "EHOSTUNREACH")
        .field("comm", "guest")
        .field("netns", host.netns.inode())
        .field("interface", "v0")
        .field("address", "fd00:99::1")
        .evidence("request", "fd00:5b::/64 via fd00:99::1 dev v0 metric 5")
        .check()?;
    host.follow(
        diagnosis,
        "onlink",
        "v0",
        &[BEHIND, "via fd00:99::1", "dev v0", "onlink"],
    )
}

/// No such interface, and one that has no IPv6.
fn device() -> Result<()> {
    let host = Host::new("old-route-device")?;
    host.netns.ip("link add w0 mtu 1200 type dummy")?;
    host.netns.ip("link set w0 up")?;
    let absent = Asked {
        gateway: None,
        ifindex: 7777,
        metric: 0,
    };
    let without = Asked {
        ifindex: Link::find(&host.netns, "w0")?.ifindex,
        ..absent
    };
    let tracer = Tracing::start()?;
    absent.add(&host.netns, libc::ENODEV)?;
    without.add(&host.netns, libc::ENODEV)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    of(&report, "route-no-such-device")?
        .expect()
        .field("errno", "ENODEV")
        .check()?;
    of(&report, "route-ipv6-off-mtu")?
        .expect()
        .field("interface", "w0")
        .summary_has(["1200"])
        .check()
}

/// What is there already, and what is not there to be deleted.
fn present() -> Result<()> {
    let host = Host::new("old-route-twice")?;
    let asked = Asked {
        gateway: Some("fe80::9".parse()?),
        ifindex: host.first.ifindex,
        metric: 5,
    };
    let absent = Asked { metric: 6, ..asked };
    let tracer = Tracing::start()?;
    asked.add(&host.netns, 0)?;
    asked.add(&host.netns, libc::EEXIST)?;
    absent.delete(&host.netns, libc::ESRCH)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    of(&report, "route-exists")?
        .expect()
        .field("severity", "notice")
        .field("errno", "EEXIST")
        .evidence("request", "fd00:5b::/64 via fe80::9 dev v0 metric 5")
        .check()?;
    of(&report, "route-absent")?
        .expect()
        .field("severity", "notice")
        .field("operation", "route-delete")
        .field("errno", "ESRCH")
        .check()
}

/// What is granted; and in a VRF, of whose table nothing is known.
fn silent() -> Result<()> {
    let host = Host::new("old-route-granted")?;
    host.netns.ip("link add red up type vrf table 100")?;
    host.netns.ip("link set v1 master red")?;
    let asked = Asked {
        gateway: Some("fe80::9".parse()?),
        ifindex: host.first.ifindex,
        metric: 0,
    };
    let in_vrf = Asked {
        ifindex: host.second.ifindex,
        ..asked
    };
    let tracer = Tracing::start()?;
    asked.add(&host.netns, 0)?;
    asked.delete(&host.netns, 0)?;
    in_vrf.add(&host.netns, 0)?;
    in_vrf.add(&host.netns, libc::EEXIST)?;
    tracer.finish()?.silent()
}
