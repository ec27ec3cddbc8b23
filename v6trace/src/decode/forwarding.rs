//! Default routes that went because a forwarding sysctl was written.

use std::net::Ipv6Addr;

use v6trace_common::forwarding as wire;

use super::{anycast::Written, text};

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
    pub interface: String,
    /// Its index.
    pub ifindex: u32,
    /// `net.ipv6.conf.IF.forwarding`, as it is now.
    pub forwarding: Option<i32>,
    /// `net.ipv6.conf.IF.accept_ra`
    pub accept_ra: Option<i32>,
}

impl DefaultRoutesPurged {
    /// Reads the payload of the wire.
    pub fn from_wire(wire: &wire::DefaultRoutesPurged) -> Self {
        let known = usize::try_from(wire.count).unwrap_or(usize::MAX);
        Self {
            routes: wire.routes.iter().take(known).map(route).collect(),
            count: wire.count,
            written: Written::from_wire(wire.written, &wire.written_interface),
        }
    }
}

fn route(wire: &wire::PurgedRoute) -> PurgedRoute {
    PurgedRoute {
        gateway: Ipv6Addr::from(wire.gateway),
        interface: text(&wire.interface),
        ifindex: wire.ifindex,
        forwarding: (wire.forwarding >= 0).then_some(wire.forwarding),
        accept_ra: (wire.accept_ra >= 0).then_some(wire.accept_ra),
    }
}
