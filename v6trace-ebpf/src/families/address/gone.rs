//! Addresses and routes that go: told by the functions of other families that
//! see them go.

use v6trace_common::families::address::{ADDRESSES, AddressesLost, LostAddress, LostRoute, ROUTES};

use super::{globals, lost};
use crate::{
    address::Address,
    attachment::{self, Object},
    kernel::Device,
    pointer::Pointer,
};

/// `IFA_F_PERMANENT`: without a lifetime.
const PERMANENT: u32 = 0x80;
/// `RTPROT_REDIRECT`, `RTPROT_KERNEL` and `RTPROT_RA`: routes that the kernel makes
/// itself, and makes again.
const REDIRECT: u8 = 1;
const KERNEL: u8 = 2;
const RA: u8 = 9;

/// An address goes from its interface.
#[inline(always)]
pub(crate) fn address_gone(ifaddr: Pointer) -> Option<()> {
    let payload = lost::current()?;
    let address: Address = ifaddr.get(&globals::IFA_ADDR)?;
    let inet6_dev = ifaddr.follow(&globals::IFA_IDEV)?;
    let device = Device(inet6_dev.follow(&globals::INET6_DEV_DEV)?);
    let flags = ifaddr.or_zero(&globals::IFA_FLAGS);
    note(device, payload);
    let index = payload.address_count as usize;
    payload.address_count += 1;
    if !address.is_link_local() && !address.is_loopback() {
        if flags & PERMANENT != 0 {
            payload.set_count += 1;
        } else {
            payload.learned_count += 1;
        }
    }
    if index < ADDRESSES {
        describe_address(ifaddr, device, flags, &mut payload.addresses[index]);
    }
    Some(())
}

#[inline(always)]
fn describe_address(ifaddr: Pointer, device: Device, flags: u32, lost: &mut LostAddress) {
    if let Some(address) = ifaddr.get(&globals::IFA_ADDR) {
        lost.address = address;
    }
    device.name_into(&mut lost.interface);
    lost.ifindex = device.ifindex().unwrap_or(0);
    lost.prefix_len = ifaddr.or_zero(&globals::IFA_PREFIX_LEN);
    lost.flags = flags;
    lost.made_by = ifaddr.or_zero::<u8>(&globals::IFA_PROTO).into();
}

/// A route is removed by the current thread, under the lock of its table. Whether what
/// goes is listed, and nobody else is to tell it.
#[inline(always)]
pub(crate) fn route_gone<O: Object>(route: O) -> bool {
    let Some(payload) = lost::current() else {
        return false;
    };
    let _ = list_route(route, payload);
    true
}

/// There may be very many: all but the first are only counted.
#[inline(always)]
fn list_route<O: Object>(route: O, payload: &mut AddressesLost) -> Option<()> {
    let protocol: u8 = route.value(&globals::ROUTE_PROTOCOL)?;
    let node: u64 = route.value(&globals::ROUTE_NODE)?;
    if node == 0 || protocol == REDIRECT || protocol == KERNEL || protocol == RA {
        return None;
    }
    payload.route_count += 1;
    // A nexthop object is shared and kept elsewhere.
    let object: Option<u64> = route.value(&globals::ROUTE_NEXTHOP);
    let route = Pointer(attachment::plain(route.pointer().0)?);
    let nexthop = route
        .member(&globals::ROUTE_FIB_NH)
        .filter(|_| object == Some(0))
        .unwrap_or(Pointer(0));
    let device = Device(nexthop.follow(&globals::FIB_NH_DEV).unwrap_or(Pointer(0)));
    if device.0.0 != 0 {
        note(device, payload);
    }
    // Read and compared where it is used: of what was kept meanwhile, verifiers of some
    // kernels forget that it was compared.
    let index = payload.route_count.wrapping_sub(1) as usize;
    if index < ROUTES {
        describe_route(route, nexthop, device, &mut payload.routes[index]);
        payload.routes[index].protocol = protocol.into();
    }
    Some(())
}

#[inline(always)]
fn describe_route(route: Pointer, nexthop: Pointer, device: Device, lost: &mut LostRoute) {
    if let Some(destination) = route.get(&globals::ROUTE_DESTINATION) {
        lost.destination = destination;
    }
    lost.prefix_len = route.or_zero(&globals::ROUTE_PREFIX_LEN);
    if let Some(gateway) = nexthop.get(&globals::FIB_NH_GATEWAY) {
        lost.gateway = gateway;
    }
    device.name_into(&mut lost.interface);
    lost.table = route
        .follow(&globals::ROUTE_TABLE)
        .and_then(|table| table.get(&globals::TABLE_ID))
        .unwrap_or(0);
}

/// Counts an interface that loses something: they come one after the other.
#[inline(always)]
fn note(device: Device, payload: &mut AddressesLost) {
    let ifindex = device.ifindex().unwrap_or(0);
    if payload.interfaces == 0 || payload.ifindex != ifindex {
        payload.interfaces += 1;
        payload.ifindex = ifindex;
        device.name_into(&mut payload.interface);
    }
}
