//! What can be the matter.

use crate::catalogue::causes;

causes! {
    NoRoute, "no-route", Failure,
        "connect() or sending got ENETUNREACH: no IPv6 route leads there";
    RouteRejects, "route-rejects", Failure,
        "a blackhole, unreachable or prohibit route, or a rule, refused what was sent";
    Ipv6Off, "outgoing-ipv6-off", Failure,
        "the interface that was asked for has IPv6 switched off";
    NoSuchDevice, "outgoing-no-such-device", Failure,
        "the interface that was asked for does not exist";
    ScopeMissing, "connect-scope-missing", Failure,
        "connect() got EINVAL: a link-local address without an interface";
    NoSource, "no-source-address-ipv6", Failure,
        "connect() or sending got EADDRNOTAVAIL: no IPv6 address can be the source";
    Unanswerable, "source-cannot-be-answered", Hazard,
        "what is sent beyond the link has a source that no answer comes back to";
    Unexplained, "outgoing-unexplained", Failure,
        "a socket found no way out, and none of the known conditions held";
}
