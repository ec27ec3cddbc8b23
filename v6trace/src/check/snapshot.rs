//! What a network namespace has, as userspace found it: the state that findings
//! rest on, as netlink and procfs give it.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::{
    container::Container,
    families::{
        neighbour::Counts,
        source_selection::{self, Addresses},
    },
    frame::Mac,
    record::Finding,
};

/// Entries of each list.
pub(super) const LISTED: usize = 4096;

/// One network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// When it was looked at, nanoseconds since boot.
    pub boot_ns: u64,
    /// Its inode number.
    pub netns: u32,
    /// Its interfaces.
    pub interfaces: Vec<Interface>,
    /// Their IPv6 addresses.
    pub addresses: Vec<Address>,
    /// IPv6 routes with a gateway, and default routes; `None` where they could not be listed.
    pub routes: Option<Vec<Route>>,
    /// Whether more of them have no carrier than the kernel is asked for.
    pub has_unasked: bool,
    /// What interfaces answer for as anycast, by index; `None` where that could not be
    /// read.
    pub anycast: Option<Vec<(u32, Ipv6Addr)>>,
    /// What they answer for as proxies, likewise.
    pub proxied: Option<Vec<(u32, Ipv6Addr)>>,
    /// Neighbours that are a gateway of one of the routes.
    pub gateways: Option<Vec<Gateway>>,
    /// All entries of the table of neighbours that take room in it.
    pub neighbours: Option<Counts>,
    /// `net.ipv6.conf.all`
    pub all: Settings,
    /// Sockets that wait for TCP connections at an address that no interface has, those
    /// that were looked up; `None` where they could not be listed.
    pub strays: Option<Vec<Stray>>,
    /// Sockets whose option memory is half full or more, and that have joined groups;
    /// `None` where that could not be read.
    pub joined: Option<Vec<Joined>>,
    /// IPv4 routes with IPv6 next hops; `None` where they could not be listed.
    pub sources: Option<Box<Sources>>,
    /// Raw ICMPv6 sockets, which are given router advertisements as well.
    pub raw_icmpv6: Option<u32>,
    /// Whether there is more than was listed of anything.
    pub cut: bool,
    /// A process in it: (namespace, process id).
    pub processes: Vec<(u32, u32)>,
    /// The container that it is of.
    pub container: Option<Box<Container>>,
}

impl Finding for Snapshot {
    fn inhabitants(&self) -> &[(u32, u32)] {
        &self.processes
    }
}

impl Snapshot {
    /// How much there is of it.
    pub(super) fn size(&self) -> usize {
        self.lists().iter().sum()
    }

    fn lists(&self) -> [usize; 12] {
        let sources = self.sources.as_ref();
        [
            self.interfaces.len(),
            self.addresses.len(),
            self.routes.as_ref().map_or(0, Vec::len),
            self.anycast.as_ref().map_or(0, Vec::len),
            self.proxied.as_ref().map_or(0, Vec::len),
            self.gateways.as_ref().map_or(0, Vec::len),
            self.strays.as_ref().map_or(0, Vec::len),
            self.joined.as_ref().map_or(0, Vec::len),
            self.joined
                .iter()
                .flatten()
                .map(|one| one.interfaces.len())
                .sum(),
            sources.map_or(0, |sources| sources.choices.len()),
            sources.map_or(0, |sources| sources.addresses.interfaces.len()),
            sources.map_or(0, |sources| sources.addresses.addresses.len()),
        ]
    }

    /// Whether only a part of it could be seen.
    #[cfg(feature = "live")]
    pub(super) fn is_partial(&self) -> bool {
        // Nobody has lists of what there is none of.
        let is_off = self.all.ipv6_off.is_some_and(|off| off != 0);
        let all_known = is_off
            || self.routes.is_some()
                && self.anycast.is_some()
                && self.proxied.is_some()
                && self.gateways.is_some()
                && self.strays.is_some()
                && self.sources.is_some();
        self.cut || self.has_unasked || !all_known
    }

    /// Whether no list is longer than any that is made.
    pub(super) fn is_bounded(&self) -> bool {
        self.lists().iter().all(|&length| length <= LISTED)
    }

    /// Puts interfaces and addresses in the order in which they are looked for: there may
    /// be thousands of both.
    pub(super) fn sort(&mut self) {
        self.interfaces.sort_by_key(|interface| interface.ifindex);
        self.addresses.sort_by_key(|address| address.ifindex);
    }

    /// The interface with this index.
    pub(super) fn interface(&self, ifindex: u32) -> Option<&Interface> {
        let by_index = |interface: &Interface| interface.ifindex;
        let at = self.interfaces.binary_search_by_key(&ifindex, by_index);
        self.interfaces.get(at.ok()?)
    }

    /// The IPv6 addresses of an interface.
    pub(super) fn own(&self, ifindex: u32) -> impl Iterator<Item = (&Address, Ipv6Addr)> {
        let first = self.addresses.partition_point(|one| one.ifindex < ifindex);
        let own = self.addresses.iter().skip(first);
        own.take_while(move |one| one.ifindex == ifindex)
            .map(|one| (one, one.address))
    }
}

/// Settings of all interfaces together; `None` where one could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// `forwarding`
    pub forwarding: Option<i32>,
    /// `enhanced_dad`
    pub enhanced_dad: Option<i32>,
    /// `proxy_ndp`
    pub proxy_ndp: Option<i32>,
    /// `net.ipv6.ip_nonlocal_bind`
    pub nonlocal_bind: Option<i32>,
    /// `net.core.optmem_max`; before 6.8 only the first namespace has it, for all.
    pub optmem_max: Option<u32>,
    /// The parameter `disable` of the kernel's IPv6, as it was booted.
    pub ipv6_off: Option<i32>,
    /// `net.ipv6.conf.default.use_tempaddr`
    pub default_use_tempaddr: Option<i32>,
    /// `net.ipv4.ip_forward`
    pub ip_forward: Option<i32>,
    /// `net.ipv6.neigh.default.gc_thresh3`, one for all namespaces.
    pub gc_thresh3: Option<i32>,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Interface {
    /// Its index.
    pub ifindex: u32,
    /// Its name.
    pub name: String,
    /// Its MAC, where its link layer has one.
    pub mac: Option<Mac>,
    /// `ARPHRD_*`
    pub device_type: u16,
    /// What sort of virtual device it is, such as `bridge`.
    pub kind: Option<String>,
    /// `IFF_*`
    pub flags: u32,
    /// Its MTU.
    pub mtu: u32,
    /// The index of its peer, or of what it is stacked on.
    pub other_end: Option<u32>,
    /// The namespace of that, where it is another and was found.
    pub other_netns: Option<u32>,
    /// Whether that is in another namespace, found or not.
    pub other_is_elsewhere: bool,
    /// The index of the bridge, bond or VRF that it belongs to.
    pub master: Option<u32>,
    /// Whether it is a bridge's port in hairpin mode.
    pub hairpin: bool,
    /// Its IPv6, where it has any.
    pub ipv6: Option<Ipv6>,
}

/// The IPv6 of an interface: its `net.ipv6.conf.IF`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ipv6 {
    /// `forwarding`
    pub forwarding: i32,
    /// `accept_ra`
    pub accept_ra: i32,
    /// `disable_ipv6`
    pub disable_ipv6: i32,
    /// `enhanced_dad`
    pub enhanced_dad: i32,
    /// `proxy_ndp`
    pub proxy_ndp: i32,
    /// `addr_gen_mode`
    pub addr_gen_mode: i32,
    /// `use_tempaddr`
    pub use_tempaddr: i32,
    /// `regen_max_retry`
    pub regen_max_retry: i32,
    /// `accept_ra_defrtr`
    pub accept_ra_defrtr: i32,
    /// `ignore_routes_with_linkdown`
    pub ignore_linkdown: i32,
    /// Router advertisements that came in since it has IPv6; `None` where they could
    /// not be read.
    pub advertisements: Option<u64>,
    /// Solicitations of routers that went out since then.
    pub solicitations: Option<u64>,
}

impl Ipv6 {
    /// Whether the kernel takes what advertisements bring (`ipv6_accept_ra`).
    pub fn heeds_advertisements(&self) -> bool {
        self.accept_ra == 2 || self.accept_ra == 1 && self.forwarding == 0
    }
}

impl Interface {
    /// `IFF_UP`
    const UP: u32 = 0x1;
    /// `IFF_LOOPBACK`
    const LOOPBACK: u32 = 0x8;
    /// `IFF_NOARP`
    const NOARP: u32 = 0x80;
    /// `IFF_LOWER_UP`
    const LOWER_UP: u32 = 0x1_0000;
    /// `ARPHRD_ETHER`
    const ETHERNET: u16 = 1;

    /// Whether it is set up.
    pub fn is_up(&self) -> bool {
        self.flags & Self::UP != 0
    }

    /// Whether it is this host's loopback.
    pub fn is_loopback(&self) -> bool {
        self.flags & Self::LOOPBACK != 0
    }

    /// Whether its link is there.
    pub fn has_carrier(&self) -> bool {
        self.flags & Self::LOWER_UP != 0
    }

    /// Whether its link is of a kind that is made for IPv6 as well.
    pub fn may_have_ipv6(&self) -> bool {
        self.device_type == Self::ETHERNET && !self.is_loopback()
    }

    /// Whether neighbours on it are looked for, as on a segment that it shares.
    pub fn is_ethernet(&self) -> bool {
        self.device_type == Self::ETHERNET && self.asks_neighbours()
    }

    /// Whether nothing says that neighbours are not asked for their addresses on the link.
    pub(super) fn asks_neighbours(&self) -> bool {
        self.flags & (Self::LOOPBACK | Self::NOARP) == 0
    }
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The interface's index.
    pub ifindex: u32,
    /// The host's own, where there is a peer's as well.
    pub address: Ipv6Addr,
    /// Whether there is one of a peer.
    pub has_peer: bool,
    /// Bits of its prefix.
    pub prefix_len: u8,
    /// `IFA_F_*`
    pub flags: u32,
}

/// An IPv6 route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own that netlink tells"
)]
pub struct Route {
    /// The prefix that it is for.
    pub prefix: Ipv6Addr,
    /// Bits of that.
    pub prefix_len: u8,
    /// Whether it is for some sources alone (`RTA_SRC`).
    #[serde(default)]
    pub of_sources: bool,
    /// `RT_TABLE_*`
    pub table: u32,
    /// `RTPROT_*`
    pub protocol: u8,
    /// Its metric.
    #[serde(default)]
    pub metric: u32,
    /// The gateway, where it has one.
    pub gateway: Option<Ipv6Addr>,
    /// The interface that it leaves by; `None` of several.
    pub ifindex: Option<u32>,
    /// Whether the kernel passes it over (`RTNH_F_DEAD`).
    pub is_dead: bool,
    /// Whether none of its interfaces has a carrier (`RTNH_F_LINKDOWN`).
    #[serde(default)]
    pub is_linkdown: bool,
    /// Whether the kernel was asked, as it is where the answer matters, and takes it for all
    /// that.
    #[serde(default)]
    pub is_chosen: bool,
}

impl Route {
    /// Bits of what stands for a default route at most, as 2000::/3 does, and the halves of
    /// everything that VPNs set.
    pub(super) const WIDE: u8 = 3;

    /// Whether it is a default route.
    pub fn is_default(&self) -> bool {
        self.prefix_len == 0
    }

    /// Whether the kernel takes it where it comes first, and its interface has no carrier.
    pub(super) fn is_used_in_vain(&self) -> bool {
        let is_one = self.ifindex.is_some() && !self.of_sources;
        is_one && self.is_linkdown && !self.is_dead
    }

    /// Whether it leads out into the world.
    pub fn is_way_out(&self) -> bool {
        self.prefix_len <= Self::WIDE
    }
}

/// A neighbour that is a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// The interface's index.
    pub ifindex: u32,
    /// Its address.
    pub address: Ipv6Addr,
    /// `NUD_*`
    pub state: u16,
}

/// A socket that waits at an address that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    /// The address.
    pub address: Ipv6Addr,
    /// The port.
    pub port: u16,
    /// The socket's inode number.
    pub inode: u32,
    /// The process that has it open, where that is known: its id and name.
    pub owner: Option<(u32, String)>,
}

/// A socket that has joined groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The socket's inode number.
    pub inode: u32,
    /// The process that has it open, where that is known: its id and name.
    pub owner: Option<(u32, String)>,
    /// The service that it belongs to.
    pub unit: Option<String>,
    /// Bytes of option memory in use.
    pub sk_omem_alloc: u32,
    /// Bytes that each membership takes of that.
    pub size: u32,
    /// Whether all memberships were listed.
    pub complete: bool,
    /// How many there are, by interface index.
    pub interfaces: Vec<(u32, u32)>,
}

/// Where packets get their source that leave by IPv4 routes with IPv6 next hops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// The IPv4 addresses that there are, if there are such routes.
    pub addresses: Addresses,
    /// What the kernel chose: one route of each next hop and table, if it names none.
    pub choices: Vec<Choice>,
}

/// The source that the kernel chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The route that it took.
    pub route: source_selection::Route,
    /// The index of the interface that its next hop is on.
    pub ifindex: u32,
    /// The VRF that it was asked in, by index.
    pub vrf: Option<u32>,
    /// The destination that it was asked for.
    pub destination: Ipv4Addr,
    /// The source; `None` without.
    pub source: Option<Ipv4Addr>,
}

/// Why what sockets have joined was not read, or not all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unread {
    /// It was.
    #[default]
    Nothing,
    /// Only eBPF can read it, and may not be used.
    NotPermitted,
    /// A part of it was, or the limit of the sockets was not.
    Partly,
    /// Another reason, or what a newer version says.
    #[serde(other)]
    Failed,
}

/// Closes the snapshots of a host: what there is besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checked {
    /// When all had been looked at, nanoseconds since boot.
    pub boot_ns: u64,
    /// Namespaces that are known and may not be looked into.
    pub unseen: u32,
    /// Those that could not be looked into for another reason.
    pub failed: u32,
    /// Those of which a list is missing, or longer than it may be.
    pub partial: u32,
    /// Whether there are processes whose namespaces may not be looked at, so that
    /// namespaces may be missing.
    pub hidden: bool,
    /// Whether there are more namespaces than are looked into.
    pub cut: bool,
    /// Whether what sockets have joined is missing, or some of it.
    pub joined: Unread,
}

impl Finding for Checked {}

impl Checked {
    /// What could not be seen, as a line; `None` where that was nothing.
    pub fn missing(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.unseen > 0 {
            parts.push(format!("{} (CAP_SYS_ADMIN)", counted(self.unseen)));
        }
        if self.failed > 0 {
            parts.push(format!("{} that could not be read", counted(self.failed)));
        }
        if self.partial > 0 {
            parts.push(format!("some of what is in {}", counted(self.partial)));
        }
        if self.hidden {
            parts.push("namespaces of other users' processes (CAP_SYS_PTRACE)".to_owned());
        }
        match self.joined {
            Unread::Nothing => {}
            Unread::NotPermitted => {
                parts.push("what sockets have joined (CAP_BPF, CAP_PERFMON)".to_owned());
            }
            Unread::Partly => parts.push("some of what sockets have joined".to_owned()),
            Unread::Failed => parts.push("what sockets have joined".to_owned()),
        }
        if self.cut {
            parts.push("what is beyond the first of many namespaces, or took too long".to_owned());
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// "1 network namespace", "3 network namespaces"
fn counted(count: u32) -> String {
    let several = if count == 1 { "" } else { "s" };
    format!("{count} network namespace{several}")
}
