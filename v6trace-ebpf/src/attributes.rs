//! The attributes of a netlink request.

use aya_ebpf::macros::map;

use crate::{
    pointer::{Pointer, Value},
    scratch::Scratch,
    search::{functions, search},
    volatile::Volatile,
};

/// Types of attributes that are told apart: all below it.
const TYPES: usize = 32;
/// Attributes that are looked at; no request of interest has more.
const MOST: u32 = 16;
/// `NLA_TYPE_MASK`: the type without the flags beside it.
const TYPE_MASK: u16 = 0x3fff;
/// `IFLA_INET6_TOKEN` and `IFLA_INET6_ADDR_GEN_MODE`, of an interface's settings.
pub(crate) const INET6_TOKEN: u16 = 7;
pub(crate) const INET6_ADDR_GEN_MODE: u16 = 8;
/// Bytes of a `struct nlattr`.
pub(crate) const HEADER: u64 = 4;

/// Where the search stands, and where the value of each type is: of the last
/// one, as the kernel's parser has it; 0 without.
#[repr(C)]
struct Search {
    at: Volatile<u64>,
    end: Volatile<u64>,
    values: [Volatile<u64>; TYPES],
}

#[map]
static ATTRIBUTES: Scratch<Search> = Scratch::new();

/// Looks through the attributes from `at` to `end`, for [`value`] to ask.
#[inline(always)]
pub(crate) fn look_through(at: Pointer, end: u64) {
    look_through_attributes(at.0, end);
}

/// Where the value of the last attribute of type `kind` is; null without.
#[inline(always)]
pub(crate) fn value(kind: u16) -> Pointer {
    let search = ATTRIBUTES.get();
    Pointer(search.map_or(0, |search| {
        search.values[usize::from(kind) & (TYPES - 1)].get()
    }))
}

/// That value itself.
#[inline(always)]
pub(crate) fn read<T: Value>(kind: u16) -> Option<T> {
    value(kind).read()
}

functions! {
    /// The same; the search is followed once, whoever asks.
    fn look_through_attributes(at: u64, end: u64) -> u32 {
        let Some(search) = ATTRIBUTES.get() else {
            return 0;
        };
        search.at.set(at);
        search.end.set(end);
        for value in &mut search.values {
            value.set(0);
        }
        u32::from(find_attributes())
    }
}

search! {
    /// Looks through them.
    fn find_attributes() in ATTRIBUTES, at most MOST by attribute_step: look_at;
}

/// Looks at an attribute; `false` after the last.
#[inline(always)]
fn look_at(search: &mut Search) -> bool {
    let at = search.at.get();
    if at + HEADER > search.end.get() {
        return false;
    }
    let Some([length, kind]) = Pointer(at).read::<[u16; 2]>() else {
        return false;
    };
    let kind = usize::from(kind & TYPE_MASK);
    if kind < TYPES {
        search.values[kind].set(at + HEADER);
    }
    // NLA_ALIGN
    search.at.set(at + ((u64::from(length) + 3) & !3));
    u64::from(length) >= HEADER
}
