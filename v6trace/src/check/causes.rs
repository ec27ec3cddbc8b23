//! What can be the matter.

use crate::catalogue::causes;

causes! {
    Dadfailed, "address-dadfailed", Failure,
        "an address failed its test for duplicates, and is never used";
    Tentative, "address-tentative", Notice,
        "an address waits to be tested for duplicates, and cannot be used until then";
    SmallMtu, "interface-mtu-below-ipv6", Hazard,
        "an interface that is up has no IPv6, since its MTU is below 1280";
    NoDefaultRoute, "no-default-route", Notice,
        "an interface was given an address and has no way out: no router has made itself the default";
    RouteWithoutCarrier, "route-without-carrier", Hazard,
        "the kernel takes a route whose interface has no carrier";
    ListenerAbsent, "listener-address-absent", Hazard,
        "a socket waits for connections at an address that no interface has";
    StaleMemberships, "stale-memberships", Hazard,
        "a socket's option memory fills with memberships on interfaces that are gone";
    TableNearlyFull, "neighbour-table-nearly-full", Hazard,
        "the table of neighbours, which all namespaces share, has little room left";
    EnhancedDadOff, "enhanced-dad-off", Hazard,
        "an interface takes its own solicitation for another node's where the link reflects";
    MacTwice, "mac-twice-on-bridge", Hazard,
        "two interfaces behind one bridge have the same MAC";
}

impl Cause {
    /// The family whose failures it leads to, or is one of.
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::Dadfailed | Self::Tentative | Self::EnhancedDadOff | Self::MacTwice => "dad",
            Self::SmallMtu => "address",
            Self::NoDefaultRoute => "advertisement",
            Self::RouteWithoutCarrier => "route",
            Self::ListenerAbsent => "bind",
            Self::StaleMemberships => "multicast-join",
            Self::TableNearlyFull => "neighbour",
        }
    }
}
