//! A request that the kernel refuses. The message stays where it is until the return,
//! so it is only read if the request failed.

use aya_ebpf::{
    EbpfContext,
    macros::map,
    programs::{FExitContext, ProbeContext, RetProbeContext},
};
use v6trace_common::{
    Hook, INTERFACE_NAME_LEN,
    families::route::{
        self as wire, DEVICE_FLAGS_READ, DISABLE_READ, HAS_INET6, HELD_BACK, INET6_READ,
        INTERFACE_ABSENT, INTERFACE_FOUND, MTU_READ, REQUEST_READ, RouteRefused, SAID_READ,
    },
};

use crate::{
    attachment::{self, Arguments as _},
    attributes,
    calls::Calls,
    devices::{self, Found},
    globals,
    kernel::{Device, Net},
    limit::{Counting, Held},
    netlink::{self, MESSAGE_HEADER, MessageHeader},
    output::{self, Record},
    pointer::Pointer,
    refusals::{self, Answer, Refusal, Verdict, Waiting},
    scratch::Scratch,
};

/// Arguments of each of the functions: `(skb, nlh, extack)`.
const ARGUMENTS: usize = 3;

/// Bytes of a `struct rtmsg`, which follows the header of the message.
const ROUTE_HEADER: u64 = 12;
/// Attributes of the request: `RTA_OIF`, `RTA_MULTIPATH` and `RTA_VIA`.
const OIF: u16 = 4;
const MULTIPATH: u16 = 9;
const VIA: u16 = 18;
/// `AF_INET6`
const INET6: u16 = 10;

/// Of what is told apart: several next hops of a route of IPv4, of which mostly none is
/// of IPv6. These hold back only each other.
const MAY_BE_IPV4: u32 = 1;

/// `-EEXIST`: of IPv4, what is there has nothing to do with IPv6.
const EXISTS: i32 = -17;

/// A request between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Call {
    skb: u64,
    message: u64,
    extack: u64,
}

/// Requests in flight.
#[map]
static ROUTE_REQUESTS: Calls<Call> = Calls::new(256);

#[map]
pub(super) static ROUTE_REFUSALS_HELD: Held<Waiting, RouteRefused> = Held::new(256);

#[map]
pub(super) static ROUTE_RECORD: Scratch<Record<RouteRefused>> = Scratch::new();

impl Counting for RouteRefused {
    #[inline(always)]
    fn suppressed(&mut self) -> &mut u32 {
        &mut self.suppressed
    }
}

/// Either of the functions.
#[inline(always)]
pub(super) fn asked(ctx: &ProbeContext) {
    // A failed insertion shows at the return, as a call that is not known.
    ROUTE_REQUESTS.begin(&Call {
        skb: ctx.number(0),
        message: ctx.number(1),
        extack: ctx.number(2),
    });
}

#[inline(always)]
pub(super) fn answered(ctx: &RetProbeContext, hook: Hook) -> Option<()> {
    let ret: i32 = ctx.ret();
    let call = ROUTE_REQUESTS.take();
    if ret >= 0 {
        return None;
    }
    let Some(call) = call else {
        output::call_unknown(hook);
        return None;
    };
    report(ctx, hook, call, ret)
}

/// Either of the functions, once it is through.
#[inline(always)]
pub(super) fn answered_at_once(ctx: &FExitContext, hook: Hook) -> Option<()> {
    let ret = attachment::result(ctx, ARGUMENTS) as i32;
    if ret >= 0 {
        return None;
    }
    let call = Call {
        skb: attachment::plain(ctx.number(0))?,
        message: attachment::plain(ctx.number(1))?,
        extack: attachment::plain(ctx.number(2))?,
    };
    report(ctx, hook, call, ret)
}

#[inline(always)]
fn report<C: EbpfContext>(ctx: &C, hook: Hook, call: Call, ret: i32) -> Option<()> {
    let header: MessageHeader = Pointer(call.message).read()?;
    let end = call.message + u64::from(header.length);
    let first = Pointer(call.message + MESSAGE_HEADER + ROUTE_HEADER);
    attributes::look_through(first, end);
    let mut may_be_ipv4 = false;
    if hook == wire::ADD4 {
        may_be_ipv4 = !leaves_by_ipv6();
        if ret == EXISTS || may_be_ipv4 && attributes::value(MULTIPATH).0 == 0 {
            return None;
        }
    }
    netlink::judged(call.message);
    let socket = Pointer(call.skb).follow(&globals::SKB_SK)?;
    let net = Net(socket.follow(&globals::SOCK_NET)?);
    let netns = net.inum()?;
    let words = Pointer(call.extack).follow(&globals::EXTACK_MESSAGE);
    let refusal = Refusal {
        hook,
        sort: if may_be_ipv4 { MAY_BE_IPV4 } else { 0 },
        netns,
        ret,
        said: refusals::words(Pointer(call.extack), words),
        ifindex: 0,
        answer: if refusals::is_answer(ret) {
            Answer::To(refusals::question(call.message, header.length))
        } else {
            Answer::No
        },
    };
    let verdict = refusals::verdict(&refusal)?;
    let record = ROUTE_RECORD.get()?;
    record.open(hook, netns);
    let payload = &mut record.payload;
    payload.ret = ret;
    payload.message_type = header.kind.into();
    payload.message_flags = header.flags.into();
    payload.request_len = header.length.saturating_sub(MESSAGE_HEADER as u32);
    payload.suppressed = verdict.suppressed;
    payload.reserved = 0;
    payload.known = held(&verdict);
    let from = Pointer(call.message + MESSAGE_HEADER);
    if netlink::copy(from, payload.request_len, &mut payload.request) {
        payload.known |= REQUEST_READ;
    }
    if netlink::said(words, &mut payload.said) {
        payload.known |= SAID_READ;
    }
    interface(net, attributes::read(OIF).unwrap_or(0), payload);
    refusals::settle(ctx, &refusal, &verdict, &ROUTE_REFUSALS_HELD, record);
    Some(())
}

/// The flag of a record that waits.
#[inline(always)]
pub(super) fn held(verdict: &Verdict) -> u32 {
    if verdict.is_held { HELD_BACK } else { 0 }
}

/// Whether a route of IPv4 has an IPv6 gateway. Of several next hops each may have one,
/// which is looked into in userspace.
#[inline(always)]
fn leaves_by_ipv6() -> bool {
    // `struct rtvia` begins with the family.
    let via: u16 = attributes::read(VIA).unwrap_or(0);
    via == INET6
}

/// What the interface says that the request names.
#[inline(always)]
pub(super) fn interface(net: Net, ifindex: u32, payload: &mut RouteRefused) {
    payload.interface = [0; INTERFACE_NAME_LEN];
    payload.device_flags = 0;
    payload.mtu = 0;
    payload.disable_ipv6 = 0;
    payload.ifindex = ifindex;
    if payload.ifindex == 0 {
        return;
    }
    match devices::find(net, payload.ifindex) {
        Found::At(device) => describe(device, payload),
        Found::Nowhere => payload.known |= INTERFACE_ABSENT,
        Found::Unknown => {}
    }
}

#[inline(always)]
fn describe(device: Device, payload: &mut RouteRefused) {
    device.name_into(&mut payload.interface);
    let (flags, flags_read) = device.0.flagged(&globals::DEV_FLAGS, DEVICE_FLAGS_READ);
    let (mtu, mtu_read) = device.0.flagged(&globals::DEV_MTU, MTU_READ);
    payload.device_flags = flags;
    payload.mtu = mtu;
    payload.known |= INTERFACE_FOUND | flags_read | mtu_read;
    let Some(inet6_dev) = device.0.follow(&globals::DEV_IP6_PTR) else {
        return;
    };
    payload.known |= INET6_READ;
    if inet6_dev.0 == 0 {
        return;
    }
    payload.known |= HAS_INET6;
    let own = inet6_dev.member(&globals::INET6_DEV_CNF);
    let own = own.unwrap_or(Pointer(0));
    let (disabled, read) = own.flagged(&globals::DEVCONF_DISABLE_IPV6, DISABLE_READ);
    payload.disable_ipv6 = disabled;
    payload.known |= read;
}
