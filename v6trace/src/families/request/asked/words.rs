//! A request in words.

use std::{fmt::Write as _, net::IpAddr};

use super::{What, prefix};
use crate::{
    event::text,
    explain::quoted,
    families::route::Request as Route,
    rtnetlink::{Attributes, address, number},
};

/// `NTF_PROXY` and `NTF_ROUTER`
const PROXY: u8 = 0x08;
const ROUTER: u8 = 0x80;
/// `NTF_EXT_LEARNED`, and `NUD_PERMANENT`
const EXTERN_LEARNED: u8 = 0x10;
const PERMANENT: u16 = 0x80;
/// `RTNH_F_ONLINK`
const ONLINK: u32 = 4;
/// `IFLA_AF_SPEC`, and `AF_INET6` in it.
const OF_FAMILIES: u16 = 26;
const INET6: u16 = 10;
/// Members of a group of next hops that are named, and bytes of a `struct nexthop_grp`.
const NAMED: usize = 4;
const MEMBER: usize = 8;

/// What a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// In the words of `ip`, from the first thing that it has on.
    pub words: String,
    /// The address or prefix concerned.
    pub address: Option<IpAddr>,
    /// The number of a nexthop object.
    pub id: Option<u32>,
    /// The gateway of a nexthop object.
    pub gateway: Option<IpAddr>,
    /// The priority of a rule.
    pub priority: Option<u32>,
    /// What sort of an entry of the neighbour table it is.
    pub entry: Entry,
    /// Whether it is a group of nexthop objects, which has no family.
    pub is_group: bool,
    /// Whether it names no family.
    pub may_be_ipv4: bool,
    /// The name of the interface, where the request has that.
    pub interface: Option<String>,
    /// Whether the words are all that is asked for, so that a command can ask for it.
    pub is_whole: bool,
}

/// A sort of entry of the neighbour table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Entry {
    /// One that ages, and that the table's limit counts.
    #[default]
    Ordinary,
    /// One that stays, or that somebody else looks after: not counted.
    Exempt,
    /// An address that is answered for.
    Proxy,
}

/// The name of an interface by its index, where it is known.
type Names<'n> = &'n dyn Fn(u32) -> Option<String>;

impl Asked {
    /// Reads a request behind the header of its message.
    pub(in super::super) fn read(
        what: What,
        bytes: &[u8],
        is_all: bool,
        names: Names<'_>,
    ) -> Option<Self> {
        let (header, attributes) = bytes.split_at_checked(what.header())?;
        let mut asked = Self {
            is_whole: is_all,
            ..Self::default()
        };
        let attributes = Attributes(attributes);
        match what {
            What::Settings => asked.settings(header, attributes, names),
            What::Address => asked.held(header, attributes, names),
            What::Route => asked.route(bytes, is_all, names)?,
            What::Way => asked.way(attributes, names),
            What::Neighbour => asked.neighbour(header, attributes, names),
            What::Rule => asked.rule(header, attributes),
            What::Label => asked.label(header, attributes, names),
            What::NextHop => asked.next_hop(header, attributes, names),
            What::Other => return None,
        }
        if !is_all {
            asked.words += " …";
        }
        asked.words = asked.words.trim_start().to_owned();
        Some(asked)
    }

    pub(super) fn add(&mut self, name: &str, value: impl std::fmt::Display) {
        let _ = write!(self.words, " {name} {value}");
    }

    /// " dev eth0"
    fn by(&mut self, ifindex: Option<u32>, names: Names<'_>) {
        if let Some(ifindex) = ifindex.filter(|&ifindex| ifindex != 0) {
            self.add("dev", interface(ifindex, names));
        }
    }

    /// "2001:db8::1/64 dev eth0"
    fn held(&mut self, header: &[u8], attributes: Attributes<'_>, names: Names<'_>) {
        let bits = byte(header, 1);
        let (mut own, mut other) = (None, None);
        for (kind, value) in attributes {
            match kind {
                1 => other = address(value),
                2 => own = address(value),
                _ => self.is_whole = false,
            }
        }
        // With a peer's there are both.
        self.address = own.or(other);
        if let Some(address) = self.address {
            let peer = other.filter(|&other| other != address);
            self.words = match peer {
                Some(peer) => format!("{address} peer {}", prefix(peer, bits)),
                None => prefix(address, bits),
            };
        }
        self.by(header.get(4..).and_then(number), names);
    }

    fn route(&mut self, bytes: &[u8], is_all: bool, names: Names<'_>) -> Option<()> {
        let route = Route::parse(bytes, is_all)?;
        self.is_whole &= route.is_whole;
        self.address = Some(route.destination);
        self.words = route.words(names);
        Some(())
    }

    /// "2001:db8::1 from 2001:db8:1::1 iif eth0": the kernel takes whole addresses here,
    /// whatever length is given.
    fn way(&mut self, attributes: Attributes<'_>, names: Names<'_>) {
        let (mut source, mut from, mut by) = (None, None, None);
        for (kind, value) in attributes {
            match kind {
                1 => self.address = address(value),
                2 => source = address(value),
                3 => from = number(value),
                4 => by = number(value),
                _ => {}
            }
        }
        if let Some(address) = self.address {
            let _ = write!(self.words, " {address}");
        }
        if let Some(source) = source {
            self.add("from", source);
        }
        for (word, ifindex) in [("iif", from), ("oif", by)] {
            if let Some(ifindex) = ifindex.filter(|&ifindex| ifindex != 0) {
                self.add(word, interface(ifindex, names));
            }
        }
    }

    /// "proxy fd00::1 lladdr 02:00:00:00:00:01 dev eth0"
    fn neighbour(&mut self, header: &[u8], attributes: Attributes<'_>, names: Names<'_>) {
        let flags = byte(header, 10);
        let state = header
            .get(8..10)
            .map_or(0, |it| u16::from_le_bytes([it[0], it[1]]));
        self.entry = if flags & PROXY != 0 {
            Entry::Proxy
        } else if state & PERMANENT != 0 || flags & EXTERN_LEARNED != 0 {
            Entry::Exempt
        } else {
            Entry::Ordinary
        };
        // `ip` makes entries that stay where nothing else is said.
        self.is_whole &=
            flags & !(PROXY | ROUTER) == 0 && (state == PERMANENT || self.entry == Entry::Proxy);
        if self.entry == Entry::Proxy {
            self.words += " proxy";
        }
        let mut link = None;
        for (kind, value) in attributes {
            match kind {
                1 => self.address = address(value),
                2 => link = Some(value),
                _ => self.is_whole = false,
            }
        }
        if let Some(address) = self.address {
            let _ = write!(self.words, " {address}");
        }
        if let Some(link) = link {
            self.add("lladdr", mac(link));
        }
        if flags & ROUTER != 0 {
            self.words += " router";
        }
        self.by(header.get(4..).and_then(number), names);
    }

    /// "prefix 2001:db8::/32 dev eth0 label 99"
    fn label(&mut self, header: &[u8], attributes: Attributes<'_>, names: Names<'_>) {
        let mut label = None;
        for (kind, value) in attributes {
            match kind {
                1 => self.address = address(value),
                2 => label = number(value),
                _ => self.is_whole = false,
            }
        }
        if let Some(address) = self.address {
            self.add("prefix", prefix(address, byte(header, 2)));
        }
        self.by(header.get(4..).and_then(number), names);
        if let Some(label) = label {
            self.add("label", label);
        }
    }

    /// "id 5 via fe80::1 dev eth0"
    fn next_hop(&mut self, header: &[u8], attributes: Attributes<'_>, names: Names<'_>) {
        let mut by = None;
        let mut is_blackhole = false;
        let mut group: &[u8] = &[];
        for (kind, value) in attributes {
            match kind {
                1 => self.id = number(value),
                2 => group = value,
                4 => is_blackhole = true,
                5 => by = number(value),
                6 => self.gateway = address(value),
                _ => self.is_whole = false,
            }
        }
        // `AF_UNSPEC`
        self.may_be_ipv4 = byte(header, 0) == 0;
        self.address = self.gateway;
        if let Some(id) = self.id {
            self.add("id", id);
        }
        if is_blackhole {
            self.words += " blackhole";
        }
        if !group.is_empty() {
            self.is_group = true;
            self.is_whole &= group.len() / MEMBER <= NAMED;
            self.add("group", members(group));
        }
        if let Some(gateway) = self.gateway {
            self.add("via", gateway);
        }
        self.by(by, names);
        if header.get(4..).and_then(number).unwrap_or(0) & ONLINK != 0 {
            self.words += " onlink";
        }
    }

    /// "dev eth0 token ::1 addrgenmode none"
    fn settings(&mut self, header: &[u8], attributes: Attributes<'_>, names: Names<'_>) {
        let mut settings: &[u8] = &[];
        for (kind, value) in attributes {
            match kind {
                // `IFLA_IFNAME`
                3 => self.interface = Some(text(value)),
                OF_FAMILIES => settings = value,
                _ => self.is_whole = false,
            }
        }
        let ifindex = header.get(4..).and_then(number);
        match ifindex.filter(|&ifindex| ifindex != 0) {
            Some(ifindex) => self.by(Some(ifindex), names),
            None => {
                if let Some(interface) = self.interface.clone() {
                    self.add("dev", quoted(&interface));
                }
            }
        }
        let of_ipv6 = Attributes(settings).filter(|(family, _)| *family == INET6);
        for (kind, value) in of_ipv6.flat_map(|(_, value)| Attributes(value)) {
            match kind {
                7 => {
                    if let Some(token) = address(value) {
                        self.address = Some(token);
                        self.add("token", token);
                    }
                }
                8 => {
                    let mode = value.first().copied().unwrap_or_default();
                    match mode {
                        0 => self.add("addrgenmode", "eui64"),
                        1 => self.add("addrgenmode", "none"),
                        2 => self.add("addrgenmode", "stable_secret"),
                        3 => self.add("addrgenmode", "random"),
                        mode => self.add("addrgenmode", mode),
                    }
                }
                _ => self.is_whole = false,
            }
        }
    }
}

pub(super) fn byte(header: &[u8], at: usize) -> u8 {
    header.get(at).copied().unwrap_or_default()
}

/// The name of an interface, or its number.
fn interface(ifindex: u32, names: Names<'_>) -> String {
    let name = names(ifindex).unwrap_or_else(|| format!("interface-{ifindex}"));
    quoted(&name).into_owned()
}

/// "02:00:00:00:00:01"; of a link-layer address of any length, as much as fits a line.
fn mac(bytes: &[u8]) -> String {
    const MOST: usize = 20;
    let bytes: Vec<_> = bytes
        .iter()
        .take(MOST)
        .map(|it| format!("{it:02x}"))
        .collect();
    bytes.join(":")
}

/// The members of a group: `struct nexthop_grp`, whose weight is one less than what it
/// stands for.
fn members(group: &[u8]) -> String {
    let (entries, _) = group.as_chunks::<MEMBER>();
    let shown = entries.iter().take(NAMED).map(|entry| {
        let id = number(entry).unwrap_or_default();
        match u32::from(u16::from_le_bytes([entry[4], entry[5]])) + 1 {
            1 => id.to_string(),
            weight => format!("{id},{weight}"),
        }
    });
    let mut members = shown.collect::<Vec<_>>().join("/");
    if entries.len() > NAMED {
        let _ = write!(members, "/… ({} in all)", entries.len());
    }
    members
}
