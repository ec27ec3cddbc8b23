//! The network that is measured on: the guest's own, with one interface that
//! takes everything and answers nothing; and a link with a router and a host.

use std::net::Ipv6Addr;

use anyhow::Result;

use crate::guest::{Link, Netns, ip};

/// Where the workloads run.
pub(super) struct Place {
    pub(super) netns: Netns,
    pub(super) interface: Link,
    /// The namespace of a router and its host, the router's interface and address.
    pub(super) router: (Netns, Link, Ipv6Addr),
}

impl Place {
    /// Makes the interface, with networks of many destinations, of either family.
    pub(super) fn make() -> Result<Self> {
        let netns = Netns::host()?;
        let interface = netns.dummy("d0")?;
        ip("address add 192.0.2.1/24 dev d0")?;
        ip("route add 10.0.0.0/8 dev d0")?;
        // By a router: each destination would be a neighbour, of which there are
        // not so many.
        ip("address add 2001:db8::1/64 dev d0 nodad")?;
        ip("-6 route add 2001:db8:8000::/33 via 2001:db8::2 dev d0")?;
        Ok(Self {
            netns,
            interface,
            router: router()?,
        })
    }
}

/// A namespace of its own, so that what is advertised is no route of the others.
fn router() -> Result<(Netns, Link, Ipv6Addr)> {
    let netns = Netns::new("advertised")?;
    let address = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x53);
    netns.ip("link add a0 type veth peer name a1")?;
    netns.ip("link set a1 addrgenmode none up")?;
    netns.ip(&format!("address add {address}/64 dev a1 nodad"))?;
    netns.set_sysctl("ipv6/conf/a0/accept_dad", "0")?;
    netns.ip("link set a0 up")?;
    let port = Link::find(&netns, "a1")?;
    Ok((netns, port, address))
}
