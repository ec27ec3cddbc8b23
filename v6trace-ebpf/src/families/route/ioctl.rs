//! A route that the kernel refuses to add, or to delete, by an ioctl
//! (`ipv6_route_ioctl`), as `route -A inet6` asks for it. The record has it as the request
//! over netlink that asks for the same, so that it is explained likewise.
//!
//! Of an interface in a VRF, the kernel takes the VRF's table: what that is is not looked
//! for here, and nothing said.

use aya_ebpf::{
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::families::route::{self as wire, REQUEST_READ, RouteRefused};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{
    globals,
    request::{ROUTE_RECORD, ROUTE_REFUSALS_HELD, held, interface},
};
use crate::{
    attachment::Arguments as _,
    calls::Calls,
    devices::{self, Found},
    kernel::Net,
    netlink::MESSAGE_HEADER,
    output,
    pointer::Pointer,
    refusals::{self, Answer, Refusal},
};

/// `SIOCDELRT`
const DELETE: u32 = 0x890c;
/// `RTM_NEWROUTE` and `RTM_DELROUTE`, of which the former makes a route that is not there
/// (`NLM_F_CREATE`).
const NEW_ROUTE: u32 = 24;
const DELETE_ROUTE: u32 = 25;
const CREATE: u32 = 0x400;

/// `-EPERM` and `-EFAULT`: nothing has been asked for yet.
const NOT_PERMITTED: i32 = -1;
const NOT_READ: i32 = -14;

/// `RTF_GATEWAY` and `RTF_REJECT`
const HAS_GATEWAY: u32 = 0x2;
const REJECTS: u32 = 0x200;
/// `AF_INET6`, `RT_TABLE_MAIN`, `RTPROT_BOOT`, `RTN_UNICAST` and `RTN_UNREACHABLE`
const INET6: u8 = 10;
const MAIN: u8 = 254;
const BOOT: u8 = 3;
const UNICAST: u8 = 1;
const UNREACHABLE: u8 = 7;

/// A `struct in6_rtmsg`, which is the kernel's copy.
#[repr(C)]
#[derive(Clone, Copy, FromBytes)]
struct Asked {
    destination: [u8; 16],
    source: [u8; 16],
    gateway: [u8; 16],
    kind: u32,
    prefix_len: u16,
    source_len: u16,
    metric: u32,
    unused: u32,
    info: u64,
    flags: u32,
    ifindex: u32,
}

/// An attribute of a request that is an address, and one that is a number.
#[repr(C)]
#[derive(Clone, Copy, IntoBytes, Immutable)]
struct AddressAttribute {
    length: u16,
    kind: u16,
    value: [u8; 16],
}
#[repr(C)]
#[derive(Clone, Copy, IntoBytes, Immutable)]
struct NumberAttribute {
    length: u16,
    kind: u16,
    value: u32,
}

#[inline(always)]
fn address(kind: u16, value: [u8; 16]) -> AddressAttribute {
    AddressAttribute {
        length: GATEWAY as u16,
        kind,
        value,
    }
}

#[inline(always)]
fn number(kind: u16, value: u32) -> NumberAttribute {
    NumberAttribute {
        length: INTERFACE as u16,
        kind,
        value,
    }
}

/// What each request has: a `struct rtmsg`, and `RTA_DST`, `RTA_SRC` and `RTA_PRIORITY`,
/// which are nothing where they are 0.
#[repr(C)]
#[derive(Clone, Copy, IntoBytes, Immutable)]
struct Request {
    family: u8,
    prefix_len: u8,
    source_len: u8,
    tos: u8,
    table: u8,
    protocol: u8,
    scope: u8,
    kind: u8,
    flags: u32,
    destination: AddressAttribute,
    source: AddressAttribute,
    metric: NumberAttribute,
}

/// Bytes of that, of a gateway (`RTA_GATEWAY`) and of an interface (`RTA_OIF`).
const FIXED: usize = size_of::<Request>();
const GATEWAY: usize = size_of::<AddressAttribute>();
const INTERFACE: usize = size_of::<NumberAttribute>();

/// A request between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    net: u64,
    /// The `in6_rtmsg`, on the stack of the caller.
    asked: u64,
    command: u64,
}

/// Requests in flight.
#[map]
static ROUTE_IOCTLS: Calls<Call> = Calls::new(256);

/// `ipv6_route_ioctl(net, cmd, rtmsg)`
#[inline(always)]
pub(super) fn asked_by_ioctl(ctx: &ProbeContext) {
    // A failed insertion shows at the return, as a call that is not known.
    ROUTE_IOCTLS.begin(&Call {
        net: ctx.number(0),
        command: ctx.number(1),
        asked: ctx.number(2),
    });
}

#[inline(always)]
pub(super) fn answered_by_ioctl(ctx: &RetProbeContext) -> Option<()> {
    let hook = wire::IOCTL;
    let ret: i32 = ctx.ret();
    let call = ROUTE_IOCTLS.take();
    if ret >= 0 || ret == NOT_PERMITTED || ret == NOT_READ {
        return None;
    }
    let Some(call) = call else {
        output::call_unknown(hook);
        return None;
    };
    let asked: Asked = Pointer(call.asked).read()?;
    let net = Net(Pointer(call.net));
    let netns = net.inum()?;
    if asked.ifindex != 0
        && let Found::At(device) = devices::find(net, asked.ifindex)
        && is_in_vrf(device.0)
    {
        return None;
    }
    let refusal = Refusal {
        hook,
        sort: 0,
        netns,
        ret,
        said: 0,
        ifindex: 0,
        answer: if refusals::is_answer(ret) {
            let length = MESSAGE_HEADER as u32 + size_of::<Asked>() as u32;
            Answer::To(refusals::question(call.asked - MESSAGE_HEADER, length))
        } else {
            Answer::No
        },
    };
    let verdict = refusals::verdict(&refusal)?;
    let record = ROUTE_RECORD.get()?;
    record.open(hook, netns);
    let payload = &mut record.payload;
    let is_delete = call.command as u32 == DELETE;
    payload.ret = ret;
    payload.message_type = if is_delete { DELETE_ROUTE } else { NEW_ROUTE };
    payload.message_flags = if is_delete { 0 } else { CREATE };
    payload.suppressed = verdict.suppressed;
    payload.reserved = 0;
    payload.said = [0; wire::SAID_LEN];
    payload.known = REQUEST_READ | held(&verdict);
    write(&asked, is_delete, payload);
    interface(net, asked.ifindex, payload);
    refusals::settle(ctx, &refusal, &verdict, &ROUTE_REFUSALS_HELD, record);
    Some(())
}

/// Whether an interface is a VRF, or in one: what it is enslaved to comes first among
/// those that are stacked on it.
#[inline(always)]
fn is_in_vrf(device: Pointer) -> bool {
    let is_vrf = |device: Pointer| device.or_zero::<u64>(&globals::DEV_L3MDEV) != 0;
    if is_vrf(device) {
        return true;
    }
    let Some(list) = device.member(&globals::DEV_UPPER) else {
        return true;
    };
    // `list_head.next` comes first.
    let node: u64 = list.read().unwrap_or(0);
    if node == list.0 {
        return false;
    }
    let upper = Pointer(node.wrapping_sub(u64::from(globals::ADJACENT_LIST.load())));
    upper.follow(&globals::ADJACENT_DEV).is_none_or(is_vrf)
}

/// Writes what was asked for as a request.
#[inline(always)]
fn write(asked: &Asked, is_delete: bool, payload: &mut RouteRefused) {
    /// `RTA_DST`, `RTA_SRC`, `RTA_OIF`, `RTA_GATEWAY` and `RTA_PRIORITY`
    const DESTINATION_KIND: u16 = 1;
    const SOURCE_KIND: u16 = 2;
    const OIF_KIND: u16 = 4;
    const GATEWAY_KIND: u16 = 5;
    const PRIORITY_KIND: u16 = 6;
    let kind = if asked.flags & REJECTS != 0 {
        UNREACHABLE
    } else {
        UNICAST
    };
    let request = Request {
        family: INET6,
        prefix_len: asked.prefix_len.min(u8::MAX.into()) as u8,
        source_len: asked.source_len.min(u8::MAX.into()) as u8,
        tos: 0,
        table: MAIN,
        // Whoever made it and whatever it is, it is deleted.
        protocol: if is_delete { 0 } else { BOOT },
        scope: 0,
        kind: if is_delete { 0 } else { kind },
        flags: 0,
        destination: address(DESTINATION_KIND, asked.destination),
        source: address(SOURCE_KIND, asked.source),
        metric: number(PRIORITY_KIND, asked.metric),
    };
    let gateway = address(GATEWAY_KIND, asked.gateway);
    let interface = number(OIF_KIND, asked.ifindex);
    let to = &mut payload.request;
    *to = [0; wire::REQUEST_LEN];
    to[..FIXED].copy_from_slice(request.as_bytes());
    let mut end = FIXED;
    if asked.flags & HAS_GATEWAY != 0 {
        to[FIXED..FIXED + GATEWAY].copy_from_slice(gateway.as_bytes());
        end += GATEWAY;
        if asked.ifindex != 0 {
            to[FIXED + GATEWAY..FIXED + GATEWAY + INTERFACE].copy_from_slice(interface.as_bytes());
            end += INTERFACE;
        }
    } else if asked.ifindex != 0 {
        to[FIXED..FIXED + INTERFACE].copy_from_slice(interface.as_bytes());
        end += INTERFACE;
    }
    payload.request_len = end as u32;
}
