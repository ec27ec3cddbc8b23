//! What can be the matter.

use crate::catalogue::causes;

causes! {
    NotOnLink, "route-gateway-not-on-link", Failure,
        "a route got EHOSTUNREACH: its gateway is not on the link, as far as the kernel's routes say";
    OwnGateway, "route-gateway-own-address", Failure,
        "a route got EINVAL: its gateway is an address of this host";
    GatewayWithoutInterface, "route-gateway-without-interface", Failure,
        "a route got EINVAL: its gateway is link-local, and no interface is named";
    GatewayInvalid, "route-gateway-invalid", Failure,
        "a route got EINVAL: its gateway is no address of one node";
    ByLoopback, "route-by-loopback", Failure,
        "a route got EINVAL: it has a gateway, and leaves by a loopback interface";
    OnlinkMismatch, "route-onlink-mismatch", Failure,
        "a route with onlink got EINVAL: its gateway is on another interface's link";
    SourceNotLocal, "route-source-not-local", Failure,
        "a route got EINVAL: its source is no address of this host";
    NoSuchDevice, "route-no-such-device", Failure,
        "a route got ENODEV: it names no interface that there is";
    Ipv6OffMtu, "route-ipv6-off-mtu", Failure,
        "a route got ENODEV: the interface's MTU is below 1280, and it has no IPv6";
    Ipv6Disabled, "route-ipv6-disabled", Failure,
        "a route got EACCES: disable_ipv6 of the interface is not 0";
    InterfaceDown, "route-interface-down", Failure,
        "a route got ENETDOWN: its interface is not up";
    Exists, "route-exists", Notice,
        "a route got EEXIST: there is one with its prefix and metric";
    Absent, "route-absent", Notice,
        "deleting or changing a route got ESRCH or ENOENT: there is none such";
    NexthopObject, "route-nexthop-object", Failure,
        "a route got EINVAL: its nexthop object is not there, or cannot be used";
    Ipv6Off, "route-ipv6-off", Failure,
        "a route of IPv4 with an IPv6 gateway got EAFNOSUPPORT: this host has no IPv6";
    Expired, "routes-expired", Notice,
        "routes went as their lifetime ran out";
    Withdrawn, "routes-withdrawn", Notice,
        "routes went as their router took them back";
    WithNexthop, "routes-lost-with-nexthop", Notice,
        "routes went with their nexthop object, which the kernel deleted";
    SourceLost, "routes-source-lost", Notice,
        "the address went that was the source (src) of routes: of IPv6 they lose it, of IPv4 they went";
    HopLost, "routes-hop-lost", Notice,
        "an interface lost its carrier by which one of several next hops of routes goes";
    Unexplained, "route-unexplained", Failure,
        "a route was refused in a way that the values read do not decide";
}
