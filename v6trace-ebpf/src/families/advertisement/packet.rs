//! A packet of neighbour discovery: where it is, and where it came in.

use super::globals;
use crate::{
    address::Address,
    attachment::Object,
    kernel::{Device, Net},
    pointer::{Pointer, Value},
};

/// Bytes from the beginning of an IPv6 header to the source.
const IPV6_SOURCE: u64 = 8;
/// Bytes from there to the destination.
const IPV6_DESTINATION: u64 = 24;
/// Bytes from there to the hop limit.
const IPV6_HOP_LIMIT: u64 = 7;
/// Bytes from the beginning of an ICMPv6 header to the target.
const TARGET: u64 = 8;
/// The first byte of a group's address.
const GROUP: u8 = 0xff;

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
    pub(super) fn of<O: Object>(device: O) -> Option<Self> {
        Some(Self {
            netns: Net(device.next(&globals::DEV_NET)?).inum()?,
            ifindex: device.value(&globals::DEV_IFINDEX)?,
        })
    }
}

/// A `struct sk_buff` whose headers are known. By a trampoline, all of this is read
/// without the helper.
#[derive(Clone, Copy)]
pub(super) struct Packet<O> {
    skb: O,
    pub(super) head: u64,
    device: O,
    network: u16,
    transport: u16,
}

impl<O: Object> Packet<O> {
    #[inline(always)]
    pub(super) fn of(skb: O) -> Option<Self> {
        Some(Self {
            skb,
            head: skb.value(&globals::SKB_HEAD)?,
            device: skb.next(&globals::SKB_DEV)?,
            network: skb.value(&globals::SKB_NETWORK_HEADER)?,
            transport: skb.value(&globals::SKB_TRANSPORT_HEADER)?,
        })
    }

    /// Where it is.
    #[inline(always)]
    pub(super) fn skb(&self) -> Pointer {
        self.skb.pointer()
    }

    /// Its bytes from the ICMPv6 header on.
    #[inline(always)]
    pub(super) fn len(&self) -> Option<u32> {
        self.skb.value(&globals::SKB_LEN)
    }

    /// The device that it came in by.
    #[inline(always)]
    pub(super) fn device(&self) -> Device {
        Device(self.device.pointer())
    }

    /// What IPv6 knows of that.
    #[inline(always)]
    pub(super) fn inet6_dev(&self) -> Option<O> {
        self.device.next(&globals::DEV_IP6_PTR)
    }

    /// The `ARPHRD_*` type of that; 0 where this kernel has none.
    #[inline(always)]
    pub(super) fn device_type(&self) -> u16 {
        self.device.value(&globals::DEV_TYPE).unwrap_or(0)
    }

    /// The MTU of that; 0 where it could not be read.
    #[inline(always)]
    pub(super) fn mtu(&self) -> u32 {
        self.device.value(&globals::DEV_MTU).unwrap_or(0)
    }

    /// The interface that it is.
    #[inline(always)]
    pub(super) fn place(&self) -> Option<Place> {
        Place::of(self.device)
    }

    /// The first bytes of its ICMPv6 header.
    #[inline(always)]
    pub(super) fn icmpv6<T: Value>(&self) -> Option<T> {
        Pointer(self.head + u64::from(self.transport)).read()
    }

    /// Its IPv6 source.
    #[inline(always)]
    pub(super) fn source(&self) -> Option<Address> {
        Pointer(self.head + u64::from(self.network) + IPV6_SOURCE).read()
    }

    /// Whether it went to a group.
    #[inline(always)]
    pub(super) fn is_to_group(&self) -> Option<bool> {
        let first: u8 = Pointer(self.head + u64::from(self.network) + IPV6_DESTINATION).read()?;
        Some(first == GROUP)
    }

    /// The address that a message of neighbours is about.
    #[inline(always)]
    pub(super) fn target(&self) -> Option<Address> {
        Pointer(self.head + u64::from(self.transport) + TARGET).read()
    }

    /// Its hop limit.
    #[inline(always)]
    pub(super) fn hop_limit(&self) -> Option<u8> {
        Pointer(self.head + u64::from(self.network) + IPV6_HOP_LIMIT).read()
    }
}
