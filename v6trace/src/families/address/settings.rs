//! What the kernel refuses of, or ceases with, the addresses that it makes itself,
//! as records tell it.

use std::net::Ipv6Addr;

use v6trace_common::families::address as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    families::Decode,
};

/// A token or an address generation mode that was refused before the interface
/// looked at it.
#[derive(Clone, Debug, PartialEq)]
pub struct SettingsRefused {
    /// The token, where the request has one.
    pub token: Option<Ipv6Addr>,
    /// The mode, where the request has one.
    pub mode: Option<u32>,
    /// The interface.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// Why it was refused.
    pub errno: Errno,
    /// The interface's MTU, bytes.
    pub mtu: Option<u32>,
    /// Whether the interface has IPv6.
    pub has_ipv6: Option<bool>,
    /// Whether it, or `default`, has a stable_secret.
    pub has_secret: Option<bool>,
    /// Such failures that were not reported since the last report.
    pub suppressed: u32,
}

/// The kernel ceased to make temporary addresses on an interface.
#[derive(Clone, Debug, PartialEq)]
pub struct TemporaryStopped {
    /// The last that failed.
    pub address: Ipv6Addr,
    /// The address beside which it was made, and the `IFA_F_*` flags of that.
    pub public: Option<(Ipv6Addr, u32)>,
    /// Bits of the prefix of both.
    pub prefix_len: u32,
    /// The interface.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// `net.ipv6.conf.IF.regen_max_retry`
    pub regen_max_retry: Option<i32>,
    /// `net.ipv6.conf.IF.use_tempaddr`, as it was.
    pub use_tempaddr: i32,
}

impl Decode for SettingsRefused {
    type Wire = wire::SettingsRefused;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.settings & flag != 0;
        Self {
            token: has(wire::TOKEN_ASKED).then(|| Ipv6Addr::from(wire.token)),
            mode: has(wire::MODE_ASKED).then_some(wire.mode),
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            errno: Errno(wire.ret.saturating_neg()),
            mtu: has(wire::SETTINGS_MTU_READ).then_some(wire.mtu),
            has_ipv6: has(wire::SETTINGS_INET6_READ).then_some(has(wire::SETTINGS_HAS_INET6)),
            has_secret: has(wire::SECRET_READ).then_some(has(wire::SECRET_SET)),
            suppressed: wire.suppressed,
        }
    }
}

impl Decode for TemporaryStopped {
    type Wire = wire::TemporaryStopped;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            address: Ipv6Addr::from(wire.address),
            public: (wire.public_read != 0)
                .then(|| (Ipv6Addr::from(wire.public), wire.public_flags)),
            prefix_len: wire.prefix_len,
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            regen_max_retry: (wire.regen_max_retry >= 0).then_some(wire.regen_max_retry),
            use_tempaddr: wire.use_tempaddr,
        }
    }
}
