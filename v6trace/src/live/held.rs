//! Records that the kernel side held back, since it had reported the like a
//! moment before.
//!
//! A later report of the same counts them; those that no report followed are
//! taken out of the maps here, so that the last of a burst is told as well.

use anyhow::Context as _;
use aya::{
    Ebpf,
    maps::{HashMap, MapData},
};
use bytes::Bytes;
use v6trace_common::{
    DadFailure, DadReflection, RecordHeader,
    dad::{DAD_QUIET_NS, HELD_KEY_LEN},
};

use crate::decode;

const FAILURE: usize = size_of::<RecordHeader>() + size_of::<DadFailure>();
const REFLECTION: usize = size_of::<RecordHeader>() + size_of::<DadReflection>();

type Records<const SIZE: usize> = HashMap<MapData, [u8; HELD_KEY_LEN], [u8; SIZE]>;

/// The maps of records held back.
pub(super) struct Held {
    failures: Records<FAILURE>,
    reflections: Records<REFLECTION>,
}

impl Held {
    /// Takes the maps of loaded programs.
    pub(super) fn open(ebpf: &mut Ebpf) -> anyhow::Result<Self> {
        Ok(Self {
            failures: open(ebpf, "DAD_FAILURES_HELD")?,
            reflections: open(ebpf, "DAD_REFLECTIONS_HELD")?,
        })
    }

    /// Takes out what the kernel side will not report any more by `now`,
    /// nanoseconds since boot.
    pub(super) fn take(&mut self, now: u64, mut each: impl FnMut(Bytes)) {
        // By then the next of the like is reported, and counts these.
        let until = now.saturating_sub(DAD_QUIET_NS);
        take(&mut self.failures, until, &mut each);
        take(&mut self.reflections, until, &mut each);
    }
}

fn open<const SIZE: usize>(ebpf: &mut Ebpf, name: &str) -> anyhow::Result<Records<SIZE>> {
    let map = ebpf
        .take_map(name)
        .with_context(|| format!("the programs have no {name} map"))?;
    Ok(HashMap::try_from(map)?)
}

fn take<const SIZE: usize>(records: &mut Records<SIZE>, until: u64, each: &mut impl FnMut(Bytes)) {
    let keys: Vec<_> = records.keys().filter_map(Result::ok).collect();
    for key in keys {
        // One that is gone by now was reported.
        let Ok(record) = records.get(&key, 0) else {
            continue;
        };
        let is_old = decode::boot_ns(&record).is_ok_and(|at| at <= until);
        if is_old && records.remove(&key).is_ok() {
            each(Bytes::copy_from_slice(&record));
        }
    }
}
