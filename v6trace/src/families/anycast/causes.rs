//! What can be the matter.

use crate::catalogue::causes;

causes! {
    SubnetRouterAnycast, "subnet-router-anycast", Hazard,
        "this host now owns prefix::, the anycast address of a subnet's routers";
    SubnetRouterAnycastReleased, "subnet-router-anycast-released", Notice,
        "this host no longer owns prefix::, since forwarding was turned off on an interface";
    AnycastNotPermitted, "anycast-not-permitted", Failure,
        "IPV6_JOIN_ANYCAST got EPERM: the task lacks CAP_NET_ADMIN for this network namespace";
    AnycastMulticast, "anycast-multicast", Failure,
        "IPV6_JOIN_ANYCAST got EINVAL: the address is a multicast group";
    AnycastOwnAddress, "anycast-own-address", Failure,
        "IPV6_JOIN_ANYCAST got EINVAL: the host has the address as an ordinary one";
    AnycastNotOnLink, "anycast-not-on-link", Failure,
        "IPV6_JOIN_ANYCAST got EADDRNOTAVAIL: a host, and no prefix that holds the address";
    AnycastNoSuchDevice, "anycast-no-such-device", Failure,
        "IPV6_JOIN_ANYCAST got ENODEV: no interface with that index, or one without IPv6";
    AnycastOptmemExhausted, "anycast-optmem-exhausted", Failure,
        "IPV6_JOIN_ANYCAST got ENOMEM: the socket's option memory is full";
    AnycastUnexplained, "anycast-unexplained", Failure,
        "IPV6_JOIN_ANYCAST failed in a way that the values read do not decide";
}
