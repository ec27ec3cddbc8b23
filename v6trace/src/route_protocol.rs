//! Who made a route (`RTPROT_*` of `linux/rtnetlink.h`).

/// As `ip route` names it.
pub(crate) fn name(number: u8) -> String {
    let name = match number {
        2 => "kernel",
        3 => "boot",
        4 => "static",
        9 => "ra",
        11 => "zebra",
        12 => "bird",
        16 => "dhcp",
        186 => "bgp",
        _ => return format!("protocol {number}"),
    };
    name.to_owned()
}
