//! A request for a route in the words of `ip route`.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv6Addr},
};

use super::{Hop, Known, Request};
use crate::{explain::quoted, route_protocol};

/// The name of an interface by its index, where it is known.
pub(in crate::families) type Names<'n> = &'n dyn Fn(u32) -> Option<String>;

/// `RTPROT_UNSPEC` and `RTPROT_BOOT`, which `ip route` means where it says nothing.
const UNSPECIFIED: u8 = 0;
const BOOT: u8 = 3;
/// `RT_TABLE_MAIN`
const MAIN: u32 = 254;
/// Next hops that are named.
const NAMED: usize = 4;

impl Request {
    /// "2001:db8::/32 via fe80::1 dev eth0 table 100 metric 5"
    pub(in crate::families) fn words(&self, names: Names<'_>) -> String {
        let mut words = kind(self.kind).to_owned();
        words += &prefix(self.destination, self.prefix_len);
        if let Some((source, length)) = self.source {
            let _ = write!(words, " from {}", prefix(source, length));
        }
        if let Some(id) = self.nexthop_id {
            let _ = write!(words, " nhid {id}");
        }
        if let Some(hop) = self.only_hop() {
            words += &hop.words(self.is_ipv4(), names);
        } else {
            for hop in self.hops.iter().take(NAMED) {
                let _ = write!(words, " nexthop{}", hop.words(self.is_ipv4(), names));
            }
            if self.more_hops {
                words += " (and more)";
            } else if self.hops.len() > NAMED {
                let _ = write!(words, " (and {} more)", self.hops.len() - NAMED);
            }
        }
        words + &self.rest(self.prefsrc)
    }

    /// What `ip` is to be told to ask for a route by this one next hop instead; `None`
    /// where that would not be all that was asked for.
    pub(super) fn by(&self, hop: &Hop, names: Names<'_>) -> Option<String> {
        self.command(hop, self.prefsrc, names)
    }

    /// The prefix, and what goes behind next hops, for a route that has none.
    pub(super) fn without_hop(&self) -> Option<String> {
        let none = Hop::default();
        self.command(&none, None, &|_| None)
    }

    /// The same without a source.
    pub(super) fn without_source(&self, names: Names<'_>) -> Option<String> {
        self.command(self.only_hop()?, None, names)
    }

    fn command(&self, hop: &Hop, prefsrc: Option<IpAddr>, names: Names<'_>) -> Option<String> {
        if !self.is_whole || self.hops.len() > 1 || self.nexthop_id.is_some() {
            return None;
        }
        let mut words = kind(self.kind).to_owned();
        words += &prefix(self.destination, self.prefix_len);
        if let Some((source, length)) = self.source {
            let _ = write!(words, " from {}", prefix(source, length));
        }
        words += &hop.words(self.is_ipv4(), names);
        words += &self.rest(prefsrc);
        if !matches!(self.protocol, UNSPECIFIED | BOOT) {
            let _ = write!(words, " proto {}", self.protocol);
        }
        Some(words)
    }

    /// What is said behind next hops.
    fn rest(&self, prefsrc: Option<IpAddr>) -> String {
        let mut words = String::new();
        if let Some(source) = prefsrc {
            let _ = write!(words, " src {source}");
        }
        if self.table != MAIN {
            let _ = write!(words, " table {}", self.table);
        }
        if let Some(metric) = self.metric {
            let _ = write!(words, " metric {metric}");
        }
        words
    }

    /// `ip -6` or `ip`, whichever is for it.
    pub(super) fn ip(&self) -> &'static str {
        if self.is_ipv4() { "ip" } else { "ip -6" }
    }
}

impl Hop {
    /// " via fe80::1 dev eth0 onlink"
    fn words(&self, of_ipv4: bool, names: Names<'_>) -> String {
        let mut words = String::new();
        match self.gateway {
            Some(IpAddr::V6(gateway)) if of_ipv4 => {
                let _ = write!(words, " via inet6 {gateway}");
            }
            Some(gateway) => {
                let _ = write!(words, " via {gateway}");
            }
            None => {}
        }
        if let Some(ifindex) = self.ifindex {
            let name = names(ifindex).unwrap_or_else(|| format!("interface-{ifindex}"));
            let _ = write!(words, " dev {}", quoted(&name));
        }
        if self.onlink {
            words += " onlink";
        }
        words
    }
}

impl Known {
    /// "fd00:1::/64 dev eth0 proto kernel metric 256 table 100"
    pub(super) fn words(&self) -> String {
        let mut words = kind(self.kind).to_owned();
        words += &self.prefix();
        words += &self.way();
        let _ = write!(
            words,
            " proto {} metric {}",
            route_protocol::name(self.protocol),
            self.metric
        );
        if self.table != MAIN {
            let _ = write!(words, " table {}", self.table);
        }
        words
    }

    /// "default from 2001:db8::/48"
    fn prefix(&self) -> String {
        let mut words = prefix(IpAddr::V6(self.prefix), self.prefix_len);
        if let Some((source, length)) = self.source {
            let _ = write!(words, " from {}", prefix(IpAddr::V6(source), length));
        }
        words
    }

    /// " via fe80::1 dev eth0"
    fn way(&self) -> String {
        let mut words = String::new();
        if self.hops > 1 {
            let _ = write!(words, " by {} next hops", self.hops);
        }
        if let Some(id) = self.nexthop_id {
            let _ = write!(words, " nhid {id}");
        }
        if let Some(gateway) = self.gateway {
            let _ = write!(words, " via {gateway}");
        }
        if let Some(interface) = &self.interface {
            let _ = write!(words, " dev {interface}");
        }
        if let Some(source) = self.prefsrc {
            let _ = write!(words, " src {source}");
        }
        words
    }

    /// What `ip -6 route del` is to be told to delete this very route.
    pub(super) fn to_delete(&self) -> String {
        let mut words = kind(self.kind).to_owned();
        words += &self.prefix();
        if let Some(gateway) = self.gateway {
            let _ = write!(words, " via {gateway}");
        }
        if let Some(interface) = &self.interface {
            let _ = write!(words, " dev {}", quoted(interface));
        }
        let _ = write!(words, " table {} metric {}", self.table, self.metric);
        words
    }
}

/// "default" or "2001:db8::/32"
fn prefix(address: IpAddr, length: u8) -> String {
    if length == 0 {
        "default".to_owned()
    } else {
        format!("{address}/{length}")
    }
}

/// `RTN_*`, as `ip route` puts it ahead of a prefix.
fn kind(number: u8) -> &'static str {
    match number {
        2 => "local ",
        3 => "broadcast ",
        4 => "anycast ",
        5 => "multicast ",
        6 => "blackhole ",
        7 => "unreachable ",
        8 => "prohibit ",
        9 => "throw ",
        10 => "nat ",
        _ => "",
    }
}

/// A route to the address alone.
pub(super) fn host(address: Ipv6Addr) -> String {
    format!("{address}/128")
}
