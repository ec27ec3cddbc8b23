//! Prefixes of IPv6 addresses.

use std::net::Ipv6Addr;

/// Whether a prefix of so many bits has the address.
pub(crate) fn has(prefix: Ipv6Addr, bits: u8, address: Ipv6Addr) -> bool {
    let differ = prefix.to_bits() ^ address.to_bits();
    differ
        .checked_shr(128_u32.saturating_sub(bits.into()))
        .is_none_or(|rest| rest == 0)
}

/// Whether an address is of the space from which the world's are given out (RFC 4291,
/// section 2.4; 2000::/3 by IANA).
pub(crate) fn is_global_unicast(address: Ipv6Addr) -> bool {
    has(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3, address)
}

/// The address without what is behind so many bits.
pub(crate) fn masked(address: Ipv6Addr, bits: u8) -> Ipv6Addr {
    let behind = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & !behind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_a_prefix_is_masked() {
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap();
        for (bits, expected) in [
            (0, "::"),
            (33, "2001:db8:8000::"),
            (128, "2001:db8:c000::7"),
            (255, "2001:db8:c000::7"),
        ] {
            assert_eq!(masked(address("2001:db8:c000::7"), bits), address(expected));
        }
    }

    #[test]
    fn a_prefix_has_what_begins_like_it() {
        let address = |text: &str| text.parse::<Ipv6Addr>().unwrap();
        let to = address("2001:db8:0:1::7");
        for (prefix, bits, expected) in [
            ("::", 0, true),
            ("2001:db8::", 32, true),
            ("2001:db8:0:1::7", 128, true),
            ("2001:db8::", 64, false),
            ("2001:db8:0:1::8", 128, false),
        ] {
            assert_eq!(has(address(prefix), bits, to), expected, "{prefix}/{bits}");
        }
    }
}
