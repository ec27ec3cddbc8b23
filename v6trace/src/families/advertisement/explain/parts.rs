//! What of an advertisement is not heeded beside its prefixes: the router as a
//! default router, its routes, hop limit and MTU.

use std::net::IpAddr;

use super::{Cause, Matter, Remedy, bounded, router as sender};
use crate::families::advertisement::{
    RouteSysctls, RouterAdvertisement, Sysctls,
    message::{Message, Route},
};

/// The least MTU of IPv6.
const MIN_MTU: u32 = 1280;
/// From this `accept_ra_min_hop_limit` on no hop limit is heeded at all.
const NO_HOP_LIMIT: i32 = 256;
/// `ICMPV6_ROUTER_PREF_INVALID`
const RESERVED_PREFERENCE: u8 = 2;

/// Whether the kernel takes no routes, since the interface itself has the source.
fn is_from_itself(advertisement: &RouterAdvertisement, sysctls: Sysctls) -> bool {
    advertisement.own_source == Some(true) && sysctls.from_local == 0
}

/// Those of the router itself, to which the kernel comes first.
pub(super) fn router(advertisement: &RouterAdvertisement, sysctls: Sysctls) -> Vec<Matter> {
    let from_itself = is_from_itself(advertisement, sysctls);
    let mut matters = Vec::new();
    let mut goes_on = true;
    if let Some((matter, is_last)) = default_route(advertisement, sysctls, from_itself) {
        matters.push(matter);
        goes_on = !is_last;
    }
    // What is heeded of the router is only its hop limit.
    if goes_on {
        matters.extend(hop_limit(advertisement, sysctls));
    }
    matters
}

/// Those of its routes.
pub(super) fn routes(advertisement: &RouterAdvertisement, sysctls: Sysctls) -> Vec<Matter> {
    let Some(routes) = advertisement.routes else {
        return Vec::new();
    };
    if is_from_itself(advertisement, sysctls) {
        return Vec::new();
    }
    let ignored = advertisement.message.routes.iter();
    bounded(ignored.filter_map(|one| route(advertisement, sysctls, routes, one)))
}

/// Why the router becomes no default router, and whether the kernel then leaves
/// the rest of its header as well.
fn default_route(
    advertisement: &RouterAdvertisement,
    sysctls: Sysctls,
    from_itself: bool,
) -> Option<(Matter, bool)> {
    let lifetime = advertisement.message.lifetime;
    let min_lft = advertisement.min_lft;
    let (what, reason, remedy, is_last) = if sysctls.defrtr == 0 {
        (
            "defrtr",
            "accept_ra_defrtr is 0".to_owned(),
            Remedy::set("accept_ra_defrtr", 1, "heeds the next advertisement"),
            true,
        )
    } else if lifetime != 0 && i32::from(lifetime) < min_lft {
        (
            "min-lft",
            format!("its lifetime of {lifetime} s is below accept_ra_min_lft = {min_lft}"),
            Remedy::set(
                "accept_ra_min_lft",
                0,
                "the default: no lifetime is too short",
            ),
            true,
        )
    } else if from_itself {
        (
            "from-local",
            format!(
                "its source is an address of {} itself, and accept_ra_from_local is 0",
                advertisement.interface
            ),
            Remedy::Say(
                "two nodes of the link have that address; take it from one of them".to_owned(),
            ),
            true,
        )
    } else if lifetime == 0 {
        (
            "lifetime",
            "its router lifetime is 0: the router is no default router, or ceases to be one"
                .to_owned(),
            Remedy::Say(
                "where it leads to the Internet, have the router advertise a lifetime (radvd: \
                 AdvDefaultLifetime)"
                    .to_owned(),
            ),
            false,
        )
    } else {
        return None;
    };
    let why = format!(
        "{} takes no default route from the router advertisements of {}: {reason}",
        advertisement.interface,
        sender(&advertisement.frame),
    );
    let matter = Matter::new(Cause::NoDefaultRoute, what, why)
        .with("lifetime", u32::from(lifetime))
        .with("accept_ra_defrtr", sysctls.defrtr)
        .with("accept_ra_min_lft", min_lft)
        .with("accept_ra_from_local", sysctls.from_local)
        .with("own_source", advertisement.own_source)
        .remedy(remedy);
    Some((matter, is_last))
}

fn hop_limit(advertisement: &RouterAdvertisement, sysctls: Sysctls) -> Option<Matter> {
    let hop_limit = advertisement.message.hop_limit;
    let min = sysctls.min_hop_limit;
    // 0 says nothing.
    if hop_limit == 0 || min < NO_HOP_LIMIT && min <= i32::from(hop_limit) {
        return None;
    }
    let why = format!(
        "{} ignores the hop limit {hop_limit} in the router advertisements of {}: it is below \
         accept_ra_min_hop_limit = {min}",
        advertisement.interface,
        sender(&advertisement.frame),
    );
    let matter = Matter::new(Cause::HopLimit, hop_limit.to_string(), why)
        .with("hop_limit", u32::from(hop_limit))
        .with("accept_ra_min_hop_limit", min)
        .remedy(Remedy::set(
            "accept_ra_min_hop_limit",
            hop_limit.into(),
            "takes it from the next advertisement; a low one makes far hosts unreachable",
        ));
    Some(matter)
}

fn route(
    advertisement: &RouterAdvertisement,
    sysctls: Sysctls,
    routes: RouteSysctls,
    route: &Route,
) -> Option<Matter> {
    // One that is withdrawn is no loss.
    if route.lifetime == 0 {
        return None;
    }
    let length = i32::from(route.length);
    let min_lft = advertisement.min_lft;
    let RouteSysctls {
        rtr_pref,
        min_plen,
        max_plen,
    } = routes;
    let heeded = "heeds the next advertisement";
    let mend = || Remedy::mend(&advertisement.frame);
    let mut certain = true;
    let (what, reason, remedy) = if rtr_pref == 0 {
        (
            "rtr-pref",
            "accept_ra_rtr_pref is 0".to_owned(),
            Remedy::set("accept_ra_rtr_pref", 1, heeded),
        )
    } else if length == 0 && sysctls.defrtr == 0 {
        (
            "defrtr",
            "it is a default route, and accept_ra_defrtr is 0".to_owned(),
            Remedy::set("accept_ra_defrtr", 1, heeded),
        )
    } else if i64::from(route.lifetime) < i64::from(min_lft) {
        (
            "min-lft",
            format!(
                "its lifetime of {} s is below accept_ra_min_lft = {min_lft}",
                route.lifetime
            ),
            Remedy::set("accept_ra_min_lft", 0, heeded),
        )
    } else if length < min_plen {
        (
            "min-plen",
            format!(
                "its prefix has {length} bits, fewer than accept_ra_rt_info_min_plen = {min_plen}"
            ),
            Remedy::set("accept_ra_rt_info_min_plen", length, heeded),
        )
    } else if length > max_plen {
        (
            "max-plen",
            format!(
                "its prefix has {length} bits, more than accept_ra_rt_info_max_plen = {max_plen}"
            ),
            match length {
                0..=64 => Remedy::set("accept_ra_rt_info_max_plen", 64, heeded),
                65..=128 => Remedy::set("accept_ra_rt_info_max_plen", 128, heeded),
                _ => mend(),
            },
        )
    } else if let Some(surely) = malformed(route) {
        certain = surely;
        (
            "malformed",
            format!(
                "the option of {} bytes with preference {} is malformed for a prefix of {length} \
                 bits",
                route.bytes, route.preference
            ),
            mend(),
        )
    } else {
        return None;
    };
    let prefix = format!("{}/{length}", route.prefix);
    let why = format!(
        "{} ignores the route to {prefix} in the router advertisements of {}: {reason}{}",
        advertisement.interface,
        sender(&advertisement.frame),
        if certain {
            ""
        } else {
            " (as kernels since 6.1 have it)"
        },
    );
    let mut matter = Matter::new(Cause::RouteInformation, format!("{what} {prefix}"), why)
        .with("prefix", prefix)
        .with("route_lifetime", route.lifetime)
        .with("accept_ra_rtr_pref", rtr_pref)
        .with("accept_ra_rt_info_min_plen", min_plen)
        .with("accept_ra_rt_info_max_plen", max_plen)
        .remedy(remedy);
    matter.certain = certain;
    matter.address = Some(IpAddr::V6(route.prefix));
    Some(matter)
}

/// Whether `rt6_route_rcv` refuses the option, and if so whether every kernel does.
fn malformed(route: &Route) -> Option<bool> {
    let units = route.bytes / 8;
    let needed = match route.length {
        0 => 1,
        1..=64 => 2,
        65.. => 3,
    };
    if units > 3
        || route.length > 128
        || route.preference == RESERVED_PREFERENCE
        || units + 1 < needed
    {
        return Some(true);
    }
    (units < needed).then_some(false)
}

/// Why the MTU is not heeded.
pub(super) fn mtu(advertisement: &RouterAdvertisement, sysctls: Sysctls) -> Option<Matter> {
    let &Message { mtu: Some(mtu), .. } = &advertisement.message else {
        return None;
    };
    let own = advertisement.mtu;
    let heeded = "heeds the next advertisement";
    let (what, reason, remedy) = if sysctls.mtu == 0 {
        (
            "off",
            "accept_ra_mtu is 0".to_owned(),
            Remedy::set("accept_ra_mtu", 1, heeded),
        )
    } else if mtu < MIN_MTU {
        (
            "small",
            format!("it is below {MIN_MTU}, the least of IPv6"),
            Remedy::mend(&advertisement.frame),
        )
    } else if let Some(own) = own.filter(|own| mtu > *own) {
        (
            "large",
            format!("it is above the interface's own, {own}"),
            Remedy::Mtu {
                mtu,
                remark: "where all of the link can bear it",
            },
        )
    } else {
        return None;
    };
    let why = format!(
        "{} ignores the MTU {mtu} in the router advertisements of {}: {reason}",
        advertisement.interface,
        sender(&advertisement.frame),
    );
    let matter = Matter::new(Cause::Mtu, format!("{what} {mtu}"), why)
        .with("advertised_mtu", mtu)
        .with("mtu", own)
        .with("accept_ra_mtu", sysctls.mtu)
        .remedy(remedy);
    Some(matter)
}
