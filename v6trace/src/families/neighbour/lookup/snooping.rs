//! Looks for a bridge of this host that keeps solicitations from who has not told it that
//! it listens to them.

use super::beside::{inside, other_end_of};
use crate::{
    event::Event,
    families::neighbour::{NeighbourSilent, Snooping, beside::solicited_node},
    observe::{
        batch::Batch,
        enter,
        inside::known,
        links::{self, Bridge, Link},
        memberships,
    },
};

/// The bridge that the interface is, or that it or what it is stacked on leads to.
/// `end`: the other end of the interface.
///
/// A bridge floods multicast as long as nobody asks for members (`br_multicast_querier_exists`);
/// it does not ask itself without an address to ask from.
pub(super) fn look(
    end: Option<(u32, u32)>,
    event: &Event,
    silent: &NeighbourSilent,
    batch: &mut Batch,
) -> Option<Snooping> {
    let own = (event.netns, silent.ifindex);
    // What a VLAN or the like is stacked on may lead there.
    let below = end.filter(|(netns, _)| *netns == event.netns);
    let beyond = below.and_then(|(_, ifindex)| other_end_of(event, ifindex, batch));
    let mut places = [Some(own), end, beyond].into_iter().flatten();
    let (netns, ifindex, name, bridge, has_address) = places.find_map(|(netns, ifindex)| {
        let inside = inside(netns, event, batch)?;
        let link = links::by_index(&inside.links, ifindex)?;
        let both = [Some(link), links::master_of(&inside.links, link)];
        let is_bridge = |link: &&Link| link.bridge.is_some();
        let link = both.into_iter().flatten().find(is_bridge)?;
        let mut held = inside.addresses.iter();
        let has_address = held.any(|it| it.ifindex == link.ifindex && it.address.is_ipv6());
        Some((
            netns,
            link.ifindex,
            link.name.clone(),
            link.bridge?,
            has_address,
        ))
    })?;
    let Bridge {
        snoops,
        is_querier,
        hears_querier,
    } = bridge;
    let is_querier = is_querier && has_address;
    if !snoops || !is_querier && !hears_querier {
        return None;
    }
    let group = solicited_node(silent.address);
    let paths = batch.places().paths(netns);
    let listed = enter::within(netns, &paths, || memberships::ports(ifindex, group));
    let ports = known("members of groups", listed)?;
    let links = &inside(netns, event, batch)?.links;
    let named = ports
        .iter()
        .filter_map(|&port| links::by_index(links, port));
    Some(Snooping {
        netns,
        bridge: name,
        is_querier,
        ports: named.map(|port| port.name.clone()).collect(),
    })
}
