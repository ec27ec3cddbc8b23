//! Writing a `disable_ipv6` (`addrconf_sysctl_disable`), and who did so last.

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, generated},
    macros::map,
    maps::LruHashMap,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::{
    COMM_LEN,
    families::address::{self as wire, DISABLED, WROTE_ALL, WROTE_DEFAULT, WROTE_INTERFACE},
};

use super::{globals, lost};
use crate::{
    attachment::Arguments as _,
    calls::Calls,
    kernel::{Device, Net},
    limit::now,
    pointer::Pointer,
    sysctl::{self, Of},
};

/// An interface; without an index those that are yet to come.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Interface {
    pub(super) netns: u32,
    pub(super) ifindex: u32,
}

/// Who set its `disable_ipv6`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Writer {
    pub(super) boot_ns: u64,
    pub(super) pid: u32,
    /// Which it wrote, as in a record.
    pub(super) wrote: u32,
    pub(super) comm: [u8; COMM_LEN],
}

/// A write between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Write {
    net: u64,
    wrote: u32,
    netns: u32,
}

/// Writes in flight, by thread.
#[map]
static DISABLE_WRITES: Calls<Write> = Calls::new(256);

#[map]
static WRITERS: LruHashMap<Interface, Writer> = LruHashMap::with_max_entries(1024, 0);

/// Who set the interface's `disable_ipv6`, where that was seen.
#[inline(always)]
pub(super) fn of(interface: Interface) -> Option<Writer> {
    // SAFETY: copied at once; entries are replaced as a whole.
    unsafe { WRITERS.get(&interface).copied() }
}

/// `addrconf_sysctl_disable(ctl, write, buffer, lenp, ppos)`
#[inline(always)]
pub(super) fn write(ctx: &ProbeContext) -> Option<()> {
    let table = ctx.object(0);
    if ctx.number(1) as i32 == 0 {
        return None;
    }
    let net = table.follow(&globals::CTL_NET)?;
    let netns = Net(net).inum()?;
    let wrote = match sysctl::owner(table, &globals::DEVCONF_DISABLE_IPV6)? {
        Of::Interface(_) => WROTE_INTERFACE,
        Of::All => WROTE_ALL,
        Of::Default => WROTE_DEFAULT,
    };
    DISABLE_WRITES.begin(&Write {
        net: net.0,
        wrote,
        netns,
    });
    lost::begin(DISABLED, netns)?.wrote = wrote;
    Some(())
}

/// Its return. A call that is not known was a read.
#[inline(always)]
pub(super) fn written(ctx: &RetProbeContext) -> Option<()> {
    let write = DISABLE_WRITES.take()?;
    lost::end(ctx, wire::DISABLE);
    if write.wrote != WROTE_INTERFACE {
        // Interfaces that are yet to come begin with this.
        let conf = Pointer(write.net).follow(&globals::NET_DEVCONF_DEFAULT)?;
        let disabled: i32 = conf.get(&globals::DEVCONF_DISABLE_IPV6)?;
        note(write, 0, disabled != 0);
    }
    Some(())
}

/// IPv6 is switched off on an interface, or on again, by the write of this
/// thread.
#[inline(always)]
pub(super) fn switched(device: Device, off: bool) -> Option<()> {
    let write = *DISABLE_WRITES.current()?;
    note(write, device.ifindex()?, off);
    Some(())
}

#[inline(always)]
fn note(write: Write, ifindex: u32, off: bool) {
    let interface = Interface {
        netns: write.netns,
        ifindex,
    };
    if !off {
        // There mostly is none.
        let _ = WRITERS.remove(&interface);
        return;
    }
    let mut writer = Writer {
        boot_ns: now(),
        pid: (bpf_get_current_pid_tgid() >> 32) as u32,
        wrote: write.wrote,
        comm: [0; COMM_LEN],
    };
    // SAFETY: the helper writes COMM_LEN bytes, which is what comm has. On
    // failure it writes zeros.
    unsafe {
        generated::bpf_get_current_comm(writer.comm.as_mut_ptr().cast(), COMM_LEN as u32);
    }
    // Whoever cannot be remembered shows later as not seen.
    let _ = WRITERS.insert(&interface, &writer, 0);
}
