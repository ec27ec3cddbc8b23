//! The addresses of an interface: how many they are, and one among them that is
//! looked for.

use aya_ebpf::macros::map;

use crate::{
    address::Address,
    globals,
    pointer::{Pointer, Reading},
    scratch::Scratch,
    search::{functions, search},
    volatile::Volatile,
};

/// `IFA_F_TENTATIVE`: not yet an address.
const TENTATIVE: u32 = 0x40;
/// Addresses of an interface that are looked at: so many rows of so many.
const ROWS: u32 = 8;
const ROW: u32 = 32;

/// In what a search has found; below are the numbers.
const COMPLETE: u64 = 1 << 32;
const LINK_LOCAL: u64 = 1 << 33;
const THERE: u64 = 1 << 34;
const OTHER: u64 = 1 << 35;

/// The addresses of an interface.
pub(crate) struct Found {
    pub(crate) count: u32,
    /// Whether there are no others.
    pub(crate) complete: bool,
    /// Whether a link-local one is among them, and not tentative.
    pub(crate) link_local: bool,
    /// Whether one is among them that is not link-local, tentative or not.
    pub(crate) other: bool,
    /// The one that was looked for.
    pub(crate) existing: Option<Existing>,
}

/// An address that an interface has.
#[derive(Clone, Copy)]
pub(crate) struct Existing {
    pub(crate) flags: u32,
    pub(crate) prefix_len: u32,
    /// Who made it (`IFAPROT_*`).
    pub(crate) made_by: u32,
    /// All bits if that could be read, else none.
    pub(crate) made_by_read: u32,
}

impl Found {
    #[inline(always)]
    fn new(found: u64, existing: Option<Existing>) -> Self {
        Self {
            count: found as u32,
            complete: found & COMPLETE != 0,
            link_local: found & LINK_LOCAL != 0,
            other: found & OTHER != 0,
            existing,
        }
    }

    /// Whether the interface has the one that was looked for, and it is not tentative.
    #[inline(always)]
    pub(crate) fn is_own(&self) -> bool {
        let existing = self.existing;
        existing.is_some_and(|existing| existing.flags & TENTATIVE == 0)
    }
}

/// What is searched for, where the search stands, and what it has found.
#[repr(C)]
struct Search {
    upper: Volatile<u64>,
    lower: Volatile<u64>,
    node: Volatile<u64>,
    found: Volatile<u64>,
    flags: Volatile<u32>,
    prefix_len: Volatile<u32>,
    made_by: Volatile<u32>,
    made_by_read: Volatile<u32>,
}

impl Search {
    /// The address that it has found.
    #[inline(always)]
    fn existing(&self) -> Existing {
        Existing {
            flags: self.flags.get(),
            prefix_len: self.prefix_len.get(),
            made_by: self.made_by.get(),
            made_by_read: self.made_by_read.get(),
        }
    }
}

/// Makes `fn FIND(inet6_dev, address)`: goes through the addresses of an interface, and
/// looks for one of them. `in SLOT by FUNCTION, SEARCH, ROW, STEP`: the slot is of that
/// search alone, and the others are names.
macro_rules! find {
    (
        $(#[$attribute:meta])*
        fn $find:ident in $slot:ident by $function:ident, $search:ident, $row:ident, $step:ident;
    ) => {
        #[map]
        static $slot: Scratch<Search> = Scratch::new();

        $(#[$attribute])*
        #[inline(always)]
        pub(crate) fn $find(inet6_dev: Pointer, address: Address) -> Found {
            let found = $function(inet6_dev.0, address.upper, address.lower);
            let existing = if found & THERE == 0 {
                None
            } else {
                $slot.get().map(|search| search.existing())
            };
            Found::new(found, existing)
        }

        functions! {
            /// The same, in one number; the address that was looked for is in the slot.
            fn $function(inet6_dev: u64, upper: u64, lower: u64) -> u64 {
                let Some(head) = Pointer(inet6_dev).member(&globals::IDEV_ADDRESSES) else {
                    return 0;
                };
                let Some(search) = $slot.get() else {
                    return 0;
                };
                search.upper.set(upper);
                search.lower.set(lower);
                search.found.set(0);
                // `list_head.next` comes first.
                search.node.set(head.read().unwrap_or(0));
                $search(head.0);
                $slot.get().map_or(0, |search| search.found.get())
            }
        }

        search! {
            /// Goes through the interface's addresses, whose list begins at `head`.
            fn $search(head: u64) in $slot,
            at most ROWS rows of ROW by $row, $step: look_at;
        }
    };
}

find! {
    /// Finds an address that was asked for, when a task is told what became of that. An
    /// advertisement may come in the middle of it, by an interrupt.
    fn find_for_request in REQUESTED_ADDRESS by requested_address, go_through_for_request,
    requested_address_row, requested_address_step;
}

find! {
    /// Finds a router's address, or one that it advertised. Neither is ever looked for in
    /// the middle of the other.
    fn find_for_advertisement in ADVERTISED_ADDRESS by advertised_address,
    go_through_for_advertisement, advertised_address_row, advertised_address_step;
}

/// Looks at the next address; `false` where there is none.
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
    let flags: u32 = ifaddr.or_zero(&globals::IFA_FLAGS);
    let wanted = Address {
        upper: search.upper.get(),
        lower: search.lower.get(),
    };
    let mut is = 0;
    if address == wanted {
        is |= THERE;
        search.flags.set(flags);
        search
            .prefix_len
            .set(ifaddr.or_zero(&globals::IFA_PREFIX_LEN));
        let mut reading = Reading::new();
        let made_by: u8 = reading.get(ifaddr, &globals::IFA_PROTO);
        search.made_by.set(made_by.into());
        search.made_by_read.set(reading.mask());
    }
    if !address.is_link_local() {
        is |= OTHER;
    } else if flags & TENTATIVE == 0 {
        is |= LINK_LOCAL;
    }
    search.found.set((search.found.get() + 1) | is);
    search.node.set(Pointer(node).read().unwrap_or(0));
    true
}
