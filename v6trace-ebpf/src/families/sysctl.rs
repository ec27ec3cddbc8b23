//! Writing a sysctl (`proc_sys_write`).
//!
//! ```text
//! enter   remembers the file and where the value is
//! return  refused, and below net.ipv6: sends the value, and the bounds that it was
//!         to keep
//! ```
//!
//! The handler that judges the value says by its address whether it is one of those
//! that compare it with two bounds, which the table then has.

use aya_ebpf::{
    EbpfContext, Global,
    helpers::generated,
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::families::sysctl::{
    self as wire, BOUNDED, BYTE, CURRENT_READ, GREATEST_READ, HAS_SECRET, INTERFACE_READ,
    LEAST_READ, SECRET_READ, SysctlRefused, UNSIGNED, VALUE_LEN, VALUE_READ,
};

use crate::{
    attachment::Arguments as _,
    calls::Calls,
    context,
    kernel::{Device, Net, has_stable_secret},
    limit::{HELD_BACK, Limit},
    output::Record,
    pointer::{Pointer, Reading},
    programs::programs,
    scratch::Scratch,
};

mod globals {
    use aya_ebpf::Global;

    pub(super) use crate::globals::*;

    v6trace_common::sysctl_members!(members);

    /// Addresses of `proc_dointvec_minmax`, `proc_douintvec_minmax` and
    /// `proc_dou8vec_minmax`, 0 without.
    #[unsafe(no_mangle)]
    pub(super) static BOUNDED_INT: Global<u64> = Global::new(0);
    #[unsafe(no_mangle)]
    pub(super) static BOUNDED_UNSIGNED: Global<u64> = Global::new(0);
    #[unsafe(no_mangle)]
    pub(super) static BOUNDED_BYTE: Global<u64> = Global::new(0);
}

/// A write between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    file: u64,
    /// Where the value is, and its bytes.
    value: u64,
    length: u64,
}

/// Writes in flight.
#[map]
static SYSCTL_WRITES: Calls<Call> = Calls::new(256);

/// What is the same.
#[repr(C)]
#[derive(Clone, Copy)]
struct Same {
    /// The `ctl_table`; 0 for all of the namespace.
    table: u64,
    netns: u32,
    ret: i32,
}

#[map]
static SYSCTLS_REPORTED: Limit<Same> = Limit::new(1024);

/// The same is reported so often within so many nanoseconds, and all of a namespace.
const MOST: u32 = 8;
const MOST_OF_ALL: u32 = 32;
const AGAIN_NS: u64 = 10_000_000_000;

/// `-ERESTARTSYS`, from which on an errno says that the call is to be made again.
const RESTART: i64 = -512;

#[map]
static SYSCTL_RECORD: Scratch<Record<SysctlRefused>> = Scratch::new();

programs! {
    enter: kprobe sysctl_write_enter;
    leave: kretprobe sysctl_write_return;
}

/// `proc_sys_write(iocb, iter)`
#[inline(always)]
fn enter(ctx: &ProbeContext) -> Option<()> {
    let iter = ctx.object(1);
    SYSCTL_WRITES.begin(&Call {
        file: ctx.object(0).follow(&globals::IOCB_FILE)?.0,
        value: buffer(iter).map_or(0, |buffer| buffer.0),
        length: iter.or_zero(&globals::ITER_COUNT),
    });
    Some(())
}

/// Where in the program's memory the value is: the iterator has it itself, or a list of
/// which it is the first. What is in the kernel's memory is not read.
#[inline(always)]
fn buffer(iter: Pointer) -> Option<Pointer> {
    let at = iter.follow(&globals::ITER_BUFFER)?;
    let buffer = if is_kernel(at) {
        at.read().map(Pointer)?
    } else {
        at
    };
    (!is_kernel(buffer)).then_some(buffer)
}

/// Whether an address is one of the kernel's half.
#[inline(always)]
fn is_kernel(at: Pointer) -> bool {
    (at.0 as i64) < 0
}

#[inline(always)]
fn leave(ctx: &RetProbeContext) -> Option<()> {
    let ret: i64 = ctx.ret();
    let call = SYSCTL_WRITES.take()?;
    if ret >= 0 || ret <= RESTART {
        return None;
    }
    report(ctx, call, ret as i32)
}

/// Sends the record, if it is a sysctl of IPv6.
#[inline(always)]
fn report<C: EbpfContext>(ctx: &C, call: Call, ret: i32) -> Option<()> {
    let inode = Pointer(call.file).follow(&globals::FILE_INODE)?;
    let inode = inode.0.checked_sub(u64::from(globals::PROC_INODE.load()))?;
    let header = Pointer(inode).follow(&globals::PROC_HEADER)?;
    let table = Pointer(inode).follow(&globals::PROC_ENTRY)?;
    let record = SYSCTL_RECORD.get()?;
    let payload = &mut record.payload;
    place(header, payload)?;
    let set = header.follow(&globals::HEADER_SET)?;
    let net = set.0.checked_sub(u64::from(globals::NET_SYSCTLS.load()))?;
    let net = Net(Pointer(net));
    let netns = net.inum()?;
    let same = Same {
        table: table.0,
        netns,
        ret,
    };
    let of_this = SYSCTLS_REPORTED.pass(&same, 0, AGAIN_NS, MOST);
    if of_this == HELD_BACK {
        return None;
    }
    let all = Same {
        table: 0,
        netns,
        ret: 0,
    };
    let of_all = SYSCTLS_REPORTED.pass(&all, 0, AGAIN_NS, MOST_OF_ALL);
    if of_all == HELD_BACK {
        return None;
    }
    payload.suppressed = (of_this + of_all) as u32;
    payload.ret = ret;
    payload.read = 0;
    payload.name = [0; 40];
    table
        .follow(&globals::CTL_NAME)?
        .text_into(&mut payload.name);
    value(call, payload);
    let is_bounded = bounds(table, payload);
    current(table, payload);
    payload.ifindex = 0;
    payload.mtu = 0;
    if !is_bounded {
        interface(table, net, payload);
    }
    record.open_in(context::of_sleeper(), wire::WRITE, netns);
    record.send(ctx, wire::WRITE);
    Some(())
}

/// Where below net.ipv6 the sysctl is; `None` where it is elsewhere.
#[inline(always)]
fn place(header: Pointer, payload: &mut SysctlRefused) -> Option<()> {
    payload.directory = [0; 16];
    payload.above = [0; 16];
    let first = header.follow(&globals::HEADER_PARENT)?;
    if is_ipv6(first) {
        payload.depth = 0;
        return Some(());
    }
    name(first)?.text_into(&mut payload.directory);
    let second = first.follow(&globals::HEADER_PARENT)?;
    if is_ipv6(second) {
        payload.depth = 1;
        return Some(());
    }
    name(second)?.text_into(&mut payload.above);
    let third = second.follow(&globals::HEADER_PARENT)?;
    payload.depth = 2;
    is_ipv6(third).then_some(())
}

/// The name of a directory, whose `ctl_dir` begins with its header.
#[inline(always)]
fn name(directory: Pointer) -> Option<Pointer> {
    let table = directory.follow(&globals::HEADER_TABLE)?;
    table.follow(&globals::CTL_NAME)
}

/// Whether a directory is that of IPv6.
#[inline(always)]
fn is_ipv6(directory: Pointer) -> bool {
    let is = name(directory).and_then(Pointer::read);
    let parent = directory.follow(&globals::HEADER_PARENT);
    let of = parent.and_then(name).and_then(Pointer::read);
    is == Some(*b"ipv6\0") && of == Some(*b"net\0")
}

#[inline(always)]
fn value(call: Call, payload: &mut SysctlRefused) {
    payload.value = [0; VALUE_LEN];
    payload.length = call.length as u32;
    let length = if call.length < VALUE_LEN as u64 {
        call.length as u32
    } else {
        VALUE_LEN as u32 - 1
    };
    let length = core::hint::black_box(length) & (VALUE_LEN as u32 - 1);
    // SAFETY: the helper checks the address itself, fails where it is not the program's,
    // and writes `length` bytes, which is fewer than `value` has; zeros where it fails.
    let failed = unsafe {
        generated::bpf_probe_read_user(
            payload.value.as_mut_ptr().cast(),
            length,
            call.value as *const core::ffi::c_void,
        )
    };
    if failed == 0 {
        payload.read |= VALUE_READ;
    }
}

/// The bounds of the value. Whether it has some.
#[inline(always)]
fn bounds(table: Pointer, payload: &mut SysctlRefused) -> bool {
    payload.least = 0;
    payload.greatest = 0;
    let handler: u64 = table.or_zero(&globals::CTL_HANDLER);
    let is = |bounded: &Global<u64>| handler != 0 && handler == bounded.load();
    payload.read |= if is(&globals::BOUNDED_INT) {
        BOUNDED
    } else if is(&globals::BOUNDED_UNSIGNED) {
        BOUNDED | UNSIGNED
    } else if is(&globals::BOUNDED_BYTE) {
        BOUNDED | UNSIGNED | BYTE
    } else {
        return false;
    };
    let is_signed = payload.read & UNSIGNED == 0;
    let bound = |member| {
        let bits: u32 = table.follow(member)?.read()?;
        Some(if is_signed {
            i64::from(bits as i32)
        } else {
            i64::from(bits)
        })
    };
    if let Some(least) = bound(&globals::CTL_IDEV) {
        payload.least = least;
        payload.read |= LEAST_READ;
    }
    if let Some(greatest) = bound(&globals::CTL_NET) {
        payload.greatest = greatest;
        payload.read |= GREATEST_READ;
    }
    true
}

/// The value that it has.
#[inline(always)]
fn current(table: Pointer, payload: &mut SysctlRefused) {
    payload.current = 0;
    let size: u32 = table.or_zero(&globals::CTL_SIZE);
    if size == size_of::<i32>() as u32
        && let Some(current) = table.follow(&globals::CTL_DATA).and_then(Pointer::read)
    {
        payload.current = current;
        payload.read |= CURRENT_READ;
    }
}

/// The interface whose setting it is: those of `conf` that have no bounds in their table
/// have it there.
#[inline(always)]
fn interface(table: Pointer, net: Net, payload: &mut SysctlRefused) -> Option<()> {
    if payload.depth != 2 || payload.above != *b"conf\0\0\0\0\0\0\0\0\0\0\0\0" {
        return None;
    }
    let inet6_dev = table.follow(&globals::CTL_IDEV)?;
    if inet6_dev.0 == 0 {
        return None;
    }
    let device = Device(inet6_dev.follow(&globals::INET6_DEV_DEV)?);
    payload.ifindex = device.ifindex()?;
    payload.mtu = device.0.get(&globals::DEV_MTU)?;
    payload.read |= INTERFACE_READ;
    let mut reading = Reading::new();
    let has_secret = has_stable_secret(inet6_dev, net, &mut reading);
    if reading.is_complete() {
        payload.read |= SECRET_READ;
        payload.read |= if has_secret { HAS_SECRET } else { 0 };
    }
    Some(())
}
