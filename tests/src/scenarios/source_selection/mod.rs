//! IPv4 behind an IPv6 next hop: packets without a source, packets with
//! another interface's, and those that have what they need.

mod borrowed;
mod gateway_bits;
mod missing;
mod routes;
mod silent;
mod unfit;

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, ensure};
use socket2::{Domain, Socket, Type};

use super::Scenario;
use crate::guest::{Diagnosis, Expect, Link, Netns, host_and_router};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    missing::SCENARIOS,
    borrowed::SCENARIOS,
    unfit::SCENARIOS,
    gateway_bits::SCENARIOS,
    routes::SCENARIOS,
    silent::SCENARIOS,
];

/// Where everything is sent to, and the route that leads there.
const DESTINATION: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
const PREFIX: &str = "198.51.100.0/24";
/// The other end of the link.
const GATEWAY: &str = "fe80::1";

/// A host on a link whose other end is a router in a namespace of its own.
/// Apart from 127.0.0.1 it has no IPv4 address.
struct Host {
    netns: Netns,
    router: Netns,
    interface: Link,
}

/// What a program does to send something.
#[derive(Clone, Copy)]
enum Way {
    /// `connect()`; nobody waits for the answer.
    Tcp,
    /// `sendto()` on a socket that is not connected.
    Udp,
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

    /// A host with the route over the IPv6 next hop.
    fn with_route(name: &str) -> Result<Self> {
        let host = Self::new(name)?;
        host.netns
            .ip(&format!("route add {PREFIX} via inet6 {GATEWAY} dev v0"))?;
        Ok(host)
    }

    /// Sends something, through the VRF `device` if it is given, in a thread
    /// called `guest`.
    fn send(&self, way: Way, to: Ipv4Addr, device: Option<&str>) -> Result<()> {
        self.send_as("guest", way, to, device)
    }

    /// The same in a thread called `comm`.
    fn send_as(&self, comm: &str, way: Way, to: Ipv4Addr, device: Option<&str>) -> Result<()> {
        self.netns.enter_as(comm, || {
            let kind = match way {
                Way::Tcp => Type::STREAM,
                Way::Udp => Type::DGRAM,
            };
            let socket = Socket::new(Domain::IPV4, kind, None)?;
            socket.bind_device(device.map(str::as_bytes))?;
            let to = SocketAddr::from((to, 4000)).into();
            match way {
                Way::Tcp => {
                    socket.set_nonblocking(true)?;
                    let error = socket.connect(&to).err();
                    // Which is the point: it does not fail.
                    ensure!(
                        error.as_ref().and_then(std::io::Error::raw_os_error)
                            == Some(libc::EINPROGRESS),
                        "connect() does not wait: {error:?}"
                    );
                }
                Way::Udp => drop(socket.send_to(b"x", &to).context("sendto() fails")?),
            }
            Ok(())
        })
    }

    /// What holds of whatever is said about a packet to `destination`.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis, way: Way, destination: Ipv4Addr) -> Expect<'d> {
        diagnosis
            .expect()
            .field("operation", "source-selection")
            .field("confidence", "certain")
            .field("errno", serde_json::Value::Null)
            .field("comm", "guest")
            .field("netns", self.netns.inode())
            .field("ifindex", self.interface.ifindex)
            .field("interface", "v0")
            .field("address", destination.to_string())
            .evidence("destination", destination.to_string())
            .evidence("prefix", PREFIX)
            .evidence("next_hop", GATEWAY)
            .evidence("interface", "v0")
            .evidence(
                "protocol",
                match way {
                    Way::Tcp => libc::IPPROTO_TCP,
                    Way::Udp => libc::IPPROTO_UDP,
                },
            )
            .evidence("suppressed", 0)
            .summary_has(["guest", "v0", GATEWAY])
            .summary_has([destination])
    }

    /// A command as it is to be typed outside the namespace.
    fn command(&self, command: &str) -> String {
        format!("ip netns exec {} {command}", self.netns.name())
    }
}
