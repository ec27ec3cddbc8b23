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
    /// Makes the interface, with an IPv4 network of many destinations.
    pub(super) fn make() -> Result<Self> {
        let netns = Netns::host()?;
        let interface = netns.dummy("d0")?;
        ip("address add 192.0.2.1/24 dev d0")?;
        ip("route add 10.0.0.0/8 dev d0")?;
        Ok(Self { netns, interface })
    }
}
