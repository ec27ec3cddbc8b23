//! The addresses of an interface, and one that the kernel did not make.

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
    kernel::Device,
    limit::Limit,
    output::Record,
    pointer::{Pointer, Reading},
    programs::programs,
    scratch::Scratch,
    search::{functions, search},
    volatile::Volatile,
};

/// `IFA_F_TENTATIVE`: not yet an address.
const TENTATIVE: u32 = 0x40;
/// Addresses of an interface that are looked at: so many rows of so many.
const ROWS: u32 = 8;
const ROW: u32 = 32;

/// Among the results of [`advertisement_addresses`]; below are the numbers.
const OWN: u64 = 1 << 32;
const COMPLETE: u64 = 1 << 33;
const LINK_LOCAL: u64 = 1 << 34;

/// The addresses of an interface.
pub(super) struct Found {
    pub(super) count: u32,
    /// Whether the one that was asked for is among them, and not tentative.
    pub(super) own: bool,
    /// Whether a link-local one is among them, and not tentative.
    pub(super) link_local: bool,
    /// Whether there are no others.
    pub(super) complete: bool,
}

/// What is searched for, and where the search stands.
#[repr(C)]
struct Search {
    upper: Volatile<u64>,
    lower: Volatile<u64>,
    node: Volatile<u64>,
    found: Volatile<u64>,
}

/// An address that is about to be made on this CPU.
#[repr(C)]
struct Trial {
    idev: u64,
    use_tempaddr: i64,
    address: Address,
}

#[map]
static ADVERTISEMENT_SEARCH: Scratch<Search> = Scratch::new();

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
    let found = count(idev, address);
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

/// Counts the addresses of an interface, and looks for one of them.
#[inline(always)]
pub(super) fn count(inet6_dev: Pointer, address: Address) -> Found {
    let found = advertisement_addresses(inet6_dev.0, address.upper, address.lower);
    Found {
        count: found as u32,
        own: found & OWN != 0,
        link_local: found & LINK_LOCAL != 0,
        complete: found & COMPLETE != 0,
    }
}

functions! {
    /// The same, in one number.
    fn advertisement_addresses(inet6_dev: u64, upper: u64, lower: u64) -> u64 {
        let Some(head) = Pointer(inet6_dev).member(&globals::IDEV_ADDRESSES) else {
            return 0;
        };
        let Some(search) = ADVERTISEMENT_SEARCH.get() else {
            return 0;
        };
        search.upper.set(upper);
        search.lower.set(lower);
        search.found.set(0);
        // `list_head.next` comes first.
        search.node.set(head.read().unwrap_or(0));
        count_addresses(head.0);
        ADVERTISEMENT_SEARCH.get().map_or(0, |search| search.found.get())
    }
}

search! {
    /// Looks through the interface's addresses, whose list begins at `head`.
    fn count_addresses(head: u64) in ADVERTISEMENT_SEARCH,
    at most ROWS rows of ROW by count_addresses_row, count_addresses_step: look_at;
}

#[inline(always)]
fn look_at(search: &mut Search, head: u64) -> bool {
    let node = search.node.get();
    if node == head {
        search.found.set(search.found.get() | COMPLETE);
        return false;
    }
    let ifaddr = Pointer(node.wrapping_sub(u64::from(globals::IFA_LIST.load())));
    let Some(address) = ifaddr.get::<Address>(&globals::IFA_ADDR) else {
        return false;
    };
    let wanted = Address {
        upper: search.upper.get(),
        lower: search.lower.get(),
    };
    let flags: u32 = ifaddr.or_zero(&globals::IFA_FLAGS);
    let mut is = 0;
    if flags & TENTATIVE == 0 {
        if address == wanted {
            is |= OWN;
        }
        if address.is_link_local() {
            is |= LINK_LOCAL;
        }
    }
    search.found.set((search.found.get() + 1) | is);
    search.node.set(Pointer(node).read().unwrap_or(0));
    true
}
