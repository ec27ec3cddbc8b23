//! Borrowed sources that hardly any answer comes back to, and why.

use std::net::Ipv4Addr;

use crate::families::source_selection::LinkState;

/// Why a source does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The address itself is of no use so far away.
    Address(&'static Range),
    /// The interface that it is of is down.
    Down,
    /// The interface that it is of has no carrier.
    NoCarrier,
}

/// Addresses that are not routed as others are (RFC 6890).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Its name in the evidence.
    kind: &'static str,
    network: Ipv4Addr,
    length: u32,
    /// What follows "is" in a sentence about an address of it.
    is: &'static str,
}

const RANGES: &[Range] = &[
    Range {
        kind: "class-e",
        network: Ipv4Addr::new(240, 0, 0, 0),
        length: 4,
        is: "of class E (240.0.0.0/4), which many hosts and routers drop",
    },
    Range {
        kind: "link-local",
        network: Ipv4Addr::new(169, 254, 0, 0),
        length: 16,
        is: "link-local (169.254.0.0/16), and no router may forward an answer to it",
    },
    Range {
        kind: "shared",
        network: Ipv4Addr::new(100, 64, 0, 0),
        length: 10,
        is: "of the space that providers and overlays share (100.64.0.0/10), which nobody beyond \
             them routes",
    },
    Range {
        kind: "benchmark",
        network: Ipv4Addr::new(198, 18, 0, 0),
        length: 15,
        is: "of the space for benchmarks (198.18.0.0/15), which nobody beyond them routes",
    },
    Range {
        kind: "protocol",
        network: Ipv4Addr::new(192, 0, 0, 0),
        length: 24,
        is: "of the space for protocols such as 464XLAT (192.0.0.0/24), which nobody routes",
    },
    Range {
        kind: "this-network",
        network: Ipv4Addr::UNSPECIFIED,
        length: 8,
        is: "of 0.0.0.0/8, which many hosts and routers drop",
    },
];

impl Range {
    fn has(&self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX << (32 - self.length);
        address.to_bits() & mask == self.network.to_bits()
    }
}

impl Unfit {
    /// Whether an address is unfit by itself for packets to `destination`. Who
    /// sends within such a network may well have an address of it.
    pub(super) fn address(address: Ipv4Addr, destination: Ipv4Addr) -> Option<Self> {
        let range = RANGES.iter().find(|range| range.has(address))?;
        (!range.has(destination)).then_some(Self::Address(range))
    }

    /// Whether an interface in this state does not do.
    pub(super) fn interface(state: LinkState) -> Option<Self> {
        match state {
            LinkState::Down => Some(Self::Down),
            LinkState::NoCarrier => Some(Self::NoCarrier),
            LinkState::Up | LinkState::Other => None,
        }
    }

    /// Its name in the evidence.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Address(range) => range.kind,
            Self::Down => "down",
            Self::NoCarrier => "no-carrier",
        }
    }

    /// A sentence about `source`, of the interface `lender`.
    pub(super) fn sentence(self, source: Ipv4Addr, lender: &str) -> String {
        let state = match self {
            Self::Address(range) => {
                return format!("{source} is {}: answers hardly come back.", range.is);
            }
            Self::Down => "is down",
            Self::NoCarrier => "has no carrier",
        };
        format!(
            "But {lender} {state}, and routing daemons do not announce what is on such an \
             interface: answers hardly come back."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(address: &str, destination: &str) -> Option<&'static str> {
        let [address, destination] = [address, destination].map(|text| text.parse().unwrap());
        Unfit::address(address, destination).map(Unfit::kind)
    }

    #[test]
    fn addresses_that_are_not_routed() {
        for (address, expected) in [
            ("240.0.0.1", "class-e"),
            ("169.254.7.1", "link-local"),
            ("100.64.0.1", "shared"),
            ("100.127.255.254", "shared"),
            ("198.19.255.1", "benchmark"),
            ("192.0.0.4", "protocol"),
            ("0.1.2.3", "this-network"),
        ] {
            assert_eq!(kind(address, "198.51.100.9"), Some(expected), "{address}");
        }
        for address in [
            "10.0.0.1",
            "172.17.0.1",
            "192.168.122.1",
            "192.0.2.1",
            "100.63.255.255",
            "100.128.0.1",
            "198.20.0.1",
            "223.255.255.254",
        ] {
            assert_eq!(kind(address, "198.51.100.9"), None, "{address}");
        }
    }

    #[test]
    fn within_such_a_network_they_do() {
        assert_eq!(kind("100.64.0.1", "100.100.0.1"), None);
        assert_eq!(kind("100.64.0.1", "198.18.0.1"), Some("shared"));
    }
}
