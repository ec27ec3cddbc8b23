//! What was said of each router's last advertisement, which is not said again; and
//! who wrote forwarding, as far as that was seen.

use std::{collections::VecDeque, net::Ipv6Addr};

use super::{RouterAdvertisement, explain};
use crate::{
    event::{Event, Task},
    families::{Payload, anycast::Written},
};

/// Routers that are remembered.
const ROUTERS: usize = 256;
/// Writes of forwarding that are remembered.
const WRITES: usize = 64;

/// What was learnt from the events so far.
#[derive(Debug, Default)]
pub struct Earlier {
    routers: VecDeque<Router>,
    writes: VecDeque<Write>,
}

/// A router's last advertisement on an interface.
#[derive(Debug)]
struct Router {
    at: Place,
    /// For how long it is to be a default router, seconds.
    lifetime: u16,
    /// What was the matter with it.
    matters: Vec<String>,
    /// Whether the interface, which ignored it, had no address.
    without_address: bool,
}

/// A router on an interface of a namespace.
type Place = (u32, u32, Option<Ipv6Addr>);

/// A write of a forwarding sysctl in a namespace.
#[derive(Debug)]
struct Write {
    netns: u32,
    written: Written,
    by: Task,
}

impl Earlier {
    /// Remembers an event, if it tells of routers or of forwarding.
    pub(crate) fn remember(&mut self, event: &Event) {
        match &event.payload {
            Payload::RouterAdvertisement(advertisement) => {
                let at = place(event.netns, advertisement);
                self.routers.retain(|router| router.at != at);
                self.routers.truncate(ROUTERS - 1);
                let matters = explain::matters(advertisement).into_iter();
                self.routers.push_front(Router {
                    at,
                    lifetime: advertisement.message.lifetime,
                    matters: matters.map(|matter| matter.key()).collect(),
                    without_address: advertisement.without_address,
                });
            }
            Payload::DefaultRoutesPurged(purged) => self.write(event, purged.written.as_ref()),
            // One that is given up tells who turned it off.
            Payload::AnycastChange(change) if change.joined => {
                self.write(event, change.written.as_ref());
            }
            _ => {}
        }
    }

    fn write(&mut self, event: &Event, written: Option<&Written>) {
        if let (Some(by), Some(written)) = (event.culprit(), written) {
            self.writes.truncate(WRITES - 1);
            self.writes.push_front(Write {
                netns: event.netns,
                written: written.clone(),
                by: by.clone(),
            });
        }
    }

    /// Whether that was the matter with the router's last advertisement already.
    pub(super) fn was_told(
        &self,
        netns: u32,
        advertisement: &RouterAdvertisement,
        key: &str,
    ) -> bool {
        let last = self.last(place(netns, advertisement));
        last.is_some_and(|router| router.matters.iter().any(|matter| matter == key))
    }

    /// Whether the interface, which ignores the router's advertisements, has lost its last
    /// address since the last one that was told.
    pub(super) fn has_lost_address(&self, netns: u32, advertisement: &RouterAdvertisement) -> bool {
        let last = self.last(place(netns, advertisement));
        advertisement.without_address && last.is_some_and(|router| !router.without_address)
    }

    /// For how long the router is to be a default router, seconds, by the last
    /// advertisement of its that was not like the one before.
    pub(crate) fn lifetime(&self, netns: u32, ifindex: u32, router: Ipv6Addr) -> Option<u32> {
        let last = self.last((netns, ifindex, Some(router)))?;
        Some(last.lifetime.into())
    }

    fn last(&self, at: Place) -> Option<&Router> {
        self.routers.iter().find(|router| router.at == at)
    }

    /// Who last wrote the forwarding of that interface, or of all, and which.
    pub(super) fn writer(&self, netns: u32, interface: &str) -> Option<(&Task, &Written)> {
        let mut writes = self.writes.iter().filter(|write| write.netns == netns);
        let found = writes.find(|write| match &write.written {
            Written::All => true,
            Written::Interface(name) => name == interface,
        });
        found.map(|write| (&write.by, &write.written))
    }
}

fn place(netns: u32, advertisement: &RouterAdvertisement) -> Place {
    (netns, advertisement.ifindex, advertisement.frame.source())
}
