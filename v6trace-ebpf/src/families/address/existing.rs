//! The search for an address among those that an interface has.

use aya_ebpf::macros::map;

use super::globals;
use crate::{
    address::Address,
    pointer::Pointer,
    scratch::Scratch,
    search::{functions, search},
    volatile::Volatile,
};

/// Addresses of an interface that are looked at: so many rows of so many.
const ROWS: u32 = 8;
const ROW: u32 = 32;
/// Set in what is found, so that it is never 0.
const FOUND: u64 = 1 << 63;

/// An address that an interface has.
pub(super) struct Existing {
    pub(super) flags: u32,
    pub(super) prefix_len: u32,
}

/// What is searched for, and where the search stands.
#[repr(C)]
struct Search {
    upper: Volatile<u64>,
    lower: Volatile<u64>,
    node: Volatile<u64>,
    found: Volatile<u64>,
}

#[map]
static ADDRESS_SEARCH: Scratch<Search> = Scratch::new();

/// The address as the interface has it, if it has it.
#[inline(always)]
pub(super) fn find(inet6_dev: Pointer, address: Address) -> Option<Existing> {
    let found = existing_address(inet6_dev.0, address.upper, address.lower);
    (found != 0).then_some(Existing {
        flags: found as u32,
        prefix_len: (found >> 32) as u32 & 0xff,
    })
}

functions! {
    /// The same: the flags, above them the prefix length and [`FOUND`].
    fn existing_address(inet6_dev: u64, upper: u64, lower: u64) -> u64 {
        let Some(head) = Pointer(inet6_dev).member(&globals::IDEV_ADDRESSES) else {
            return 0;
        };
        let Some(search) = ADDRESS_SEARCH.get() else {
            return 0;
        };
        search.upper.set(upper);
        search.lower.set(lower);
        search.found.set(0);
        // `list_head.next` comes first.
        search.node.set(head.read().unwrap_or(0));
        find_address(head.0);
        ADDRESS_SEARCH.get().map_or(0, |search| search.found.get())
    }
}

search! {
    /// Looks through the interface's addresses, whose list begins at `head`.
    fn find_address(head: u64) in ADDRESS_SEARCH,
    at most ROWS rows of ROW by existing_address_row, existing_address_step: look_at;
}

/// Looks at the next address; `false` where it is the one, or there is none.
#[inline(always)]
fn look_at(search: &mut Search, head: u64) -> bool {
    let node = search.node.get();
    node != head && look_at_address(search, node).is_some() && search.found.get() == 0
}

#[inline(always)]
fn look_at_address(search: &mut Search, node: u64) -> Option<()> {
    let ifaddr = Pointer(node.checked_sub(u64::from(globals::IFA_LIST.load()))?);
    let address: Address = ifaddr.get(&globals::IFA_ADDR)?;
    let wanted = Address {
        upper: search.upper.get(),
        lower: search.lower.get(),
    };
    if address == wanted {
        let flags: u32 = ifaddr.get(&globals::IFA_FLAGS)?;
        let prefix_len: u32 = ifaddr.get(&globals::IFA_PREFIX_LEN)?;
        let found = u64::from(flags) | (u64::from(prefix_len) & 0xff) << 32;
        search.found.set(found | FOUND);
    }
    let next: u64 = Pointer(node).read()?;
    search.node.set(next);
    Some(())
}
