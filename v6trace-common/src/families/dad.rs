//! Duplicate address detection: what `addrconf_dad_failure` and
//! `ndisc_recv_ns` had in hand.

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs, kernel,
    kind::{constants, layout},
    member::{Shape, members},
    neighbour::NeighbourFrame,
};

/// Duplicate address detection finding an address in use.
pub const FAILURE: Hook = Hook(12);
/// Sending a solicitation of duplicate address detection.
pub const SOLICITATION: Hook = Hook(13);
/// Receiving one's own solicitation of duplicate address detection.
pub const REFLECTION: Hook = Hook(14);

/// Nonces that are remembered for each interface and address.
pub const NONCES: usize = 4;

layout! {
    /// An address under test was found in use.
    pub struct DadFailure: kind 6, 304 bytes {
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
        /// Which values were read.
        pub read: u32,
    }
}

layout! {
    /// A solicitation came back with the nonce that the interface last sent.
    pub struct DadReflection: kind 7, 192 bytes {
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
}

constants! {
    READ of read:
    /// The five sysctls `accept_dad` to `disable_ipv6` were read.
    SYSCTLS_READ = 1 << 0;
    /// `flags` was read.
    FLAGS_READ = 1 << 1;
    /// `dad_nonce` was read.
    NONCE_READ = 1 << 2;
    /// `stable_privacy_retry` and `idgen_retries` were read.
    RETRIES_READ = 1 << 3;
}

members! {
    $ dad_members:
    IFA_STATE: Shape::Bytes(4), "inet6_ifaddr.state",
        "failed duplicate address detection is not explained";
    IFA_DAD_NONCE: Shape::Bytes(8), "inet6_ifaddr.dad_nonce",
        "the nonce of an address is not known";
    IFA_STABLE_PRIVACY_RETRY: Shape::Bytes(1), "inet6_ifaddr.stable_privacy_retry",
        "whether a stable-privacy address is tried again is not known";
    NET_IDGEN_RETRIES: Shape::Bytes(4), "net.ipv6.sysctl.idgen_retries",
        "whether a stable-privacy address is tried again is not known";
    DEVCONF_ACCEPT_DAD: Shape::Bytes(4), "ipv6_devconf.accept_dad",
        "accept_dad is not known";
    DEVCONF_ENHANCED_DAD: Shape::Bytes(4), "ipv6_devconf.enhanced_dad",
        "enhanced_dad is not known";
    DEV_ADDR: Shape::Object, "net_device.dev_addr",
        "an interface's own frames are not told from others'";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "dad",
    about: "duplicate address detection",
    on_request: None,
    payloads: &[&DadFailure::LAYOUT, &DadReflection::LAYOUT],
    parts: &[&NeighbourFrame::LAYOUT],
    constants: &[&READ],
    hooks: &[
        HookInfo {
            hook: FAILURE,
            name: "dad-failure",
            about: "duplicate address detection finding an address in use",
            without: "failed duplicate address detection is not explained",
            candidates: &[Candidate {
                function: "addrconf_dad_failure",
                kprobes: Programs::entry("dad_failure"),
                trampoline: None,
                needs: &[
                    &kernel::IFA_ADDR,
                    &IFA_STATE,
                    &kernel::IFA_IDEV,
                    &kernel::INET6_DEV_DEV,
                    &kernel::DEV_NET,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: SOLICITATION,
            name: "dad-solicitation",
            about: "sending a solicitation of duplicate address detection",
            without: "late or cloned solicitations of duplicate address detection are not told apart",
            candidates: &[Candidate {
                function: "ndisc_send_ns",
                kprobes: Programs::entry("dad_solicitation"),
                trampoline: None,
                needs: &[&kernel::DEV_NET, &kernel::DEV_IFINDEX, &kernel::NET_INUM],
                note: None,
            }],
        },
        HookInfo {
            hook: REFLECTION,
            name: "dad-reflection",
            about: "receiving one's own solicitation of duplicate address detection",
            without: "reflections that the kernel recognises by their nonce, and proxies that may not answer, \
                      are not reported",
            candidates: &[Candidate {
                function: "ndisc_recv_ns",
                kprobes: Programs::entry("dad_reflection"),
                trampoline: None,
                needs: &[
                    &kernel::SKB_DEV,
                    &kernel::SKB_HEAD,
                    &kernel::SKB_NETWORK_HEADER,
                    &kernel::SKB_TRANSPORT_HEADER,
                    &kernel::SKB_LEN,
                    &kernel::DEV_NET,
                    &kernel::DEV_IFINDEX,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
    ],
    also: &[],
    members: MEMBERS,
    variables: &[],
};
