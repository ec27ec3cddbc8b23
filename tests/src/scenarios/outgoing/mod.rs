//! Sockets that find no way out: no route, one that rejects, no source; and what
//! is no failure although the kernel says so.

mod device;
mod no_route;
mod rejects;
mod scope;
mod silent;
mod source;
mod storm;

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use super::Scenario;
use crate::guest::{Diagnosis, Expect, Link, Netns, host_and_router};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    no_route::SCENARIOS,
    rejects::SCENARIOS,
    device::SCENARIOS,
    scope::SCENARIOS,
    source::SCENARIOS,
    silent::SCENARIOS,
    storm::SCENARIOS,
];

/// The host's own address, and another on the same link.
const OWN: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 2);
const NEIGHBOUR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 3);
/// Somewhere beyond the link.
const BEYOND: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 7, 0, 0, 0, 0, 9);
/// The router's.
const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
/// Where everything is sent to.
const PORT: u16 = 4000;

/// A host on a link whose other end is a router in a namespace of its own. It has
/// a link-local address alone.
struct Host {
    netns: Netns,
    router: Netns,
    interface: Link,
}

/// What a program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `connect()`; nobody waits for the answer.
    Tcp,
    /// `connect()` of a datagram socket.
    Compare,
    /// `sendto()` on one that is not connected.
    Udp,
}

/// Where and how.
#[derive(Clone, Copy)]
struct To {
    address: Ipv6Addr,
    scope: u32,
    device: Option<&'static str>,
}

impl From<Ipv6Addr> for To {
    fn from(address: Ipv6Addr) -> Self {
        Self {
            address,
            scope: 0,
            device: None,
        }
    }
}

impl To {
    fn scoped(address: Ipv6Addr, scope: u32) -> Self {
        Self {
            scope,
            ..address.into()
        }
    }

    fn by(address: Ipv6Addr, device: &'static str) -> Self {
        Self {
            device: Some(device),
            ..address.into()
        }
    }
}

impl Host {
    fn new(name: &str) -> Result<Self> {
        let (netns, router, interface) = host_and_router(name)?;
        Ok(Self {
            netns,
            router,
            interface,
        })
    }

    /// One with an address that is routed as well.
    fn with_address(name: &str) -> Result<Self> {
        let host = Self::new(name)?;
        host.netns
            .ip(&format!("address add {OWN}/64 dev v0 nodad"))?;
        Ok(host)
    }

    /// One with a default route, too.
    fn with_route(name: &str) -> Result<Self> {
        let host = Self::with_address(name)?;
        host.netns
            .ip(&format!("-6 route add default via {ROUTER} dev v0"))?;
        Ok(host)
    }

    /// Tries in a thread called `guest`, and returns the errno, 0 where it goes.
    fn tries(&self, way: Way, to: impl Into<To>) -> Result<i32> {
        self.tries_as("guest", way, to)
    }

    /// The same in a thread called `comm`.
    fn tries_as(&self, comm: &str, way: Way, to: impl Into<To>) -> Result<i32> {
        let to = to.into();
        self.netns.enter_as(comm, || {
            let kind = match way {
                Way::Tcp => Type::STREAM,
                Way::Compare | Way::Udp => Type::DGRAM,
            };
            let socket = Socket::new(Domain::IPV6, kind, None)?;
            socket.bind_device(to.device.map(str::as_bytes))?;
            socket.set_nonblocking(true)?;
            let address = SocketAddrV6::new(to.address, PORT, 0, to.scope).into();
            let done = match way {
                Way::Tcp | Way::Compare => socket.connect(&address),
                Way::Udp => socket.send_to(b"x", &address).map(drop),
            };
            errno(done)
        })
    }

    /// Checks that it fails like that.
    fn fails(&self, errno: i32, way: Way, to: impl Into<To>) -> Result<()> {
        let found = self.tries(way, to)?;
        ensure!(found == errno, "the kernel says {found}, not {errno}");
        Ok(())
    }

    /// Checks that it goes.
    fn goes(&self, way: Way, to: impl Into<To>) -> Result<()> {
        let found = self.tries(way, to)?;
        ensure!(found == 0, "the kernel says {found}");
        Ok(())
    }

    /// The namespace's routes, as its own table has them.
    fn routes(&self) -> Result<BTreeSet<String>> {
        let table = self.netns.enter(|| {
            std::fs::read_to_string("/proc/thread-self/net/ipv6_route")
                .context("cannot read the routes")
        })?;
        // Without counters and flags that use changes.
        let route = |line: &str| {
            let columns: Vec<_> = line.split_whitespace().collect();
            [0, 1, 4, 5, 9].map(|column| columns[column]).join(" ")
        };
        Ok(table.lines().map(route).collect())
    }

    /// Does something, and checks that no route is lost by it.
    fn keeping_routes(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let before = self.routes()?;
        work()?;
        let after = self.routes()?;
        let lost: Vec<_> = before.difference(&after).collect();
        ensure!(lost.is_empty(), "routes were lost: {lost:?}");
        Ok(())
    }

    /// What holds of whatever is said of a failure on the way to `address`.
    fn expect<'d>(
        &self,
        diagnosis: &'d Diagnosis,
        way: Way,
        errno: &str,
        address: Ipv6Addr,
    ) -> Expect<'d> {
        self.expect_any(diagnosis, way, address)
            .field("confidence", "certain")
            .field("errno", errno)
            .field("comm", "guest")
            .evidence("suppressed", 0)
            .summary_has(["guest", errno])
    }

    /// What holds of a hazard as well.
    fn expect_any<'d>(&self, diagnosis: &'d Diagnosis, way: Way, address: Ipv6Addr) -> Expect<'d> {
        diagnosis
            .expect()
            .field(
                "operation",
                match way {
                    Way::Tcp | Way::Compare => "connect",
                    Way::Udp => "send",
                },
            )
            .field("netns", self.netns.inode())
            .field("address", address.to_string())
            .evidence("destination", address.to_string())
            .evidence("port", PORT)
            .evidence(
                "protocol",
                match way {
                    Way::Tcp => libc::IPPROTO_TCP,
                    Way::Compare | Way::Udp => libc::IPPROTO_UDP,
                },
            )
            .evidence("mark", 0)
            .evidence("l3mdev", Value::Null)
            .summary_has([address])
    }
}

/// The errno of what was done, 0 where it went or goes on.
fn errno(done: io::Result<()>) -> Result<i32> {
    let Err(error) = done else { return Ok(0) };
    let errno = error.raw_os_error().context("an error without errno")?;
    Ok(if errno == libc::EINPROGRESS { 0 } else { errno })
}
