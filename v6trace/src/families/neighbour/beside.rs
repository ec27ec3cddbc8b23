//! What is known beside a neighbour that does not answer.

use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::record::Finding;

/// What userspace found of the neighbour, its interface and its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of the neighbour's namespace.
    pub netns: u32,
    /// Whether the neighbour is there after all, by its entry, if it still has one.
    pub is_there: Option<bool>,
    /// For how long nothing had confirmed that it is there, milliseconds, by its entry.
    #[serde(default)]
    pub unconfirmed_ms: Option<u64>,
    /// Others on its interface; `None` where they could not be listed.
    pub others: Option<Others>,
    /// Routes of which it is a gateway, the first ones; `None` where they could not
    /// be listed.
    pub routes: Option<Vec<Route>>,
    /// How many there are.
    pub route_count: u32,
    /// How many of them are in use, as far as routes tell: no other goes first.
    pub needed: u32,
    /// Addresses of its interface that may be the source of a solicitation; `None` where
    /// they could not be listed.
    pub sources: Option<Vec<IpAddr>>,
    /// Its interface.
    pub link: Option<LinkState>,
    /// The bridge that its solicitations come to, where that hands them to members of
    /// their group alone.
    #[serde(default)]
    pub snooping: Option<Snooping>,
    /// Who has its address, of the other end of the interface and the bridge that that
    /// is a port of.
    pub holders: Vec<Holder>,
    /// A process in the namespace that these are in: (namespace, process id).
    pub processes: Vec<(u32, u32)>,
}

impl Finding for Beside {
    fn inhabitants(&self) -> &[(u32, u32)] {
        &self.processes
    }
}

/// Neighbours on the same interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Others {
    /// Those that answered within the last half minute or so: REACHABLE.
    pub reachable: u32,
    /// Those that did not: INCOMPLETE and FAILED.
    pub unanswered: u32,
    /// Addresses that answer with the MAC that the neighbour had, the first ones.
    pub same_mac: Vec<String>,
}

/// A route by way of the neighbour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its destination: "fd00:7::/64".
    pub destination: String,
    /// Its table.
    pub table: u32,
    /// Its metric.
    pub metric: u32,
    /// Other gateways of the same route, for a person.
    pub others: Vec<String>,
    /// Whether another route to the same destination goes first, by its metric.
    pub is_second: bool,
}

/// An interface, as netlink describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkState {
    /// Whether it is up.
    pub is_up: bool,
    /// Whether it has a carrier.
    pub has_carrier: bool,
    /// `net.ipv6.conf.IF.addr_gen_mode`, or null.
    #[serde(default)]
    pub addr_gen_mode: Option<u32>,
}

/// A bridge that hands multicast of IPv6 to members alone: it asks for these, listens to who
/// answers, and knows of no router, which would be handed all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooping {
    /// The namespace that it is in.
    pub netns: u32,
    /// Its name.
    pub bridge: String,
    /// The ports behind which the solicitations' group has members, by name.
    pub ports: Vec<String>,
}

/// An interface that has an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The namespace that it is in.
    pub netns: u32,
    /// Its name.
    pub interface: String,
    /// Whether it is up, and has a carrier.
    pub link: LinkState,
    /// `IFA_F_*` of the address.
    pub flags: u32,
}

/// The group that solicitations for an address go to (RFC 4291, section 2.7.1).
pub(super) fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0);
    Ipv6Addr::from_bits(group.to_bits() | address.to_bits() & 0xff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solicitations_go_to_the_group_of_the_last_bits() {
        let group = solicited_node("2001:db8::1:2a:3b4c".parse().unwrap());
        assert_eq!(group.to_string(), "ff02::1:ff2a:3b4c");
    }
}
