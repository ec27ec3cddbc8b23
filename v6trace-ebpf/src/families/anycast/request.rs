//! A socket that asks for an anycast address and gets none
//! (`ipv6_sock_ac_join`).
//!
//! ```text
//! enter   remembers the arguments                     ANYCAST_REQUESTS[thread]
//! return  failed: reads what the function tests, and sends the record
//! ```
//!
//! Its caller keeps the address on its stack until after the return, and holds
//! the socket's lock.

use aya_ebpf::{
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::{
    INTERFACE_NAME_LEN,
    families::anycast::{
        self as wire, ADDRESS_READ, ALL_FORWARDING_READ, AnycastRequest, CAPABILITIES_READ,
        DEVICE_ABSENT, DEVICE_FOUND, DEVICE_HAS_INET6, FORWARDING_READ, INET6_READ, LIMIT_OF_NETNS,
        LIMIT_READ, MTU_READ, OMEM_READ, SIZE_READ,
    },
    member::ABSENT,
};

use super::globals;
use crate::{
    attachment::Arguments as _,
    calls::Calls,
    context,
    devices::{self, Found},
    families::forwarding,
    kernel::{Device, Net, Sock},
    output::{self, Record},
    pointer::Pointer,
    scratch::Scratch,
};

/// A request between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Request {
    sock: u64,
    address: u64,
    ifindex: u64,
}

/// Requests in flight.
#[map]
static ANYCAST_REQUESTS: Calls<Request> = Calls::new(256);

#[map]
static REQUEST_RECORD: Scratch<Record<AnycastRequest>> = Scratch::new();

/// `ipv6_sock_ac_join(sk, ifindex, addr)`
#[inline(always)]
pub(super) fn enter(ctx: &ProbeContext) {
    let request = Request {
        sock: ctx.number(0),
        address: ctx.number(2),
        ifindex: ctx.number(1) & u64::from(u32::MAX),
    };
    // A failed insertion shows at the return, as a call that is not known.
    ANYCAST_REQUESTS.begin(&request);
}

/// Its return.
#[inline(always)]
pub(super) fn leave(ctx: &RetProbeContext) {
    let ret: i32 = ctx.ret();
    let Some(request) = ANYCAST_REQUESTS.take() else {
        if ret != 0 {
            output::call_unknown(wire::REQUEST);
        }
        return;
    };
    if ret != 0 {
        report(ctx, &request, ret);
    }
}

#[inline(always)]
fn report(ctx: &RetProbeContext, request: &Request, ret: i32) {
    let Some(record) = REQUEST_RECORD.get() else {
        return;
    };
    let sock = Sock(Pointer(request.sock));
    let net = sock.net();
    record.open(wire::REQUEST, net.and_then(Net::inum).unwrap_or(0));
    let payload = &mut record.payload;
    payload.socket_inode = sock.inode().unwrap_or(0);
    payload.requested_ifindex = request.ifindex as u32;
    payload.ret = ret;
    payload.flags = 0;
    if Pointer(request.address).read_into(&mut payload.address) {
        payload.flags |= ADDRESS_READ;
    }
    let task = context::current_task();
    payload.capabilities = 0;
    if let Some(effective) = task
        .follow(&globals::TASK_CRED)
        .and_then(|cred| cred.get::<u64>(&globals::CRED_EFFECTIVE))
    {
        payload.capabilities = effective as u32;
        payload.flags |= CAPABILITIES_READ;
    }
    option_memory(sock.0, payload);
    forwards(net, payload);
    record.send(ctx, wire::REQUEST);
}

/// What `sock_kmalloc` compares. What the request was given is given back by
/// now.
#[inline(always)]
fn option_memory(sock: Pointer, payload: &mut AnycastRequest) {
    payload.size = 0;
    if globals::AC_SIZE.load() != ABSENT {
        payload.size = globals::AC_SIZE.load();
        payload.flags |= SIZE_READ;
    }
    let (omem, read) = sock.flagged(&globals::SOCK_OMEM_ALLOC, OMEM_READ);
    payload.sk_omem_alloc = omem;
    payload.flags |= read;
    payload.optmem_max = 0;
    if globals::NET_OPTMEM_MAX.load() != ABSENT {
        let net = Pointer(sock.or_zero(&globals::SOCK_NET));
        let (limit, read) = net.flagged(&globals::NET_OPTMEM_MAX, LIMIT_READ | LIMIT_OF_NETNS);
        payload.optmem_max = limit;
        payload.flags |= read;
    } else if globals::OPTMEM_MAX.load() != 0
        && let Some(limit) = Pointer(globals::OPTMEM_MAX.load()).read()
    {
        payload.optmem_max = limit;
        payload.flags |= LIMIT_READ;
    }
}

/// Whether the namespace is a router's, and the interface that was asked for.
#[inline(always)]
fn forwards(net: Option<Net>, payload: &mut AnycastRequest) {
    payload.interface = [0; INTERFACE_NAME_LEN];
    payload.forwarding = 0;
    payload.all_forwarding = 0;
    payload.mtu = 0;
    let Some(net) = net else {
        return;
    };
    if let Some(value) = forwarding::all_forwarding(net).and_then(Pointer::read) {
        payload.all_forwarding = value;
        payload.flags |= ALL_FORWARDING_READ;
    }
    let Some(device) = find_device(net, payload) else {
        return;
    };
    payload.flags |= DEVICE_FOUND;
    device.name_into(&mut payload.interface);
    let (mtu, read) = device.0.flagged(&globals::DEV_MTU, MTU_READ);
    payload.mtu = mtu;
    payload.flags |= read;
    let Some(inet6_dev) = device.0.follow(&globals::DEV_IP6_PTR) else {
        return;
    };
    payload.flags |= INET6_READ;
    if inet6_dev.0 != 0 {
        let (value, read) = inet6_dev.flagged(&globals::CNF_FORWARDING, FORWARDING_READ);
        payload.forwarding = value;
        payload.flags |= DEVICE_HAS_INET6 | read;
    }
}

/// The interface that was asked for; that there is none is noted.
#[inline(always)]
fn find_device(net: Net, payload: &mut AnycastRequest) -> Option<Device> {
    let wanted = payload.requested_ifindex;
    if wanted == 0 {
        return None;
    }
    match devices::find(net, wanted) {
        Found::At(device) => Some(device),
        Found::Nowhere => {
            payload.flags |= DEVICE_ABSENT;
            None
        }
        Found::Unknown => None,
    }
}
