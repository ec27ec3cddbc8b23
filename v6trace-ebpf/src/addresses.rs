//! The addresses of an interface: how many it has, and one among them.

use aya_ebpf::macros::map;

use crate::{
    address::Address,
    globals,
    pointer::Pointer,
    scratch::Scratch,
    search::{functions, search},
    volatile::Volatile,
};

/// Addresses that are looked at: so many rows of so many.
const ROWS: u32 = 8;
const ROW: u32 = 32;

/// In the result of `addresses_of`, beside the flags of the address that was
/// looked for: where its prefix length and the number of all begin, that it is
/// there, and that all were looked at.
const PREFIX_LEN: u32 = 32;
const COUNT: u32 = 40;
const FOUND: u64 = 1 << 62;
const COMPLETE: u64 = 1 << 63;

/// What an interface has.
pub(crate) struct Addresses {
    pub(crate) count: u32,
    /// The address that was looked for, if it is there.
    pub(crate) existing: Option<Existing>,
    /// Whether these are all: the list may be too long, or unreadable.
    pub(crate) complete: bool,
}

/// An address that an interface has.
pub(crate) struct Existing {
    /// `IFA_F_*`
    pub(crate) flags: u32,
    pub(crate) prefix_len: u32,
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

/// Counts the addresses of an interface (`inet6_dev`), and looks for one of them.
#[inline(always)]
pub(crate) fn of(inet6_dev: Pointer, address: Address) -> Addresses {
    let found = addresses_of(inet6_dev.0, address.upper, address.lower);
    Addresses {
        count: (found >> COUNT) as u32 & 0xffff,
        existing: (found & FOUND != 0).then_some(Existing {
            flags: found as u32,
            prefix_len: (found >> PREFIX_LEN) as u32 & 0xff,
        }),
        complete: found & COMPLETE != 0,
    }
}

functions! {
    /// The same, in one number.
    fn addresses_of(inet6_dev: u64, upper: u64, lower: u64) -> u64 {
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
        search_addresses(head.0);
        ADDRESS_SEARCH.get().map_or(0, |search| search.found.get())
    }
}

search! {
    /// Looks through the interface's addresses, whose list begins at `head`.
    fn search_addresses(head: u64) in ADDRESS_SEARCH,
    at most ROWS rows of ROW by search_addresses_row, search_addresses_step: look_at;
}

/// Looks at the next address; `false` where there is none, or it cannot be read.
#[inline(always)]
fn look_at(search: &mut Search, head: u64) -> bool {
    let node = search.node.get();
    if node == head {
        search.found.set(search.found.get() | COMPLETE);
        return false;
    }
    look_at_address(search, node).is_some()
}

#[inline(always)]
fn look_at_address(search: &mut Search, node: u64) -> Option<()> {
    let ifaddr = Pointer(node.checked_sub(u64::from(globals::IFA_LIST.load()))?);
    let address: Address = ifaddr.get(&globals::IFA_ADDR)?;
    let wanted = Address {
        upper: search.upper.get(),
        lower: search.lower.get(),
    };
    let mut found = search.found.get();
    if address == wanted {
        let flags: u32 = ifaddr.get(&globals::IFA_FLAGS)?;
        let prefix_len: u32 = ifaddr.get(&globals::IFA_PREFIX_LEN)?;
        found |= FOUND | u64::from(flags) | (u64::from(prefix_len) & 0xff) << PREFIX_LEN;
    }
    search.found.set(found + (1 << COUNT));
    let next: u64 = Pointer(node).read()?;
    search.node.set(next);
    Some(())
}
