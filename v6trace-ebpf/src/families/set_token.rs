//! Setting the token of an interface: `inet6_set_iftoken`, or its caller
//! `inet6_set_link_af` where the compiler inlined it.
//!
//! ```text
//! enter   reads the interface's values, which the function is about to test
//! return  refused: sends them
//! ```

use aya_ebpf::{
    macros::map,
    programs::{ProbeContext, RetProbeContext},
};
use v6trace_common::families::set_token::{
    self as wire, FLAGS_READ, SYSCTLS_READ, SetToken, TOKEN_READ,
};

use crate::{
    attachment::Arguments as _,
    attributes,
    calls::Calls,
    globals,
    kernel::Device,
    netlink,
    output::Record,
    pointer::{Pointer, Reading},
    programs::programs,
    scratch::Scratch,
};

/// A request between its call and its return.
#[repr(C)]
#[derive(Clone, Copy)]
struct Request {
    /// What goes out, but for the result.
    payload: SetToken,
    /// Where the token is in the request.
    token: u64,
    /// The interface's namespace.
    netns: u32,
    unused: u32,
}

/// Requests in flight, by thread.
#[map]
static TOKENS: Calls<Request> = Calls::new(256);

#[map]
static TOKEN_RECORD: Scratch<Record<SetToken>> = Scratch::new();

programs! {
    set_token: kprobe set_token_enter;
    set_link_af: kprobe set_link_af_enter;
    leave: kretprobe set_token_return;
}

/// `inet6_set_iftoken(idev, token, extack)`
#[inline(always)]
fn set_token(ctx: &ProbeContext) {
    let token = ctx.object(1);
    if let Some(device) = ctx.object(0).follow(&globals::INET6_DEV_DEV) {
        remember(Device(device), token, false);
    }
}

/// `inet6_set_link_af(dev, nla, extack)`, which sets the address generation
/// mode as well: only requests with a token count.
#[inline(always)]
fn set_link_af(ctx: &ProbeContext) -> Option<()> {
    let request = ctx.object(1);
    let length: u16 = request.read()?;
    let first = Pointer(request.0 + attributes::HEADER);
    attributes::look_through(first, request.0 + u64::from(length));
    let token = attributes::value(attributes::INET6_TOKEN);
    if token.0 != 0 {
        let with_addr_gen_mode = attributes::value(attributes::INET6_ADDR_GEN_MODE).0 != 0;
        remember(Device(ctx.object(0)), token, with_addr_gen_mode);
    }
    Some(())
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
    TOKENS.begin(&Request {
        payload,
        token: token.0,
        netns,
        unused: 0,
    });
}

/// Return of either function. One without a token was not remembered, so an
/// unknown call is no loss here.
#[inline(always)]
fn leave(ctx: &RetProbeContext) -> Option<()> {
    let ret: i32 = ctx.ret();
    let request = TOKENS.current()?;
    if ret != 0 {
        netlink::judged(request.token);
    }
    if (ret != 0 || globals::EMIT_ALL.load() != 0)
        && let Some(record) = TOKEN_RECORD.get()
    {
        record.open(wire::SET, request.netns);
        record.payload = request.payload;
        record.payload.ret = ret;
        record.send(ctx, wire::SET);
    }
    TOKENS.end();
    Some(())
}
