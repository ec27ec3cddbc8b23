//! Whether a source is the outgoing interface's own: the search through the
//! interface's IPv4 addresses.

use aya_ebpf::macros::map;
use v6trace_common::families::source_selection::{BY_GATEWAY_BITS, MORE_ADDRESSES, ON_INTERFACE};

use super::globals;
use crate::{
    kernel::Device,
    pointer::{Pointer, Reading},
    scratch::Scratch,
    search::{functions, search},
    volatile::Volatile,
};

/// Addresses of an interface that are compared with the source.
const ADDRESSES: u32 = 64;
/// `IFA_F_SECONDARY`: of a subnet that has an earlier address.
const SECONDARY: u32 = 1;
/// More than any scope (`RT_SCOPE_NOWHERE`, which no address has).
const NARROWEST: u32 = 255;
/// Of [`source_on_device`]: the addresses cannot be read.
pub(super) const UNREADABLE: u32 = u32::MAX;

/// What is searched for among the addresses of a device, and where the search
/// stands.
#[repr(C)]
struct Search {
    /// The next `in_ifaddr`.
    entry: Volatile<u64>,
    address: Volatile<u32>,
    /// Bits to be near to, 0 for none.
    bits: Volatile<u32>,
    /// The widest scope of a primary address so far; more is narrower.
    widest: Volatile<u32>,
    /// The last entry's scope.
    scope: Volatile<u32>,
    /// Not 0: the last entry could be read.
    read: Volatile<u32>,
    unused: u32,
}

#[map]
static SOURCE_SEARCH: Scratch<Search> = Scratch::new();

functions! {
    /// Whether the device has the address, as flags; 0 where it has not, or
    /// [`UNREADABLE`]. A nexthop's `bits`, in network order, are what an address
    /// would be near to; 0 for none.
    pub(super) fn source_on_device(device: u64, source: u32, bits: u32) -> u32 {
        let device = Device(Pointer(device));
        let Some(in_device) = device.0.follow(&globals::DEV_IP_PTR) else {
            return UNREADABLE;
        };
        if in_device.0 == 0 {
            return 0;
        }
        let Some(first) = in_device.follow(&globals::IN_DEVICE_IFA_LIST) else {
            return UNREADABLE;
        };
        // A lookup in a softirq that interrupts this one is not looked at.
        let Some(search) = SOURCE_SEARCH.get() else {
            return UNREADABLE;
        };
        search.address.set(source);
        search.bits.set(bits);
        search.entry.set(first.0);
        search.widest.set(NARROWEST);
        if !find_address() {
            return MORE_ADDRESSES;
        }
        SOURCE_SEARCH.get().map_or(UNREADABLE, |search| outcome(search))
    }
}

search! {
    /// Looks through the device's addresses.
    fn find_address() in SOURCE_SEARCH, at most ADDRESSES by source_on_device_step: goes_on;
}

/// Looks at one address, and goes on to the next unless this is the one, or
/// cannot be read, as none can at the end of the list.
#[inline(always)]
fn goes_on(search: &mut Search) -> bool {
    let entry = Pointer(search.entry.get());
    let mut reading = Reading::new();
    let local: u32 = reading.get(entry, &globals::IN_IFADDR_LOCAL);
    let next: u64 = reading.get(entry, &globals::IN_IFADDR_NEXT);
    search.read.set(reading.mask());
    let mut width = Reading::new();
    let scope: u8 = width.get(entry, &globals::IN_IFADDR_SCOPE);
    let flags: u32 = width.get(entry, &globals::IN_IFADDR_FLAGS);
    // Unknown, it counts as the narrowest, which the bits do not decide about.
    search.scope.set(u32::from(scope) | !width.mask());
    // One branch for both.
    if (local ^ search.address.get()) & search.read.get() == 0 {
        return false;
    }
    // A secondary address never counts as wider than another.
    let scope = search.scope.get() | (flags & SECONDARY) << 8;
    if scope < search.widest.get() {
        search.widest.set(scope);
    }
    search.entry.set(next);
    true
}

/// What the address says at which the search ended.
///
/// The kernel takes the bits of the next hop, unless they are 0, for an IPv4
/// address to be near to (`fib_info_update_nhc_saddr`, `inet_select_addr`).
#[inline(always)]
fn outcome(search: &Search) -> u32 {
    let entry = Pointer(search.entry.get());
    if entry.0 == 0 {
        return 0;
    }
    if search.read.get() == 0 {
        return UNREADABLE;
    }
    // The first that would do needs no bits to be chosen.
    if search.bits.get() != 0
        && search.widest.get() < NARROWEST
        && search.widest.get() <= search.scope.get()
        && lie_in_subnet(search.bits.get(), entry)
    {
        return ON_INTERFACE | BY_GATEWAY_BITS;
    }
    ON_INTERFACE
}

/// Whether `bits`, in network order, are an address of the entry's subnet.
#[inline(always)]
fn lie_in_subnet(bits: u32, entry: Pointer) -> bool {
    let address: u32 = entry.get(&globals::IN_IFADDR_ADDRESS).unwrap_or(0);
    let mask: u32 = entry.get(&globals::IN_IFADDR_MASK).unwrap_or(u32::MAX);
    (bits ^ address) & mask == 0
}
