//! Why an address was refused, or what took addresses away.

mod asked;
mod came_up;
mod deleted;
mod disabled;
mod exists;
mod lost;
mod made;
mod refused;

use std::net::Ipv6Addr;

use crate::{
    explain::{Site, quoted},
    ifa,
};

pub(super) use came_up::came_up;
pub(crate) use came_up::not_made;
pub(super) use lost::lost;
pub(crate) use made::REGEN_MAX_RETRY;
pub(super) use made::{settings_refused, temporary_stopped};
pub(super) use refused::refused;

/// The command that adds an address, in its namespace.
fn add(site: Site<'_>, address: Ipv6Addr, prefix_len: u32, flags: u32, name: &str) -> String {
    let name = quoted(name);
    let mut command = format!("ip -6 address add {address}/{prefix_len} dev {name}");
    for (flag, word) in [
        (ifa::NODAD, "nodad"),
        (ifa::HOMEADDRESS, "home"),
        (ifa::MANAGETEMPADDR, "mngtmpaddr"),
        (ifa::NOPREFIXROUTE, "noprefixroute"),
        (ifa::MCAUTOJOIN, "autojoin"),
    ] {
        if flags & flag != 0 {
            command += " ";
            command += word;
        }
    }
    site.in_netns(&command)
}

/// The command that deletes an address and adds it anew, likewise. What a router or
/// a DHCP server gave is theirs to give again, and link-local ones the kernel makes:
/// for these there is none.
pub(crate) fn again(
    site: Site<'_>,
    address: Ipv6Addr,
    prefix_len: u32,
    flags: u32,
    name: &str,
) -> Option<String> {
    let is_theirs = flags & ifa::PERMANENT == 0;
    if is_theirs || address.is_unicast_link_local() || prefix_len == 0 {
        return None;
    }
    let add = add(site, address, prefix_len, flags, name);
    Some(replaced(site, address, prefix_len, &add, name))
}

/// The command that deletes an address, and then does `add`.
fn replaced(site: Site<'_>, address: Ipv6Addr, prefix_len: u32, add: &str, name: &str) -> String {
    let name = quoted(name);
    let delete = site.in_netns(&format!(
        "ip -6 address del {address}/{prefix_len} dev {name}"
    ));
    format!("{delete} && {add}")
}

/// "1 address", "3 addresses"
fn counted(count: u32, one: &str, more: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {more}")
    }
}
