//! A bridge of this host that keeps solicitations from who has the address, unless that has
//! told the bridge that it listens to them. Whether the node is there at all cannot be seen.

use super::silent::Story;
use crate::{
    explain::{Diagnosis, Fix, Value, advice, quoted},
    families::neighbour::{Snooping, beside::solicited_node},
};

impl<'a> Story<'a> {
    /// The bridge, where nobody is known to it that listens, and nothing else is known to be
    /// the reason. One that was there before was asked by unicast.
    pub(super) fn keeps_away(&self) -> Option<&'a Snooping> {
        let found = self.beside?.snooping.as_ref()?;
        let was_sent = self.has_carrier() != Some(false) && self.could_ask() != Some(false);
        let is_explained = self.dropped().is_some() || self.troubled().is_some();
        let may_be_it = was_sent && !is_explained && !self.silent.was_known;
        (may_be_it && found.ports.is_empty()).then_some(found)
    }

    /// What it does; a sentence with a blank ahead.
    pub(super) fn kept_away(&self) -> Option<String> {
        let Snooping { netns, bridge, .. } = self.keeps_away()?;
        let place = if *netns == self.subject.event.netns {
            String::new()
        } else {
            format!(" of {}", self.subject.session.place(*netns))
        };
        let group = solicited_node(self.silent.address);
        Some(format!(
            " The bridge {bridge}{place} hands multicast to members alone (mcast_snooping = 1, \
             mcast_querier = 1, and no port has a router behind it), and knows of none of {group}, \
             to which these solicitations go: a node that has the address and has not told the \
             bridge that it listens (MLD) hears none."
        ))
    }

    /// Has the bridge flood multicast.
    pub(super) fn flood(&self) -> Option<Fix> {
        let found = self.keeps_away()?;
        let bridge = quoted(&found.bridge);
        let flood = format!("ip link set dev {bridge} type bridge mcast_snooping 0");
        let flood = advice::in_netns(self.subject.session, found.netns, &flood);
        Some(Fix::new(flood).remark(
            "if the node is there, and cannot be made to answer queries for members: all ports then \
             get all multicast",
        ))
    }

    /// The values that it rests on.
    pub(super) fn snooping(&self, diagnosis: Diagnosis) -> Diagnosis {
        let Some(found) = self.beside.and_then(|beside| beside.snooping.as_ref()) else {
            return diagnosis;
        };
        let ports = found.ports.iter().map(|port| port.as_str().into());
        diagnosis
            .with("snooping_bridge", found.bridge.as_str())
            .with("group", solicited_node(self.silent.address).to_string())
            .with("member_ports", Value::List(ports.collect()))
    }
}
