//! A system call on a socket returns, of a process that is followed.
//!
//! ```text
//! no call on a socket, or one that only has to be made again   nothing
//! the like came out the same before                            nothing
//! else                                                         a record
//! ```
//!
//! The like is a call on a socket of the same sort with the same address and port, or of
//! the same option: so of each there is the first that went well, the first that failed,
//! and whatever came otherwise then. A connect() that goes on is an outcome of its own.
//! Where the call has returned, its arguments are in the registers still.

use aya_ebpf::{
    EbpfContext,
    helpers::{bpf_get_current_pid_tgid, generated},
    macros::map,
};
use v6trace_common::families::process::{
    CALL, DATA_LEN, DATA_READ, PEER_READ, SOCKET_READ, SystemCall, VALUE_READ,
};

use super::{globals, innermost, netns};
use crate::{
    context,
    kernel::{Net, Sock},
    limit::{HELD_BACK, Limit},
    output::Record,
    pointer::{Pointer, Reading},
    scratch::Scratch,
};

/// System calls, by their numbers on x86-64.
const SOCKET: u32 = 41;
const CONNECT: u32 = 42;
const SENDTO: u32 = 44;
const RECVFROM: u32 = 45;
const SENDMSG: u32 = 46;
const RECVMSG: u32 = 47;
const BIND: u32 = 49;
const SETSOCKOPT: u32 = 54;
const GETSOCKOPT: u32 = 55;
const RECVMMSG: u32 = 299;
const SENDMMSG: u32 = 307;

/// `__USER_CS`: the call was made by 64-bit code, and so its number is one of these.
const USER_CS: u16 = 0x33;

/// `SOL_SOCKET` and `SO_ERROR`
const SOL_SOCKET: u32 = 1;
const SO_ERROR: u32 = 4;

/// `TCP_ESTABLISHED` and `TCP_CLOSE_WAIT`: the connection came about.
const ESTABLISHED: u8 = 1;
const CLOSE_WAIT: u8 = 8;

/// `AF_INET`, `AF_INET6` and `AF_NETLINK`
const INET: u16 = 2;
const INET6: u16 = 10;
const NETLINK: u16 = 16;

/// Errnos that say that the call goes on, or is to be made again: `EINTR`, `EAGAIN`,
/// `EALREADY`, `EINPROGRESS`, and those that the kernel keeps for itself; those of what is
/// no socket: `EBADF` and `ENOTSOCK`; and `EISCONN`, that it went well before.
const INTERRUPTED: i64 = -4;
const BAD_DESCRIPTOR: i64 = -9;
const AGAIN: i64 = -11;
const NO_SOCKET: i64 = -88;
const IS_CONNECTED: i64 = -106;
const ALREADY: i64 = -114;
const IN_PROGRESS: i64 = -115;
const LAST_ERRNO: i64 = -511;

/// Bytes of a `struct sockaddr_in` and a `struct sockaddr_in6`.
const SOCKADDR_IN: u32 = 16;
const SOCKADDR_IN6: u32 = 28;
/// What is read of a message to netlink at once: its header and that of what it asks.
const MESSAGE_START: u32 = 32;

/// Where a `struct msghdr` has the address and the first of its vectors.
const MESSAGE_NAME: u64 = 0;
const MESSAGE_VECTORS: u64 = 16;

/// Calls that are the like of each other.
#[repr(C)]
#[derive(Clone, Copy)]
struct Same {
    process: u32,
    number: u32,
    /// Family and type.
    sort: [u32; 2],
    /// The address with the port, or the option.
    what: [u64; 3],
}

#[map]
static CALLS_TOLD: Limit<Same> = Limit::new(4096);

#[map]
static SYSTEM_CALL: Scratch<Record<SystemCall>> = Scratch::new();

/// `sys_exit(regs, ret)`
#[inline(always)]
pub(super) fn returns<C: EbpfContext>(ctx: &C, registers: Pointer, ret: i64) -> Option<()> {
    let number: u64 = registers.get(&globals::PT_REGS_NUMBER)?;
    let number = number as u32;
    if !is_of_sockets(number) || !is_over(number, ret) {
        return None;
    }
    let code: u16 = registers.get(&globals::PT_REGS_CS)?;
    if code != USER_CS {
        return None;
    }
    let record = SYSTEM_CALL.get()?;
    let call = &mut record.payload;
    call.number = number;
    call.ret = outcome(number, ret) as i32;
    call.arguments = [
        registers.or_zero(&globals::PT_REGS_ARG0),
        registers.or_zero(&globals::PT_REGS_ARG1),
        registers.or_zero(&globals::PT_REGS_ARG2),
        registers.or_zero(&globals::PT_REGS_ARG3),
        registers.or_zero(&globals::PT_REGS_ARG4),
        registers.or_zero(&globals::PT_REGS_ARG5),
    ];
    call.data = [0; DATA_LEN];
    call.peer = [0; 16];
    call.peer_port = 0;
    call.values = 0;
    call.is_earlier = 0;
    call.value = 0;
    call.reserved = 0;
    let mut inum = None;
    let mut state = 0_u8;
    if number == SOCKET {
        call.family = call.arguments[0] as u32;
        call.socket_type = call.arguments[1] as u32 & 0xf;
        call.protocol = call.arguments[2] as u32;
        call.values = SOCKET_READ;
    } else {
        let sock = socket(call.arguments[0] as u32)?;
        inum = sock.net().and_then(Net::inum);
        read_socket(sock, call);
        state = sock.0.or_zero(&globals::SOCK_STATE);
    }
    if !matches!(call.family as u16, INET | INET6 | NETLINK) {
        return None;
    }
    read_given(call);
    if number == GETSOCKOPT && ret >= 0 {
        let asks_error = option(call) == (SOL_SOCKET, SO_ERROR);
        // Without an error it says that the connection came about, or nothing.
        let is_over = call.value > 0 || matches!(state, ESTABLISHED | CLOSE_WAIT);
        if !asks_error || call.value < 0 || call.values & VALUE_READ == 0 || !is_over {
            return None;
        }
        call.ret = -call.value;
        call.is_earlier = 1;
    }
    let same = same(call);
    let outcome = if call.ret < 0 { call.ret as u32 } else { 0 };
    if CALLS_TOLD.pass(&same, outcome, u64::MAX, 1) == HELD_BACK {
        return None;
    }
    let netns = match inum {
        Some(inum) => inum,
        None => netns(context::current_task()).unwrap_or(0),
    };
    if call.ret < 0 && call.is_earlier == 0 {
        innermost::tell(ctx, CALL, netns, call.ret, innermost::take(call.ret));
    }
    record.open_in(context::of_sleeper(), CALL, netns);
    record.send(ctx, CALL);
    Some(())
}

/// The level and the name of an option; what else is in their registers means nothing.
#[inline(always)]
fn option(call: &SystemCall) -> (u32, u32) {
    (call.arguments[1] as u32, call.arguments[2] as u32)
}

#[inline(always)]
fn is_of_sockets(number: u32) -> bool {
    matches!(
        number,
        SOCKET
            | CONNECT
            | SENDTO
            | RECVFROM
            | SENDMSG
            | RECVMSG
            | BIND
            | SETSOCKOPT
            | GETSOCKOPT
            | RECVMMSG
            | SENDMMSG
    )
}

/// Whether it says something that is of interest: that it received something is not.
#[inline(always)]
fn is_over(number: u32, ret: i64) -> bool {
    if ret >= 0 {
        return !matches!(number, RECVFROM | RECVMSG | RECVMMSG);
    }
    if number == CONNECT && goes_on(ret) {
        return true;
    }
    ret >= LAST_ERRNO
        && !matches!(
            ret,
            INTERRUPTED | AGAIN | ALREADY | IN_PROGRESS | BAD_DESCRIPTOR | NO_SOCKET
        )
}

/// Whether what it began goes on, of connect().
#[inline(always)]
fn goes_on(ret: i64) -> bool {
    ret < LAST_ERRNO || matches!(ret, INTERRUPTED | ALREADY | IN_PROGRESS)
}

/// How it came out: a connect() that goes on is one that is in progress.
#[inline(always)]
fn outcome(number: u32, ret: i64) -> i64 {
    match ret {
        _ if number != CONNECT => ret,
        IS_CONNECTED => 0,
        _ if goes_on(ret) => IN_PROGRESS,
        _ => ret,
    }
}

/// The socket behind a descriptor of the current process; of a call that found one.
#[inline(always)]
fn socket(descriptor: u32) -> Option<Sock<Pointer>> {
    let files = context::current_task().follow(&globals::TASK_FILES)?;
    let table = files.follow(&globals::FILES_TABLE)?;
    let len: u32 = table.get(&globals::TABLE_LEN)?;
    if descriptor >= len {
        return None;
    }
    let all = table.follow(&globals::TABLE_FILES)?;
    let at = all.0 + u64::from(descriptor) * size_of::<u64>() as u64;
    let file = Pointer(Pointer(at).read()?);
    let socket = file.follow(&globals::FILE_DATA)?;
    socket.follow(&globals::SOCKET_SK).map(Sock)
}

#[inline(always)]
fn read_socket(sock: Sock<Pointer>, call: &mut SystemCall) {
    let mut reading = Reading::new();
    let family: u16 = reading.get(sock.0, &globals::SOCK_FAMILY);
    let kind: u16 = reading.get(sock.0, &globals::SOCK_TYPE);
    let protocol: u16 = reading.get(sock.0, &globals::SOCK_PROTOCOL);
    call.family = family.into();
    call.socket_type = kind.into();
    call.protocol = protocol.into();
    call.values = SOCKET_READ & reading.mask();
    if family != INET6 {
        return;
    }
    let mut peer = Reading::new();
    let port: u16 = peer.get(sock.0, &globals::SOCK_PEER_PORT);
    call.peer = peer.get(sock.0, &globals::SOCK_PEER);
    call.peer_port = u16::from_be(port).into();
    call.values |= PEER_READ & peer.mask();
}

/// Reads what the call was given, of the process's own memory.
#[inline(always)]
fn read_given(call: &mut SystemCall) {
    let [_, second, _, fourth, fifth, _] = call.arguments;
    let is_netlink = call.family as u16 == NETLINK;
    let at = match call.number {
        CONNECT | BIND if !is_netlink => second,
        SENDTO if is_netlink => second,
        SENDTO => fifth,
        // The first message of several begins like one.
        SENDMSG | SENDMMSG if is_netlink => {
            let vector: u64 = read_user(second + MESSAGE_VECTORS).unwrap_or(0);
            read_user(vector).unwrap_or(0)
        }
        SENDMSG | SENDMMSG => read_user(second + MESSAGE_NAME).unwrap_or(0),
        SETSOCKOPT | GETSOCKOPT => {
            if let Some(value) = read_user::<u32>(fourth) {
                call.value = value as i32;
                call.values |= VALUE_READ;
            }
            return;
        }
        _ => return,
    };
    if at == 0 {
        return;
    }
    let (first, all) = if is_netlink {
        (MESSAGE_START, DATA_LEN as u32)
    } else {
        (SOCKADDR_IN, SOCKADDR_IN6)
    };
    // What is short may end where the memory does.
    if copy_user(&mut call.data, all, at) || copy_user(&mut call.data, first, at) {
        call.values |= DATA_READ;
    }
}

/// Copies so many bytes, `DATA_LEN` at most. Whether they could be read.
#[inline(always)]
fn copy_user(data: &mut [u8; DATA_LEN], length: u32, from: u64) -> bool {
    // SAFETY: the helper checks the address itself and writes `length` bytes, of which
    // `data` has as many.
    let failed = unsafe {
        generated::bpf_probe_read_user(data.as_mut_ptr().cast(), length, from as *const _)
    };
    failed == 0
}

/// Reads a number of the process's own memory.
#[inline(always)]
fn read_user<T: Copy + zerocopy::FromBytes>(at: u64) -> Option<T> {
    let mut value = core::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: the helper checks the address itself and writes the whole value, zeros
    // where it fails.
    let failed = unsafe {
        generated::bpf_probe_read_user(
            value.as_mut_ptr().cast(),
            size_of::<T>() as u32,
            at as *const _,
        )
    };
    // SAFETY: zeros, or what the helper wrote; any bits are a value of T.
    (failed == 0).then(|| unsafe { value.assume_init() })
}

/// Which calls are the like of this one.
#[inline(always)]
fn same(call: &SystemCall) -> Same {
    let process = (bpf_get_current_pid_tgid() >> 32) as u32;
    let word = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&call.data[at..at + 8]);
        u64::from_ne_bytes(bytes)
    };
    let what = match call.number {
        SETSOCKOPT | GETSOCKOPT if call.is_earlier == 0 => [
            u64::from(option(call).0) << 32 | u64::from(option(call).1),
            call.value as u32 as u64,
            0,
        ],
        SOCKET => [u64::from(call.protocol), 0, 0],
        // Of netlink the kind of message and the index; else the address with the port,
        // which of IPv4 are in the first word.
        _ if call.family as u16 == NETLINK => [word(0), word(16), 0],
        _ if call.values & DATA_READ != 0 && call.data[0] as u16 == INET6 => [
            word(8),
            word(16),
            u64::from(call.data[2]) << 8 | u64::from(call.data[3]),
        ],
        _ if call.values & DATA_READ != 0 => [word(0), 0, 0],
        _ => {
            let half = |at: usize| {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(&call.peer[at..at + 8]);
                u64::from_ne_bytes(bytes)
            };
            [half(0), half(8), u64::from(call.peer_port)]
        }
    };
    Same {
        process,
        number: call.number,
        sort: [call.family, call.socket_type],
        what,
    }
}
