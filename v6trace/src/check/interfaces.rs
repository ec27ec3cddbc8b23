//! Interfaces that are up and lack the IPv6 that they could have.

use super::{Cause, Interface, Ipv6, host::Place};
use crate::{
    explain::{Diagnosis, IPV6_MIN_MTU, advice},
    families::address,
};

/// `IN6_ADDR_GEN_MODE_NONE`
const NONE: i32 = 1;

/// Those of a namespace.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    let interfaces = place.snapshot.interfaces.iter();
    interfaces
        .filter(|interface| interface.is_up())
        .filter_map(move |interface| match interface.ipv6 {
            None => small_mtu(place, interface),
            Some(ipv6) => without_link_local(place, interface, ipv6),
        })
}

/// The kernel takes IPv6 off an interface with a small MTU (`addrconf_notify`). Tunnels
/// may be made so on purpose, for a path that carries no more.
fn small_mtu(place: Place<'_>, interface: &Interface) -> Option<Diagnosis> {
    let Interface { name, mtu, .. } = interface;
    let has_ipv6 = place.snapshot.all.forwarding.is_some();
    let is_another = !interface.may_have_ipv6() || place.is_port(interface);
    if !has_ipv6 || is_another || *mtu >= IPV6_MIN_MTU {
        return None;
    }
    let summary = format!(
        "{name} is up and has no IPv6 at all: its MTU {mtu} is below the {IPV6_MIN_MTU} that IPv6 \
         needs. It has no IPv6 address, takes none, and net.ipv6.conf.{name} is not there."
    );
    Some(
        place
            .finding(interface, Cause::SmallMtu, summary)
            .with("mtu", *mtu)
            .fix(place.site().raise_mtu(name))
            .fix(advice::raise_lower_mtu()),
    )
}

/// It has an IPv6 address and no link-local one: the kernel is told to make none, and
/// nobody else has. That an interface which makes them has none is passing, or somebody
/// took it away; one without any IPv6 address, a bridge say, may need none.
fn without_link_local(place: Place<'_>, interface: &Interface, ipv6: Ipv6) -> Option<Diagnosis> {
    let own = || place.snapshot.own(interface.ifindex);
    let has_any = own().any(|(_, address)| address.is_unicast_link_local());
    let is_used = own().next().is_some();
    let needs = interface.is_ethernet() && !place.is_port(interface) && is_used;
    if !needs || has_any || ipv6.addr_gen_mode != NONE || !interface.has_carrier() {
        return None;
    }
    let name = &interface.name;
    let mode = u32::try_from(ipv6.addr_gen_mode).ok()?;
    let (why, fix) = address::not_made(name, mode, place.site());
    let summary = format!(
        "{name} has an IPv6 address and no link-local one: {why}, and nobody else has made one. Without \
         one {name} asks for no routers, and DHCPv6 and routing protocols have no source there."
    );
    Some(
        place
            .finding(interface, address::Cause::LinkLocalNotMade, summary)
            .with("addr_gen_mode", mode)
            .fix(fix),
    )
}
