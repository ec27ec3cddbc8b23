//! The searches through an interface's addresses, ordinary or anycast.

use aya_ebpf::macros::map;
use v6trace_common::families::anycast::{ADDRESSES_COMPLETE, OWN_ADDRESS, PREFIX_FOUND};

use super::{Call, globals};
use crate::{
    address::Address,
    pointer::Pointer,
    scratch::Scratch,
    search::{functions, search},
    volatile::Volatile,
};

/// `IFA_F_TENTATIVE`: of no account while its uniqueness is not known.
pub(super) const TENTATIVE: u32 = 0x40;
/// `IFA_F_OPTIMISTIC`: in use although it is tentative (RFC 4429).
const OPTIMISTIC: u32 = 0x04;
/// `IFA_F_DADFAILED`: somebody else has it.
const DAD_FAILED: u32 = 0x08;
/// The kernel takes no anycast address for a prefix of this length or more.
const TOO_LONG: u32 = 127;
/// Addresses of an interface that are looked at: so many rows of so many.
const ROWS: u32 = 8;
const ROW: u32 = 32;
/// A new anycast address is put first; others may follow it in no time.
const NEWEST: u32 = 4;

/// What is searched for, and where the search stands.
#[repr(C)]
struct Search {
    upper: Volatile<u64>,
    lower: Volatile<u64>,
    /// Address flags that make an address not count.
    ignore: Volatile<u32>,
    prefix_len: Volatile<u32>,
    node: Volatile<u64>,
    found: Volatile<u32>,
    flags: Volatile<u32>,
}

#[map]
static ANYCAST_SEARCH: Scratch<Search> = Scratch::new();

impl Search {
    /// Whether this address is the one that is searched for.
    #[inline(always)]
    fn is_for(&self, address: Address) -> bool {
        let upper = self.upper.get();
        let lower = self.lower.get();
        address == Address { upper, lower }
    }

    /// What to search for.
    #[inline(always)]
    fn set(&mut self, address: Address) {
        self.upper.set(address.upper);
        self.lower.set(address.lower);
    }
}

/// Whether the call put its address into the interface's list.
#[inline(always)]
pub(super) fn is_new(call: &Call) -> bool {
    let Some(mut anycast) = Pointer(call.idev).follow(&globals::IDEV_ANYCAST) else {
        return false;
    };
    for _ in 0..NEWEST {
        if anycast.0 == 0 || anycast.0 == call.newest {
            return false;
        }
        if address_of(anycast) == Some(call.address) {
            return true;
        }
        let Some(next) = anycast.follow(&globals::ANYCAST_NEXT) else {
            return false;
        };
        anycast = next;
    }
    false
}

#[inline(always)]
fn address_of(anycast: Pointer) -> Option<Address> {
    anycast.get(&globals::ANYCAST_ADDR)
}

/// Whether nobody else wants the address to stay.
#[inline(always)]
pub(super) fn is_last_user(idev: Pointer, address: Address) -> bool {
    anycast_users(idev.0, address.upper, address.lower) == 1
}

functions! {
    /// How many want the interface to have an anycast address; 0 where that
    /// cannot be told.
    fn anycast_users(idev: u64, upper: u64, lower: u64) -> u32 {
        let Some(first) = Pointer(idev).follow(&globals::IDEV_ANYCAST) else {
            return 0;
        };
        let Some(search) = ANYCAST_SEARCH.get() else {
            return 0;
        };
        search.set(Address { upper, lower });
        search.found.set(0);
        search.node.set(first.0);
        find_users();
        ANYCAST_SEARCH.get().map_or(0, |search| search.found.get())
    }
}

search! {
    /// Looks through the interface's anycast addresses.
    fn find_users() in ANYCAST_SEARCH,
    at most ROWS rows of ROW by anycast_users_row, anycast_users_step: look_at_users;
}

#[inline(always)]
fn look_at_users(search: &mut Search) -> bool {
    let anycast = Pointer(search.node.get());
    // Null, at the end of the list, has none.
    let Some(address) = address_of(anycast) else {
        return false;
    };
    if search.is_for(address) {
        search.found.set(anycast.or_zero(&globals::ANYCAST_USERS));
        return false;
    }
    search.node.set(anycast.or_zero(&globals::ANYCAST_NEXT));
    true
}

functions! {
    /// Looks through the interface's addresses for the one that an anycast
    /// address follows from, and for the anycast address itself. Those with
    /// flags to `ignore` do not count; `ifaddr`, unless 0, is the one in any
    /// case. The prefix length, 0 if there is none, and above its 32 bits flags
    /// of the record.
    pub(super) fn anycast_prefix(idev: u64, upper: u64, lower: u64, ifaddr: u64, ignore: u32) -> u64 {
        let Some(head) = Pointer(idev).member(&globals::IDEV_ADDRESSES) else {
            return 0;
        };
        let Some(search) = ANYCAST_SEARCH.get() else {
            return 0;
        };
        search.set(Address { upper, lower });
        search.ignore.set(ignore);
        search.found.set(0);
        search.flags.set(0);
        // `list_head.next` comes first.
        search.node.set(head.read().unwrap_or(0));
        find_prefix(head.0);
        let Some(search) = ANYCAST_SEARCH.get() else {
            return 0;
        };
        // The address that became usable is the one, whichever comes first.
        if ifaddr != 0
            && let Some(prefix_len) = Pointer(ifaddr).get(&globals::IFA_PREFIX_LEN)
        {
            search.found.set(prefix_len);
            search.flags.set(search.flags.get() | PREFIX_FOUND);
        }
        u64::from(search.flags.get()) << 32 | u64::from(search.found.get())
    }
}

search! {
    /// Looks through the interface's addresses, whose list begins at `head`.
    fn find_prefix(head: u64) in ANYCAST_SEARCH,
    at most ROWS rows of ROW by anycast_prefix_row, anycast_prefix_step: look_at_prefix;
}

#[inline(always)]
fn look_at_prefix(search: &mut Search, head: u64) -> bool {
    let node = search.node.get();
    if node == head {
        search.flags.set(search.flags.get() | ADDRESSES_COMPLETE);
        return false;
    }
    look_at_address(search, node).is_some()
}

/// Whether packets for an address with these flags are delivered here: else it
/// has no local route, and does not stand in the way of an anycast address.
#[inline(always)]
fn is_in_force(flags: u32) -> bool {
    (flags & DAD_FAILED == 0) & (flags & (TENTATIVE | OPTIMISTIC) != TENTATIVE)
}

/// Looks at the address with this list node, and goes on to the next.
#[inline(always)]
fn look_at_address(search: &mut Search, node: u64) -> Option<()> {
    let ifaddr = Pointer(node.checked_sub(u64::from(globals::IFA_LIST.load()))?);
    let address: Address = ifaddr.get(&globals::IFA_ADDR)?;
    let prefix_len: u32 = ifaddr.get(&globals::IFA_PREFIX_LEN)?;
    let flags: u32 = ifaddr.get(&globals::IFA_FLAGS)?;
    search.prefix_len.set(prefix_len);
    if search.is_for(address) && is_in_force(flags) {
        search.flags.set(search.flags.get() | OWN_ADDRESS);
    }
    if search.flags.get() & PREFIX_FOUND == 0
        && flags & search.ignore.get() == 0
        && search.prefix_len.get() < TOO_LONG
        && search.is_for(address.prefix(search.prefix_len.get()))
    {
        search.found.set(search.prefix_len.get());
        search.flags.set(search.flags.get() | PREFIX_FOUND);
    }
    let next: u64 = Pointer(node).read()?;
    search.node.set(next);
    Some(())
}
