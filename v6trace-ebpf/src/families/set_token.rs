//! Setting the token of an interface: `inet6_set_iftoken`, or its caller
//! `inet6_set_link_af` where the compiler inlined it.
//!
//! ```text
//! enter   reads the interface's values, which the function is about to test
//! return  refused: sends them
//! ```

use aya_ebpf::{
    helpers::bpf_get_current_pid_tgid,
    macros::{kprobe, kretprobe, map},
    maps::{LruHashMap, PerCpuArray},
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::families::set_token::{
    self as wire, FLAGS_READ, SYSCTLS_READ, SetToken, TOKEN_READ,
};

use crate::{
    kernel::{Device, Pointer, Reading},
    output::Record,
    volatile::Volatile,
};

mod globals {
    pub(super) use crate::globals::*;

    v6trace_common::set_token_members!(members);
}

/// `IFLA_INET6_TOKEN`
const TOKEN: u16 = 7;
/// `IFLA_INET6_ADDR_GEN_MODE`
const ADDR_GEN_MODE: u16 = 8;
/// `NLA_TYPE_MASK`: the type without the flags beside it.
const TYPE_MASK: u16 = 0x3fff;
/// Bytes of a `struct nlattr`.
const ATTRIBUTE_HEADER: u64 = 4;
/// Attributes that are looked at; requests have one or two of the ten.
const ATTRIBUTES: u32 = 8;

/// A request between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Request {
    /// What goes out, but for the result.
    payload: SetToken,
    /// The interface's namespace.
    netns: u32,
}

/// Requests in flight, by thread.
#[map]
static TOKENS: LruHashMap<u64, Request> = LruHashMap::with_max_entries(256, 0);

#[map]
static TOKEN_RECORD: PerCpuArray<Record<SetToken>> = PerCpuArray::with_max_entries(1, 0);

/// Where the search among the attributes stands.
#[repr(C)]
struct Search {
    at: Volatile<u64>,
    end: Volatile<u64>,
    /// The token itself, 0 without.
    token: Volatile<u64>,
    with_addr_gen_mode: Volatile<u64>,
}

#[map]
static TOKEN_SEARCH: PerCpuArray<Search> = PerCpuArray::with_max_entries(1, 0);

/// `inet6_set_iftoken(idev, token, extack)`
#[kprobe]
fn set_token_enter(ctx: ProbeContext) -> u32 {
    let inet6_dev = Pointer(ctx.arg(0).unwrap_or(0));
    let token = Pointer(ctx.arg(1).unwrap_or(0));
    if let Some(device) = inet6_dev.follow(&globals::INET6_DEV_DEV) {
        remember(Device(device), token, false);
    }
    0
}

/// `inet6_set_link_af(dev, nla, extack)`, which sets the address generation
/// mode as well: only requests with a token count.
#[kprobe]
fn set_link_af_enter(ctx: ProbeContext) -> u32 {
    let device = Device(Pointer(ctx.arg(0).unwrap_or(0)));
    let request = Pointer(ctx.arg(1).unwrap_or(0));
    let Some(length) = request.read::<u16>() else {
        return 0;
    };
    let Some(search) = TOKEN_SEARCH.get_ptr_mut(0) else {
        return 0;
    };
    {
        // SAFETY: this CPU's slot, checked for null; no other program runs on
        // this CPU until this one ends.
        let search = unsafe { &mut *search };
        search.end.set(request.0 + u64::from(length));
        search.at.set(request.0 + ATTRIBUTE_HEADER);
        search.token.set(0);
        search.with_addr_gen_mode.set(0);
    }
    for _ in 0..ATTRIBUTES {
        if link_af_step() == 0 {
            break;
        }
    }
    // SAFETY: as above; the function that had it as well is through.
    let search = unsafe { &*search };
    if search.token.get() != 0 {
        let with_addr_gen_mode = search.with_addr_gen_mode.get() != 0;
        remember(device, Pointer(search.token.get()), with_addr_gen_mode);
    }
    0
}

/// One step of that search; 0 at its end. Not inlined and known by name, so
/// that the verifier follows it once: see [`volatile`](crate::volatile).
// SAFETY: nothing else in the object has the name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn link_af_step() -> u32 {
    let Some(search) = TOKEN_SEARCH.get_ptr_mut(0) else {
        return 0;
    };
    // SAFETY: as in the program, which does not hold it meanwhile.
    u32::from(look_at(unsafe { &mut *search }))
}

/// Looks at an attribute; `false` after the last.
#[inline(always)]
fn look_at(search: &mut Search) -> bool {
    let at = search.at.get();
    if at + ATTRIBUTE_HEADER > search.end.get() {
        return false;
    }
    let Some([length, kind]) = Pointer(at).read::<[u16; 2]>() else {
        return false;
    };
    match kind & TYPE_MASK {
        TOKEN => search.token.set(at + ATTRIBUTE_HEADER),
        ADDR_GEN_MODE => search.with_addr_gen_mode.set(1),
        _ => {}
    }
    // NLA_ALIGN
    search.at.set(at + ((u64::from(length) + 3) & !3));
    u64::from(length) >= ATTRIBUTE_HEADER
}

#[inline(always)]
fn remember(device: Device, token: Pointer, with_addr_gen_mode: bool) {
    let (flags, flags_read) = device.0.flagged(&globals::DEV_FLAGS, FLAGS_READ);
    let mut sysctls = Reading::new();
    let inet6_dev = Pointer(sysctls.get(device.0, &globals::DEV_IP6_PTR));
    let mut payload = SetToken {
        token: [0; 16],
        interface: device.name(),
        ifindex: device.0.or_zero(&globals::DEV_IFINDEX),
        ret: 0,
        flags,
        forwarding: sysctls.get(inet6_dev, &globals::CNF_FORWARDING),
        accept_ra: sysctls.get(inet6_dev, &globals::CNF_ACCEPT_RA),
        router_solicitations: sysctls.get(inet6_dev, &globals::CNF_RTR_SOLICITS),
        read: flags_read | (SYSCTLS_READ & sysctls.mask()),
        with_addr_gen_mode: u32::from(with_addr_gen_mode),
    };
    if token.read_into(&mut payload.token) {
        payload.read |= TOKEN_READ;
    }
    let net = Pointer(device.0.or_zero(&globals::DEV_NET));
    let netns = net.or_zero(&globals::NET_INUM);
    let request = Request { payload, netns };
    // A failed insertion shows at the return, as a call that is not known.
    let _ = TOKENS.insert(bpf_get_current_pid_tgid(), request, 0);
}

/// Return of either function. One without a token was not remembered, so an
/// unknown call is no loss here.
#[kretprobe]
fn set_token_return(ctx: RetProbeContext) -> u32 {
    let ret: i32 = ctx.ret();
    let thread = bpf_get_current_pid_tgid();
    let Some(request) = TOKENS.get_ptr(thread) else {
        return 0;
    };
    if ret != 0 || globals::EMIT_ALL.load() != 0 {
        if let Some(record) = TOKEN_RECORD.get_ptr_mut(0) {
            // SAFETY: both pointers are to map values, checked for null. Only
            // this thread works on the one, only this CPU on the other.
            let (request, record) = unsafe { (&*request, &mut *record) };
            record.open(wire::SET, request.netns);
            record.payload = request.payload;
            record.payload.ret = ret;
            record.send(&ctx, wire::SET);
        }
    }
    let _ = TOKENS.remove(thread);
    0
}
