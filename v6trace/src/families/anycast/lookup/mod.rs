//! Who uses an address that this host has just taken as anycast, and whether it
//! had the address in any case.
//!
//! ```text
//! now and then ------> watch --\
//! records as read -------------+--> connections::Glances --\
//! records in order --> neighbours, gateways ----------------+--> AnycastUse
//! ```
//!
//! Most of it outlives the change for a while: neighbour entries stay valid and
//! routes stay in place, only what is sent to the address goes astray.

mod advertised;
mod connections;
mod gateways;
mod neighbours;
mod watch;

use std::{
    collections::{BTreeMap, HashSet},
    io,
    net::IpAddr,
};

use v6trace_common::{Kind, Payload as _, families::anycast as wire};

use super::{Advertised, AnycastChange, AnycastUse, Use, UseKind};
use crate::{
    clock,
    coverage::Coverage,
    event::Event,
    families::Payload,
    observe::{
        Looks,
        batch::Batch,
        enter,
        inside::Inside,
        links::{self, Link},
    },
    record::{Lookup, Record},
};
use connections::{Connection, Glances};
use watch::Watch;

/// Looks at who uses addresses that were taken.
pub(crate) struct Users {
    glances: Glances,
    watch: Watch,
    /// Interfaces whose default routes from advertisements were purged, by
    /// namespace and index.
    purged: HashSet<(u32, u32)>,
}

/// How many such interfaces are remembered.
const MAX_PURGED: usize = 1 << 12;

impl Users {
    /// Begins to watch for connections that may be gone once an address is
    /// taken. Where nobody would hear of that, nobody has to be ready for it.
    pub(crate) fn begin(coverage: &Coverage) -> Self {
        Self {
            glances: Glances::default(),
            watch: if coverage.has(wire::JOIN) {
                Watch::begin()
            } else {
                Watch::default()
            },
            purged: HashSet::new(),
        }
    }
}

impl Looks for Users {
    fn urgent(&self) -> &'static [Kind] {
        &[wire::AnycastChange::KIND]
    }

    fn glance(&mut self, records: &[Record], batch: &mut Batch) {
        self.glances.look(records, &self.watch, batch);
    }

    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let purged = advertised::purged(records);
        for interface in purged {
            if self.purged.len() < MAX_PURGED {
                self.purged.insert(interface);
            }
        }
        let uses = uses(records, &mut self.glances, &self.purged, batch);
        uses.into_iter()
            .map(|(index, found)| (index, found.into()))
            .collect()
    }
}

/// Uses of one kind that are listed; a host may have thousands of routes by
/// way of one router.
const LISTED: usize = 8;

/// `IFA_F_OPTIMISTIC`, `IFA_F_DADFAILED`, `IFA_F_TENTATIVE`
const OPTIMISTIC: u8 = 0x04;
const DAD_FAILED: u8 = 0x08;
const TENTATIVE: u8 = 0x40;

/// An address that was taken or given up, with what is found of it.
#[derive(Debug)]
struct Taken<'r> {
    /// Which of the records says so.
    record: usize,
    event: &'r Event,
    change: &'r AnycastChange,
    /// The interface.
    link: Link,
    /// The VRF that it belongs to: index and name.
    vrf: Option<(u32, String)>,
    /// Another interface that has the address as its own.
    owner: Option<String>,
    /// The connections that were seen when the record was read, if anyone
    /// looked.
    connections: Option<Vec<Connection>>,
    uses: Vec<Use>,
    /// What its interface has from advertisements, as far as was looked.
    advertised: Advertised,
    /// Whether that is all.
    all_advertised: bool,
}

/// The addresses that were taken or given up among `records`, by index of the
/// record.
fn changes(records: &[Record]) -> impl Iterator<Item = (usize, &Event, &AnycastChange)> {
    records.iter().enumerate().filter_map(|(index, record)| {
        let event = record.event()?;
        match &event.payload {
            Payload::AnycastChange(change) => Some((index, event, change)),
            _ => None,
        }
    })
}

/// Looks everything up for the addresses that changed among `records`: once for
/// each namespace, since forwarding is mostly enabled on all interfaces of one
/// at once. The results are by index of the record.
fn uses(
    records: &[Record],
    glances: &mut Glances,
    purged: &HashSet<(u32, u32)>,
    batch: &mut Batch,
) -> BTreeMap<usize, AnycastUse> {
    let mut by_namespace: BTreeMap<u32, Vec<Taken<'_>>> = BTreeMap::new();
    for (record, event, change) in changes(records) {
        by_namespace.entry(event.netns).or_default().push(Taken {
            record,
            event,
            change,
            link: Link::default(),
            vrf: None,
            owner: None,
            connections: glances.take(event, change),
            uses: Vec::new(),
            advertised: Advertised {
                purged: purged.contains(&(event.netns, change.ifindex)),
                ..Advertised::default()
            },
            all_advertised: false,
        });
    }
    let mut found = BTreeMap::new();
    for (netns, taken) in by_namespace {
        match look(taken, batch) {
            Ok(uses) => found.extend(uses),
            Err(error) => log::debug!("uses of anycast addresses in {netns}: {error}"),
        }
    }
    found
}

/// The uses of some addresses, all of one namespace.
fn look(mut all: Vec<Taken<'_>>, batch: &mut Batch) -> io::Result<Vec<(usize, AnycastUse)>> {
    let Some(first) = all.first().map(|taken| taken.event) else {
        return Ok(Vec::new());
    };
    let inside = batch.inside_of(first).ok_or(io::ErrorKind::NotFound)?;
    // The neighbours of an interface went with it: that none is found would say
    // nothing.
    all.retain_mut(|taken| {
        let link = links::by_index(&inside.links, taken.change.ifindex);
        taken.link = link.cloned().unwrap_or_default();
        taken.vrf = vrf_of(&inside.links, taken.change.ifindex);
        taken.owner = owner(inside, taken);
        taken.advertised.addresses = advertised::addresses(inside, taken.change.ifindex);
        link.is_some()
    });
    // Nobody uses what was given up.
    all.sort_by_key(|taken| !taken.change.joined);
    let joined = all.partition_point(|taken| taken.change.joined);
    let mut complete = true;
    if joined > 0 {
        let paths = batch.paths_for(first);
        complete = enter::within(first.netns, &paths, || Ok(fill(&mut all[..joined])))?;
    }
    let boot_ns = clock::boot_ns();
    Ok(all
        .into_iter()
        .map(|taken| {
            let found = AnycastUse {
                boot_ns,
                of: taken.event.boot_ns,
                uses: taken.uses,
                complete,
                vrf: taken.vrf.map(|(_, name)| name),
                owner: taken.owner,
                advertised: Some(taken.advertised)
                    .filter(|advertised| taken.all_advertised || advertised.is_any()),
            };
            (taken.record, found)
        })
        .collect())
}

/// The VRF that an interface is or belongs to: index and name.
fn vrf_of(links: &[Link], ifindex: u32) -> Option<(u32, String)> {
    let link = links::by_index(links, ifindex)?;
    let related = [Some(link), links::master_of(links, link)];
    let vrf = related.into_iter().flatten().find(|link| link.is_vrf)?;
    Some((vrf.ifindex, vrf.name.clone()))
}

/// The interface that has the address as an ordinary one, where that is known
/// by the same tables: those of the VRF, or those outside any.
fn owner(inside: &Inside, taken: &Taken<'_>) -> Option<String> {
    let domain = |ifindex| vrf_of(&inside.links, ifindex).map(|(vrf, _)| vrf);
    let holders = inside.addresses.iter().filter(|held| {
        held.address == IpAddr::V6(taken.change.address)
            && is_in_use(held.flags)
            && domain(held.ifindex) == domain(taken.change.ifindex)
    });
    let mut links = holders.filter_map(|held| links::by_index(&inside.links, held.ifindex));
    let up = links.find(|link| link.is_up);
    up.map(|link| link.name.clone())
}

/// Whether the host has an address with these flags, not only tries to.
fn is_in_use(flags: u8) -> bool {
    flags & DAD_FAILED == 0 && (flags & TENTATIVE == 0 || flags & OPTIMISTIC != 0)
}

/// Adds what is found in the namespace of the calling thread, and says whether
/// that is all. What one look-up does not find out, the others still may.
fn fill(all: &mut [Taken<'_>]) -> bool {
    let mut complete = true;
    match advertised::routes(all) {
        Ok(found) => {
            for taken in all.iter_mut() {
                taken.all_advertised = true;
            }
            for (index, route) in found {
                let routes = &mut all[index].advertised.routes;
                if routes.len() < LISTED {
                    routes.push(route);
                }
            }
        }
        Err(error) => log::debug!("what advertisements brought: {error}"),
    }
    for look in [neighbours::find, connections::find, gateways::find] {
        match look(all) {
            Ok((found, whole)) => {
                complete &= whole;
                let mut by_taken: BTreeMap<usize, Vec<Use>> = BTreeMap::new();
                for (index, used) in found {
                    by_taken.entry(index).or_default().push(used);
                }
                for (index, uses) in by_taken {
                    let (gone, there) = uses.into_iter().partition(|found| found.gone.is_some());
                    let listed = [there, gone].into_iter().flat_map(shortened);
                    all[index].uses.extend(listed);
                }
            }
            Err(error) => {
                log::debug!("uses of anycast addresses: {error}");
                complete = false;
            }
        }
    }
    complete
}

/// Uses with the index of what they use, and whether they are all.
type Found = (Vec<(usize, Use)>, bool);

/// At most [`LISTED`], the last of which then tells how many more there are.
fn shortened(mut uses: Vec<Use>) -> Vec<Use> {
    let more = uses.len().saturating_sub(LISTED);
    uses.truncate(LISTED);
    if let Some(last) = uses.last_mut() {
        last.more = u32::try_from(more).unwrap_or(u32::MAX);
    }
    uses
}

fn each<'a, 'r>(
    all: &'a [Taken<'r>],
    is_used: impl Fn(&Taken<'r>) -> bool,
) -> impl Iterator<Item = (usize, &'a Taken<'r>)> {
    all.iter()
        .enumerate()
        .filter(move |(_, taken)| is_used(taken))
}

fn used(kind: UseKind, detail: String) -> Use {
    Use {
        kind,
        detail,
        process: None,
        inode: None,
        gone: None,
        more: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_tells_what_it_leaves_out() {
        let gateway = |n: usize| Use {
            kind: UseKind::Gateway,
            detail: format!("fd00:{n:x}::/32 dev v0"),
            process: None,
            inode: None,
            gone: None,
            more: 0,
        };
        let more = |uses: usize| {
            let shown = shortened((0..uses).map(gateway).collect());
            shown.iter().map(|found| found.more).collect::<Vec<_>>()
        };
        assert_eq!(more(20), [0, 0, 0, 0, 0, 0, 0, 12]);
        assert_eq!(more(8), [0; LISTED]);
        assert_eq!(more(1), [0]);
    }
}
