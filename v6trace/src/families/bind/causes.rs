//! What can be the matter.

use crate::catalogue::causes;

causes! {
    Tentative, "bind-address-tentative", Failure,
        "a bind got EADDRNOTAVAIL: the address is still under test for duplicates";
    Dadfailed, "bind-address-dadfailed", Failure,
        "a bind got EADDRNOTAVAIL: the address failed its test for duplicates";
    Absent, "bind-address-absent", Failure,
        "a bind got EADDRNOTAVAIL: the address is not there, or on another interface, VRF or namespace";
    Anycast, "bind-address-anycast", Failure,
        "a bind got EADDRNOTAVAIL: the host has the address as anycast only";
    NoScope, "bind-no-scope", Failure,
        "a bind got EINVAL: a link-local address, and no interface with it";
    NoSuchDevice, "bind-no-such-device", Failure,
        "a bind got ENODEV: no interface has the index that came with the address";
    MappedV6only, "bind-mapped-v6only", Failure,
        "a bind got EINVAL: an IPv4 address, and the socket is for IPv6 alone";
    PortPrivileged, "bind-port-privileged", Failure,
        "a bind got EACCES: the port is below ip_unprivileged_port_start";
    AddressInUse, "bind-address-in-use", Notice,
        "a bind got EADDRINUSE: which process, or closed connection, has the port";
    Unexplained, "bind-unexplained", Failure,
        "a bind was refused in a way that the values read do not decide";
    SourceRefused, "send-source-refused", Failure,
        "what a socket sent got EINVAL or ENODEV: its source (IPV6_PKTINFO) cannot be used";
    Ipv6Off, "ipv6-off", Notice,
        "an IPv6 socket got EAFNOSUPPORT: the kernel runs without IPv6";
}
