//! The search for an address among those of all interfaces of a namespace: their
//! own, and what they answer for as anycast.

use aya_ebpf::macros::map;
use v6trace_common::{
    INTERFACE_NAME_LEN,
    families::bind::{
        ALL_LOOKED_AT, AS_ANYCAST, AddressHolder, DEVICE_FLAGS_READ, DEVICE_STATE_READ, HOLDERS,
        INET6_FLAGS_READ, LocalAddressRefused,
    },
};

use super::globals;
use crate::{
    address::Address,
    kernel::{Device, Net},
    pointer::Pointer,
    scratch::Scratch,
    search::{functions, search},
    volatile::Volatile,
};

/// Interfaces and addresses that are looked at: so many rows of so many.
const ROWS: u32 = 32;
const ROW: u32 = 64;

/// What is searched for, where the search stands, and what it has found.
#[repr(C)]
struct Search {
    upper: Volatile<u64>,
    lower: Volatile<u64>,
    /// The next interface, by its node in the list.
    next_device: Volatile<u64>,
    /// The one whose addresses are looked at.
    device: Volatile<u64>,
    inet6_dev: Volatile<u64>,
    /// The list of its addresses, 0 once it is through.
    addresses: Volatile<u64>,
    /// The next address in it.
    address: Volatile<u64>,
    /// Its next anycast address, 0 at the end.
    anycast: Volatile<u64>,
    complete: Volatile<u32>,
    count: Volatile<u32>,
    /// Changes with what is found.
    states: Volatile<u32>,
    /// The interface that was asked for, which has room in any case.
    wanted: Volatile<u32>,
    holders: [AddressHolder; HOLDERS],
}

#[map]
static BIND_SEARCH: Scratch<Search> = Scratch::new();

/// Writes that nobody was looked for.
#[inline(always)]
pub(super) fn skip(payload: &mut LocalAddressRefused) {
    payload.holders = [NOBODY; HOLDERS];
    payload.holder_count = 0;
}

/// Writes who has the address. What it returns is another as soon as somebody
/// else has it, or in another state.
#[inline(always)]
pub(super) fn find(net: Net, address: Address, payload: &mut LocalAddressRefused) -> u32 {
    address_holders(net.0.0, address.upper, address.lower, payload.ifindex);
    let Some(search) = BIND_SEARCH.get() else {
        return 0;
    };
    payload.holders = search.holders;
    payload.holder_count = search.count.get();
    if search.complete.get() != 0 {
        payload.known |= ALL_LOOKED_AT;
    }
    search.states.get()
}

functions! {
    /// Looks through all interfaces; always 0.
    fn address_holders(net: u64, upper: u64, lower: u64, wanted: u32) -> u32 {
        let Some(devices) = Pointer(net).member(&globals::NET_DEVICES) else {
            return 0;
        };
        let Some(search) = BIND_SEARCH.get() else {
            return 0;
        };
        search.upper.set(upper);
        search.lower.set(lower);
        search.wanted.set(wanted);
        // `list_head.next` comes first.
        search.next_device.set(devices.read().unwrap_or(0));
        search.addresses.set(0);
        search.anycast.set(0);
        search.complete.set(0);
        search.count.set(0);
        search.states.set(0);
        search.holders = [NOBODY; HOLDERS];
        find_holders(devices.0);
        0
    }
}

const NOBODY: AddressHolder = AddressHolder {
    interface: [0; INTERFACE_NAME_LEN],
    ifindex: 0,
    address_flags: 0,
    prefix_len: 0,
    device_flags: 0,
    inet6_flags: 0,
    device_state: 0,
    held_as: 0,
    unused: 0,
};

search! {
    /// Looks through the interfaces, whose list begins at `devices`.
    fn find_holders(devices: u64) in BIND_SEARCH,
    at most ROWS rows of ROW by address_holders_row, address_holders_step: look_at;
}

/// Looks at what is next; `false` where there is nothing, or it cannot be read.
#[inline(always)]
fn look_at(search: &mut Search, devices: u64) -> bool {
    let addresses = search.addresses.get();
    let anycast = search.anycast.get();
    let device = search.next_device.get();
    let done = if addresses != 0 {
        look_at_address(search, addresses)
    } else if anycast != 0 {
        look_at_anycast(search, Pointer(anycast))
    } else if device != devices {
        look_at_device(search, device)
    } else {
        search.complete.set(1);
        None
    };
    done.is_some()
}

#[inline(always)]
fn look_at_device(search: &mut Search, node: u64) -> Option<()> {
    let device = Pointer(node.checked_sub(u64::from(globals::DEV_LIST.load()))?);
    let inet6_dev = device.follow(&globals::DEV_IP6_PTR)?;
    let next: u64 = Pointer(node).read()?;
    search.next_device.set(next);
    search.device.set(device.0);
    search.inet6_dev.set(inet6_dev.0);
    if inet6_dev.0 != 0 {
        let addresses = inet6_dev.member(&globals::IDEV_ADDRESSES)?;
        let first: u64 = addresses.read()?;
        search.address.set(first);
        search.addresses.set(addresses.0);
        search
            .anycast
            .set(inet6_dev.or_zero(&globals::IDEV_ANYCAST));
    }
    Some(())
}

#[inline(always)]
fn look_at_address(search: &mut Search, addresses: u64) -> Option<()> {
    let node = search.address.get();
    if node == addresses {
        search.addresses.set(0);
        return Some(());
    }
    let ifaddr = Pointer(node.checked_sub(u64::from(globals::IFA_LIST.load()))?);
    let address: Address = ifaddr.get(&globals::IFA_ADDR)?;
    let next: u64 = Pointer(node).read()?;
    search.address.set(next);
    if is_wanted(search, address) {
        let flags: u32 = ifaddr.get(&globals::IFA_FLAGS)?;
        let prefix_len: u32 = ifaddr.or_zero(&globals::IFA_PREFIX_LEN);
        note_holder(flags, prefix_len, 0);
    }
    Some(())
}

#[inline(always)]
fn look_at_anycast(search: &mut Search, anycast: Pointer) -> Option<()> {
    let address: Address = anycast.get(&globals::ANYCAST_ADDR)?;
    search.anycast.set(anycast.or_zero(&globals::ANYCAST_NEXT));
    if is_wanted(search, address) {
        note_holder(0, 0, AS_ANYCAST);
    }
    Some(())
}

#[inline(always)]
fn is_wanted(search: &Search, address: Address) -> bool {
    let wanted = Address {
        upper: search.upper.get(),
        lower: search.lower.get(),
    };
    address == wanted
}

functions! {
    /// Writes down that the interface which is looked at has the address; always 0.
    fn note_holder(flags: u32, prefix_len: u32, held_as: u32) -> u32 {
        let Some(search) = BIND_SEARCH.get() else {
            return 0;
        };
        let count = search.count.get();
        search.count.set(count.wrapping_add(1));
        let device = Device(Pointer(search.device.get()));
        let inet6_dev = Pointer(search.inet6_dev.get());
        let ifindex: u32 = device.0.or_zero(&globals::DEV_IFINDEX);
        let (device_flags, read) = device.0.flagged(&globals::DEV_FLAGS, DEVICE_FLAGS_READ);
        let mut held_as = held_as | read;
        let (state, read): (u64, _) = device.0.flagged(&globals::DEV_STATE, DEVICE_STATE_READ);
        held_as |= read;
        let (inet6_flags, read) = inet6_dev.flagged(&globals::INET6_DEV_IF_FLAGS, INET6_FLAGS_READ);
        held_as |= read;
        let states = search.states.get();
        search.states.set(states.wrapping_mul(31) ^ flags ^ ifindex.wrapping_mul(4096) ^ inet6_flags);
        let mut place = count as usize;
        if place >= HOLDERS && ifindex == search.wanted.get() {
            place = HOLDERS - 1;
        }
        let Some(holder) = search.holders.get_mut(place) else {
            return 0;
        };
        holder.ifindex = ifindex;
        holder.address_flags = flags;
        holder.prefix_len = prefix_len;
        holder.device_flags = device_flags;
        holder.inet6_flags = inet6_flags;
        holder.device_state = state as u32;
        holder.held_as = held_as;
        device.name_into(&mut holder.interface);
        0
    }
}
