//! Routes that went, in words and as `ip route` is told of them.

use std::fmt::Write as _;

use super::MAIN;
use crate::families::route::GoneRoute;

/// `RTPROT_STATIC`
const STATIC: u8 = 4;
/// `RTF_ADDRCONF`: the kernel made the route of what a router advertised.
const ADVERTISED: u32 = 0x0004_0000;

/// Whether the kernel made it of what a router advertised.
pub(super) fn is_advertised(route: &GoneRoute) -> bool {
    route.flags & ADVERTISED != 0
}

/// "default via fe80::1", "fd00:1::/64 nhid 10 via fe80::9 table 100"
pub(super) fn named(route: &GoneRoute) -> String {
    let mut words = prefix(route);
    if let Some(id) = route.nexthop_id {
        let _ = write!(words, " nhid {id}");
    }
    if let Some(gateway) = route.gateway {
        let _ = write!(words, " via {}{gateway}", inet6(route));
    }
    if let Some(table) = route.table.filter(|&table| table != MAIN) {
        let _ = write!(words, " table {table}");
    }
    words
}

/// What `ip route` is told of a route that leads this way.
pub(super) fn words(route: &GoneRoute, way: &str) -> String {
    let mut words = prefix(route) + way;
    if let Some(table) = route.table.filter(|&table| table != MAIN) {
        let _ = write!(words, " table {table}");
    }
    let _ = write!(words, " metric {}", route.metric);
    words
}

/// Whether no daemon made it (`RTPROT_UNSPEC`, `RTPROT_BOOT` and `RTPROT_STATIC`), which
/// would add it again by itself.
pub(super) fn is_set_by_hand(route: &GoneRoute) -> bool {
    matches!(route.protocol, 0 | 3 | STATIC)
}

/// What `ip` wants ahead of a gateway of the other protocol.
pub(super) fn inet6(route: &GoneRoute) -> &'static str {
    if route.destination.is_ipv4() {
        "inet6 "
    } else {
        ""
    }
}

/// Who made it, where `ip` would say another.
pub(super) fn protocol(route: &GoneRoute) -> &'static str {
    match route.protocol {
        STATIC => " proto static",
        _ => "",
    }
}

/// "default" or "2001:db8::/32"
pub(super) fn prefix(route: &GoneRoute) -> String {
    if route.prefix_len == 0 {
        "default".to_owned()
    } else {
        format!("{}/{}", route.destination, route.prefix_len)
    }
}
