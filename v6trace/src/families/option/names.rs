//! The options by name, as `linux/in6.h` and `linux/mroute6.h` have them.

use std::borrow::Cow;

macro_rules! options {
    ($($name:ident = $number:literal;)*) => {
        $(pub(super) const $name: u32 = $number;)*

        /// The name of an option.
        pub(super) fn of(option: u32) -> Cow<'static, str> {
            match option {
                $($name => Cow::Borrowed(stringify!($name)),)*
                _ => Cow::Owned(format!("option {option}")),
            }
        }
    };
}
options! {
    IPV6_ADDRFORM = 1;
    IPV6_2292PKTINFO = 2;
    IPV6_2292HOPOPTS = 3;
    IPV6_2292DSTOPTS = 4;
    IPV6_2292RTHDR = 5;
    IPV6_CHECKSUM = 7;
    IPV6_2292HOPLIMIT = 8;
    IPV6_FLOWINFO = 11;
    IPV6_UNICAST_HOPS = 16;
    IPV6_MULTICAST_IF = 17;
    IPV6_MULTICAST_HOPS = 18;
    IPV6_MULTICAST_LOOP = 19;
    IPV6_ROUTER_ALERT = 22;
    IPV6_MTU_DISCOVER = 23;
    IPV6_MTU = 24;
    IPV6_RECVERR = 25;
    IPV6_V6ONLY = 26;
    IPV6_MULTICAST_ALL = 29;
    IPV6_ROUTER_ALERT_ISOLATE = 30;
    IPV6_RECVERR_RFC4884 = 31;
    IPV6_FLOWLABEL_MGR = 32;
    IPV6_FLOWINFO_SEND = 33;
    IPV6_IPSEC_POLICY = 34;
    IPV6_XFRM_POLICY = 35;
    IPV6_HDRINCL = 36;
    IPV6_RECVPKTINFO = 49;
    IPV6_PKTINFO = 50;
    IPV6_RECVHOPLIMIT = 51;
    IPV6_HOPLIMIT = 52;
    IPV6_RECVHOPOPTS = 53;
    IPV6_HOPOPTS = 54;
    IPV6_RTHDRDSTOPTS = 55;
    IPV6_RECVRTHDR = 56;
    IPV6_RTHDR = 57;
    IPV6_RECVDSTOPTS = 58;
    IPV6_DSTOPTS = 59;
    IPV6_RECVPATHMTU = 60;
    IPV6_PATHMTU = 61;
    IPV6_DONTFRAG = 62;
    IPV6_RECVTCLASS = 66;
    IPV6_TCLASS = 67;
    IPV6_AUTOFLOWLABEL = 70;
    IPV6_ADDR_PREFERENCES = 72;
    IPV6_MINHOPCOUNT = 73;
    IPV6_ORIGDSTADDR = 74;
    IPV6_TRANSPARENT = 75;
    IPV6_UNICAST_IF = 76;
    IPV6_RECVFRAGSIZE = 77;
    IPV6_FREEBIND = 78;
    MRT6_INIT = 200;
    MRT6_DONE = 201;
    MRT6_ADD_MIF = 202;
    MRT6_DEL_MIF = 203;
    MRT6_ADD_MFC = 204;
    MRT6_DEL_MFC = 205;
    MRT6_VERSION = 206;
    MRT6_ASSERT = 207;
    MRT6_PIM = 208;
    MRT6_TABLE = 209;
    MRT6_ADD_MFC_PROXY = 210;
    MRT6_DEL_MFC_PROXY = 211;
    MRT6_FLUSH = 212;
}

/// Whether it is one of multicast routing.
pub(super) const fn is_routing(option: u32) -> bool {
    option >= MRT6_INIT && option <= MRT6_FLUSH
}

/// The least and the greatest value that an option takes, where it takes a number
/// of which some are refused (`do_ipv6_setsockopt`).
pub(super) const fn range(option: u32) -> Option<(i32, i32)> {
    match option {
        IPV6_UNICAST_HOPS | IPV6_MULTICAST_HOPS | IPV6_TCLASS => Some((-1, 255)),
        IPV6_MINHOPCOUNT => Some((0, 255)),
        IPV6_MULTICAST_LOOP | IPV6_RECVERR_RFC4884 => Some((0, 1)),
        IPV6_MTU_DISCOVER => Some((0, 5)),
        _ => None,
    }
}

/// Whether a value of less than four bytes is refused for that.
pub(super) const fn takes_a_number(option: u32) -> bool {
    !matches!(
        option,
        IPV6_DONTFRAG
            | IPV6_AUTOFLOWLABEL
            | IPV6_RECVFRAGSIZE
            | IPV6_HOPOPTS
            | IPV6_RTHDRDSTOPTS
            | IPV6_RTHDR
            | IPV6_DSTOPTS
            | IPV6_PKTINFO
            | IPV6_FLOWLABEL_MGR
            | IPV6_IPSEC_POLICY
            | IPV6_XFRM_POLICY
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_routing_are_told_apart() {
        assert!(is_routing(MRT6_INIT) && is_routing(MRT6_FLUSH));
        assert!(!is_routing(IPV6_FREEBIND) && !is_routing(213));
        assert_eq!(of(MRT6_PIM), "MRT6_PIM");
        assert_eq!(of(213), "option 213");
    }
}
