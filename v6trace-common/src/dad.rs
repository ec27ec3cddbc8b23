//! Duplicate address detection: what `addrconf_dad_failure` and
//! `ndisc_recv_ns` had in hand.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::INTERFACE_NAME_LEN;

/// Bytes of a frame that a record has room for.
pub const FRAME_LEN: usize = 128;
/// Bytes of a frame that are copied at most: a solicitation or advertisement
/// over Ethernet with five options of 8 bytes.
pub const FRAME_COPIED: u32 = 120;
/// Nonces that are remembered for each interface and address.
pub const NONCES: usize = 4;

/// Nanoseconds that a failure, or a reflection, for one address of an interface
/// is not reported again: the newest is held back in a map instead.
pub const DAD_QUIET_NS: u64 = 1_000_000_000;
/// Bytes of a key of the maps of records held back: an address, the network
/// namespace's inode number and the interface's index.
pub const HELD_KEY_LEN: usize = 24;

/// The beginning of a frame of neighbour discovery, from its link layer on.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct NeighbourFrame {
    /// The bytes; only the first [`copied`](Self::copied) count.
    pub bytes: [u8; FRAME_LEN],
    /// How many bytes were copied; 0 where the frame could not be read.
    pub copied: u16,
    /// Bytes of the whole frame.
    pub length: u16,
    /// Where the IPv6 header begins; 0 without a link layer.
    pub network: u16,
    /// Where the ICMPv6 header begins.
    pub transport: u16,
}

const _: () = assert!(size_of::<NeighbourFrame>() == 136);

/// Payload of [`Kind::DadFailure`](crate::Kind::DadFailure): an address under
/// test was found in use.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct DadFailure {
    /// The frame that the kernel takes for proof.
    pub frame: NeighbourFrame,
    /// The address.
    pub address: [u8; 16],
    /// Name of its interface, NUL-padded.
    pub interface: [u8; INTERFACE_NAME_LEN],
    /// The interface's link-layer address, as far as it fits.
    pub own_mac: [u8; 6],
    /// Bytes of that address; 6 for Ethernet and what looks like it.
    pub own_mac_len: u8,
    /// `inet6_ifaddr.stable_privacy_retry`
    pub stable_privacy_retry: u8,
    /// `inet6_ifaddr.dad_nonce`: its first six bytes are the nonce of the
    /// address's solicitations, zeros without.
    pub dad_nonce: u64,
    /// The nonces of the interface's last solicitations for the address,
    /// newest first, in the form of `dad_nonce`.
    pub sent_nonces: [u64; NONCES],
    /// When the newest of them was sent, nanoseconds since boot; 0 where none
    /// was seen.
    pub sent_boot_ns: u64,
    /// When an interface of this host last sent a solicitation for the address
    /// with the frame's nonce, nanoseconds since boot; 0 where none was seen, or
    /// the frame has none.
    pub sender_boot_ns: u64,
    /// How many of `sent_nonces` count.
    pub sent_count: u32,
    /// Index of the interface that sent the frame's nonce.
    pub sender_ifindex: u32,
    /// The network namespace that it is in.
    pub sender_netns: u32,
    /// Its name, NUL-padded.
    pub sender_interface: [u8; INTERFACE_NAME_LEN],
    /// Index of the interface.
    pub ifindex: u32,
    /// Bits of the address's prefix.
    pub prefix_len: u32,
    /// `inet6_ifaddr.flags` (`IFA_F_*`).
    pub flags: u32,
    /// `net.ipv6.conf.IF.accept_dad`
    pub accept_dad: i32,
    /// `net.ipv6.conf.all.accept_dad`
    pub all_accept_dad: i32,
    /// `net.ipv6.conf.IF.enhanced_dad`
    pub enhanced_dad: i32,
    /// `net.ipv6.conf.all.enhanced_dad`
    pub all_enhanced_dad: i32,
    /// `net.ipv6.conf.IF.disable_ipv6`
    pub disable_ipv6: i32,
    /// `net.ipv6.idgen_retries`
    pub idgen_retries: i32,
    /// Failures of this address that were not reported since the last report.
    pub suppressed: u32,
    /// Which values were read: constants of this module.
    pub read: u32,
}

const _: () = assert!(size_of::<DadFailure>() == 304);

/// The five sysctls `accept_dad` to `disable_ipv6` were read.
pub const SYSCTLS_READ: u32 = 1 << 0;
/// `flags` was read.
pub const FLAGS_READ: u32 = 1 << 1;
/// `dad_nonce` was read.
pub const NONCE_READ: u32 = 1 << 2;
/// `stable_privacy_retry` and `idgen_retries` were read.
pub const RETRIES_READ: u32 = 1 << 3;

/// Payload of [`Kind::DadReflection`](crate::Kind::DadReflection): a
/// solicitation came back with the nonce that the interface last sent.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct DadReflection {
    /// The frame.
    pub frame: NeighbourFrame,
    /// The address that it is about.
    pub address: [u8; 16],
    /// Name of the interface, NUL-padded.
    pub interface: [u8; INTERFACE_NAME_LEN],
    /// The nonce, in the form of [`DadFailure::dad_nonce`].
    pub nonce: u64,
    /// When the interface sent it last, nanoseconds since boot.
    pub sent_boot_ns: u64,
    /// Index of the interface.
    pub ifindex: u32,
    /// Reflections that were not reported since the last report.
    pub suppressed: u32,
}

const _: () = assert!(size_of::<DadReflection>() == 192);
