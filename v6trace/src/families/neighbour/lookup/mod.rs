//! Looks what fills the table, what there is beside a neighbour that does not answer,
//! and what a proxy would take by forwarding.

mod advertised;
mod beside;
mod routes;
mod snooping;
mod table;

use crate::{
    families::Payload,
    observe::{Looks, batch::Batch},
    record::{Lookup, Record},
};

/// Routes, addresses and interfaces that are listed, of each sort.
const LISTED: usize = 8;

/// Looks at neighbours.
pub(crate) struct Neighbours;

impl Looks for Neighbours {
    fn around(&mut self, records: &[Record], batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let mut found = Vec::new();
        let mut silent = Vec::new();
        // One table, whoever finds it full.
        let mut table = None;
        for (index, record) in records.iter().enumerate() {
            let Some(event) = record.event() else {
                continue;
            };
            match &event.payload {
                Payload::NeighbourTableFull(_) => {
                    let table = table.get_or_insert_with(|| table::look(event.netns, batch));
                    let used = table::TableUse {
                        netns: event.netns,
                        ..table.clone()
                    };
                    found.push((index, used.into()));
                }
                Payload::NeighbourProxyIdle(proxy) => {
                    let advertised = advertised::look(event, proxy, batch);
                    found.extend(advertised.map(|advertised| (index, advertised.into())));
                }
                Payload::NeighbourSilent(neighbour) => silent.push((index, event, neighbour)),
                _ => {}
            }
        }
        found.extend(beside::look(&silent, batch));
        found
    }
}
