//! An address that the kernel refuses to add, or to delete, by an ioctl
//! (`addrconf_add_ifaddr`, `addrconf_del_ifaddr`), as `ifconfig` asks for it: the same as
//! a request, but told by a structure in the program's memory.

use aya_ebpf::{
    helpers::bpf_probe_read_user,
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::{
    Hook,
    families::address::{self as wire, ADDRESS_READ},
};

use super::request::{self, NO_DEVICE};
use crate::{attachment::Arguments as _, calls::Calls, kernel::Net, output, pointer::Pointer};

/// `-EPERM` and `-EFAULT`: nothing has been asked for yet.
const NOT_PERMITTED: i32 = -1;
const NOT_READ: i32 = -14;

/// A request between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    net: u64,
    /// Where the program has a `struct in6_ifreq`.
    request: u64,
}

/// `struct in6_ifreq`
#[repr(C)]
#[derive(Clone, Copy)]
struct InterfaceRequest {
    address: [u8; 16],
    prefix_len: u32,
    ifindex: u32,
}

/// In place of one that cannot be read.
const NOTHING: InterfaceRequest = InterfaceRequest {
    address: [0; 16],
    prefix_len: 0,
    ifindex: 0,
};

/// Requests in flight.
#[map]
static ADDRESS_IOCTLS: Calls<Call> = Calls::new(256);

/// `addrconf_add_ifaddr(net, arg)`, and `addrconf_del_ifaddr(net, arg)`
#[inline(always)]
pub(super) fn asked(ctx: &ProbeContext) {
    // A failed insertion shows at the return, as a call that is not known.
    ADDRESS_IOCTLS.begin(&Call {
        net: ctx.number(0),
        request: ctx.number(1),
    });
}

#[inline(always)]
pub(super) fn answered(ctx: &RetProbeContext) -> Option<()> {
    answer(ctx, wire::IOCTL)
}

#[inline(always)]
pub(super) fn deleted(ctx: &RetProbeContext) -> Option<()> {
    answer(ctx, wire::IOCTL_DELETE)
}

#[inline(always)]
fn answer(ctx: &RetProbeContext, hook: Hook) -> Option<()> {
    let ret: i32 = ctx.ret();
    let Some(call) = ADDRESS_IOCTLS.take() else {
        if ret < 0 {
            output::call_unknown(hook);
        }
        return None;
    };
    if ret >= 0 || ret == NOT_PERMITTED || ret == NOT_READ {
        return None;
    }
    // SAFETY: the helper checks the address itself, and fails where nothing is; any
    // bits are such a structure.
    let asked = unsafe { bpf_probe_read_user(call.request as *const InterfaceRequest) };
    // What was paged out since, or unmapped, is still refused.
    let (asked, read) = match asked {
        Ok(asked) => (asked, ADDRESS_READ),
        Err(_) => (NOTHING, 0),
    };
    let net = Net(Pointer(call.net));
    // Of interfaces that are not there, there is no end.
    let same = if ret == NO_DEVICE { 0 } else { asked.ifindex };
    let record = request::open(hook, net, same, ret)?;
    let payload = &mut record.payload;
    payload.address = asked.address;
    payload.ifindex = asked.ifindex;
    payload.prefix_len = asked.prefix_len;
    payload.flags = 0;
    payload.preferred = 0;
    payload.valid = 0;
    payload.read |= read;
    if read != 0 {
        request::look_around(net, record);
    }
    record.send(ctx, hook);
    Some(())
}
