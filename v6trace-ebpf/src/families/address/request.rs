//! A request for an address that the kernel refuses (`inet6_rtm_newaddr`).
//!
//! The message stays where it is until the return, so it is only read if the
//! request failed.

use aya_ebpf::{
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::{
    COMM_LEN, Hook, INTERFACE_NAME_LEN,
    families::address::{
        self as wire, ADDRESS_READ, AddressRequest, DEVICE_ABSENT, DEVICE_FOUND, DEVICE_HAS_INET6,
        DISABLE_IPV6_READ, EXISTING_FOUND, EXISTING_PROTO_READ, HOST_READ, INET6_READ,
        LIFETIMES_GIVEN, MTU_READ, WRITER_KNOWN,
    },
};

use super::{
    globals,
    often::suppressed,
    writers::{self, Interface},
};
use crate::{
    address::Address,
    attachment::Arguments as _,
    attributes,
    calls::Calls,
    devices::{self, Found},
    interface_addresses,
    kernel::{Device, Net},
    netlink::{self, MESSAGE_HEADER},
    output::{self, Record},
    pointer::{Pointer, Reading},
    scratch::Scratch,
};

/// Bytes of a `struct ifaddrmsg`, which follows the header of the message.
const ADDRESS_HEADER: u64 = 8;
/// Attributes of the request: `IFA_ADDRESS`, `IFA_LOCAL`, `IFA_CACHEINFO` and
/// `IFA_FLAGS`.
const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const CACHEINFO: u16 = 6;
const FLAGS: u16 = 8;

/// `-ENODEV`
pub(super) const NO_DEVICE: i32 = -19;

/// A request between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    skb: u64,
    message: u64,
}

/// `struct ifaddrmsg`
#[repr(C)]
#[derive(Clone, Copy, zerocopy::FromBytes)]
struct AddressMessage {
    family: u8,
    prefix_len: u8,
    flags: u8,
    scope: u8,
    ifindex: u32,
}

/// Requests in flight.
#[map]
static ADDRESS_REQUESTS: Calls<Call> = Calls::new(256);

#[map]
static ADDRESS_RECORD: Scratch<Record<AddressRequest>> = Scratch::new();

/// `inet6_rtm_newaddr(skb, nlh, extack)`
#[inline(always)]
pub(super) fn asked(ctx: &ProbeContext) {
    // A failed insertion shows at the return, as a call that is not known.
    ADDRESS_REQUESTS.begin(&Call {
        skb: ctx.number(0),
        message: ctx.number(1),
    });
}

#[inline(always)]
pub(super) fn answered(ctx: &RetProbeContext) {
    let ret: i32 = ctx.ret();
    let Some(call) = ADDRESS_REQUESTS.take() else {
        if ret < 0 {
            output::call_unknown(wire::REQUEST);
        }
        return;
    };
    if ret < 0 {
        report(ctx, call, ret);
    }
}

#[inline(always)]
fn report(ctx: &RetProbeContext, call: Call, ret: i32) -> Option<()> {
    netlink::judged(call.message);
    let socket = Pointer(call.skb).follow(&globals::SKB_SK)?;
    let net = Net(socket.follow(&globals::SOCK_NET)?);
    let message: AddressMessage = Pointer(call.message + MESSAGE_HEADER).read()?;
    // Of interfaces that are not there, there is no end.
    let same = if ret == NO_DEVICE { 0 } else { message.ifindex };
    let record = open(wire::REQUEST, net, same, ret)?;
    request(call.message, message, &mut record.payload);
    look_around(net, record);
    record.send(ctx, wire::REQUEST);
    Some(())
}

/// Opens a record, unless as much was told of the same.
#[inline(always)]
pub(super) fn open(
    hook: Hook,
    net: Net,
    same: u32,
    ret: i32,
) -> Option<&'static mut Record<AddressRequest>> {
    let netns = net.inum()?;
    let suppressed = suppressed(hook, netns, same, ret)?;
    let record = ADDRESS_RECORD.get()?;
    record.open(hook, netns);
    let payload = &mut record.payload;
    payload.ret = ret;
    payload.suppressed = suppressed;
    payload.read = 0;
    Some(record)
}

/// Adds what the interface that was asked for says.
#[inline(always)]
pub(super) fn look_around(net: Net, record: &mut Record<AddressRequest>) {
    let netns = record.header.netns;
    interface(net, &mut record.payload);
    written(netns, &mut record.payload);
}

/// What was asked for.
#[inline(always)]
fn request(at: u64, message: AddressMessage, payload: &mut AddressRequest) {
    let length: u32 = Pointer(at).read().unwrap_or(0);
    let first = Pointer(at + MESSAGE_HEADER + ADDRESS_HEADER);
    attributes::look_through(first, at + u64::from(length));
    payload.ifindex = message.ifindex;
    payload.prefix_len = message.prefix_len.into();
    payload.flags = attributes::read(FLAGS).unwrap_or(message.flags.into());
    // `extract_addr`: with a peer's there are both.
    let local = attributes::value(LOCAL);
    let address = if local.0 != 0 {
        local
    } else {
        attributes::value(ADDRESS)
    };
    if address.read_into(&mut payload.address) {
        payload.read |= ADDRESS_READ;
    }
    let [preferred, valid] = attributes::read(CACHEINFO).unwrap_or([0u32; 2]);
    payload.preferred = preferred;
    payload.valid = valid;
    if attributes::value(CACHEINFO).0 != 0 {
        payload.read |= LIFETIMES_GIVEN;
    }
}

/// What the interface says.
#[inline(always)]
fn interface(net: Net, payload: &mut AddressRequest) {
    payload.interface = [0; INTERFACE_NAME_LEN];
    payload.mtu = 0;
    payload.disable_ipv6 = 0;
    payload.existing_flags = 0;
    payload.existing_prefix_len = 0;
    payload.existing_proto = 0;
    let mut host = Reading::new();
    let all = Pointer(host.get(net.0, &globals::NET_DEVCONF_ALL));
    let default = Pointer(host.get(net.0, &globals::NET_DEVCONF_DEFAULT));
    payload.all_disable_ipv6 = host.get(all, &globals::DEVCONF_DISABLE_IPV6);
    payload.default_disable_ipv6 = host.get(default, &globals::DEVCONF_DISABLE_IPV6);
    payload.read |= HOST_READ & host.mask();
    match devices::find(net, payload.ifindex) {
        Found::At(device) => describe(device, payload),
        Found::Nowhere => payload.read |= DEVICE_ABSENT,
        Found::Unknown => {}
    }
}

#[inline(always)]
fn describe(device: Device, payload: &mut AddressRequest) {
    payload.read |= DEVICE_FOUND;
    device.name_into(&mut payload.interface);
    let (mtu, read) = device.0.flagged(&globals::DEV_MTU, MTU_READ);
    payload.mtu = mtu;
    payload.read |= read;
    let Some(inet6_dev) = device.0.follow(&globals::DEV_IP6_PTR) else {
        return;
    };
    payload.read |= INET6_READ;
    if inet6_dev.0 == 0 {
        return;
    }
    payload.read |= DEVICE_HAS_INET6;
    let own = inet6_dev.member(&globals::INET6_DEV_CNF);
    let own = own.unwrap_or(Pointer(0));
    let (disabled, read) = own.flagged(&globals::DEVCONF_DISABLE_IPV6, DISABLE_IPV6_READ);
    payload.disable_ipv6 = disabled;
    payload.read |= read;
    let wanted = Address::of(payload.address);
    let found = interface_addresses::find_for_request(inet6_dev, wanted);
    if let Some(existing) = found.existing {
        payload.existing_flags = existing.flags;
        payload.existing_prefix_len = existing.prefix_len;
        payload.existing_proto = existing.made_by;
        payload.read |= EXISTING_FOUND | (EXISTING_PROTO_READ & existing.made_by_read);
    }
}

/// Who set `disable_ipv6`: of the interface, else of those that were yet to come
/// when it came.
#[inline(always)]
fn written(netns: u32, payload: &mut AddressRequest) {
    payload.writer_boot_ns = 0;
    payload.writer_pid = 0;
    payload.wrote = 0;
    payload.writer_comm = [0; COMM_LEN];
    if payload.disable_ipv6 == 0 {
        return;
    }
    let own = Interface {
        netns,
        ifindex: payload.ifindex,
    };
    let to_come = Interface { netns, ifindex: 0 };
    if let Some(writer) = writers::of(own).or_else(|| writers::of(to_come)) {
        payload.writer_boot_ns = writer.boot_ns;
        payload.writer_pid = writer.pid;
        payload.wrote = writer.wrote;
        payload.writer_comm = writer.comm;
        payload.read |= WRITER_KNOWN;
    }
}
