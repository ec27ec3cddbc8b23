//! Why no address is made of a prefix.

use std::net::IpAddr;

use super::{Cause, Matter, Remedy, bounded, identifier, router};
use crate::families::advertisement::{RouterAdvertisement, Sysctls, message::Prefix};

/// The bits of a prefix of which addresses are made.
const LENGTH: u8 = 64;

/// Of each prefix the first condition that decides.
pub(super) fn matters(advertisement: &RouterAdvertisement, sysctls: Sysctls) -> Vec<Matter> {
    let prefixes = advertisement.message.prefixes.iter();
    bounded(prefixes.filter_map(|prefix| matter(advertisement, sysctls, prefix)))
}

/// What decides, for what it is remembered by; why; whether it is not as the router
/// wants it; and what to do.
type Reason = (&'static str, String, bool, Vec<Remedy>);

fn matter(
    advertisement: &RouterAdvertisement,
    sysctls: Sysctls,
    prefix: &Prefix,
) -> Option<Matter> {
    let (what, reason, may_fail, remedies) = reason(advertisement, sysctls, prefix)?;
    let name = format!("{}/{}", prefix.prefix, prefix.length);
    let why = format!(
        "{} makes no address of the prefix {name} in the router advertisements of {}: {reason}",
        advertisement.interface,
        router(&advertisement.frame),
    );
    let mut matter = Matter::new(Cause::NoAddress, format!("{what} {name}"), why)
        .with("prefix", name)
        .with("reason", what)
        .with("autonomous", prefix.autonomous)
        .with("managed", advertisement.message.managed)
        .with("valid_lft", prefix.valid)
        .with("preferred_lft", prefix.preferred)
        .with("accept_ra_pinfo", sysctls.pinfo)
        .with("autoconf", sysctls.autoconf)
        .with("accept_ra_min_lft", advertisement.min_lft);
    if let Some(identifier) = advertisement.identifier {
        matter = matter
            .with("device_type", u32::from(identifier.device_type))
            .with("addr_gen_mode", identifier.addr_gen_mode);
    }
    matter = remedies.into_iter().fold(matter, Matter::remedy);
    matter.may_fail = may_fail;
    matter.address = Some(IpAddr::V6(prefix.prefix));
    Some(matter)
}

/// Whether nothing that can be told keeps the interface from making an address of it.
pub(super) fn makes_address(
    advertisement: &RouterAdvertisement,
    sysctls: Sysctls,
    prefix: &Prefix,
) -> bool {
    prefix.valid != 0 && reason(advertisement, sysctls, prefix).is_none()
}

/// As `addrconf_prefix_rcv` tests.
fn reason(
    advertisement: &RouterAdvertisement,
    sysctls: Sysctls,
    prefix: &Prefix,
) -> Option<Reason> {
    let sender = || vec![Remedy::mend(&advertisement.frame)];
    let heeded = "heeds the next advertisement";
    let Prefix {
        valid, preferred, ..
    } = *prefix;
    let min_lft = advertisement.min_lft;
    // One that is withdrawn gives no address, and is no loss.
    if (valid, preferred) == (0, 0) {
        return None;
    }
    if sysctls.pinfo == 0 {
        let set = Remedy::set("accept_ra_pinfo", 1, heeded);
        return Some(("pinfo", "accept_ra_pinfo is 0".to_owned(), true, vec![set]));
    }
    if !prefix.is_whole {
        let reason = "the option has fewer than 32 bytes".to_owned();
        return Some(("short", reason, true, sender()));
    }
    if prefix.prefix.is_unicast_link_local() || prefix.prefix.is_multicast() {
        let reason = "it is a link-local or multicast prefix".to_owned();
        return Some(("scope", reason, true, sender()));
    }
    if preferred > valid {
        let reason = format!(
            "its preferred lifetime of {preferred} s is above its valid lifetime of {valid} s"
        );
        return Some(("lifetimes", reason, true, sender()));
    }
    if i64::from(valid) < i64::from(min_lft) {
        let reason =
            format!("its valid lifetime of {valid} s is below accept_ra_min_lft = {min_lft}");
        let set = Remedy::set("accept_ra_min_lft", 0, heeded);
        return Some(("min-lft", reason, true, vec![set]));
    }
    if !prefix.autonomous {
        let managed = advertisement.message.managed;
        let reason = if managed {
            "its flag A is not set: addresses are to be had by DHCPv6 here (flag M)"
        } else {
            "its flag A is not set, nor is M for DHCPv6"
        };
        let do_this = if managed {
            "run a DHCPv6 client, or have the router set the flag (radvd: AdvAutonomous on)"
        } else {
            "have the router set the flag (radvd: AdvAutonomous on), or add an address by hand"
        };
        let say = Remedy::Say(do_this.to_owned());
        return Some(("autonomous", reason.to_owned(), false, vec![say]));
    }
    if sysctls.autoconf == 0 {
        let set = Remedy::set("autoconf", 1, heeded);
        return Some(("autoconf", "autoconf is 0".to_owned(), true, vec![set]));
    }
    if prefix.delegation_preferred && advertisement.honor_pflag != 0 {
        let reason = "its flag P asks hosts to get a prefix of their own by DHCPv6, and \
                      ra_honor_pio_pflag is not 0"
            .to_owned();
        let set = Remedy::set("ra_honor_pio_pflag", 0, heeded);
        return Some(("pflag", reason, false, vec![set]));
    }
    if prefix.length != LENGTH {
        let reason = format!(
            "it has {} bits, and addresses are made of {LENGTH}",
            prefix.length
        );
        let say = Remedy::Say("have the router advertise a /64".to_owned());
        return Some(("length", reason, true, vec![say]));
    }
    identifier::missing(advertisement)
}
