//! An address of an advertised prefix that the kernel did not make.

use aya_ebpf::{
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::families::advertisement::{
    self as wire, AdvertisedAddressRefused, SYSCTLS_READ,
};

use super::{Place, Router, globals, is_news, send};
use crate::{
    address::Address,
    attachment::Arguments as _,
    families::address as family,
    interface_addresses,
    kernel::Device,
    limit::Limit,
    output::Record,
    pointer::{Pointer, Reading},
    programs::programs,
    scratch::Scratch,
};

/// An address that is about to be made on this CPU.
#[repr(C)]
struct Trial {
    idev: u64,
    use_tempaddr: i64,
    address: Address,
}

#[map]
static TRIAL: Scratch<Trial> = Scratch::new();

/// What was told of each address.
#[map]
static ADVERTISED_ADDRESSES_TOLD: Limit<Router> = Limit::new(1024);

#[map]
static ADVERTISED_ADDRESS_RECORD: Scratch<Record<AdvertisedAddressRefused>> = Scratch::new();

programs! {
    enter: kprobe advertised_address_enter;
    leave: kretprobe advertised_address_return;
}

/// `addrconf_prefix_rcv_add_addr(net, dev, pinfo, in6_dev, addr, …)`
#[inline(always)]
fn enter(ctx: &ProbeContext) -> Option<()> {
    let trial = TRIAL.get()?;
    trial.idev = ctx.number(3);
    trial.address = ctx.object(4).read()?;
    trial.use_tempaddr = family::before_advertised(Pointer(trial.idev)).into();
    Some(())
}

/// It returns 0, also where the address was there already.
#[inline(always)]
fn leave(ctx: &RetProbeContext) -> Option<()> {
    let ret: i32 = ctx.ret();
    let trial = TRIAL.get()?;
    let (idev, address) = (Pointer(trial.idev), trial.address);
    let use_tempaddr = trial.use_tempaddr as i32;
    trial.idev = 0;
    if idev.0 == 0 {
        return None;
    }
    if ret == 0 {
        return family::after_advertised(ctx, idev, address, use_tempaddr);
    }
    let device = Device(idev.follow(&globals::INET6_DEV_DEV)?);
    let place = Place::of(device.0)?;
    let found = interface_addresses::find_for_advertisement(idev, address);
    let mut sysctls = Reading::new();
    let max_addresses: i32 = sysctls.get(idev, &globals::CNF_MAX_ADDRESSES);
    let disable_ipv6: i32 = sysctls.get(idev, &globals::CNF_DISABLE_IPV6);
    let what = found.count << 16 | (max_addresses as u32 & 0x7fff) << 1 | disable_ipv6 as u32 & 1;
    let same = Router {
        source: address,
        place,
    };
    let record = ADVERTISED_ADDRESS_RECORD.get()?;
    let suppressed = is_news(&ADVERTISED_ADDRESSES_TOLD, &same, place, what)?;
    send(ctx, wire::PREFIX, place.netns, record, |payload| {
        payload.address = address.bytes();
        payload.ifindex = place.ifindex;
        payload.ret = ret;
        payload.addresses = found.count;
        payload.addresses_complete = u32::from(found.complete);
        payload.max_addresses = max_addresses;
        payload.disable_ipv6 = disable_ipv6;
        payload.suppressed = suppressed;
        payload.read_sysctls = SYSCTLS_READ & sysctls.mask();
        device.name_into(&mut payload.interface);
    });
    Some(())
}
