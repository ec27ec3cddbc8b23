//! MACs and addresses that no other scenario has, for v6trace looks for these in
//! every namespace of the machine.

use std::net::Ipv6Addr;
use std::sync::LazyLock;

use crate::guest::place;

static MAC: LazyLock<String> = LazyLock::new(|| numbered(0x0a));
static OTHER_MAC: LazyLock<String> = LazyLock::new(|| numbered(0x0b));
static THIRD_MAC: LazyLock<String> = LazyLock::new(|| numbered(0x0c));

fn numbered(number: u8) -> String {
    format!("02:00:00:00:{:02x}:{number:02x}", place())
}

/// The host's, of which an address is refused.
pub(super) fn mac() -> &'static str {
    &MAC
}

/// Another node's.
pub(super) fn other_mac() -> &'static str {
    &OTHER_MAC
}

/// A third node's.
pub(super) fn third_mac() -> &'static str {
    &THIRD_MAC
}

/// The first address of the segment's prefix.
pub(super) fn first_address() -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, u16::from(place()), 7, 0, 0, 0, 0)
}

/// The address that is refused.
pub(super) fn address() -> Ipv6Addr {
    after(first_address(), 0x0a)
}

/// The address `further` places after another.
pub(super) fn after(address: Ipv6Addr, further: u128) -> Ipv6Addr {
    Ipv6Addr::from(u128::from(address) + further)
}

/// The link-local address that every kernel makes of a MAC (EUI-64, RFC 4291
/// appendix A).
pub(super) fn made_of(mac: &str) -> Ipv6Addr {
    let octets = mac.split(':').map(|octet| u8::from_str_radix(octet, 16));
    let octets: Vec<u8> = octets.map(|octet| octet.expect("a MAC")).collect();
    let [first, second, third, rest @ ..] = &octets[..] else {
        panic!("{mac} is no MAC");
    };
    let start = [first ^ 2, *second, *third, 0xff, 0xfe];
    let identifier = start.iter().chain(rest);
    let identifier = identifier.fold(0_u64, |so_far, &octet| so_far << 8 | u64::from(octet));
    Ipv6Addr::from(0xfe80 << 112 | u128::from(identifier))
}
