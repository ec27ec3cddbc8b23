//! Router solicitations that nobody answers: the interface's timer says when the
//! kernel sends the next one, or gives up.

use aya_ebpf::{macros::map, programs::ProbeContext};
use v6trace_common::families::advertisement::{self as wire, SolicitationsUnanswered};

use super::{Place, globals, send};
use crate::{
    attachment::Arguments as _,
    kernel::{Device, IF_READY},
    output::Record,
    pointer::{Pointer, Reading},
    programs::programs,
    scratch::Scratch,
};

/// `IF_RA_RCVD`: an advertisement came.
const ADVERTISEMENT_RECEIVED: u32 = 0x20;
/// `MAX_RTR_SOLICITATIONS` (RFC 4861, section 10): no host is to send more, but
/// the kernel goes on by default.
const ENOUGH: u32 = 3;

#[map]
static SOLICITATIONS_RECORD: Scratch<Record<SolicitationsUnanswered>> = Scratch::new();

programs! {
    timer: kprobe router_solicitation_timer;
}

/// `addrconf_rs_timer(timer)`, which tests the same in the same order.
#[inline(always)]
fn timer(ctx: &ProbeContext) -> Option<()> {
    let timer = ctx.number(0);
    let inet6_dev = Pointer(timer - u64::from(globals::INET6_DEV_RS_TIMER.load()));
    let mut reading = Reading::new();
    let dead: u32 = reading.get(inet6_dev, &globals::INET6_DEV_DEAD);
    let if_flags: u32 = reading.get(inet6_dev, &globals::INET6_DEV_IF_FLAGS);
    let forwarding: i32 = reading.get(inet6_dev, &globals::CNF_FORWARDING);
    let accept_ra: i32 = reading.get(inet6_dev, &globals::CNF_ACCEPT_RA);
    let solicits: i32 = reading.get(inet6_dev, &globals::CNF_RTR_SOLICITS);
    let probes: u8 = reading.get(inet6_dev, &globals::INET6_DEV_RS_PROBES);
    let probes = u32::from(probes);
    let accepts = if forwarding != 0 {
        accept_ra == 2
    } else {
        accept_ra != 0
    };
    let waits = dead == 0 && if_flags & IF_READY != 0 && if_flags & ADVERTISEMENT_RECEIVED == 0;
    if !reading.is_complete() || !accepts || !waits {
        return None;
    }
    let ends = if solicits < 0 {
        probes == ENOUGH
    } else {
        probes >= solicits as u32 && probes > 0
    };
    if !ends {
        return None;
    }
    let device = Device(inet6_dev.follow(&globals::INET6_DEV_DEV)?);
    let place = Place::of(device.0)?;
    let record = SOLICITATIONS_RECORD.get()?;
    send(ctx, wire::SOLICITATION, place.netns, record, |payload| {
        payload.ifindex = place.ifindex;
        payload.rs_probes = probes;
        payload.router_solicitations = solicits;
        payload.if_flags = if_flags;
        device.name_into(&mut payload.interface);
    });
    Some(())
}
