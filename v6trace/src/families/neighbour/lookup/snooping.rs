//! Looks for a bridge of this host that keeps solicitations from who has not told it that
//! it listens to them.

use super::beside::inside;
use crate::{
    event::Event,
    families::neighbour::{NeighbourSilent, Snooping, beside::solicited_node},
    ifa::{DADFAILED, TENTATIVE},
    observe::{
        batch::Batch,
        enter,
        inside::known,
        links::{self, Bridge},
        memberships,
    },
};

/// What a veth is.
const VETH: &str = "veth";

/// The bridge that the interface is, or of which the peer of a veth is a port. What is
/// stacked on an interface, or on a bridge's port, need not get there.
/// `end`: the other end of the interface.
///
/// A bridge floods multicast as long as nobody asks for members (`br_multicast_querier_exists`);
/// it does not ask itself without an address to ask from. Whether it still waits for the first
/// answers is not told, nor when an address of its came.
pub(super) fn look(
    end: Option<(u32, u32)>,
    event: &Event,
    silent: &NeighbourSilent,
    batch: &mut Batch,
) -> Option<Snooping> {
    let own = links::by_index(&batch.inside_of(event)?.links, silent.ifindex)?;
    let is_bridge = own.bridge.is_some();
    let is_veth = own.kind.as_deref() == Some(VETH);
    let (netns, ifindex) = if is_bridge {
        (event.netns, silent.ifindex)
    } else {
        end.filter(|_| is_veth)?
    };
    let around = inside(netns, event, batch)?;
    let mut link = links::by_index(&around.links, ifindex)?;
    if !is_bridge {
        link = links::master_of(&around.links, link)?;
    }
    let Bridge {
        snoops,
        is_querier,
        is_opaque,
    } = link.bridge?;
    let mut held = around.addresses.iter();
    let can_ask = held.any(|it| {
        let is_usable = u32::from(it.flags) & (TENTATIVE | DADFAILED) == 0;
        it.ifindex == link.ifindex && it.address.is_ipv6() && is_usable
    });
    if !snoops || !is_querier || is_opaque || !can_ask {
        return None;
    }
    let (index, bridge) = (link.ifindex, link.name.clone());
    let group = solicited_node(silent.address);
    let paths = batch.places().paths(netns);
    let listed = enter::within(netns, &paths, || memberships::ports(index, group));
    let ports = known("members of groups", listed)??;
    let links = &inside(netns, event, batch)?.links;
    let named = ports
        .iter()
        .filter_map(|&port| links::by_index(links, port));
    Some(Snooping {
        netns,
        bridge,
        ports: named.map(|port| port.name.clone()).collect(),
    })
}
