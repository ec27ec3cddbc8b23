//! Requests over netlink that are refused.
//!
//! ```text
//! netlink_ack   granted: leaves at once
//!               refused, and judged by no other family: a record with the request
//!               itself, the kernel's words, and the interface that it names
//! ```
//!
//! The kernel answers each request by this one function that fails, or whose sender
//! wants to know that it did not. What is no request of IPv6 is left alone: of
//! interfaces those count that have settings of IPv6 in them.

use aya_ebpf::{EbpfContext, macros::map};
use v6trace_common::{
    INTERFACE_NAME_LEN,
    families::request::{
        self as wire, ATTRIBUTE_FOUND, HELD_BACK, INTERFACE_ABSENT, INTERFACE_FOUND, MTU_READ,
        REQUEST_READ, RequestRefused, SAID_READ, TASK_READ,
    },
};

use super::process;
use crate::{
    attachment::{self, Arguments},
    attributes, context,
    devices::{self, Found},
    kernel::Net,
    limit::{Counting, Held},
    netlink::{self, MESSAGE_HEADER, MessageHeader},
    output::Record,
    pointer::Pointer,
    programs::programs,
    refusals::{self, Answer, Refusal, Waiting},
    scratch::Scratch,
};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::request_members!(members);
}

/// `NETLINK_ROUTE`
const ROUTING: u16 = 0;
/// `AF_UNSPEC`, `AF_INET`, `AF_BRIDGE` and `AF_INET6`
const ANY: u8 = 0;
const INET: u8 = 2;
const BRIDGE: u8 = 7;
const INET6: u8 = 10;

/// Types of requests (`RTM_*`).
const NEW_LINK: u16 = 16;
const SET_LINK: u16 = 19;
const NEW_ADDRESS: u16 = 20;
const DELETE_ADDRESS: u16 = 21;
const NEW_ROUTE: u16 = 24;
const DELETE_ROUTE: u16 = 25;
const GET_ROUTE: u16 = 26;
const NEW_NEIGHBOUR: u16 = 28;
const DELETE_NEIGHBOUR: u16 = 29;
const NEW_RULE: u16 = 32;
const DELETE_RULE: u16 = 33;
const NEW_LABEL: u16 = 72;
const DELETE_LABEL: u16 = 73;
const NEW_NEXT_HOP: u16 = 104;
const DELETE_NEXT_HOP: u16 = 105;

/// `NLM_F_DUMP`: all of them are asked for; and `NLM_F_CREATE`.
const DUMP: u16 = 0x300;
const CREATE: u16 = 0x400;

/// Of what is told apart: next hops that may be of IPv4. These hold back only each other.
const MAY_BE_IPV4: u32 = 0x8000;

/// Bytes of a `struct ifinfomsg`, a `struct rtmsg` and a `struct nhmsg`, which
/// attributes follow.
const LINK_HEADER: u64 = 16;
const ROUTE_HEADER: u64 = 12;
const NEXT_HOP_HEADER: u64 = 8;
/// Bytes of a `struct rtnexthop`, which begins with its length and which the attributes of
/// one of several next hops follow.
const HOP_HEADER: u64 = 8;

/// Attributes: `IFLA_AF_SPEC`, which has one for each family, `RTA_IIF`, `RTA_OIF`,
/// `RTA_MULTIPATH`, `RTA_VIA` and `NHA_OIF`.
const OF_FAMILIES: u16 = 26;
const ROUTE_IIF: u16 = 3;
const ROUTE_OIF: u16 = 4;
const ROUTE_HOPS: u16 = 9;
const ROUTE_VIA: u16 = 18;
const NEXT_HOP_OIF: u16 = 5;

/// `-EAGAIN`, `-EBUSY`, `-EOPNOTSUPP` and `-EADDRNOTAVAIL`: answers as well, whether the
/// kernel can do that, now or ever, and whether an address is there.
const AGAIN: i32 = -11;
const BUSY: i32 = -16;
const NOT_SUPPORTED: i32 = -95;
const NO_ADDRESS: i32 = -99;
/// `-ENODEV`
const NO_DEVICE: i32 = -19;

/// The first bytes of every request of interest.
#[repr(C)]
#[derive(Clone, Copy, zerocopy::FromBytes)]
struct Start {
    family: u8,
    others: [u8; 3],
    /// Of an interface, an address, a neighbour and an address label: the index.
    ifindex: u32,
}

programs! {
    answer: kprobe request_answer_enter, fentry request_answer_fentry;
}

#[map]
static REQUEST_REFUSALS_HELD: Held<Waiting, RequestRefused> = Held::new(256);

#[map]
static REFUSED_REQUEST: Scratch<Record<RequestRefused>> = Scratch::new();

impl Counting for RequestRefused {
    #[inline(always)]
    fn suppressed(&mut self) -> &mut u32 {
        &mut self.suppressed
    }
}

/// `netlink_ack(in_skb, nlh, err, extack)`
#[inline(always)]
fn answer<A: Arguments>(ctx: &A) -> Option<()> {
    let ret = ctx.number(2) as i32;
    if ret >= 0 {
        return None;
    }
    let socket = Pointer(attachment::plain(ctx.number(0))?).follow(&globals::SKB_SK)?;
    let protocol: u16 = socket.get(&globals::SOCK_PROTOCOL)?;
    if protocol != ROUTING {
        return None;
    }
    let net = Net(socket.follow(&globals::SOCK_NET)?);
    // Of a process that is followed; whoever judges the request, the next one is another.
    let failed = process::failed_first(ret);
    let message = attachment::plain(ctx.number(1))?;
    let extack = attachment::plain(ctx.number(3))?;
    let header: MessageHeader = Pointer(message).read()?;
    if netlink::was_judged(message, header.length) {
        return None;
    }
    let request = Request {
        message,
        header,
        start: Pointer(message + MESSAGE_HEADER).read()?,
    };
    if !request.is_of_ipv6() {
        return None;
    }
    report(ctx, net, &request, Pointer(extack), ret, failed)
}

/// A request.
struct Request {
    message: u64,
    header: MessageHeader,
    start: Start,
}

impl Request {
    /// Whether it is of IPv6; of a next hop, whether it may be.
    #[inline(always)]
    fn is_of_ipv6(&self) -> bool {
        let family = self.start.family;
        match self.header.kind {
            // A link that is to be made is refused as a whole.
            NEW_LINK if self.header.flags & CREATE != 0 => false,
            NEW_LINK | SET_LINK => family != BRIDGE && self.has_settings(),
            NEW_ROUTE | DELETE_ROUTE if family == INET => self.is_via_ipv6(),
            GET_ROUTE if self.header.flags & DUMP != 0 => false,
            NEW_ADDRESS | DELETE_ADDRESS | NEW_ROUTE | DELETE_ROUTE | GET_ROUTE | NEW_NEIGHBOUR
            | DELETE_NEIGHBOUR | NEW_RULE | DELETE_RULE | NEW_LABEL | DELETE_LABEL => {
                family == INET6
            }
            // One is deleted, and a group made, by numbers alone.
            NEW_NEXT_HOP | DELETE_NEXT_HOP => family == INET6 || family == ANY,
            _ => false,
        }
    }

    /// What of it is told apart from others.
    #[inline(always)]
    fn sort(&self) -> u32 {
        let kind = u32::from(self.header.kind);
        if self.start.family == ANY && matches!(self.header.kind, NEW_NEXT_HOP | DELETE_NEXT_HOP) {
            kind | MAY_BE_IPV4
        } else {
            kind
        }
    }

    /// Looks through the attributes behind a header of so many bytes.
    #[inline(always)]
    fn look_through(&self, header: u64) {
        let end = self.message + u64::from(self.header.length);
        attributes::look_through(Pointer(self.message + MESSAGE_HEADER + header), end);
    }

    /// Whether a request for an interface has settings of IPv6.
    #[inline(always)]
    fn has_settings(&self) -> bool {
        self.look_through(LINK_HEADER);
        let of_families = attributes::value(OF_FAMILIES);
        if of_families.0 == 0 {
            return false;
        }
        let at = of_families.0 - attributes::HEADER;
        let length: u16 = Pointer(at).read().unwrap_or(0);
        attributes::look_through(of_families, at + u64::from(length));
        attributes::value(INET6.into()).0 != 0
    }

    /// Whether a route of IPv4 has an IPv6 gateway; of several, whether the first one is.
    #[inline(always)]
    fn is_via_ipv6(&self) -> bool {
        self.look_through(ROUTE_HEADER);
        let hops = attributes::value(ROUTE_HOPS);
        if hops.0 != 0 {
            let length: u16 = hops.read().unwrap_or(0);
            attributes::look_through(Pointer(hops.0 + HOP_HEADER), hops.0 + u64::from(length));
        }
        // `struct rtvia` begins with the family.
        let via: u16 = attributes::read(ROUTE_VIA).unwrap_or(0);
        via == INET6.into()
    }

    /// The index of the interface that it names, 0 without.
    #[inline(always)]
    fn ifindex(&self) -> u32 {
        let (header, oif) = match self.header.kind {
            NEW_RULE | DELETE_RULE => return 0,
            NEW_ROUTE | DELETE_ROUTE => (ROUTE_HEADER, ROUTE_OIF),
            // Where it comes in is looked for first.
            GET_ROUTE => {
                self.look_through(ROUTE_HEADER);
                let comes_in = attributes::read(ROUTE_IIF).unwrap_or(0);
                return if comes_in == 0 {
                    attributes::read(ROUTE_OIF).unwrap_or(0)
                } else {
                    comes_in
                };
            }
            NEW_NEXT_HOP | DELETE_NEXT_HOP => (NEXT_HOP_HEADER, NEXT_HOP_OIF),
            _ => return self.start.ifindex,
        };
        self.look_through(header);
        attributes::read(oif).unwrap_or(0)
    }
}

#[inline(always)]
fn report<C: EbpfContext>(
    ctx: &C,
    net: Net,
    request: &Request,
    extack: Pointer,
    ret: i32,
    failed: Option<u64>,
) -> Option<()> {
    let netns = net.inum()?;
    let words = extack.follow(&globals::EXTACK_MESSAGE);
    let answer = if request.header.kind == GET_ROUTE {
        Answer::Any
    } else if refusals::is_answer(ret) || matches!(ret, AGAIN | BUSY | NOT_SUPPORTED | NO_ADDRESS) {
        Answer::To(refusals::question(request.message, request.header.length))
    } else {
        Answer::No
    };
    let ifindex = request.ifindex();
    let refusal = Refusal {
        hook: wire::ANSWER,
        sort: request.sort(),
        netns,
        ret,
        said: refusals::words(extack, words),
        // Of interfaces that are not there, there is no end.
        ifindex: if matches!(answer, Answer::No) && ret != NO_DEVICE {
            ifindex
        } else {
            0
        },
        answer,
    };
    let verdict = refusals::verdict(&refusal)?;
    if !verdict.is_held {
        process::tell_innermost(ctx, wire::ANSWER, netns, ret, failed);
    }
    let record = REFUSED_REQUEST.get()?;
    // Requests are answered where a task sends them.
    record.open_in(context::of_sleeper(), wire::ANSWER, netns);
    let payload = &mut record.payload;
    payload.ret = ret;
    payload.message_type = request.header.kind.into();
    payload.message_flags = request.header.flags.into();
    payload.request_len = request.header.length.saturating_sub(MESSAGE_HEADER as u32);
    payload.suppressed = verdict.suppressed;
    payload.mtu = 0;
    payload.found = if verdict.is_held { HELD_BACK } else { 0 };
    let from = Pointer(request.message + MESSAGE_HEADER);
    if netlink::copy(from, payload.request_len, &mut payload.request) {
        payload.found |= REQUEST_READ;
    }
    if netlink::said(words, &mut payload.said) {
        payload.found |= SAID_READ;
    }
    let attribute: u64 = extack.or_zero(&globals::EXTACK_ATTRIBUTE);
    let offset = attribute.wrapping_sub(from.0);
    payload.bad_attribute = 0;
    if offset < u64::from(payload.request_len) {
        payload.bad_attribute = offset as u32;
        payload.found |= ATTRIBUTE_FOUND;
    }
    let (capabilities, read) = context::capabilities(TASK_READ);
    payload.capabilities = capabilities;
    payload.found |= read;
    interface(net, ifindex, payload);
    refusals::settle(ctx, &refusal, &verdict, &REQUEST_REFUSALS_HELD, record);
    Some(())
}

/// The interface that it names.
#[inline(always)]
fn interface(net: Net, ifindex: u32, payload: &mut RequestRefused) {
    payload.interface = [0; INTERFACE_NAME_LEN];
    payload.ifindex = ifindex;
    if ifindex == 0 {
        return;
    }
    match devices::find(net, ifindex) {
        Found::At(device) => {
            device.name_into(&mut payload.interface);
            let (mtu, read) = device.0.flagged(&globals::DEV_MTU, MTU_READ);
            payload.mtu = mtu;
            payload.found |= INTERFACE_FOUND | read;
        }
        Found::Nowhere => payload.found |= INTERFACE_ABSENT,
        Found::Unknown => {}
    }
}
