//! Default routes that went because a forwarding sysctl was written, and the end of
//! such a write.

use std::net::Ipv6Addr;

use v6trace_common::families::forwarding as wire;

use crate::{
    event::{Name, name},
    families::{Decode, anycast::Written},
};

/// Default routes of router advertisements that were removed together.
#[derive(Clone, Debug, PartialEq)]
pub struct DefaultRoutesPurged {
    /// The routes, as far as the record had room for them.
    pub routes: Vec<PurgedRoute>,
    /// How many there were in all.
    pub count: u32,
    /// The forwarding sysctl that was written, where it is known.
    pub written: Option<Written>,
}

/// A route that was removed, and its interface at that moment.
#[derive(Clone, Debug, PartialEq)]
pub struct PurgedRoute {
    /// The router.
    pub gateway: Ipv6Addr,
    /// The interface, empty where it could not be read.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// `net.ipv6.conf.IF.forwarding`, as it is now.
    pub forwarding: Option<i32>,
    /// `net.ipv6.conf.IF.accept_ra`
    pub accept_ra: Option<i32>,
    /// The route's table, where known.
    pub table: Option<u32>,
}

impl Decode for DefaultRoutesPurged {
    type Wire = wire::DefaultRoutesPurged;

    fn from_wire(wire: &Self::Wire) -> Self {
        let known = usize::try_from(wire.count).unwrap_or(usize::MAX);
        Self {
            routes: wire.routes.iter().take(known).map(route).collect(),
            count: wire.count,
            written: Written::from_wire(wire.written, &wire.written_interface),
        }
    }
}

/// A write of a forwarding sysctl is over.
#[derive(Clone, Debug, PartialEq)]
pub struct ForwardingWritten {
    /// When it began, nanoseconds since boot.
    pub began_ns: u64,
    /// The forwarding sysctl, where it is known.
    pub written: Option<Written>,
    /// Interfaces that are up and began to forward.
    pub routers: u32,
    /// Those of them that have accept_ra = 1.
    pub deaf: u32,
    /// Interfaces that are up and ceased to forward.
    pub hosts: u32,
    /// Those of them that have accept_ra = 1.
    pub hearing: u32,
    /// Anycast addresses that were taken, or given up.
    pub anycast: u32,
    /// Default routes that went.
    pub purged: u32,
}

impl Decode for ForwardingWritten {
    type Wire = wire::ForwardingWritten;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            began_ns: wire.began_ns,
            written: Written::from_wire(wire.written, &wire.written_interface),
            routers: wire.routers,
            deaf: wire.deaf,
            hosts: wire.hosts,
            hearing: wire.hearing,
            anycast: wire.anycast,
            purged: wire.purged,
        }
    }
}

impl DefaultRoutesPurged {
    /// The interface, where all routes were on the same one.
    pub fn interface(&self) -> Option<&str> {
        let first = self.routes.first()?.interface.as_str();
        let same = self.routes.iter().all(|route| route.interface == first);
        (!first.is_empty() && same && self.is_complete()).then_some(first)
    }

    /// Whether a route may have been on this interface: a route that is not
    /// known may have been on any.
    pub fn concerns(&self, interface: &str) -> bool {
        let mut routes = self.routes.iter();
        let named = |route: &PurgedRoute| [interface, ""].contains(&route.interface.as_str());
        !self.is_complete() || routes.any(named)
    }

    fn is_complete(&self) -> bool {
        self.count as usize == self.routes.len()
    }
}

fn route(wire: &wire::PurgedRoute) -> PurgedRoute {
    PurgedRoute {
        gateway: Ipv6Addr::from(wire.gateway),
        interface: name(&wire.interface),
        ifindex: wire.ifindex,
        forwarding: (wire.forwarding >= 0).then_some(wire.forwarding),
        accept_ra: (wire.accept_ra >= 0).then_some(wire.accept_ra),
        table: (wire.table != 0).then_some(wire.table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purged(interfaces: &[&str], count: u32) -> DefaultRoutesPurged {
        let route = |interface: &&str| PurgedRoute {
            gateway: Ipv6Addr::LOCALHOST,
            interface: (*interface).into(),
            ifindex: 1,
            forwarding: None,
            accept_ra: None,
            table: None,
        };
        DefaultRoutesPurged {
            routes: interfaces.iter().map(route).collect(),
            count,
            written: None,
        }
    }

    #[test]
    fn every_route_counts_for_a_filter() {
        let two = purged(&["eth0", "eth1"], 2);
        assert!(two.concerns("eth0") && two.concerns("eth1"));
        assert!(!two.concerns("eth2"));
        assert_eq!(two.interface(), None);
        let same = purged(&["eth0", "eth0"], 2);
        assert_eq!(same.interface(), Some("eth0"));
    }

    #[test]
    fn a_route_that_is_not_known_may_be_on_any_interface() {
        for unknown in [purged(&["eth0", ""], 2), purged(&["eth0"], 2)] {
            assert!(unknown.concerns("eth7"));
            assert_eq!(unknown.interface(), None);
        }
        assert_eq!(purged(&[""], 1).interface(), None);
    }
}
