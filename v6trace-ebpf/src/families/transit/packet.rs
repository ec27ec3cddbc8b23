//! A packet on its way: its header, the interface that it came in by, who put it on that
//! link, and the way that the kernel had found for it.

use v6trace_common::families::transit as wire;

use super::globals;
use crate::{
    address::{Address, UNSPECIFIED},
    devices::{self, Found},
    kernel::{Device, Net},
    pointer::{Pointer, Reading},
};

/// Of `sk_buff._skb_refdst`: no reference is held (`SKB_DST_NOREF`).
const NO_REFERENCE: u64 = 1;
/// `RTF_GATEWAY`
const GATEWAY: u32 = 2;
/// `ARPHRD_ETHER`
const ETHERNET: u16 = 1;
/// An Ethernet header, and where in it the sender's address is.
const ETHERNET_HEADER: u16 = 14;
const ETHERNET_SOURCE: u64 = 6;

/// `struct ipv6hdr`
#[repr(C)]
#[derive(Clone, Copy, zerocopy::FromBytes)]
pub(super) struct Header {
    version: u32,
    payload_len: [u8; 2],
    pub(super) next_header: u8,
    hop_limit: u8,
    pub(super) source: Address,
    pub(super) destination: Address,
}

/// A packet that came in by some interface.
#[derive(Clone, Copy)]
pub(super) struct Packet {
    skb: Pointer,
    head: u64,
    network: u16,
    /// Its device of now: in a VRF it has the VRF's, as it goes out that by which it goes.
    near: Device,
    pub(super) net: Net,
    /// The index of the interface by which it came in, 0 of what this host sends.
    pub(super) ifindex: u32,
}

/// Where a packet would have gone.
#[derive(Clone, Copy)]
pub(super) struct Way {
    device: Device,
    /// 0 where it could not be read.
    pub(super) ifindex: u32,
    pub(super) has_gateway: bool,
    /// Zeros without one.
    gateway: Address,
}

impl Packet {
    /// `parm`: its `struct inet6_skb_parm`.
    #[inline(always)]
    pub(super) fn of(skb: Pointer, parm: Pointer) -> Option<Self> {
        let mut reading = Reading::new();
        let near = Device(Pointer(reading.get(skb, &globals::SKB_DEV)));
        let packet = Self {
            skb,
            head: reading.get(skb, &globals::SKB_HEAD),
            network: reading.get(skb, &globals::SKB_NETWORK_HEADER),
            near,
            net: Net(Pointer(reading.get(near.0, &globals::DEV_NET))),
            ifindex: reading.get(parm, &globals::SKB_PARM_IIF),
        };
        reading.is_complete().then_some(packet)
    }

    #[inline(always)]
    pub(super) fn header(&self) -> Option<Header> {
        Pointer(self.head + u64::from(self.network)).read()
    }

    /// The byte behind its header.
    #[inline(always)]
    pub(super) fn first_byte(&self) -> Option<u8> {
        let header = size_of::<Header>() as u64;
        Pointer(self.head + u64::from(self.network) + header).read()
    }

    /// The interface by which it came in.
    #[inline(always)]
    pub(super) fn device(&self) -> Option<Device> {
        if self.near.ifindex()? == self.ifindex {
            return Some(self.near);
        }
        match devices::find(self.net, self.ifindex) {
            Found::At(device) => Some(device),
            Found::Nowhere | Found::Unknown => None,
        }
    }

    /// Its route, 0 where there is none.
    #[inline(always)]
    fn dst(&self) -> Pointer {
        let dst: u64 = self.skb.or_zero(&globals::SKB_DST);
        Pointer(dst & !NO_REFERENCE)
    }

    /// Whether the kernel has found a route for it, if only one that rejects.
    #[inline(always)]
    pub(super) fn is_routed(&self) -> bool {
        self.dst().0 != 0
    }

    #[inline(always)]
    pub(super) fn way(&self) -> Way {
        let dst = self.dst();
        let mut route = Reading::new();
        let device = Device(Pointer(route.get(dst, &globals::DST_DEV)));
        let flags: u32 = route.get(dst, &globals::RT6_FLAGS);
        let gateway: Address = route.get(dst, &globals::RT6_GATEWAY);
        let ifindex: u32 = route.get(device.0, &globals::DEV_IFINDEX);
        let is_known = route.is_complete();
        let has_gateway = is_known && flags & GATEWAY != 0;
        Way {
            device,
            ifindex: if is_known { ifindex } else { 0 },
            has_gateway,
            gateway: if has_gateway { gateway } else { UNSPECIFIED },
        }
    }

    /// Who put it on the link of `device`, where that is Ethernet: six bytes, as they are
    /// in memory.
    #[inline(always)]
    fn sender(&self, device: Device) -> Option<u64> {
        let kind: u16 = device.0.get(&globals::DEV_TYPE)?;
        let mac: u16 = self.skb.get(&globals::SKB_MAC_HEADER)?;
        if kind != ETHERNET || self.network.wrapping_sub(mac) != ETHERNET_HEADER {
            return None;
        }
        let sender: [u8; 6] = Pointer(self.head + u64::from(mac) + ETHERNET_SOURCE).read()?;
        let [a, b, c, d, e, f] = sender;
        Some(u64::from_ne_bytes([a, b, c, d, e, f, 0, 0]))
    }

    /// Describes it, as it came in by `device` and was to go `onward`.
    #[inline(always)]
    pub(super) fn describe(
        &self,
        header: &Header,
        device: Device,
        onward: &Way,
        packet: &mut wire::Packet,
    ) {
        packet.source = header.source.bytes();
        packet.destination = header.destination.bytes();
        packet.gateway = onward.gateway.bytes();
        device.name_into(&mut packet.interface);
        onward.device.name_into(&mut packet.out_interface);
        let sender = self.sender(device).unwrap_or(0);
        packet.lladdr = sender.to_ne_bytes();
        packet.lladdr_len = if sender == 0 { 0 } else { 6 };
        packet.ifindex = self.ifindex;
        packet.out_ifindex = onward.ifindex;
        packet.length = self.skb.or_zero(&globals::SKB_LEN);
        packet.hop_limit = header.hop_limit.into();
        packet.next_header = header.next_header.into();
    }
}
