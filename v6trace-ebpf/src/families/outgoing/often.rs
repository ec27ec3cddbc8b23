//! How often the same is reported.
//!
//! Once for each program, destination's prefix (or route that rejects) and
//! reason, until addresses or routes of the namespace change. Many programs ask
//! where no answer is to be had, and take the error for one: what connects a
//! datagram socket and what a host without an address for it tries is reported
//! once for all programs, and again after an hour; each advertisement and each
//! container changes addresses.

use aya_ebpf::{helpers::generated, macros::map};
use v6trace_common::{COMM_LEN, families::outgoing::CONNECT};

use super::globals;
use crate::{
    address::{Address, UNSPECIFIED},
    limit::{HELD_BACK, Limit},
    pointer::Pointer,
    scratch::Scratch,
};

/// `SOCK_DGRAM`
const DATAGRAM: u16 = 2;

/// The same is reported again after so many nanoseconds, even if nothing changes.
const AGAIN_NS: u64 = 3_600_000_000_000;
/// So much of a namespace is reported within that time: whoever cares to can have
/// as many names and destinations as lookups.
const MOST: u32 = 16;
const MOST_NS: u64 = 60_000_000_000;
/// Bits of a destination that count.
pub(super) const SUBNET: u32 = 64;

/// Why no way out may be an answer; in [`Same::operation`].
const NO_ADDRESS_FOR_IT: u32 = 0;
const COMPARED: u32 = u32::MAX;

/// [`Same::prefix_len`]: it is a destination.
pub(super) const NO_ROUTE_OF_ITS_OWN: u32 = u32::MAX;

/// What counts as the same.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Same {
    /// The route that rejects, or where it goes.
    pub(super) prefix: Address,
    comm: [u8; COMM_LEN],
    pub(super) netns: u32,
    pub(super) ret: i32,
    pub(super) operation: u32,
    pub(super) protocol: u32,
    pub(super) asked: u32,
    /// Bits of the route; apart from the others.
    pub(super) prefix_len: u32,
}

#[map]
static OUTGOING_REPORTED: Limit<Same> = Limit::new(1024);

/// Too large for the stack beside the rest.
#[map]
static OUTGOING_SAME: Scratch<Same> = Scratch::new();

/// What counts as the same, to be filled in.
#[inline(always)]
pub(super) fn same() -> Option<&'static mut Same> {
    OUTGOING_SAME.get()
}

impl Same {
    /// Whichever program it is, and whatever it does where.
    #[inline(always)]
    fn of_all(&mut self) {
        self.prefix = UNSPECIFIED;
        self.operation = 0;
        self.protocol = 0;
        self.comm = [0; COMM_LEN];
    }

    /// This program alone.
    #[inline(always)]
    fn of_program(&mut self) {
        // SAFETY: the helper writes COMM_LEN bytes, which is what comm has; zeros
        // where it fails.
        unsafe {
            generated::bpf_get_current_comm(self.comm.as_mut_ptr().cast(), COMM_LEN as u32);
        }
    }

    /// How many were not reported before this one; `None` where it is not either.
    /// Where it is an [`answer`], all programs are the same.
    #[inline(always)]
    pub(super) fn suppressed(&mut self, net: Pointer, answer: Option<u32>) -> Option<u64> {
        match answer {
            Some(reason) => {
                self.of_all();
                self.operation = reason;
            }
            None => self.of_program(),
        }
        let addresses: u32 = net.or_zero(&globals::NET_ADDRESSES_GENERATION);
        let routes: u32 = net.or_zero(&globals::NET_ROUTES_GENERATION);
        let circumstances = match answer {
            Some(_) => 0,
            None => addresses.wrapping_add(routes),
        };
        let of_this = OUTGOING_REPORTED.pass_while(self, 0, circumstances, AGAIN_NS, 1);
        if of_this == HELD_BACK {
            return None;
        }
        self.of_all();
        self.ret = 0;
        self.asked = 0;
        self.prefix_len = 0;
        match OUTGOING_REPORTED.pass(self, 0, MOST_NS, MOST) {
            HELD_BACK => None,
            of_namespace => Some(of_this + of_namespace),
        }
    }
}

/// Why nobody may have expected anything else, if that is so: the host has no
/// address with which it could get there, as the source shows that the kernel chose,
/// unless the program had `chosen` it; or a datagram socket is connected, which sends
/// nothing and is how sources are compared (RFC 6724).
#[inline(always)]
pub(super) fn answer(
    kind: u16,
    operation: u32,
    source: Address,
    chosen: bool,
    destination: Address,
) -> Option<u32> {
    let beyond = u64::from_be(destination.upper) >> 61 == 1;
    let is_global = u64::from_be(source.upper) >> 61 == 1;
    if beyond & !is_global & !chosen {
        Some(NO_ADDRESS_FOR_IT)
    } else if (kind == DATAGRAM) & (operation == CONNECT) {
        Some(COMPARED)
    } else {
        None
    }
}
