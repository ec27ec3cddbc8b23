//! What can be the matter.

use crate::catalogue::causes;

causes! {
    Ipv6Disabled, "address-ipv6-disabled", Failure,
        "an address got EACCES: disable_ipv6 of the interface is not 0";
    Ipv6OffMtu, "address-ipv6-off-mtu", Failure,
        "an address got EINVAL: the interface's MTU is below 1280, and it has no IPv6";
    Exists, "address-exists", Notice,
        "an address got EEXIST: the interface has it already";
    Unspecified, "address-unspecified", Failure,
        "an address got EADDRNOTAVAIL: it is ::, which no interface can have";
    Multicast, "address-multicast", Failure,
        "an address got EADDRNOTAVAIL: it is a multicast group";
    Loopback, "address-loopback", Failure,
        "an address got EADDRNOTAVAIL: it is ::1, and the interface no loopback";
    Lifetime, "address-lifetime", Failure,
        "an address got EINVAL: it is valid for 0 seconds, or preferred for longer than valid";
    PrefixLength, "address-prefix-length", Failure,
        "an address got EINVAL: its prefix length is above 128";
    Mngtmpaddr, "address-mngtmpaddr", Failure,
        "an address got EINVAL: it has the flag mngtmpaddr and a prefix length that is not 64";
    NoSuchDevice, "address-no-such-device", Failure,
        "an address got ENODEV: no interface has that index";
    OutOfMemory, "address-out-of-memory", Failure,
        "an address got ENOBUFS or ENOMEM: the kernel's allocator failed";
    NotThere, "address-not-there", Notice,
        "an address could not be deleted (EADDRNOTAVAIL, ENXIO): the interface does not have it so";
    Unexplained, "address-unexplained", Failure,
        "an address was refused in a way that the values read do not decide";
    SettingsOffMtu, "interface-ipv6-off-mtu", Failure,
        "a token or address generation mode got EAFNOSUPPORT: the interface has no IPv6";
    SecretUnset, "stable-secret-unset", Failure,
        "address generation mode stable_secret got EINVAL: there is no stable_secret";
    TemporaryStopped, "temporary-addresses-stopped", Failure,
        "no more temporary addresses are made on an interface: too many were in use";
    LinkLocalNotMade, "link-local-not-made", Notice,
        "an interface came up, and neither the kernel nor anybody else made a link-local address";
    Disabled, "ipv6-disabled-on-interface", Hazard,
        "a write of disable_ipv6 took addresses or routes from interfaces";
    MtuTookIpv6, "mtu-took-ipv6", Failure,
        "an MTU below 1280 took IPv6, and its addresses, from an interface";
    LostOnDown, "addresses-lost-on-down", Notice,
        "addresses or routes that had been set went since their interface was set down";
    LostByVrf, "addresses-lost-by-vrf", Hazard,
        "addresses or routes that had been set went as their interface entered or left a VRF";
}
