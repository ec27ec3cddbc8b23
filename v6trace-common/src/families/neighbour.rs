//! Neighbours: what the table of all namespaces has no room for (`___neigh_create`),
//! those that did not answer (`neigh_timer_handler`; what answers came sees `ndisc_rcv`,
//! which `advertisement` watches), and what the host is to answer
//! for as a proxy, and may not (`ndisc_recv_ns`, which `dad` watches).

use crate::{
    Candidate, Family, Hook, HookInfo, INTERFACE_NAME_LEN, Programs,
    families::{advertisement, dad},
    kernel,
    kind::{constants, layout},
    member::{Shape, members},
};

/// Making an entry for a neighbour.
pub const CREATE: Hook = Hook(39);
/// An entry's timer, which asks again or gives up.
pub const TIMER: Hook = Hook(40);

/// Bytes of an address on the link that a record has room for.
pub const LLADDR_LEN: usize = 8;

layout! {
    /// A neighbour got no entry, since the table was full.
    ///
    /// All values are those when the call returned.
    pub struct NeighbourTableFull: kind 26, 64 bytes {
        /// The neighbour's address.
        pub address: [u8; 16],
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Index of the interface.
        pub ifindex: u32,
        /// What the function returned: a negative errno.
        pub ret: i32,
        /// Entries that count, of all namespaces: `neigh_table.gc_entries`.
        pub entries: u32,
        /// `net.ipv6.neigh.default.gc_thresh1`
        pub gc_thresh1: i32,
        /// `net.ipv6.neigh.default.gc_thresh2`
        pub gc_thresh2: i32,
        /// `net.ipv6.neigh.default.gc_thresh3`
        pub gc_thresh3: i32,
        /// Such failures that were not reported since the last report.
        pub suppressed: u32,
        /// Always 0.
        pub reserved: u32,
    }
}

layout! {
    /// A neighbour was asked as often as it may be, and did not answer.
    ///
    /// All values are those ahead of giving up.
    pub struct NeighbourSilent: kind 27, 152 bytes {
        /// The neighbour's address.
        pub address: [u8; 16],
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Name of the interface that the last neighbour advertisement for the address came
        /// in by, of link-local ones on this interface; NUL-padded ([`ANSWER_CAME`]).
        pub answer_interface: [u8; INTERFACE_NAME_LEN],
        /// When that came, nanoseconds since boot.
        pub answer_boot_ns: u64,
        /// Where the last packet that waits is to go, of IPv4 as `::ffff:0:0/96`; zeros
        /// where none waits, or it could not be read.
        pub waiting_for: [u8; 16],
        /// Where it comes from, likewise.
        pub waiting_from: [u8; 16],
        /// The address on the link that the neighbour had, as far as there is room; zeros
        /// where it was never known.
        pub lladdr: [u8; LLADDR_LEN],
        /// Bytes of that: `net_device.addr_len`; 0 where it was never known.
        pub lladdr_len: u32,
        /// Index of the interface.
        pub ifindex: u32,
        /// `neighbour.nud_state`
        pub nud_state: u32,
        /// `neighbour.flags` (`NTF_*`), its lowest byte.
        pub ntf_flags: u32,
        /// `neighbour.probes`: while it is looked for, `ucast_solicit` and those sent.
        pub probes: u32,
        /// `net.ipv6.neigh.IF.ucast_solicit`
        pub ucast_solicit: u32,
        /// `net.ipv6.neigh.IF.app_solicit`
        pub app_solicit: u32,
        /// `net.ipv6.neigh.IF.mcast_solicit`
        pub mcast_solicit: u32,
        /// `net.ipv6.neigh.IF.mcast_resolicit`
        pub mcast_resolicit: u32,
        /// Packets that wait for it: `neighbour.arp_queue.qlen`.
        pub waiting: u32,
        /// Neighbours of this interface, or this one, that were not reported since the
        /// last report.
        pub suppressed: u32,
        /// Index of the interface that the last neighbour advertisement for the address
        /// came in by ([`ANSWER_CAME`]).
        pub answer_ifindex: u32,
        /// Its hop limit.
        pub answer_hop_limit: u8,
        /// Its ICMPv6 code.
        pub answer_code: u8,
        /// Its flags: R is 0x80, S 0x40, O 0x20.
        pub answer_flags: u8,
        /// Whether it came, and what else was seen of it.
        pub answer_seen: u8,
        /// Always 0.
        pub reserved: u32,
    }
}

layout! {
    /// A solicitation asked for an address that the host is to answer for as a proxy, and
    /// a sysctl kept it from that.
    pub struct NeighbourProxyIdle: kind 28, 72 bytes {
        /// The address that was asked for.
        pub address: [u8; 16],
        /// Who asked.
        pub source: [u8; 16],
        /// Name of the interface, NUL-padded.
        pub interface: [u8; INTERFACE_NAME_LEN],
        /// Index of the interface.
        pub ifindex: u32,
        /// `net.ipv6.conf.IF.forwarding`
        pub forwarding: i32,
        /// `net.ipv6.conf.IF.proxy_ndp`
        pub proxy_ndp: i32,
        /// `net.ipv6.conf.all.proxy_ndp`
        pub all_proxy_ndp: i32,
        /// `net.ipv6.conf.all.forwarding`
        pub all_forwarding: i32,
        /// Such solicitations that were not reported since the last report.
        pub suppressed: u32,
    }
}

constants! {
    STATE of nud_state:
    /// `NUD_INCOMPLETE`: it is looked for by multicast.
    NUD_INCOMPLETE = 0x01;
    /// `NUD_PROBE`: it was known, and is asked whether it still is there.
    NUD_PROBE = 0x10;
}

constants! {
    ANSWER of answer_seen:
    /// A neighbour advertisement for the address came since tracing began.
    ANSWER_CAME = 1 << 0;
    /// It went to a group.
    ANSWER_TO_GROUP = 1 << 1;
    /// It has no options, and so no address on the link.
    ANSWER_WITHOUT_OPTIONS = 1 << 2;
}

members! {
    $ neighbour_members:
    NEIGH_TIMER: Shape::Object, "neighbour.timer",
        "neighbours that do not answer are not explained";
    NEIGH_TABLE: Shape::Object, "neighbour.tbl",
        "neighbours that do not answer are not explained";
    NEIGH_PARMS: Shape::Object, "neighbour.parms",
        "neighbours that do not answer are not explained";
    NEIGH_DEV: Shape::Object, "neighbour.dev",
        "neighbours that do not answer are not explained";
    NEIGH_KEY: Shape::Object, "neighbour.primary_key",
        "neighbours that do not answer are not explained";
    NEIGH_STATE: Shape::Bytes(1), "neighbour.nud_state",
        "neighbours that do not answer are not explained";
    NEIGH_PROBES: Shape::Bytes(4), "neighbour.probes.counter",
        "neighbours that do not answer are not explained";
    // Of one byte on old kernels, of four on newer ones.
    NEIGH_FLAGS: Shape::Object, "neighbour.flags",
        "neighbours that do not answer are not explained";
    NEIGH_LLADDR: Shape::Object, "neighbour.ha",
        "neighbours that do not answer are not explained";
    NEIGH_WAITING: Shape::Bytes(4), "neighbour.arp_queue.qlen",
        "neighbours that do not answer are not explained";
    NEIGH_QUEUE: Shape::Object, "neighbour.arp_queue.prev",
        "neighbours that do not answer are not explained";
    PARMS_DATA: Shape::Object, "neigh_parms.data",
        "neighbours that do not answer are not explained";
    IDEV_NEIGH_PARMS: Shape::Object, "inet6_dev.nd_parms",
        "proxies that may not answer are not explained";
    PARMS_TABLE: Shape::Object, "neigh_parms.tbl",
        "proxies that may not answer are not explained";
    TABLE_PROXIES: Shape::Object, "neigh_table.phash_buckets",
        "proxies that may not answer are not explained";
    PROXY_NEXT: Shape::Object, "pneigh_entry.next",
        "proxies that may not answer are not explained";
    PROXY_NET: Shape::Object, "pneigh_entry.net.net",
        "proxies that may not answer are not explained";
    PROXY_DEV: Shape::Object, "pneigh_entry.dev",
        "proxies that may not answer are not explained";
    PROXY_KEY: Shape::Object, "pneigh_entry.key",
        "proxies that may not answer are not explained";
    CNF_PROXY_NDP: Shape::Bytes(4), "inet6_dev.cnf.proxy_ndp",
        "proxies that may not answer are not explained";
    DEVCONF_PROXY_NDP: Shape::Bytes(4), "ipv6_devconf.proxy_ndp",
        "proxies that may not answer are not explained";
    TABLE_FAMILY: Shape::Bytes(4), "neigh_table.family",
        "neighbours of IPv6 are not told from those of IPv4, and not explained";
    TABLE_ENTRIES: Shape::Bytes(4), "neigh_table.gc_entries.counter",
        "a full table of neighbours is not explained";
    TABLE_THRESH1: Shape::Bytes(4), "neigh_table.gc_thresh1",
        "a full table of neighbours is not explained";
    TABLE_THRESH2: Shape::Bytes(4), "neigh_table.gc_thresh2",
        "a full table of neighbours is not explained";
    TABLE_THRESH3: Shape::Bytes(4), "neigh_table.gc_thresh3",
        "a full table of neighbours is not explained";
}

/// This family's line in every table.
pub const FAMILY: Family = Family {
    name: "neighbour",
    about: "neighbours that get no entry, or do not answer, and proxies that may not",
    on_request: None,
    payloads: &[
        &NeighbourTableFull::LAYOUT,
        &NeighbourSilent::LAYOUT,
        &NeighbourProxyIdle::LAYOUT,
    ],
    parts: &[],
    constants: &[&STATE, &ANSWER],
    hooks: &[
        HookInfo {
            hook: CREATE,
            name: "neighbour-create",
            about: "making an entry for a neighbour",
            without: "a full table of neighbours is not explained",
            candidates: &[Candidate {
                function: "___neigh_create",
                kprobes: Programs::both("neighbour_create_enter", "neighbour_create_return"),
                trampoline: None,
                needs: &[
                    &TABLE_FAMILY,
                    &TABLE_ENTRIES,
                    &TABLE_THRESH1,
                    &TABLE_THRESH2,
                    &TABLE_THRESH3,
                    &kernel::DEV_NET,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
        HookInfo {
            hook: TIMER,
            name: "neighbour-timer",
            about: "asking a neighbour again, or giving it up",
            without: "neighbours that do not answer are not explained",
            candidates: &[Candidate {
                function: "neigh_timer_handler",
                kprobes: Programs::entry("neighbour_timer"),
                trampoline: None,
                needs: &[
                    &NEIGH_TIMER,
                    &NEIGH_TABLE,
                    &NEIGH_PARMS,
                    &NEIGH_DEV,
                    &NEIGH_KEY,
                    &NEIGH_STATE,
                    &NEIGH_PROBES,
                    &NEIGH_FLAGS,
                    &NEIGH_LLADDR,
                    &NEIGH_WAITING,
                    &NEIGH_QUEUE,
                    &PARMS_DATA,
                    &TABLE_FAMILY,
                    &kernel::DEV_NET,
                    &kernel::NET_INUM,
                ],
                note: None,
            }],
        },
    ],
    also: &[dad::REFLECTION, advertisement::RECEIVED],
    members: MEMBERS,
    variables: &[],
};
