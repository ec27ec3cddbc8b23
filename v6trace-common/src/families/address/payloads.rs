//! What the records of this family hold.

use crate::{
    COMM_LEN, INTERFACE_NAME_LEN,
    kind::{constants, layout},
};

/// Addresses that a record of a loss has room for.
pub const ADDRESSES: usize = 8;
/// Routes that it has room for.
pub const ROUTES: usize = 4;

layout! {
    /// A request to add, change or delete an address failed.
    ///
    /// The interface's values are those at the return; each counts only where its
    /// flag is set in [`read`](Self::read).
    pub struct AddressRequest: kind 9, 128 bytes {
        /// When `disable_ipv6` was last set, nanoseconds since boot
        /// ([`WRITER_KNOWN`]).
        pub writer_boot_ns: u64,
        /// The address ([`ADDRESS_READ`]).
        pub address: [u8; 16],
        /// Name of the interface that was asked for, NUL-padded
        /// ([`DEVICE_FOUND`]).
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// The name of the task that set it, NUL-padded.
        pub writer_comm: [u8; COMM_LEN],
        /// That task's process id.
        pub writer_pid: u32,
        /// Which `disable_ipv6` it wrote ([`WRITER_KNOWN`]).
        pub wrote: u32,
        /// The interface index in the request.
        pub ifindex: u32,
        /// What the function returned: a negative errno.
        pub ret: i32,
        /// The prefix length in the request, bits.
        pub prefix_len: u32,
        /// The flags in the request (`IFA_F_*`).
        pub flags: u32,
        /// The preferred lifetime in the request, seconds ([`LIFETIMES_GIVEN`]).
        pub preferred: u32,
        /// The valid lifetime in the request, seconds ([`LIFETIMES_GIVEN`]).
        pub valid: u32,
        /// The MTU of the interface, bytes ([`MTU_READ`]).
        pub mtu: u32,
        /// `net.ipv6.conf.IF.disable_ipv6` ([`DISABLE_IPV6_READ`])
        pub disable_ipv6: i32,
        /// `net.ipv6.conf.all.disable_ipv6` ([`HOST_READ`])
        pub all_disable_ipv6: i32,
        /// `net.ipv6.conf.default.disable_ipv6` ([`HOST_READ`])
        pub default_disable_ipv6: i32,
        /// The flags of the address as the interface has it already
        /// ([`EXISTING_FOUND`]).
        pub existing_flags: u32,
        /// Its prefix length, bits ([`EXISTING_FOUND`]).
        pub existing_prefix_len: u32,
        /// Who made it (`IFAPROT_*`), 0 where nobody said ([`EXISTING_PROTO_READ`]).
        pub existing_proto: u32,
        /// Such failures that were not reported since the last report.
        pub suppressed: u32,
        /// Which of the values above were read, and what was found.
        pub read: u32,
        /// Always 0.
        pub unused: u32,
    }
}

layout! {
    /// Interfaces lost addresses, or routes that somebody had set.
    pub struct AddressesLost: kind 10, 696 bytes {
        /// The first of the addresses.
        pub addresses: [LostAddress; ADDRESSES],
        /// The first of the routes.
        pub routes: [LostRoute; ROUTES],
        /// Name of the interface, NUL-padded; of the last one, where there were
        /// several.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Name of the VRF, NUL-padded ([`VRF_ENTERED`], [`VRF_LEFT`]).
        pub vrf: [u8; INTERFACE_NAME_LEN],
        /// Its index.
        pub ifindex: u32,
        /// What took them away: [`DISABLED`], [`MTU`], [`MTU_OF_LOOPBACK`],
        /// [`DOWN`], [`VRF_ENTERED`] or [`VRF_LEFT`].
        pub trigger: u32,
        /// Which `disable_ipv6` was written ([`DISABLED`]).
        pub wrote: u32,
        /// How many interfaces lost something.
        pub interfaces: u32,
        /// How many addresses went; those beyond [`ADDRESSES`] are not in
        /// `addresses`.
        pub address_count: u32,
        /// How many of them somebody had set for good: neither link-local nor
        /// loopback, and without a lifetime.
        pub set_count: u32,
        /// How many of them had a lifetime: learned from a router or over DHCPv6.
        pub learned_count: u32,
        /// How many routes went that the kernel does not make itself; those beyond
        /// [`ROUTES`] are not in `routes`.
        pub route_count: u32,
        /// The interface's MTU, bytes ([`MTU`], [`MTU_OF_LOOPBACK`]).
        pub mtu: u32,
        /// Such losses of the interface that were not reported since the last report.
        pub suppressed: u32,
    }
}

layout! {
    /// An address that went.
    pub struct LostAddress: 48 bytes {
        /// The address.
        pub address: [u8; 16],
        /// Name of its interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Index of that interface.
        pub ifindex: u32,
        /// Bits of the address's prefix.
        pub prefix_len: u32,
        /// `inet6_ifaddr.flags` (`IFA_F_*`).
        pub flags: u32,
        /// Who made it: `inet6_ifaddr.ifa_proto` (`IFAPROT_*`), 0 where nobody said.
        pub made_by: u32,
    }
}

layout! {
    /// A route that went.
    pub struct LostRoute: 60 bytes {
        /// Its destination.
        pub destination: [u8; 16],
        /// Its gateway, zeros without.
        pub gateway: [u8; 16],
        /// Name of its interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Bits of the destination.
        pub prefix_len: u32,
        /// Who set it (`RTPROT_*`).
        pub protocol: u32,
        /// Its table: `fib6_table.tb6_id`.
        pub table: u32,
    }
}

layout! {
    /// A token or an address generation mode of an interface was refused before
    /// it was looked at.
    pub struct SettingsRefused: kind 11, 56 bytes {
        /// The token ([`TOKEN_ASKED`]).
        pub token: [u8; 16],
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Index of the interface.
        pub ifindex: u32,
        /// What the function returned: a negative errno.
        pub ret: i32,
        /// The address generation mode ([`MODE_ASKED`]).
        pub mode: u32,
        /// The interface's MTU, bytes ([`SETTINGS_MTU_READ`]).
        pub mtu: u32,
        /// What was asked for, what was read, and what was found.
        pub settings: u32,
        /// Such failures that were not reported since the last report.
        pub suppressed: u32,
    }
}

layout! {
    /// The kernel ceased to make temporary addresses on an interface.
    pub struct TemporaryStopped: kind 12, 72 bytes {
        /// The last that failed.
        pub address: [u8; 16],
        /// The address beside which it was made.
        pub public: [u8; 16],
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Index of the interface.
        pub ifindex: u32,
        /// Bits of the prefix of both.
        pub prefix_len: u32,
        /// The flags of the public address (`IFA_F_*`).
        pub public_flags: u32,
        /// `net.ipv6.conf.IF.regen_max_retry`, -1 where it could not be read.
        pub regen_max_retry: i32,
        /// `net.ipv6.conf.IF.use_tempaddr` before.
        pub use_tempaddr: i32,
        /// Not 0: `public` and `public_flags` were read.
        pub public_read: u32,
    }
}

layout! {
    /// An interface came up, and the kernel made no link-local address: it is not
    /// to, or has no secret to make it of.
    pub struct LinkLocalMissing: kind 22, 48 bytes {
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Index of the interface.
        pub ifindex: u32,
        /// `net.ipv6.conf.IF.addr_gen_mode`: 1 (none), or 2 (stable_secret) without a
        /// secret.
        pub addr_gen_mode: u32,
        /// `net_device.flags` (`IFF_*`), 0 where they could not be read.
        pub dev_flags: u32,
        /// `net_device.type` (`ARPHRD_*`), 0 where it could not be read.
        pub device_type: u32,
        /// Not 0: it is a VRF.
        pub is_vrf: u32,
        /// How it came up: [`BY_SETTING_UP`], [`BY_CARRIER`] or [`BY_DISABLE_IPV6`].
        pub came_up_by: u32,
        /// Such occasions of the interface that were not reported since the last report.
        pub suppressed: u32,
        /// Always 0.
        pub unused: u32,
    }
}

constants! {
    READ of read:
    /// `address` was in the request.
    ADDRESS_READ = 1 << 0;
    /// The request has lifetimes.
    LIFETIMES_GIVEN = 1 << 1;
    /// An interface with that index exists.
    DEVICE_FOUND = 1 << 2;
    /// No interface has that index.
    DEVICE_ABSENT = 1 << 3;
    /// Whether the interface has IPv6 state (`net_device.ip6_ptr`) was read.
    INET6_READ = 1 << 4;
    /// It has.
    DEVICE_HAS_INET6 = 1 << 5;
    /// `mtu` was read.
    MTU_READ = 1 << 6;
    /// `disable_ipv6` was read.
    DISABLE_IPV6_READ = 1 << 7;
    /// `all_disable_ipv6` and `default_disable_ipv6` were read.
    HOST_READ = 1 << 8;
    /// The interface has the address already.
    EXISTING_FOUND = 1 << 9;
    /// Who set `disable_ipv6` was seen.
    WRITER_KNOWN = 1 << 10;
    /// `existing_proto` was read.
    EXISTING_PROTO_READ = 1 << 11;
}

constants! {
    WROTE of wrote:
    /// `net.ipv6.conf.all.disable_ipv6`
    WROTE_ALL = 1;
    /// `net.ipv6.conf.IF.disable_ipv6`
    WROTE_INTERFACE = 2;
    /// `net.ipv6.conf.default.disable_ipv6`, with which interfaces begin.
    WROTE_DEFAULT = 3;
}

constants! {
    TRIGGERS of trigger:
    /// A `disable_ipv6` was written.
    DISABLED = 1;
    /// The interface's MTU fell below 1280, and it has no IPv6 any more.
    MTU = 2;
    /// The interface was set down.
    DOWN = 3;
    /// The MTU of a loopback interface fell below 1280, which keeps its IPv6 state.
    MTU_OF_LOOPBACK = 4;
    /// The interface entered a VRF.
    VRF_ENTERED = 5;
    /// It left one.
    VRF_LEFT = 6;
}

constants! {
    WAYS_UP of came_up_by:
    /// It was set up, and had a carrier.
    BY_SETTING_UP = 1;
    /// It was set up before, and got a carrier.
    BY_CARRIER = 2;
    /// It was up, and `disable_ipv6` was set to 0.
    BY_DISABLE_IPV6 = 3;
}

constants! {
    SETTINGS_FLAGS of settings:
    /// The request has a token.
    TOKEN_ASKED = 1 << 0;
    /// The request has an address generation mode.
    MODE_ASKED = 1 << 1;
    /// Whether the interface has IPv6 state (`net_device.ip6_ptr`) was read.
    SETTINGS_INET6_READ = 1 << 2;
    /// It has.
    SETTINGS_HAS_INET6 = 1 << 3;
    /// `mtu` was read.
    SETTINGS_MTU_READ = 1 << 4;
    /// Whether there is a secret was read.
    SECRET_READ = 1 << 5;
    /// There is one, of the interface or of `default`.
    SECRET_SET = 1 << 6;
}
