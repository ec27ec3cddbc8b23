//! The bytes of a request for a route → what it asks for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    prefix,
    rtnetlink::{Attributes, address, number},
};

/// `AF_INET` and `AF_INET6`
const INET: u8 = 2;
const INET6: u8 = 10;

/// Bytes of a `struct rtmsg` and of a `struct rtnexthop`.
const HEADER: usize = 12;
const NEXT_HOP: usize = 8;

/// Types of attributes (`RTA_*`).
const DESTINATION: u16 = 1;
const SOURCE: u16 = 2;
const OIF: u16 = 4;
const GATEWAY: u16 = 5;
const PRIORITY: u16 = 6;
const PREFSRC: u16 = 7;
const MULTIPATH: u16 = 9;
const TABLE: u16 = 15;
const VIA: u16 = 18;
const NH_ID: u16 = 30;

/// `RTNH_F_ONLINK`
const ONLINK: u32 = 4;

/// `RT_TABLE_MAIN`, which a request that names none means.
const MAIN: u32 = 254;

/// Next hops that are looked at.
const HOPS: usize = 32;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The route's destination.
    pub destination: IpAddr,
    /// Bits of that.
    pub prefix_len: u8,
    /// The sources that it is for, and the bits of that; `None` for all.
    pub source: Option<(IpAddr, u8)>,
    /// Its table.
    pub table: u32,
    /// `RTPROT_*`
    pub protocol: u8,
    /// `RTN_*`
    pub kind: u8,
    /// Its metric, where one is given that is not 0.
    pub metric: Option<u32>,
    /// The source of what leaves by it.
    pub prefsrc: Option<IpAddr>,
    /// The number of its nexthop object.
    pub nexthop_id: Option<u32>,
    /// Its next hops: mostly one, which may have neither gateway nor interface.
    pub hops: Vec<Hop>,
    /// Whether it has, or may have, further next hops, behind what was read of it.
    pub more_hops: bool,
    /// Whether there is nothing else in it, so that a command can ask for the same.
    pub is_whole: bool,
}

/// A next hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// The gateway, if there is one.
    pub gateway: Option<IpAddr>,
    /// The index of the interface, if one is named.
    pub ifindex: Option<u32>,
    /// Whether the gateway is to be taken for a neighbour.
    pub onlink: bool,
    /// How much more of the traffic it gets than one with 0.
    pub weight: u8,
}

impl Request {
    /// Reads it, from its `struct rtmsg` on; `None` where it is too short for that, or
    /// of another family.
    pub fn parse(bytes: &[u8], is_all: bool) -> Option<Self> {
        let (header, attributes) = bytes.split_at_checked(HEADER)?;
        let &[
            family,
            prefix_len,
            source_len,
            tos,
            table,
            protocol,
            _,
            kind,
            ..,
        ] = header
        else {
            return None;
        };
        let nothing = match family {
            INET => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            INET6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            _ => return None,
        };
        let own = |value: &[u8]| match nothing {
            IpAddr::V4(_) => address(value).filter(IpAddr::is_ipv4).unwrap_or(nothing),
            // No more bytes are needed than the prefix has.
            IpAddr::V6(_) => {
                let mut bytes = [0; 16];
                for (byte, given) in bytes.iter_mut().zip(value) {
                    *byte = *given;
                }
                IpAddr::V6(bytes.into())
            }
        };
        let flags = number(header.get(8..)?)?;
        let mut request = Self {
            destination: nothing,
            prefix_len,
            source: None,
            table: table.into(),
            protocol,
            kind,
            metric: None,
            prefsrc: None,
            nexthop_id: None,
            hops: Vec::new(),
            more_hops: false,
            is_whole: is_all && tos == 0,
        };
        let mut source = nothing;
        let mut hop = Hop {
            onlink: flags & ONLINK != 0,
            ..Hop::default()
        };
        let mut attributes = Attributes(attributes);
        for (kind, value) in attributes.by_ref() {
            match kind {
                DESTINATION => request.destination = own(value),
                SOURCE => source = own(value),
                PRIORITY => request.metric = number(value).filter(|&metric| metric != 0),
                PREFSRC => request.prefsrc = address(value),
                TABLE => request.table = number(value).unwrap_or(request.table),
                NH_ID => request.nexthop_id = number(value),
                MULTIPATH => request.hops = next_hops(value),
                _ => request.is_whole &= hop.take(kind, value),
            }
        }
        if !is_all && request.hops.is_empty() {
            if let Some((MULTIPATH, value)) = attributes.cut() {
                request.hops = next_hops(value);
                request.more_hops = true;
            } else {
                request.more_hops = hop.gateway.is_none() && hop.ifindex.is_none();
            }
        }
        request.destination = masked(request.destination, prefix_len);
        request.source = (source_len != 0).then(|| (masked(source, source_len), source_len));
        if request.table == 0 {
            request.table = MAIN;
        }
        if request.hops.is_empty() && !request.more_hops {
            request.hops.push(hop);
        }
        Some(request)
    }

    /// Whether it is of IPv4.
    pub fn is_ipv4(&self) -> bool {
        self.destination.is_ipv4()
    }

    /// Its one next hop, where it has one.
    pub fn only_hop(&self) -> Option<&Hop> {
        match &self.hops[..] {
            [hop] if !self.more_hops => Some(hop),
            _ => None,
        }
    }
}

/// As the kernel keeps it: of IPv6, without the bits behind a prefix.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(prefix::masked(address, bits)),
    }
}

impl Hop {
    /// The gateway, where it is of IPv6.
    pub fn gateway6(&self) -> Option<Ipv6Addr> {
        match self.gateway {
            Some(IpAddr::V6(gateway)) => Some(gateway),
            _ => None,
        }
    }

    /// Takes an attribute that says something of a next hop; `false` where it is
    /// another.
    fn take(&mut self, kind: u16, value: &[u8]) -> bool {
        match kind {
            OIF => self.ifindex = number(value).filter(|&ifindex| ifindex != 0),
            GATEWAY => self.gateway = address(value),
            // `struct rtvia`: the family and then the address.
            VIA => self.gateway = value.get(2..).and_then(address),
            _ => return false,
        }
        true
    }
}

/// The next hops of a route with several.
fn next_hops(mut bytes: &[u8]) -> Vec<Hop> {
    let mut hops = Vec::new();
    while let Some(&[low, high, flags, weight, ..]) = bytes.get(..NEXT_HOP)
        && hops.len() < HOPS
    {
        let length = usize::from(u16::from_le_bytes([low, high]));
        let Some(own) = bytes.get(NEXT_HOP..length) else {
            break;
        };
        let mut hop = Hop {
            ifindex: bytes.get(4..).and_then(number).filter(|&index| index != 0),
            onlink: u32::from(flags) & ONLINK != 0,
            weight,
            ..Hop::default()
        };
        for (kind, value) in Attributes(own) {
            hop.take(kind, value);
        }
        hops.push(hop);
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    hops
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(u16::try_from(4 + value.len()).unwrap().to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn gateway() -> Ipv6Addr {
        "fe80::1".parse().unwrap()
    }

    #[test]
    fn a_request_is_read_as_the_kernel_reads_it() {
        let mut bytes = vec![10, 32, 0, 0, 254, 12, 0, 1, 4, 0, 0, 0];
        let prefix: Ipv6Addr = "2001:db8::".parse().unwrap();
        bytes.extend(attribute(DESTINATION, &prefix.octets()));
        bytes.extend(attribute(GATEWAY, &gateway().octets()));
        bytes.extend(attribute(OIF, &3_u32.to_le_bytes()));
        bytes.extend(attribute(TABLE, &1000_u32.to_le_bytes()));
        bytes.extend(attribute(PRIORITY, &5_u32.to_le_bytes()));
        let request = Request::parse(&bytes, true).unwrap();
        assert_eq!((request.table, request.metric), (1000, Some(5)));
        assert_eq!((request.protocol, request.prefix_len), (12, 32));
        let hop = request.only_hop().unwrap();
        assert_eq!((hop.gateway6(), hop.ifindex), (Some(gateway()), Some(3)));
        assert!(hop.onlink && request.is_whole && !request.is_ipv4());
        // What is not understood cannot be asked for again.
        bytes.extend(attribute(8, &[0; 4]));
        assert!(!Request::parse(&bytes, true).unwrap().is_whole);
    }

    #[test]
    fn each_next_hop_is_read() {
        let mut hops = Vec::new();
        for ifindex in [3_u32, 4] {
            let own = attribute(GATEWAY, &gateway().octets());
            hops.extend(u16::try_from(8 + own.len()).unwrap().to_le_bytes());
            hops.extend([0, 1]);
            hops.extend(ifindex.to_le_bytes());
            hops.extend(own);
        }
        let mut bytes = vec![10, 64, 0, 0, 0, 3, 0, 1, 0, 0, 0, 0];
        bytes.extend(attribute(MULTIPATH, &hops));
        let request = Request::parse(&bytes, true).unwrap();
        let found: Vec<_> = request.hops.iter().map(|hop| hop.ifindex).collect();
        assert_eq!(found, [Some(3), Some(4)]);
        assert!(request.hops.iter().all(|hop| hop.weight == 1));
        assert_eq!(request.table, 254);
    }

    #[test]
    fn next_hops_beyond_what_was_read_are_not_taken_for_none() {
        let mut hops = Vec::new();
        for ifindex in 1..=10_u32 {
            let own = attribute(GATEWAY, &gateway().octets());
            hops.extend(u16::try_from(8 + own.len()).unwrap().to_le_bytes());
            hops.extend([0, 1]);
            hops.extend(ifindex.to_le_bytes());
            hops.extend(own);
        }
        let mut bytes = vec![10, 64, 0, 0, 0, 3, 0, 1, 0, 0, 0, 0];
        bytes.extend(attribute(MULTIPATH, &hops));
        let request = Request::parse(&bytes[..244], false).unwrap();
        assert_eq!(request.hops.len(), 8);
        assert!(request.more_hops && !request.is_whole);
        // Not even the first was read to its end.
        let request = Request::parse(&bytes[..30], false).unwrap();
        assert!(request.hops.is_empty() && request.more_hops);
        assert_eq!(request.only_hop(), None);
    }

    #[test]
    fn a_prefix_is_the_one_that_the_kernel_keeps() {
        let mut bytes = vec![10, 64, 0, 0, 0, 3, 0, 1, 0, 0, 0, 0];
        let typed: Ipv6Addr = "2001:db8:0:1::1".parse().unwrap();
        let kept: Ipv6Addr = "2001:db8:0:1::".parse().unwrap();
        for length in [16, 8] {
            bytes.truncate(HEADER);
            bytes.extend(attribute(DESTINATION, &typed.octets()[..length]));
            let request = Request::parse(&bytes, true).unwrap();
            assert_eq!(request.destination, kept);
        }
    }

    #[test]
    fn whatever_is_cut_or_lies_is_read_as_far_as_it_goes() {
        let mut bytes = vec![2, 24, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        let mut via = vec![10, 0];
        via.extend(gateway().octets());
        bytes.extend(attribute(VIA, &via));
        bytes.extend(attribute(MULTIPATH, &[255; 40]));
        for end in 0..bytes.len() {
            let _ = Request::parse(&bytes[..end], false);
        }
        let request = Request::parse(&bytes, true).unwrap();
        assert_eq!(request.hops[0].gateway6(), Some(gateway()));
        assert!(request.is_ipv4());
        for kind in 0..=255 {
            bytes[12] = kind;
            let _ = Request::parse(&bytes, true);
        }
        assert_eq!(Request::parse(&[7; 12], true), None);
    }
}
