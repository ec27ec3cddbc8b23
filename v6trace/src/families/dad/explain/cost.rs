//! What becomes of an address that was found in use: `addrconf_dad_stop`, and
//! the conditions around it.

use std::net::Ipv6Addr;

use crate::{families::dad::DadFailure, frame::Mac, ifa};

/// What the failure costs.
pub(super) struct Cost {
    /// Whether it is a temporary address.
    pub(super) temporary: bool,
    /// Whether the kernel deletes the address; `None` where its flags are not
    /// known.
    pub(super) address_deleted: Option<bool>,
    /// Whether the kernel switches IPv6 off on the interface.
    pub(super) ipv6_disabled: Option<bool>,
    /// The same in a sentence.
    pub(super) text: String,
}

impl Cost {
    pub(super) fn of(failure: &DadFailure) -> Self {
        let ipv6_disabled = disables(failure);
        let kept = failure.flags.map(|flags| {
            flags & ifa::TEMPORARY == 0
                && flags & ifa::PERMANENT != 0
                // Which takes every address of the interface along.
                && ipv6_disabled != Some(true)
        });
        Self {
            temporary: failure.flags.unwrap_or_default() & ifa::TEMPORARY != 0,
            address_deleted: kept.map(|kept| !kept),
            ipv6_disabled,
            text: sentence(failure, kept, ipv6_disabled),
        }
    }
}

fn sentence(failure: &DadFailure, kept: Option<bool>, ipv6_disabled: Option<bool>) -> String {
    let flags = failure.flags.unwrap_or_default();
    let name = &failure.interface;
    if ipv6_disabled == Some(true) {
        return format!(
            "Since accept_dad is 2 and this is the fe80 address made from {name}'s MAC, the kernel \
             switches IPv6 off on {name} (disable_ipv6 = 1), and all its addresses go."
        );
    }
    if flags & ifa::TEMPORARY != 0 {
        return format!(
            "The kernel deletes it and tries another temporary address, \
             net.ipv6.conf.{name}.regen_max_retry in all; after the last it sets use_tempaddr of \
             {name} to -1 and makes no more."
        );
    }
    let fate = match kept {
        None => "What becomes of it could not be read",
        Some(true) => "It stays on the interface, tentative and dadfailed, and cannot be used",
        Some(false) => {
            "The kernel deletes it, since it has a lifetime; if a router advertises its prefix, the \
             next advertisement adds it again and it is tested again"
        }
    };
    match failure.retries {
        Some((retry, limit)) if flags & ifa::STABLE_PRIVACY != 0 => {
            let next = i32::from(retry) + 1;
            if next > limit {
                format!(
                    "{fate}. It was made anew {retry} times; net.ipv6.idgen_retries allows no more."
                )
            } else {
                format!("{fate}. The kernel makes another one in its place, {next} of {limit}.")
            }
        }
        _ => format!("{fate}."),
    }
}

/// Whether the failure switches IPv6 off on the interface.
fn disables(failure: &DadFailure) -> Option<bool> {
    let sysctls = failure.sysctls?;
    let flags = failure.flags?;
    let link_local = failure.address.segments()[..4] == [0xfe80, 0, 0, 0];
    if sysctls.accept_dad <= 1
        || sysctls.disable_ipv6
        || flags & ifa::STABLE_PRIVACY != 0
        || !link_local
    {
        return Some(false);
    }
    Some(failure.address == from_mac(failure.own_mac?))
}

/// The fe80 address that is made from a MAC (EUI-64).
pub(super) fn from_mac(Mac(mac): Mac) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets[..2].copy_from_slice(&[0xfe, 0x80]);
    octets[8..11].copy_from_slice(&mac[..3]);
    octets[8] ^= 2;
    octets[11..13].copy_from_slice(&[0xff, 0xfe]);
    octets[13..].copy_from_slice(&mac[3..]);
    octets.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_from_mac() {
        let mac = Mac([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]);
        assert_eq!(from_mac(mac).to_string(), "fe80::5054:ff:fe12:3456");
    }
}
