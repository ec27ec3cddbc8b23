//! An option that was refused: its value, and what the kernel tested of the socket
//! and the task.

use aya_ebpf::{
    EbpfContext,
    helpers::{bpf_probe_read_user, generated},
    macros::map,
};
use v6trace_common::{
    COMM_LEN, INTERFACE_NAME_LEN,
    families::option::{
        self as wire, INTERFACE_ABSENT, INTERFACE_FOUND, IPV6ONLY, IPV6ONLY_READ, MORE_READ,
        OptionRefused, STATE_READ, SWAPPED_FOUND, TASK_READ, VALUE_READ,
    },
};

use super::{Call, routing};
use crate::{
    context,
    devices::{self, Found},
    kernel::{Net, Sock},
    limit::{HELD_BACK, Limit},
    output::Record,
    pointer::{Pointer, Value},
    scratch::Scratch,
};

/// What is the same: programs of one name that ask for the same under the same
/// circumstances are told once. Two of that name may be at it in turn, each under
/// its own; so these are a part of it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Same {
    comm: [u8; COMM_LEN],
    netns: u32,
    option: u32,
    value: u32,
    more: u32,
    ifindex: u32,
    ret: i32,
    bound_ifindex: u32,
    /// What was read and found, and whether the socket has a port.
    found: u32,
    router_inode: u64,
}

/// How soon the same is told again.
const AGAIN_NS: u64 = 3600 * 1_000_000_000;
/// So much of a namespace is told within that time, whoever it is.
const MOST: u32 = 16;
const MOST_NS: u64 = 60 * 1_000_000_000;

/// `IPV6_MULTICAST_IF`, `IPV6_UNICAST_IF` and `MRT6_ADD_MIF`: what names an
/// interface.
const MULTICAST_IF: u32 = 17;
const UNICAST_IF: u32 = 76;
const ADD_MIF: u32 = 202;
/// `IPV6_PKTINFO`: an address, and where an interface is named behind that.
const PACKET_INFO: u32 = 50;
const PACKET_INFO_IFINDEX: u32 = 16;

/// `-ENOPROTOOPT`: programs ask for what later kernels have, and keep nothing else
/// from being told.
const NOT_KNOWN: i32 = -92;
/// Of [`Same::found`].
const HAS_PORT: u32 = 1 << 31;

#[map]
static OPTION_TOLD: Limit<Same> = Limit::new(1024);

#[map]
static OPTION_RECORD: Scratch<Record<OptionRefused>> = Scratch::new();

/// Sends the record, unless the same was told before.
#[inline(always)]
pub(super) fn report<C: EbpfContext>(ctx: &C, call: Call, ret: i32) -> Option<()> {
    let sock = Sock(Pointer(call.sock));
    let net = sock.net()?;
    let netns = net.inum()?;
    let record = OPTION_RECORD.get()?;
    let payload = &mut record.payload;
    payload.read = 0;
    payload.unused = 0;
    payload.ret = ret;
    payload.option = call.option;
    payload.length = call.length;
    of_value(call, payload);
    of_socket(sock, payload);
    let (capabilities, read) = context::capabilities(TASK_READ);
    payload.capabilities = capabilities;
    payload.read |= read;
    of_interface(net, payload);
    routing::of_table(sock, net, payload);
    let same = same(netns, call, payload);
    let of_this = OPTION_TOLD.pass(&same, 0, AGAIN_NS, 1);
    if of_this == HELD_BACK {
        return None;
    }
    let all = Same {
        comm: [0; COMM_LEN],
        netns,
        option: 0,
        value: 0,
        more: 0,
        ifindex: 0,
        ret: if ret == NOT_KNOWN { NOT_KNOWN } else { 0 },
        bound_ifindex: 0,
        found: 0,
        router_inode: 0,
    };
    let of_namespace = OPTION_TOLD.pass(&all, 0, MOST_NS, MOST);
    if of_namespace == HELD_BACK {
        // It was not told, and is news when it comes again.
        OPTION_TOLD.forget(&same);
        return None;
    }
    payload.suppressed = (of_this + of_namespace) as u32;
    payload.socket_inode = sock.inode().unwrap_or(0);
    // The function may wait for the socket's lock.
    record.open_in(context::of_sleeper(), wire::SET, netns);
    record.send(ctx, wire::SET);
    Some(())
}

#[inline(always)]
fn same(netns: u32, call: Call, payload: &OptionRefused) -> Same {
    let behind = if call.option == PACKET_INFO && call.length > PACKET_INFO_IFINDEX {
        part(call, PACKET_INFO_IFINDEX).unwrap_or(0)
    } else {
        payload.ifindex
    };
    let has_port = if payload.inet_num != 0 { HAS_PORT } else { 0 };
    let mut same = Same {
        comm: [0; COMM_LEN],
        netns,
        option: payload.option,
        value: payload.value as u32,
        more: payload.more,
        ifindex: behind,
        ret: payload.ret,
        bound_ifindex: payload.bound_ifindex,
        found: payload.read | has_port,
        router_inode: payload.router_inode,
    };
    // SAFETY: the helper writes COMM_LEN bytes, which is what comm has. On
    // failure it writes zeros.
    unsafe {
        generated::bpf_get_current_comm(same.comm.as_mut_ptr().cast(), COMM_LEN as u32);
    }
    same
}

/// What is asked for. A value that is shorter is none.
#[inline(always)]
fn of_value(call: Call, payload: &mut OptionRefused) {
    const WORD: u32 = 4;
    payload.value = 0;
    payload.more = 0;
    if call.length >= WORD
        && let Some(value) = part::<i32>(call, 0)
    {
        payload.value = value;
        payload.read |= VALUE_READ;
    }
    if call.length >= 2 * WORD
        && let Some(more) = part::<u32>(call, WORD)
    {
        payload.more = more;
        payload.read |= MORE_READ;
    }
}

#[inline(always)]
fn part<T: Value>(call: Call, offset: u32) -> Option<T> {
    let at = call.value.wrapping_add(offset.into());
    if call.in_kernel != 0 {
        return Pointer(at).read();
    }
    // SAFETY: the helper checks the address itself and fails where it is not the
    // program's; any bits are a value of T.
    unsafe { bpf_probe_read_user(at as *const T) }.ok()
}

/// What is tested of the socket.
#[inline(always)]
fn of_socket(sock: Sock<Pointer>, payload: &mut OptionRefused) {
    let state = sock.state();
    payload.sk_type = state.kind;
    payload.sk_protocol = state.protocol;
    payload.sk_state = state.state;
    payload.inet_num = state.number;
    payload.bound_ifindex = state.bound;
    payload.read |= STATE_READ & state.read;
    payload.read |= sock.v6only(IPV6ONLY_READ, IPV6ONLY);
}

/// The interface that is asked for.
#[inline(always)]
fn of_interface(net: Net, payload: &mut OptionRefused) {
    payload.interface = [0; INTERFACE_NAME_LEN];
    payload.bound_interface = [0; INTERFACE_NAME_LEN];
    if payload.bound_ifindex != 0
        && let Found::At(device) = devices::find(net, payload.bound_ifindex)
    {
        device.name_into(&mut payload.bound_interface);
    }
    payload.ifindex = match payload.option {
        MULTICAST_IF => payload.value as u32,
        // In the network's order.
        UNICAST_IF => (payload.value as u32).swap_bytes(),
        // `mif6ctl`: number, flags and threshold, then the index; with a flag it
        // means no interface that is there.
        ADD_MIF if payload.value as u32 >> 16 & 0xff == 0 => payload.more & 0xffff,
        _ => 0,
    };
    if payload.ifindex == 0 {
        return;
    }
    match devices::find(net, payload.ifindex) {
        Found::At(device) => {
            payload.read |= INTERFACE_FOUND;
            device.name_into(&mut payload.interface);
        }
        Found::Nowhere => {
            payload.read |= INTERFACE_ABSENT;
            if payload.option == UNICAST_IF
                && let Found::At(device) = devices::find(net, payload.value as u32)
            {
                payload.read |= SWAPPED_FOUND;
                device.name_into(&mut payload.interface);
            }
        }
        Found::Unknown => {}
    }
}
