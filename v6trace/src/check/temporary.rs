//! Interfaces on which the kernel has given temporary addresses up.

use super::{Address, Interface, Ipv6, host::Place};
use crate::{
    catalogue::Severity,
    explain::{Diagnosis, Fix, quoted},
    families::address::{self, REGEN_MAX_RETRY},
    ifa,
};

/// What the kernel itself sets `use_tempaddr` to once too many were in use
/// (`ipv6_create_tempaddr`).
const GIVEN_UP: i32 = -1;

/// Those of a namespace.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let interfaces = place.snapshot.interfaces.iter();
    interfaces.filter_map(move |interface| given_up(place, interface, interface.ipv6?))
}

/// What has neither a link of its own nor an identifier begins with -1, so an Ethernet
/// it is; and the namespace's interfaces are to have such addresses.
fn given_up(place: Place<'_>, interface: &Interface, ipv6: Ipv6) -> Option<Diagnosis> {
    let wanted = place.snapshot.all.default_use_tempaddr?;
    let is_given_up = ipv6.use_tempaddr == GIVEN_UP && wanted > 0;
    if !is_given_up || !interface.is_ethernet() || !interface.is_up() || ipv6.disable_ipv6 != 0 {
        return None;
    }
    let own = || place.snapshot.own(interface.ifindex);
    let is_usable = |flags: u32| flags & (ifa::TENTATIVE | ifa::DADFAILED | ifa::DEPRECATED) == 0;
    let is_left = own().any(|(held, _)| held.flags & ifa::TEMPORARY != 0 && is_usable(held.flags));
    let mut managed = own().filter(|(held, _)| held.flags & ifa::MANAGETEMPADDR != 0);
    let (public, address) = managed.next()?;
    let is_only = managed.next().is_none();
    if is_left {
        return None;
    }
    let name = &interface.name;
    let retry = ipv6.regen_max_retry;
    let summary = format!(
        "{name} has no temporary address beside {address}, and gets none any more: its use_tempaddr \
         is -1, to which the kernel sets it when it gives them up, since more were found in use than \
         regen_max_retry = {retry} allows. conf.default.use_tempaddr is {wanted}. Unless somebody \
         wrote -1, something on the link answers for addresses that nobody has."
    );
    let mut found = place
        .finding(interface, address::Cause::TemporaryStopped, summary)
        .likely()
        .with("use_tempaddr", GIVEN_UP)
        .with("default_use_tempaddr", wanted)
        .with("regen_max_retry", retry)
        .with("public_address", address.to_string());
    found.severity = Severity::Notice;
    let site = place.site();
    let back = site.set(name, "use_tempaddr", wanted);
    let back = back.remark("first see why they were in use");
    if retry <= 0 {
        let some = site.set(name, "regen_max_retry", REGEN_MAX_RETRY);
        return Some(found.fix(some).fix(back));
    }
    let anew = if is_only {
        anew(place, interface, ipv6, public)
    } else {
        let several = "have those of its addresses made anew beside which they were in use";
        Fix::new(several).remark("failures are counted with each; a new one has none")
    };
    // With the old count the next advertisement would set it to -1 again; what is added
    // gets a temporary one as it is.
    let [first, then] = if is_advertised(ipv6, public) {
        [anew, back]
    } else {
        [back, anew]
    };
    Some(found.fix(first).fix(then))
}

/// Has the only address made anew with which failures are counted.
fn anew(place: Place<'_>, interface: &Interface, ipv6: Ipv6, public: &Address) -> Fix {
    let (site, name) = (place.site(), &interface.name);
    let Address {
        address,
        prefix_len,
        flags,
        ..
    } = *public;
    if is_advertised(ipv6, public) {
        let delete = format!(
            "ip -6 address del {address}/{prefix_len} dev {}",
            quoted(name)
        );
        let delete = site.command(&delete);
        return delete.remark("its failures are counted; the next advertisement makes it anew");
    }
    let again = address::again(site, address, prefix_len.into(), flags, name);
    let again = again.unwrap_or_else(|| format!("have {address} made anew by what made it"));
    Fix::new(again).remark("its failures are counted; a new one has none")
}

/// Whether the kernel makes the address of advertisements: it heeds them, and somebody
/// who has it make one by hand gives that no lifetime.
fn is_advertised(ipv6: Ipv6, public: &Address) -> bool {
    ipv6.heeds_advertisements() && public.flags & ifa::PERMANENT == 0
}
