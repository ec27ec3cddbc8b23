//! What can be the matter.

use crate::catalogue::causes;

causes! {
    IgnoredForwarding, "ra-ignored-forwarding", Failure,
        "router advertisements are ignored: the interface forwards and its accept_ra is not 2";
    IgnoredAcceptRa, "ra-ignored-accept-ra", Failure,
        "router advertisements are ignored: accept_ra is 0";
    Invalid, "ra-invalid", Failure,
        "a router advertisement is not valid, and the kernel drops it";
    NoDefaultRoute, "ra-no-default-route", Notice,
        "a router advertisement gives no default route";
    RouteInformation, "ra-route-information-ignored", Notice,
        "a route in a router advertisement is ignored";
    HopLimit, "ra-hop-limit-ignored", Notice,
        "the hop limit in a router advertisement is ignored";
    Mtu, "ra-mtu-ignored", Notice,
        "the MTU in a router advertisement is ignored";
    Redirect, "redirect-ignored", Notice,
        "a router's redirect is ignored";
    NoAddress, "slaac-no-address", Failure,
        "no address is made of a prefix that a router advertises";
    RouterSilent, "router-silent", Notice,
        "no router answers an interface's solicitations";
}
