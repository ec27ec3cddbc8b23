//! What the kernel refuses of, ceases with, or does not begin with, the addresses that
//! it makes itself, as records tell it.

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

/// An interface came up, and the kernel made no link-local address.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkLocalMissing {
    /// The interface.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// `net.ipv6.conf.IF.addr_gen_mode`: none, or `stable_secret` without a secret.
    pub addr_gen_mode: u32,
    /// Its `IFF_*` flags.
    pub dev_flags: u32,
    /// Its `ARPHRD_*` type.
    pub device_type: u32,
    /// Whether it is a VRF.
    pub is_vrf: bool,
    /// How it came up.
    pub way: WayUp,
    /// Such occasions that were not reported since the last report.
    pub suppressed: u32,
}

/// How an interface came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayUp {
    /// It was set up.
    SetUp,
    /// It had been, and got a carrier.
    Carrier,
    /// It was up, and `disable_ipv6` was set to 0.
    Enabled,
    /// A number that this version does not know.
    Unknown,
}

impl WayUp {
    /// Its name in `--events`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SetUp => "set-up",
            Self::Carrier => "carrier",
            Self::Enabled => "disable_ipv6",
            Self::Unknown => "unknown",
        }
    }
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

impl Decode for LinkLocalMissing {
    type Wire = wire::LinkLocalMissing;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            addr_gen_mode: wire.addr_gen_mode,
            dev_flags: wire.dev_flags,
            device_type: wire.device_type,
            is_vrf: wire.is_vrf != 0,
            way: match wire.came_up_by {
                wire::BY_SETTING_UP => WayUp::SetUp,
                wire::BY_CARRIER => WayUp::Carrier,
                wire::BY_DISABLE_IPV6 => WayUp::Enabled,
                _ => WayUp::Unknown,
            },
            suppressed: wire.suppressed,
        }
    }
}
