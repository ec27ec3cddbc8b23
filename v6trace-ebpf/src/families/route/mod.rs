//! Requests for routes that are refused, and routes that the kernel removes by itself.
//!
//! ```text
//! request  inet6_rtm_newroute, inet6_rtm_delroute or inet_rtm_newroute fails: a
//!          record with the request itself, the kernel's words, and what the
//!          interface says that it names
//!          it succeeds: leaves at once, as a routing daemon adds thousands a second
//! ioctl    ipv6_route_ioctl fails: the same record
//! message  a message of neighbour discovery comes in: remembers of which type
//! gone     a route of IPv6 goes that nobody asked to be removed, or loses its source or
//!          one of several next hops
//! ipv4     the same of IPv4, by way of an IPv6 gateway
//! list     either goes into the list of its interface           ROUTES_GONE_HELD
//! ```
//!
//! The three functions of netlink are called with the same arguments: the socket buffer,
//! the message, and where the kernel puts its words.

mod gone;
mod ioctl;
mod ipv4;
mod list;
mod message;
mod request;

use aya_ebpf::programs::{FExitContext, RetProbeContext};
use v6trace_common::families::route::{ADD, ADD4, DELETE};

use crate::programs::programs;
pub(crate) use gone::gone;
use gone::{losing_link, losing_source, source_lost, source_lost_at_once};
use ioctl::{answered_by_ioctl, asked_by_ioctl};
use ipv4::changed as changed_ipv4;
pub(crate) use message::{default_route_went, message};
use request::{answered, answered_at_once, asked};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::route_members!(members);
}

programs! {
    asked_by_ioctl: kprobe route_ioctl_enter;
    answered_by_ioctl: kretprobe route_ioctl_return;
    asked: kprobe route_request_enter;
    added: kretprobe route_add_return;
    added_at_once: fexit route_add_fexit;
    deleted: kretprobe route_delete_return;
    deleted_at_once: fexit route_delete_fexit;
    added_ipv4: kretprobe route_add_ipv4_return;
    added_ipv4_at_once: fexit route_add_ipv4_fexit;
    losing_source: kprobe route_source_enter, fentry route_source_fentry;
    source_lost: kretprobe route_source_return;
    source_lost_at_once: fexit route_source_fexit;
    losing_link: kprobe route_link_enter, fentry route_link_fentry;
    changed_ipv4: kprobe route_change_ipv4, fentry route_change_ipv4_fentry;
}

#[inline(always)]
fn added(ctx: &RetProbeContext) -> Option<()> {
    answered(ctx, ADD)
}

#[inline(always)]
fn added_at_once(ctx: &FExitContext) -> Option<()> {
    answered_at_once(ctx, ADD)
}

#[inline(always)]
fn deleted(ctx: &RetProbeContext) -> Option<()> {
    answered(ctx, DELETE)
}

#[inline(always)]
fn deleted_at_once(ctx: &FExitContext) -> Option<()> {
    answered_at_once(ctx, DELETE)
}

#[inline(always)]
fn added_ipv4(ctx: &RetProbeContext) -> Option<()> {
    answered(ctx, ADD4)
}

#[inline(always)]
fn added_ipv4_at_once(ctx: &FExitContext) -> Option<()> {
    answered_at_once(ctx, ADD4)
}
