//! What is in a network namespace: its interfaces and their addresses.

use std::{io, net::IpAddr};

use netlink_packet_route::{
    RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
};
use netlink_sys::protocols::NETLINK_ROUTE;

use super::{
    answers::{self, Answered},
    links::{self, Link},
    netlink,
};
use crate::clock;

/// What was found in a namespace.
#[derive(Debug)]
pub(crate) struct Inside {
    /// When, nanoseconds since boot.
    pub(crate) boot_ns: u64,
    pub(crate) links: Vec<Link>,
    /// IPv4 and IPv6 addresses, in the kernel's order.
    pub(crate) addresses: Vec<Held>,
    /// What interfaces answer for as anycast; `None` where that could not be
    /// read.
    pub(crate) anycast: Option<Vec<Answered>>,
    /// What they answer for as proxies, likewise.
    pub(crate) proxied: Option<Vec<Answered>>,
}

/// An address that an interface has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) ifindex: u32,
    /// The host's own, where there is a peer's as well.
    pub(crate) address: IpAddr,
    pub(crate) prefix_len: u8,
    /// `RT_SCOPE_*`
    pub(crate) scope: u8,
    /// `IFA_F_*`, those of the first byte.
    pub(crate) flags: u8,
}

impl Inside {
    /// Looks into the namespace of the calling thread.
    pub(crate) fn look() -> io::Result<Self> {
        let addresses = addresses()?;
        Ok(Self {
            boot_ns: clock::boot_ns(),
            links: links::list()?,
            addresses,
            anycast: known("anycast addresses", answers::anycast()),
            proxied: known("proxied addresses", answers::proxied()),
        })
    }
}

/// What could be looked up.
pub(crate) fn known<T>(what: &str, found: io::Result<T>) -> Option<T> {
    found
        .inspect_err(|error| log::debug!("{what}: {error}"))
        .ok()
}

/// The addresses in the namespace of the calling thread.
pub(crate) fn addresses() -> io::Result<Vec<Held>> {
    let request = RouteNetlinkMessage::GetAddress(AddressMessage::default());
    netlink::dump(NETLINK_ROUTE, &request, |answer| match answer {
        RouteNetlinkMessage::NewAddress(message) => held(&message),
        _ => None,
    })
}

pub(crate) fn held(message: &AddressMessage) -> Option<Held> {
    let attributes = message.attributes.iter();
    let (_, address) = attributes
        .filter_map(|attribute| match attribute {
            AddressAttribute::Local(local) => Some((1, *local)),
            AddressAttribute::Address(address) => Some((0, *address)),
            _ => None,
        })
        .max()?;
    Some(Held {
        ifindex: message.header.index,
        address,
        prefix_len: message.header.prefix_len,
        scope: u8::from(message.header.scope),
        flags: message.header.flags.bits(),
    })
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::address::AddressHeaderFlags;

    use super::*;

    #[test]
    fn with_a_peer_the_local_address_is_the_own() {
        let mut message = AddressMessage::default();
        message.header.prefix_len = 128;
        let [own, peer] = ["fd00::1", "fd00::2"].map(|text| text.parse::<IpAddr>().unwrap());
        message.attributes = vec![AddressAttribute::Address(own)];
        assert_eq!(held(&message).unwrap().address, own);
        message.attributes = vec![
            AddressAttribute::Address(peer),
            AddressAttribute::Local(own),
        ];
        assert_eq!(held(&message).unwrap().address, own);
        assert_eq!(held(&message).unwrap().flags, 0);
        message.header.flags = AddressHeaderFlags::Tentative | AddressHeaderFlags::Dadfailed;
        assert_eq!(held(&message).unwrap().flags, 0x48);
        message.attributes.clear();
        assert_eq!(held(&message), None);
    }
}
