//! Setting the token of an interface, the lower half of its autoconfigured
//! addresses (`ip token set`), as `inet6_set_iftoken` left it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::INTERFACE_NAME_LEN;

/// Payload of [`Kind::SetToken`](crate::Kind::SetToken).
///
/// The interface's values are those before the call, which is when the kernel
/// tests them; each counts only where its flag is set in [`read`](Self::read).
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SetToken {
    /// The token; the kernel uses its lower 64 bits.
    pub token: [u8; 16],
    /// Name of the interface, NUL-padded.
    pub interface: [u8; INTERFACE_NAME_LEN],
    /// Index of the interface.
    pub ifindex: u32,
    /// What the function returned: 0 or a negative errno.
    pub ret: i32,
    /// `net_device.flags` (`IFF_*`).
    pub flags: u32,
    /// `net.ipv6.conf.IF.forwarding`
    pub forwarding: i32,
    /// `net.ipv6.conf.IF.accept_ra`
    pub accept_ra: i32,
    /// `net.ipv6.conf.IF.router_solicitations`
    pub router_solicitations: i32,
    /// Which of the values above were read: constants of this module.
    pub read: u32,
    /// Not 0: the request also set the address generation mode, which fails
    /// with the same errno.
    pub with_addr_gen_mode: u32,
}

const _: () = assert!(size_of::<SetToken>() == 64);

/// `flags` was read.
pub const FLAGS_READ: u32 = 1 << 0;
/// `forwarding`, `accept_ra` and `router_solicitations` were read.
pub const SYSCTLS_READ: u32 = 1 << 1;
/// `token` was read.
pub const TOKEN_READ: u32 = 1 << 2;
