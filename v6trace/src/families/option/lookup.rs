//! Looks which process routes multicasts.

use std::collections::HashSet;

use super::{Multicasts, Router};
use crate::{
    clock,
    families::Payload,
    observe::{Looks, batch::Batch, owners},
    record::{Lookup, Record},
};

/// Looks for whoever routes.
pub(crate) struct Routers;

impl Looks for Routers {
    fn around(&mut self, records: &[Record], _batch: &mut Batch) -> Vec<(usize, Lookup)> {
        let others = records.iter().enumerate().filter_map(|(index, record)| {
            let event = record.event()?;
            let Payload::OptionRefused(refused) = &event.payload else {
                return None;
            };
            let Router::Other(inode) = refused.table?.router else {
                return None;
            };
            Some((index, u32::try_from(inode?).ok()?))
        });
        let others: Vec<_> = others.collect();
        if others.is_empty() {
            return Vec::new();
        }
        let wanted: HashSet<u32> = others.iter().map(|(_, inode)| *inode).collect();
        let owners = owners::of(&wanted);
        let boot_ns = clock::boot_ns();
        let found = others.into_iter().filter_map(|(index, inode)| {
            let owner = owners.get(&inode)?;
            let found = Multicasts {
                boot_ns,
                inode: inode.into(),
                pid: owner.pid,
                comm: owner.comm.clone(),
            };
            Some((index, found.into()))
        });
        found.collect()
    }
}
