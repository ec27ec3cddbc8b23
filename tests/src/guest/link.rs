//! Network interfaces of a namespace.

use anyhow::{Context as _, Result};

use super::Netns;

/// An interface as it was when it was made; it is deleted only on request, or
/// together with its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) name: String,
    pub(crate) ifindex: u32,
}

impl Link {
    /// Looks up the interface `name` of `netns`.
    pub(crate) fn find(netns: &Netns, name: &str) -> Result<Self> {
        // Interfaces show up in /proc/net/dev_snmp6 only with IPv6; the
        // address-family-neutral list has no index. So ask with an ioctl.
        let ifindex = netns.enter(|| {
            let socket = rustix::net::socket(
                rustix::net::AddressFamily::INET6,
                rustix::net::SocketType::DGRAM,
                None,
            )?;
            rustix::net::netdevice::name_to_index(&socket, name)
                .with_context(|| format!("there is no interface {name}"))
        })?;
        Ok(Self {
            name: name.to_owned(),
            ifindex,
        })
    }

    /// Deletes the interface.
    pub(crate) fn delete(self, netns: &Netns) -> Result<()> {
        netns.ip(&format!("link del {}", self.name))
    }
}
