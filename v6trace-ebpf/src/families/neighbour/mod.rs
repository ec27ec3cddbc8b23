//! Neighbours that get no entry in the table, or do not answer.
//!
//! ```text
//! full    ___neigh_create finds the table as full as it may be, and fails: a record
//! answer  a neighbour advertises itself: remembers what of that the kernel tests
//! silent  an entry's timer runs for the last time: a record, ahead of giving up, with
//!         the last of these
//! proxy   a solicitation asks for what the host is to answer for as a proxy, and may
//!         not: a record. `dad` watches solicitations, and asks here
//! ```
//!
//! The first is called for each neighbour that is not known yet, the second about once
//! a second for each that is looked for. A scan of a prefix has thousands of both fail:
//! how often that is told is limited here.

mod answer;
mod full;
pub(crate) mod proxy;
mod silent;

use aya_ebpf::programs::{ProbeContext, RetProbeContext};

pub(crate) use answer::{Answer, answered};

use crate::{
    address::Address,
    kernel::{Device, Net},
    limit::{HELD_BACK, Limit},
    pointer::Pointer,
    programs::programs,
};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::neighbour_members!(members);
}

programs! {
    create: kprobe neighbour_create_enter;
    created: kretprobe neighbour_create_return;
    timer: kprobe neighbour_timer;
}

#[inline(always)]
fn create(ctx: &ProbeContext) -> Option<()> {
    full::asked(ctx)
}

#[inline(always)]
fn created(ctx: &RetProbeContext) -> Option<()> {
    full::answered(ctx)
}

#[inline(always)]
fn timer(ctx: &ProbeContext) -> Option<()> {
    silent::timer(ctx)
}

/// `AF_INET6`
const INET6: u32 = 10;

/// Whether it is the table of IPv6, not that of IPv4.
#[inline(always)]
fn is_of_ipv6(table: Pointer) -> bool {
    let family: u32 = table.or_zero(&globals::TABLE_FAMILY);
    family == INET6
}

/// The namespace of an interface.
#[inline(always)]
fn netns(device: Device) -> Option<u32> {
    Net(device.0.follow(&globals::DEV_NET)?).inum()
}

/// Reports that are limited together: those of an interface, with index 0 those of a
/// whole namespace, and with 0 for that those of the host.
#[repr(C)]
#[derive(Clone, Copy)]
struct Place {
    netns: u32,
    ifindex: u32,
    /// Of which sort.
    sort: u32,
}

/// An address on an interface.
#[repr(C)]
#[derive(Clone, Copy)]
struct Same {
    address: Address,
    netns: u32,
    ifindex: u32,
}

/// How often so much is told.
struct Often {
    of_interface: u32,
    of_namespace: u32,
    again_ns: u64,
}

/// How many of these were not told before this one; `None` where it is not either.
#[inline(always)]
fn suppressed(told: &Limit<Place>, place: Place, often: &Often) -> Option<u32> {
    let of_interface = told.pass(&place, 0, often.again_ns, often.of_interface);
    if of_interface == HELD_BACK {
        return None;
    }
    let namespace = Place {
        ifindex: 0,
        ..place
    };
    let of_namespace = told.pass(&namespace, 0, often.again_ns, often.of_namespace);
    if of_namespace == HELD_BACK {
        return None;
    }
    Some((of_interface + of_namespace) as u32)
}

/// The same of what is told once for an address with that outcome, and of a sort only so
/// often.
#[inline(always)]
fn often(
    (told, places): (&Limit<Same>, &Limit<Place>),
    same: &Same,
    outcome: u32,
    sort: u32,
    often: &Often,
) -> Option<u32> {
    let of_same = told.pass(same, outcome, often.again_ns, 1);
    if of_same == HELD_BACK {
        return None;
    }
    let place = Place {
        netns: same.netns,
        ifindex: same.ifindex,
        sort,
    };
    let Some(of_place) = suppressed(places, place, often) else {
        // It was not told: the next time is not held back for this one.
        told.forget(same);
        return None;
    };
    Some(of_same as u32 + of_place)
}
