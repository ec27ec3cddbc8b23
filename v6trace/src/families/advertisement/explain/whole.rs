//! What makes the kernel ignore a whole advertisement.

use super::{Cause, Matter, Remedy, prefix, router};
use crate::{
    explain::Subject,
    families::{
        advertisement::{Identifier, RouterAdvertisement, Sysctls, message::Fault},
        anycast::Written,
    },
};

/// `ARPHRD_INFINIBAND`, whose addresses come behind two bytes.
const INFINIBAND: u16 = 32;
/// `ARPHRD_6LOWPAN`, which reads such options in its own way
/// (`lowpan_ndisc_parse_options`).
const LOWPAN: u16 = 825;

/// The reason, in the order in which the kernel tests; else what the parts depend
/// on, `None` where that could not be read.
pub(super) fn matter(advertisement: &RouterAdvertisement) -> Result<Option<Sysctls>, Matter> {
    if let Some(matter) = invalid(advertisement) {
        return Err(matter);
    }
    let Some(sysctls) = advertisement.sysctls else {
        return Ok(None);
    };
    let from = format!(" of {}", router(&advertisement.frame));
    let settings = (sysctls.forwarding, sysctls.accept_ra);
    ignored(&advertisement.interface, &from, settings).map_or(Ok(Some(sysctls)), Err)
}

/// Why every advertisement is ignored with these values of forwarding and accept_ra
/// (`ipv6_accept_ra`); `from` says whose, with a blank ahead.
pub(super) fn ignored(interface: &str, from: &str, settings: (i32, i32)) -> Option<Matter> {
    match settings {
        (0, 0) => Some(not_accepted(interface, from)),
        (0, _) | (_, 2) => None,
        (forwards, accept_ra) => Some(forwarding(interface, from, forwards, accept_ra)),
    }
}

fn invalid(advertisement: &RouterAdvertisement) -> Option<Matter> {
    let frame = &advertisement.frame;
    let source = frame
        .source()
        .filter(|source| !source.is_unicast_link_local());
    let (what, reason) = match (source, advertisement.message.fault) {
        (Some(source), _) => (
            "source",
            format!("its source {source} is no link-local address, as a router's must be"),
        ),
        (None, Some(Fault::TooShort { length })) => (
            "short",
            format!("it has {length} bytes, and must have 16 at least"),
        ),
        (None, Some(Fault::Option { kind, offset })) => (
            "options",
            match kind {
                Some(kind) => format!(
                    "its option of type {kind} at byte {offset} has no length, or one beyond the \
                     end"
                ),
                None => format!("it ends within an option, at byte {offset}"),
            },
        ),
        (None, None) => return None,
    };
    let mut matter = Matter::new(Cause::Invalid, what, why(advertisement, &reason))
        .with("reason", what)
        .with("hop_limit", frame.hop_limit().map(u32::from))
        .with("length", u32::try_from(frame.message_length()).ok())
        .remedy(Remedy::mend(frame));
    matter.may_fail = true;
    Some(matter)
}

/// Where the option with the source's address of the link has another length than the
/// link's addresses ask for (`ndisc_opt_addr_data`), the kernel stops there. It only
/// looks at it with a neighbour entry of the router, which one that it has taken as a
/// default router has (`is_router`), and another has unless the table is full.
pub(super) fn source_option(
    advertisement: &RouterAdvertisement,
    sysctls: Sysctls,
    is_router: bool,
) -> Option<Matter> {
    let bytes = advertisement.message.source_option?;
    let Identifier {
        device_type,
        addr_len,
        ..
    } = advertisement.identifier?;
    if device_type == LOWPAN {
        return None;
    }
    let padding = if device_type == INFINIBAND { 2 } else { 0 };
    let wanted = usize::from(addr_len + 2 + padding).next_multiple_of(8);
    if bytes == wanted {
        return None;
    }
    let interface = &advertisement.interface;
    let why = format!(
        "{interface} dropped the rest of a router advertisement of {}, and with it its prefixes, \
         routes and MTU: its option with the router's address of the link has {bytes} bytes, and \
         on {interface}, whose addresses have {addr_len}, must have {wanted}. Ahead of that the \
         kernel has taken the router as a default router and its hop limit, as far as it heeds \
         them",
        router(&advertisement.frame),
    );
    let mut matter = Matter::new(Cause::Invalid, "source-option", why)
        .with("reason", "source-option")
        .with("option_bytes", u32::try_from(bytes).ok())
        .with("addr_len", u32::from(addr_len))
        .with("hop_limit", advertisement.frame.hop_limit().map(u32::from))
        .with(
            "length",
            u32::try_from(advertisement.frame.message_length()).ok(),
        )
        .remedy(Remedy::mend(&advertisement.frame));
    matter.may_fail = true;
    matter.certain = is_router;
    // A default route is no address.
    let mut prefixes = advertisement.message.prefixes.iter();
    matter.misses_address = prefixes.any(|one| prefix::makes_address(advertisement, sysctls, one));
    Some(matter)
}

/// "eth0 dropped a router advertisement of … : …"
fn why(advertisement: &RouterAdvertisement, reason: &str) -> String {
    format!(
        "{} dropped a router advertisement of {}: {reason}",
        advertisement.interface,
        router(&advertisement.frame),
    )
}

fn forwarding(interface: &str, from: &str, forwards: i32, accept_ra: i32) -> Matter {
    let mut matter = Matter::new(
        Cause::IgnoredForwarding,
        "",
        format!(
            "{interface} ignores the router advertisements{from}: {interface} forwards \
             (forwarding = {forwards}), and heeds advertisements then only with accept_ra = 2; it \
             is {accept_ra}"
        ),
    )
    .with("forwarding", forwards)
    .with("accept_ra", accept_ra)
    .remedy(Remedy::set(
        "accept_ra",
        2,
        "stays a router, and heeds the next advertisement",
    ));
    if accept_ra != 0 {
        matter = matter.remedy(Remedy::set(
            "forwarding",
            0,
            "a host on this interface, until conf.all.forwarding is written again",
        ));
    }
    matter.may_fail = true;
    matter.may_settle = accept_ra == 0;
    matter
}

fn not_accepted(interface: &str, from: &str) -> Matter {
    let mut matter = Matter::new(
        Cause::IgnoredAcceptRa,
        "",
        format!("{interface} ignores the router advertisements{from}: its accept_ra is 0"),
    )
    .with("forwarding", 0)
    .with("accept_ra", 0)
    .remedy(Remedy::set(
        "accept_ra",
        1,
        "heeds the next advertisement; where networkd, NetworkManager or dhcpcd set it to 0, it \
         belongs in their settings",
    ));
    matter.may_fail = true;
    matter.may_settle = true;
    matter
}

/// Who turned forwarding on, where this session saw it; a sentence with a blank
/// ahead.
pub(super) fn writer(advertisement: &RouterAdvertisement, subject: Subject<'_>) -> String {
    let earlier = subject.session.advertisements();
    let Some((by, written)) = earlier.writer(subject.event.netns, &advertisement.interface) else {
        return String::new();
    };
    match written {
        Written::All => format!(" {by} wrote net.ipv6.conf.all.forwarding."),
        Written::Interface(name) => format!(" {by} wrote net/ipv6/conf/{name}/forwarding."),
    }
}
