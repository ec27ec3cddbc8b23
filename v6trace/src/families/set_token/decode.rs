//! A request to set an interface's token.

use std::net::Ipv6Addr;

use v6trace_common::families::set_token as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    families::Decode,
};

/// A request to set an interface's token that returned.
#[derive(Clone, Debug, PartialEq)]
pub struct SetToken {
    /// The token; the kernel uses its lower 64 bits.
    pub token: Option<Ipv6Addr>,
    /// The interface.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// Why it was refused; `None` when it was not.
    pub errno: Option<Errno>,
    /// The interface's `IFF_*` flags.
    pub flags: Option<u32>,
    /// The interface's own sysctls.
    pub sysctls: Option<Sysctls>,
    /// Whether the request also set the address generation mode.
    pub with_addr_gen_mode: bool,
}

/// `net.ipv6.conf.IF.*`, as far as the token depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sysctls {
    /// `forwarding`
    pub forwarding: i32,
    /// `accept_ra`
    pub accept_ra: i32,
    /// `router_solicitations`
    pub router_solicitations: i32,
}

impl Decode for SetToken {
    type Wire = wire::SetToken;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.read & flag != 0;
        Self {
            token: has(wire::TOKEN_READ).then(|| Ipv6Addr::from(wire.token)),
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            errno: Errno::of_result(wire.ret),
            flags: has(wire::FLAGS_READ).then_some(wire.flags),
            sysctls: has(wire::SYSCTLS_READ).then_some(Sysctls {
                forwarding: wire.forwarding,
                accept_ra: wire.accept_ra,
                router_solicitations: wire.router_solicitations,
            }),
            with_addr_gen_mode: wire.with_addr_gen_mode != 0,
        }
    }
}
