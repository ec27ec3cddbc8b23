//! What can be the matter.

use crate::catalogue::causes;

causes! {
    OptmemExhausted, "optmem-exhausted", Failure,
        "a multicast join got ENOMEM: the socket's option memory is full";
    OutOfMemory, "out-of-memory", Failure,
        "a multicast join got ENOMEM although the socket's option memory had room";
    GroupNotMulticast, "group-not-multicast", Failure,
        "a multicast join got EINVAL: the address is not a multicast group";
    AlreadyJoined, "already-joined", Notice,
        "a multicast join got EADDRINUSE: the socket is a member of the group already";
    NoSuchDevice, "no-such-device", Failure,
        "a multicast join got ENODEV: no interface to join on";
    Ipv6DisabledOnDevice, "ipv6-disabled-on-device", Failure,
        "a multicast join got EINVAL: the interface has no IPv6, its MTU is below 1280";
    Unexplained, "join-unexplained", Failure,
        "a multicast join failed in a way that the values read do not decide";
}
