//! Which attribute of a request the kernel points at.

use super::What;
use crate::rtnetlink::ATTRIBUTE;

/// `IFLA_AF_SPEC`, which has one for each family, and `AF_INET6`.
const OF_FAMILIES: u16 = 26;
const INET6: u16 = 10;

/// Its name, by where it begins in the request behind the header of the message:
/// `IFLA_*`, `IFA_*`, `RTA_*` and so on, or its number. `None` where no attribute
/// begins there.
pub(in super::super) fn at(what: What, request: &[u8], place: u32) -> Option<String> {
    let place = usize::try_from(place).ok()?;
    let (kind, inside) = find(request, what.header(), place)?;
    let own = name(what, kind);
    if inside == place {
        return Some(own);
    }
    if what != What::Settings || kind != OF_FAMILIES {
        return Some(format!("something in {own}"));
    }
    let (family, inside) = find(request, inside + ATTRIBUTE, place)?;
    if family != INET6 || inside == place {
        return Some(own);
    }
    let (kind, _) = find(request, inside + ATTRIBUTE, place)?;
    Some(setting(kind))
}

/// The type of the attribute that a place is in, among those from `at` on, and where it
/// begins.
fn find(request: &[u8], mut at: usize, place: usize) -> Option<(u16, usize)> {
    loop {
        let &[low, high, kind_low, kind_high] = request.get(at..at + ATTRIBUTE)? else {
            return None;
        };
        let length = usize::from(u16::from_le_bytes([low, high]));
        // A length that is none ends what can be told apart.
        if at > place || length < ATTRIBUTE {
            return None;
        }
        if place < at + length {
            // `NLA_TYPE_MASK`
            return Some((u16::from_le_bytes([kind_low, kind_high]) & 0x3fff, at));
        }
        at += length.next_multiple_of(4);
    }
}

fn name(what: What, kind: u16) -> String {
    let (prefix, names): (&str, &[(u16, &str)]) = match what {
        What::Settings => (
            "IFLA",
            &[(3, "IFNAME"), (4, "MTU"), (18, "LINKINFO"), (26, "AF_SPEC")],
        ),
        What::Address => (
            "IFA",
            &[
                (1, "ADDRESS"),
                (2, "LOCAL"),
                (3, "LABEL"),
                (6, "CACHEINFO"),
                (8, "FLAGS"),
                (9, "RT_PRIORITY"),
                (11, "PROTO"),
            ],
        ),
        What::Route | What::Way => (
            "RTA",
            &[
                (1, "DST"),
                (2, "SRC"),
                (3, "IIF"),
                (4, "OIF"),
                (5, "GATEWAY"),
                (6, "PRIORITY"),
                (7, "PREFSRC"),
                (8, "METRICS"),
                (9, "MULTIPATH"),
                (15, "TABLE"),
                (16, "MARK"),
                (18, "VIA"),
                (20, "PREF"),
                (21, "ENCAP_TYPE"),
                (22, "ENCAP"),
                (25, "UID"),
                (30, "NH_ID"),
            ],
        ),
        What::Neighbour => (
            "NDA",
            &[
                (1, "DST"),
                (2, "LLADDR"),
                (5, "VLAN"),
                (8, "IFINDEX"),
                (9, "MASTER"),
                (12, "PROTOCOL"),
                (15, "FLAGS_EXT"),
            ],
        ),
        What::Rule => (
            "FRA",
            &[
                (1, "DST"),
                (2, "SRC"),
                (3, "IIFNAME"),
                (4, "GOTO"),
                (6, "PRIORITY"),
                (10, "FWMARK"),
                (12, "TUN_ID"),
                (13, "SUPPRESS_IFGROUP"),
                (14, "SUPPRESS_PREFIXLEN"),
                (15, "TABLE"),
                (16, "FWMASK"),
                (17, "OIFNAME"),
                (19, "L3MDEV"),
                (20, "UID_RANGE"),
                (21, "PROTOCOL"),
                (22, "IP_PROTO"),
                (23, "SPORT_RANGE"),
                (24, "DPORT_RANGE"),
                (25, "DSCP"),
            ],
        ),
        What::Label => ("IFAL", &[(1, "ADDRESS"), (2, "LABEL")]),
        What::NextHop => (
            "NHA",
            &[
                (1, "ID"),
                (2, "GROUP"),
                (3, "GROUP_TYPE"),
                (4, "BLACKHOLE"),
                (5, "OIF"),
                (6, "GATEWAY"),
                (7, "ENCAP_TYPE"),
                (8, "ENCAP"),
                (9, "GROUPS"),
                (10, "MASTER"),
                (11, "FDB"),
                (12, "RES_GROUP"),
            ],
        ),
        What::Other => ("", &[]),
    };
    let mut names = names.iter();
    match names.find(|(number, _)| *number == kind) {
        Some((_, name)) => format!("{prefix}_{name}"),
        None => format!("attribute {kind}"),
    }
}

/// The name of a setting of IPv6.
fn setting(kind: u16) -> String {
    match kind {
        7 => "IFLA_INET6_TOKEN".to_owned(),
        8 => "IFLA_INET6_ADDR_GEN_MODE".to_owned(),
        _ => format!("attribute {kind} of IPv6"),
    }
}
