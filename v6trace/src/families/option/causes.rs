//! What can be the matter.

use crate::catalogue::causes;

causes! {
    MulticastInterface, "multicast-interface-refused", Failure,
        "IPV6_MULTICAST_IF was refused: no such interface, or the socket is bound to another";
    UnicastInterface, "unicast-interface-refused", Failure,
        "IPV6_UNICAST_IF was refused: no such interface, its index in the wrong order, or the socket is bound";
    MulticastRouting, "multicast-routing-refused", Failure,
        "an option of multicast routing (MRT6_*) was refused: another program routes, no such interface, no privilege";
    Option, "option-refused", Failure,
        "another socket option of IPv6 was refused: its value, the socket's state or a privilege";
}
