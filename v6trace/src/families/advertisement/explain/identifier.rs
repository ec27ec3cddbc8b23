//! Interfaces that have nothing to make the last 64 bits of an address of.

use super::Remedy;
use crate::families::advertisement::{Identifier, RouterAdvertisement};

/// `ARPHRD_PPP` and `ARPHRD_NONE`: links of which no kernel makes an identifier.
const PPP: u16 = 512;
const NONE: u16 = 0xfffe;
/// `IN6_ADDR_GEN_MODE_STABLE_PRIVACY` and `IN6_ADDR_GEN_MODE_RANDOM`
const STABLE: [i32; 2] = [2, 3];

/// As `addrconf_prefix_rcv` goes on with a prefix of 64 bits: a token, an address of a
/// secret, one of the hardware address (`ipv6_generate_eui64`), the link-local
/// address (`ipv6_inherit_eui64`). What decides, whether that is not as the router
/// wants it, and what to do.
pub(super) fn missing(
    advertisement: &RouterAdvertisement,
) -> Option<(&'static str, String, bool, Vec<Remedy>)> {
    let Identifier {
        device_type,
        addr_gen_mode: mode,
        has_token,
        has_secret,
        has_link_local,
        ..
    } = advertisement.identifier?;
    let link = match device_type {
        PPP => "a PPP link",
        NONE => "a link without addresses of its own (tun, WireGuard)",
        _ => return None,
    };
    let is_stable = STABLE.contains(&mode);
    if has_token || is_stable && has_secret || has_link_local? {
        return None;
    }
    let name = &advertisement.interface;
    let mode = match mode {
        0 => "0 (eui64)".to_owned(),
        1 => "1 (none)".to_owned(),
        _ if is_stable => format!("{mode}, of which there is no stable_secret"),
        _ => mode.to_string(),
    };
    let reason = format!(
        "{name} has no interface identifier to put behind the prefix. It is {link}, its \
         addr_gen_mode is {mode}, it has no token, and no link-local address to take one from"
    );
    let mut remedies = vec![Remedy::LinkLocal {
        remark: "64 bits of your choice for ADDRESS; the next advertisement makes addresses with \
                 them",
    }];
    if device_type == NONE {
        let random = "the kernel makes up an identifier, and fe80:: of it; WireGuard sets it back \
                      to 1 each time it is set up";
        remedies.push(Remedy::set("addr_gen_mode", 3, random));
    }
    Some(("identifier", reason, true, remedies))
}
