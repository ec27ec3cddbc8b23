//! Duplicate address detection: an address that was found in use, and a
//! solicitation that came back to its sender.

use std::net::Ipv6Addr;

use v6trace_common::families::dad as wire;

use crate::{
    event::{Name, name},
    families::Decode,
    frame::{Frame, Mac, Nonce},
};

/// An address under test was found in use.
#[derive(Clone, Debug, PartialEq)]
pub struct DadFailure {
    /// The frame that the kernel takes for proof.
    pub frame: Frame,
    /// The address.
    pub address: Ipv6Addr,
    /// Bits of its prefix.
    pub prefix_len: u32,
    /// Its interface.
    pub interface: Name,
    /// The interface's index.
    pub ifindex: u32,
    /// The interface's MAC; `None` where its link layer has none.
    pub own_mac: Option<Mac>,
    /// The address's `IFA_F_*` flags.
    pub flags: Option<u32>,
    /// How often a stable-privacy address was made anew, and how often it may.
    pub retries: Option<(u8, i32)>,
    /// The nonce of this attempt's solicitations.
    pub dad_nonce: Option<Nonce>,
    /// What v6trace saw the interface send for the address.
    pub sent: Option<Sent>,
    /// The interface of this host that sent the frame's nonce, where one was
    /// seen to.
    pub sender: Option<Sender>,
    /// The sysctls that matter.
    pub sysctls: Option<Sysctls>,
    /// Failures that were not reported since the last report.
    pub suppressed: u32,
}

/// A solicitation came back with the nonce that the interface last sent.
#[derive(Clone, Debug, PartialEq)]
pub struct DadReflection {
    /// The frame.
    pub frame: Frame,
    /// The address that it is about.
    pub address: Ipv6Addr,
    /// The interface.
    pub interface: Name,
    /// The interface's index.
    pub ifindex: u32,
    /// The nonce.
    pub nonce: Nonce,
    /// When it was sent last, nanoseconds since boot.
    pub sent_boot_ns: u64,
    /// Reflections that were not reported since the last report.
    pub suppressed: u32,
}

/// The solicitations for an address that were seen to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The last different nonces, newest first.
    pub nonces: Vec<Nonce>,
    /// When the last solicitation left, nanoseconds since boot.
    pub boot_ns: u64,
}

/// An interface of this host that sent a solicitation for the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The namespace that it is in.
    pub netns: u32,
    /// Its index.
    pub ifindex: u32,
    /// Its name at the time.
    pub interface: Name,
    /// When it last sent it, nanoseconds since boot.
    pub boot_ns: u64,
}

/// `net.ipv6.conf.*`, as far as a failure depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sysctls {
    /// `accept_dad`, the larger of `all` and the interface's.
    pub accept_dad: i32,
    /// `enhanced_dad`, of `all` or the interface.
    pub enhanced_dad: bool,
    /// `disable_ipv6` of the interface.
    pub disable_ipv6: bool,
}

impl Decode for DadFailure {
    type Wire = wire::DadFailure;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.read & flag != 0;
        let count = (wire.sent_count as usize).min(wire.sent_nonces.len());
        Self {
            frame: Frame::from_wire(&wire.frame),
            address: Ipv6Addr::from(wire.address),
            prefix_len: wire.prefix_len,
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            own_mac: (wire.own_mac_len == 6).then_some(Mac(wire.own_mac)),
            flags: has(wire::FLAGS_READ).then_some(wire.flags),
            retries: has(wire::RETRIES_READ)
                .then_some((wire.stable_privacy_retry, wire.idgen_retries)),
            dad_nonce: has(wire::NONCE_READ).then(|| Nonce::from_wire(wire.dad_nonce)),
            sent: (count > 0).then(|| Sent {
                nonces: wire.sent_nonces[..count]
                    .iter()
                    .map(|&nonce| Nonce::from_wire(nonce))
                    .collect(),
                boot_ns: wire.sent_boot_ns,
            }),
            sender: (wire.sender_boot_ns != 0).then(|| Sender {
                netns: wire.sender_netns,
                ifindex: wire.sender_ifindex,
                interface: name(&wire.sender_interface),
                boot_ns: wire.sender_boot_ns,
            }),
            sysctls: has(wire::SYSCTLS_READ).then_some(Sysctls {
                accept_dad: wire.accept_dad.max(wire.all_accept_dad),
                enhanced_dad: wire.enhanced_dad != 0 || wire.all_enhanced_dad != 0,
                disable_ipv6: wire.disable_ipv6 != 0,
            }),
            suppressed: wire.suppressed,
        }
    }
}

impl Decode for DadReflection {
    type Wire = wire::DadReflection;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            frame: Frame::from_wire(&wire.frame),
            address: Ipv6Addr::from(wire.address),
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            nonce: Nonce::from_wire(wire.nonce),
            sent_boot_ns: wire.sent_boot_ns,
            suppressed: wire.suppressed,
        }
    }
}
