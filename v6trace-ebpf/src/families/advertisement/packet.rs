//! A packet of neighbour discovery: where it is, and where it came in.

use super::globals;
use crate::{
    address::Address,
    kernel::{Device, Net},
    pointer::{Pointer, Reading},
};

/// Bytes from the beginning of an IPv6 header to the source.
const IPV6_SOURCE: u64 = 8;
/// Bytes from there to the hop limit.
const IPV6_HOP_LIMIT: u64 = 7;

/// An interface of a namespace.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) netns: u32,
    pub(super) ifindex: u32,
}

impl Place {
    /// That of a device, unless its namespace is going away.
    #[inline(always)]
    pub(super) fn of(device: Device) -> Option<Self> {
        let mut reading = Reading::new();
        let net = Net(Pointer(reading.get(device.0, &globals::DEV_NET)));
        let place = Self {
            netns: net.inum()?,
            ifindex: reading.get(device.0, &globals::DEV_IFINDEX),
        };
        reading.is_complete().then_some(place)
    }
}

/// A `struct sk_buff` whose headers are known.
#[derive(Clone, Copy)]
pub(super) struct Packet {
    pub(super) skb: Pointer,
    pub(super) head: u64,
    pub(super) device: Device,
    pub(super) place: Place,
    network: u16,
    transport: u16,
}

impl Packet {
    #[inline(always)]
    pub(super) fn of(skb: Pointer) -> Option<Self> {
        let mut reading = Reading::new();
        let head = reading.get(skb, &globals::SKB_HEAD);
        let network = reading.get(skb, &globals::SKB_NETWORK_HEADER);
        let transport = reading.get(skb, &globals::SKB_TRANSPORT_HEADER);
        let device = Device(Pointer(reading.get(skb, &globals::SKB_DEV)));
        if !reading.is_complete() {
            return None;
        }
        Some(Self {
            skb,
            head,
            device,
            place: Place::of(device)?,
            network,
            transport,
        })
    }

    /// Its ICMPv6 header.
    #[inline(always)]
    pub(super) fn icmpv6(&self) -> Pointer {
        Pointer(self.head + u64::from(self.transport))
    }

    /// Its IPv6 source.
    #[inline(always)]
    pub(super) fn source(&self) -> Option<Address> {
        Pointer(self.head + u64::from(self.network) + IPV6_SOURCE).read()
    }

    /// Its hop limit.
    #[inline(always)]
    pub(super) fn hop_limit(&self) -> Option<u8> {
        Pointer(self.head + u64::from(self.network) + IPV6_HOP_LIMIT).read()
    }
}
