//! An anycast address that an interface took or gave up, as
//! `__ipv6_dev_ac_inc` and `__ipv6_dev_ac_dec` left it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::INTERFACE_NAME_LEN;

/// Payload of [`Kind::AnycastChange`](crate::Kind::AnycastChange), written only
/// where the interface did not own the address before, or no longer does.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct AnycastChange {
    /// The anycast address.
    pub address: [u8; 16],
    /// Name of the interface, NUL-padded.
    pub interface: [u8; INTERFACE_NAME_LEN],
    /// Name of the interface whose forwarding was written, NUL-padded
    /// ([`WRITTEN_INTERFACE`]).
    pub written_interface: [u8; INTERFACE_NAME_LEN],
    /// Index of the interface.
    pub ifindex: u32,
    /// [`JOINED`] or [`RELEASED`].
    pub change: u32,
    /// What led to it: [`FORWARDING_CHANGE`], [`ADDRESS_USABLE`] or
    /// [`SETSOCKOPT`].
    pub trigger: u32,
    /// Which forwarding sysctl was written: [`WRITTEN_ALL`],
    /// [`WRITTEN_INTERFACE`], or 0 where none was or it is not known.
    pub written: u32,
    /// Prefix length of the interface's address from which this one follows,
    /// bits ([`PREFIX_FOUND`]).
    pub prefix_len: u32,
    /// `net.ipv6.conf.IF.forwarding` ([`FORWARDING_READ`])
    pub forwarding: i32,
    /// `net.ipv6.conf.all.forwarding` ([`ALL_FORWARDING_READ`])
    pub all_forwarding: i32,
    /// `net.ipv6.conf.IF.accept_ra` ([`ACCEPT_RA_READ`])
    pub accept_ra: i32,
    /// `net.ipv6.conf.IF.force_forwarding` ([`FORCE_FORWARDING_READ`])
    pub force_forwarding: i32,
    /// Which of the values above were read, and what was found: constants of
    /// this module.
    pub flags: u32,
}

const _: () = assert!(size_of::<AnycastChange>() == 88);

/// The interface took the address.
pub const JOINED: u32 = 1;
/// The interface gave the address up.
pub const RELEASED: u32 = 2;

/// The interface began, or ceased, to forward.
pub const FORWARDING_CHANGE: u32 = 1;
/// An address became usable on an interface that forwards.
pub const ADDRESS_USABLE: u32 = 2;
/// A socket asked for it (`IPV6_JOIN_ANYCAST`).
pub const SETSOCKOPT: u32 = 3;

/// `net.ipv6.conf.all.forwarding` was written.
pub const WRITTEN_ALL: u32 = 1;
/// The forwarding of one interface was written.
pub const WRITTEN_INTERFACE: u32 = 2;

/// The interface has an address whose prefix this one begins.
pub const PREFIX_FOUND: u32 = 1 << 0;
/// The interface has this very address as an ordinary one that is in force.
pub const OWN_ADDRESS: u32 = 1 << 1;
/// All addresses of the interface were looked at.
pub const ADDRESSES_COMPLETE: u32 = 1 << 2;
/// `forwarding` was read.
pub const FORWARDING_READ: u32 = 1 << 3;
/// `all_forwarding` was read.
pub const ALL_FORWARDING_READ: u32 = 1 << 4;
/// `accept_ra` was read.
pub const ACCEPT_RA_READ: u32 = 1 << 5;
/// `force_forwarding` was read, as kernels since 6.17 have it.
pub const FORCE_FORWARDING_READ: u32 = 1 << 6;
