//! Anycast addresses that an interface takes (`__ipv6_dev_ac_inc`) and gives up
//! (`__ipv6_dev_ac_dec`), and who made it do so.
//!
//! ```text
//! dev_forward_change, __ipv6_ifa_notify, ipv6_sock_ac_join
//!         leave a marker with what they pass on               one map each
//! enter   finds the marker that fits its own arguments        CALLS[thread]
//! return  the list of anycast addresses has changed: looks for the address
//!         that it follows from, and sends the record
//! ```
//!
//! A marker counts only for the very object that its function passes on, so
//! one that a lost return left behind says nothing about a later call.

mod request;

use aya_ebpf::{
    helpers::bpf_get_current_pid_tgid,
    macros::{kprobe, kretprobe, map},
    maps::{LruHashMap, PerCpuArray},
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::{
    Hook, INTERFACE_NAME_LEN,
    families::anycast::{
        self as wire, ACCEPT_RA_READ, ADDRESS_USABLE, ADDRESSES_COMPLETE, ALL_FORWARDING_READ,
        AnycastChange, FORCE_FORWARDING_READ, FORWARDING_CHANGE, FORWARDING_READ, JOINED,
        OWN_ADDRESS, PREFIX_FOUND, RELEASED, SETSOCKOPT,
    },
};

use super::forwarding;
use crate::{
    address::{Address, address_at},
    kernel::{Device, Net, Pointer},
    output::{self, Record},
    volatile::Volatile,
};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::anycast_members!(members);
}

/// `RTM_NEWADDR`, the event of an address that is usable from now on.
const NEW_ADDRESS: i32 = 20;
/// `IFA_F_TENTATIVE`: of no account while its uniqueness is not known.
const TENTATIVE: u32 = 0x40;
/// `IFA_F_OPTIMISTIC`: in use although it is tentative (RFC 4429).
const OPTIMISTIC: u32 = 0x04;
/// `IFA_F_DADFAILED`: somebody else has it.
const DAD_FAILED: u32 = 0x08;
/// The kernel takes no anycast address for a prefix of this length or more.
const TOO_LONG: u32 = 127;
/// Addresses of an interface that are looked at, ordinary or anycast: so many
/// rows of so many. The verifier follows one row, and how rows follow each
/// other, not 256 addresses.
const ROWS: u32 = 8;
const ROW: u32 = 32;
/// A new anycast address is put first; others may follow it in no time.
const NEWEST: u32 = 4;

/// A change between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Call {
    idev: u64,
    address: Address,
    /// The newest anycast address before the call.
    newest: u64,
    /// The address that became usable, else 0.
    ifaddr: u64,
    trigger: u32,
    change: u32,
}

/// Interfaces whose forwarding is being changed, by thread.
#[map]
static FORWARDING_CHANGES: LruHashMap<u64, u64> = LruHashMap::with_max_entries(256, 0);

/// Addresses that are becoming usable, by thread: `inet6_ifaddr` and its
/// `inet6_dev`.
#[map]
static USABLE: LruHashMap<u64, [u64; 2]> = LruHashMap::with_max_entries(256, 0);

/// Where the address is that a socket asks for, by thread.
#[map]
static REQUESTS: LruHashMap<u64, u64> = LruHashMap::with_max_entries(256, 0);

/// Changes in flight, by thread.
#[map]
static ANYCAST_CALLS: LruHashMap<u64, Call> = LruHashMap::with_max_entries(256, 0);

#[map]
static ANYCAST_RECORD: PerCpuArray<Record<AnycastChange>> = PerCpuArray::with_max_entries(1, 0);

/// What is searched for, and where the search stands.
#[repr(C)]
struct Search {
    upper: Volatile<u64>,
    lower: Volatile<u64>,
    /// Address flags that make an address not count.
    ignore: Volatile<u32>,
    prefix_len: Volatile<u32>,
    node: Volatile<u64>,
    found: Volatile<u32>,
    flags: Volatile<u32>,
}

#[map]
static ANYCAST_SEARCH: PerCpuArray<Search> = PerCpuArray::with_max_entries(1, 0);

/// `dev_forward_change(idev)`
#[kprobe]
fn forwarding_change_enter(ctx: ProbeContext) -> u32 {
    let idev: u64 = ctx.arg(0).unwrap_or(0);
    // A failed insertion shows at what it would have explained.
    let _ = FORWARDING_CHANGES.insert(bpf_get_current_pid_tgid(), idev, 0);
    0
}

#[kretprobe]
fn forwarding_change_return(_ctx: RetProbeContext) -> u32 {
    let _ = FORWARDING_CHANGES.remove(bpf_get_current_pid_tgid());
    0
}

/// `__ipv6_ifa_notify(event, ifp)`
#[kprobe]
fn address_usable_enter(ctx: ProbeContext) -> u32 {
    let event: i32 = ctx.arg(0).unwrap_or(0);
    if event != NEW_ADDRESS {
        return 0;
    }
    let ifaddr = Pointer(ctx.arg(1).unwrap_or(0));
    if let Some(idev) = ifaddr.follow(&globals::IFA_IDEV) {
        let _ = USABLE.insert(bpf_get_current_pid_tgid(), [ifaddr.0, idev.0], 0);
    }
    0
}

#[kretprobe]
fn address_usable_return(_ctx: RetProbeContext) -> u32 {
    let _ = USABLE.remove(bpf_get_current_pid_tgid());
    0
}

/// `ipv6_sock_ac_join(sk, ifindex, addr)`
#[kprobe]
fn anycast_request_enter(ctx: ProbeContext) -> u32 {
    let address: u64 = ctx.arg(2).unwrap_or(0);
    let _ = REQUESTS.insert(bpf_get_current_pid_tgid(), address, 0);
    request::enter(&ctx);
    0
}

#[kretprobe]
fn anycast_request_return(ctx: RetProbeContext) -> u32 {
    let _ = REQUESTS.remove(bpf_get_current_pid_tgid());
    request::leave(&ctx);
    0
}

/// `__ipv6_dev_ac_inc(idev, addr)`
#[kprobe]
fn anycast_join_enter(ctx: ProbeContext) -> u32 {
    let idev = Pointer(ctx.arg(0).unwrap_or(0));
    let at = Pointer(ctx.arg(1).unwrap_or(0));
    let thread = bpf_get_current_pid_tgid();
    let Some(address) = address_at(at) else {
        return 0;
    };
    if address.is_link_local() {
        return 0;
    }
    let Some(newest) = idev.follow(&globals::IDEV_ANYCAST) else {
        return 0;
    };
    let mut call = Call {
        idev: idev.0,
        address,
        newest: newest.0,
        ifaddr: 0,
        trigger: 0,
        change: JOINED,
    };
    if marked(&REQUESTS, thread, at.0) {
        call.trigger = SETSOCKOPT;
    } else if let Some([ifaddr, of]) = usable(thread)
        && of == idev.0
    {
        call.trigger = ADDRESS_USABLE;
        call.ifaddr = ifaddr;
    } else if marked(&FORWARDING_CHANGES, thread, idev.0) {
        call.trigger = FORWARDING_CHANGE;
    }
    let _ = ANYCAST_CALLS.insert(thread, call, 0);
    0
}

#[kretprobe]
fn anycast_join_return(ctx: RetProbeContext) -> u32 {
    let ret: i32 = ctx.ret();
    let thread = bpf_get_current_pid_tgid();
    let Some(call) = ANYCAST_CALLS.get_ptr(thread) else {
        return 0;
    };
    // SAFETY: a map value, checked for null, that only this thread works on.
    let call = unsafe { *call };
    let _ = ANYCAST_CALLS.remove(thread);
    if ret != 0 || call.change != JOINED || !is_new(&call) {
        return 0;
    }
    if call.trigger == 0 {
        output::call_unknown(wire::JOIN);
    } else {
        send(&ctx, &call, wire::JOIN);
    }
    0
}

/// `__ipv6_dev_ac_dec(idev, addr)`, of interest where forwarding ends.
#[kprobe]
fn anycast_leave_enter(ctx: ProbeContext) -> u32 {
    let idev = Pointer(ctx.arg(0).unwrap_or(0));
    let thread = bpf_get_current_pid_tgid();
    if !marked(&FORWARDING_CHANGES, thread, idev.0) {
        return 0;
    }
    let Some(address) = address_at(Pointer(ctx.arg(1).unwrap_or(0))) else {
        return 0;
    };
    if address.is_link_local() || !is_last_user(idev, address) {
        return 0;
    }
    let call = Call {
        idev: idev.0,
        address,
        newest: 0,
        ifaddr: 0,
        trigger: FORWARDING_CHANGE,
        change: RELEASED,
    };
    let _ = ANYCAST_CALLS.insert(thread, call, 0);
    0
}

#[kretprobe]
fn anycast_leave_return(ctx: RetProbeContext) -> u32 {
    let ret: i32 = ctx.ret();
    let thread = bpf_get_current_pid_tgid();
    let Some(call) = ANYCAST_CALLS.get_ptr(thread) else {
        return 0;
    };
    // SAFETY: a map value, checked for null, that only this thread works on.
    let call = unsafe { *call };
    let _ = ANYCAST_CALLS.remove(thread);
    if ret == 0 && call.change == RELEASED {
        send(&ctx, &call, wire::LEAVE);
    }
    0
}

/// Whether the thread's marker in `map` is `object`.
#[inline(always)]
fn marked(map: &LruHashMap<u64, u64>, thread: u64, object: u64) -> bool {
    map.get_ptr(thread).is_some_and(|marker| {
        // SAFETY: a map value, checked for null, that only this thread works on.
        let marker = unsafe { *marker };
        marker == object
    })
}

#[inline(always)]
fn usable(thread: u64) -> Option<[u64; 2]> {
    // SAFETY: a map value, checked for null, that only this thread works on.
    USABLE.get_ptr(thread).map(|marker| unsafe { *marker })
}

impl Search {
    /// Whether this address is the one that is searched for.
    #[inline(always)]
    fn is_for(&self, address: Address) -> bool {
        (address.upper ^ self.upper.get()) | (address.lower ^ self.lower.get()) == 0
    }

    /// What to search for.
    #[inline(always)]
    fn set(&mut self, address: Address) {
        self.upper.set(address.upper);
        self.lower.set(address.lower);
    }
}

/// Whether the call put its address into the interface's list.
#[inline(always)]
fn is_new(call: &Call) -> bool {
    let Some(mut anycast) = Pointer(call.idev).follow(&globals::IDEV_ANYCAST) else {
        return false;
    };
    for _ in 0..NEWEST {
        if anycast.0 == 0 || anycast.0 == call.newest {
            return false;
        }
        if address_of(anycast) == Some(call.address) {
            return true;
        }
        let Some(next) = anycast.follow(&globals::ANYCAST_NEXT) else {
            return false;
        };
        anycast = next;
    }
    false
}

#[inline(always)]
fn address_of(anycast: Pointer) -> Option<Address> {
    address_at(anycast.member(&globals::ANYCAST_ADDR)?)
}

/// Whether nobody else wants the address to stay.
#[inline(always)]
fn is_last_user(idev: Pointer, address: Address) -> bool {
    anycast_users(idev.0, address.upper, address.lower) == 1
}

/// How many want the interface to have an anycast address; 0 where that cannot
/// be told.
///
/// Not inlined and known by name, as is [`anycast_prefix`]: see
/// [`volatile`](crate::volatile).
// SAFETY: nothing else in the object has the name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn anycast_users(idev: u64, upper: u64, lower: u64) -> u32 {
    let (Some(search), Some(first)) = (
        ANYCAST_SEARCH.get_ptr_mut(0),
        Pointer(idev).follow(&globals::IDEV_ANYCAST),
    ) else {
        return 0;
    };
    {
        // SAFETY: a map value, checked for null, that only this CPU works on.
        let search = unsafe { &mut *search };
        search.set(Address { upper, lower });
        search.found.set(0);
        search.node.set(first.0);
    }
    for _ in 0..ROWS {
        if anycast_users_row() == 0 {
            break;
        }
    }
    // SAFETY: as above; the function that had it as well is through.
    unsafe { &*search }.found.get()
}

/// A row of steps of that search; 0 at its end.
// SAFETY: nothing else in the object has the name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn anycast_users_row() -> u32 {
    for _ in 0..ROW {
        if anycast_users_step() == 0 {
            return 0;
        }
    }
    1
}

/// One step of it; 0 at its end.
// SAFETY: nothing else in the object has the name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn anycast_users_step() -> u32 {
    let Some(search) = ANYCAST_SEARCH.get_ptr_mut(0) else {
        return 0;
    };
    // SAFETY: as in `anycast_users`, which does not hold it meanwhile.
    let search = unsafe { &mut *search };
    let anycast = Pointer(search.node.get());
    // Null, at the end of the list, has none.
    let Some(address) = address_of(anycast) else {
        return 0;
    };
    if search.is_for(address) {
        search.found.set(anycast.or_zero(&globals::ANYCAST_USERS));
        return 0;
    }
    search.node.set(anycast.or_zero(&globals::ANYCAST_NEXT));
    1
}

#[inline(always)]
fn send<C: aya_ebpf::EbpfContext>(ctx: &C, call: &Call, hook: Hook) {
    let Some(record) = ANYCAST_RECORD.get_ptr_mut(0) else {
        return;
    };
    // SAFETY: a map value, checked for null, that only this CPU works on.
    let record = unsafe { &mut *record };
    let Address { upper, lower } = call.address;
    let ignore = if call.trigger == FORWARDING_CHANGE {
        TENTATIVE
    } else {
        0
    };
    let found = anycast_prefix(call.idev, upper, lower, call.ifaddr, ignore);
    let idev = Pointer(call.idev);
    let Some(device) = idev.follow(&globals::INET6_DEV_DEV).map(Device) else {
        return;
    };
    let net: u64 = device.0.or_zero(&globals::DEV_NET);
    let net = Net(Pointer(net));
    record.open(hook, net.0.or_zero(&globals::NET_INUM));
    let payload = &mut record.payload;
    let halves = [call.address.upper.to_be(), call.address.lower.to_be()];
    // SAFETY: sixteen bytes of either kind, any of which are valid.
    payload.address = unsafe { core::mem::transmute::<[u64; 2], [u8; 16]>(halves) };
    device.name_into(&mut payload.interface);
    payload.ifindex = device.0.or_zero(&globals::DEV_IFINDEX);
    payload.change = call.change;
    payload.trigger = call.trigger;
    payload.prefix_len = found as u32;
    let mut flags = (found >> 32) as u32;
    let mut read = |object: Pointer, member, flag| {
        let (value, flag) = object.flagged(member, flag);
        flags |= flag;
        value
    };
    payload.forwarding = read(idev, &globals::CNF_FORWARDING, FORWARDING_READ);
    payload.accept_ra = read(idev, &globals::CNF_ACCEPT_RA, ACCEPT_RA_READ);
    payload.force_forwarding = read(idev, &globals::CNF_FORCE_FORWARDING, FORCE_FORWARDING_READ);
    payload.flags = flags;
    payload.written = 0;
    payload.written_interface = [0; INTERFACE_NAME_LEN];
    if call.trigger == FORWARDING_CHANGE
        && let Some(write) = forwarding::write_in_flight()
    {
        payload.written = write.written;
        payload.written_interface = write.interface;
    }
    payload.all_forwarding = 0;
    if let Some(value) = forwarding::all_forwarding(net).and_then(Pointer::read) {
        payload.all_forwarding = value;
        payload.flags |= ALL_FORWARDING_READ;
    }
    record.send(ctx, hook);
}

/// Looks through the interface's addresses for the one that an anycast address
/// follows from, and for the anycast address itself. Those with flags to
/// `ignore` do not count; `ifaddr`, unless 0, is the one in any case. The prefix
/// length, 0 if there is none, and above its 32 bits flags of the record.
// SAFETY: nothing else in the object has the name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn anycast_prefix(idev: u64, upper: u64, lower: u64, ifaddr: u64, ignore: u32) -> u64 {
    let Some(place) = ANYCAST_SEARCH.get_ptr_mut(0) else {
        return 0;
    };
    let Some(head) = Pointer(idev).member(&globals::IDEV_ADDRESSES) else {
        return 0;
    };
    {
        // SAFETY: a map value, checked for null, that only this CPU works on.
        let search = unsafe { &mut *place };
        search.set(Address { upper, lower });
        search.ignore.set(ignore);
        search.found.set(0);
        search.flags.set(0);
        // `list_head.next` comes first.
        search.node.set(head.read().unwrap_or(0));
    }
    for _ in 0..ROWS {
        if anycast_prefix_row(head.0) == 0 {
            break;
        }
    }
    // SAFETY: as above; the function that had it as well is through.
    let search = unsafe { &mut *place };
    // The address that became usable is the one, whichever comes first.
    if ifaddr != 0
        && let Some(prefix_len) = Pointer(ifaddr).get(&globals::IFA_PREFIX_LEN)
    {
        search.found.set(prefix_len);
        search.flags.set(search.flags.get() | PREFIX_FOUND);
    }
    u64::from(search.flags.get()) << 32 | u64::from(search.found.get())
}

/// A row of steps of that search; 0 at its end.
// SAFETY: nothing else in the object has the name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn anycast_prefix_row(head: u64) -> u32 {
    for _ in 0..ROW {
        if anycast_prefix_step(head) == 0 {
            return 0;
        }
    }
    1
}

/// One step of it; 0 at its end.
// SAFETY: nothing else in the object has the name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn anycast_prefix_step(head: u64) -> u32 {
    let Some(search) = ANYCAST_SEARCH.get_ptr_mut(0) else {
        return 0;
    };
    // SAFETY: a map value, checked for null, that only this CPU works on; the
    // caller does not hold it meanwhile.
    let search = unsafe { &mut *search };
    let node = search.node.get();
    if node == head {
        search.flags.set(search.flags.get() | ADDRESSES_COMPLETE);
        return 0;
    }
    u32::from(look_at(search, node).is_some())
}

/// Whether packets for an address with these flags are delivered here: else it
/// has no local route, and does not stand in the way of an anycast address.
#[inline(always)]
fn is_in_force(flags: u32) -> bool {
    (flags & DAD_FAILED == 0) & (flags & (TENTATIVE | OPTIMISTIC) != TENTATIVE)
}

/// Looks at the address with this list node, and goes on to the next.
#[inline(always)]
fn look_at(search: &mut Search, node: u64) -> Option<()> {
    let ifaddr = Pointer(node.checked_sub(u64::from(globals::IFA_LIST.load()))?);
    let address = address_at(ifaddr.member(&globals::IFA_ADDR)?)?;
    let prefix_len: u32 = ifaddr.get(&globals::IFA_PREFIX_LEN)?;
    let flags: u32 = ifaddr.get(&globals::IFA_FLAGS)?;
    search.prefix_len.set(prefix_len);
    if search.is_for(address) && is_in_force(flags) {
        search.flags.set(search.flags.get() | OWN_ADDRESS);
    }
    if search.flags.get() & PREFIX_FOUND == 0
        && flags & search.ignore.get() == 0
        && search.prefix_len.get() < TOO_LONG
        && search.is_for(address.prefix(search.prefix_len.get()))
    {
        search.found.set(search.prefix_len.get());
        search.flags.set(search.flags.get() | PREFIX_FOUND);
    }
    let next: u64 = Pointer(node).read()?;
    search.node.set(next);
    Some(())
}
