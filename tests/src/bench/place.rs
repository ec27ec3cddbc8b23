//! The network that is measured on: the guest's own, with one interface that
//! takes everything and answers nothing.

use anyhow::Result;

use crate::guest::{Link, Netns, ip};

/// Where the workloads run.
pub(super) struct Place {
    pub(super) netns: Netns,
    pub(super) interface: Link,
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
        Ok(Self { netns, interface })
    }
}
