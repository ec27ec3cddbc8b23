//! Records that the kernel side held back, since it had reported the like a
//! moment before, or adds to them as long as more of the like happens.
//!
//! A later report of the same counts them; those that no report followed are
//! taken out of the maps here, so that the last of a burst is told as well.

use anyhow::Context as _;
use aya::{
    Ebpf, Pod,
    maps::{HashMap, MapData},
};
use bytes::Bytes;
use v6trace_common::{
    Payload, RecordHeader,
    families::{
        dad::{DadFailure, DadReflection},
        request::RequestRefused,
        route::{RouteRefused, RoutesGone},
        sysctl::SysctlRefused,
    },
    held::{KEY_LEN, QUIET_NS},
};
use zerocopy::IntoBytes as _;

/// The maps of every family that holds records back.
fn maps(ebpf: &mut Ebpf) -> anyhow::Result<Vec<Box<dyn Take>>> {
    Ok(vec![
        open::<DadFailure>(ebpf, "DAD_FAILURES_HELD")?,
        open::<DadReflection>(ebpf, "DAD_REFLECTIONS_HELD")?,
        open::<RoutesGone>(ebpf, "ROUTES_GONE_HELD")?,
    ])
}

/// Those that are told at the end only, where nothing that followed counted them.
fn until_the_end(ebpf: &mut Ebpf) -> anyhow::Result<Vec<Box<dyn Take>>> {
    Ok(vec![
        open::<RouteRefused>(ebpf, "ROUTE_REFUSALS_HELD")?,
        open::<RequestRefused>(ebpf, "REQUEST_REFUSALS_HELD")?,
        open::<SysctlRefused>(ebpf, "SYSCTLS_HELD")?,
    ])
}

/// Records held back, whatever they are about.
trait Take {
    /// Takes out those that are no younger than `until`, nanoseconds since boot.
    fn take(&mut self, until: u64, each: &mut dyn FnMut(Bytes));
}

/// A record as the kernel side stores it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Stored<P> {
    header: RecordHeader,
    payload: P,
}

// SAFETY: a header and a payload, for each of which any bytes are a value
// (FromBytes), and between and behind which there is no padding: `open` asserts
// that.
unsafe impl<P: Payload + 'static> Pod for Stored<P> {}

type Records<P> = HashMap<MapData, [u8; KEY_LEN], Stored<P>>;

/// The maps of records held back.
pub(super) struct Held {
    maps: Vec<Box<dyn Take>>,
    until_the_end: Vec<Box<dyn Take>>,
}

impl Held {
    /// Takes the maps of loaded programs.
    pub(super) fn open(ebpf: &mut Ebpf) -> anyhow::Result<Self> {
        Ok(Self {
            maps: maps(ebpf)?,
            until_the_end: until_the_end(ebpf)?,
        })
    }

    /// Takes out what the kernel side will not report any more by `now`,
    /// nanoseconds since boot.
    pub(super) fn take(&mut self, now: u64, mut each: impl FnMut(Bytes)) {
        // By then the next of the like is reported, and counts these.
        let until = now.saturating_sub(QUIET_NS);
        for map in &mut self.maps {
            map.take(until, &mut each);
        }
    }

    /// Takes out all of them.
    pub(super) fn take_all(&mut self, mut each: impl FnMut(Bytes)) {
        for map in self.maps.iter_mut().chain(&mut self.until_the_end) {
            map.take(u64::MAX, &mut each);
        }
    }
}

fn open<P: Payload + 'static>(ebpf: &mut Ebpf, name: &str) -> anyhow::Result<Box<dyn Take>> {
    const {
        assert!(size_of::<Stored<P>>() == size_of::<RecordHeader>() + size_of::<P>());
    }
    let map = ebpf
        .take_map(name)
        .with_context(|| format!("the programs have no {name} map"))?;
    let records: Records<P> = HashMap::try_from(map)?;
    Ok(Box::new(records))
}

impl<P: Payload + 'static> Take for Records<P> {
    fn take(&mut self, until: u64, each: &mut dyn FnMut(Bytes)) {
        let keys: Vec<_> = self.keys().filter_map(Result::ok).collect();
        for key in keys {
            // One that is gone by now was reported.
            let Ok(record) = self.get(&key, 0) else {
                continue;
            };
            if record.header.boot_ns <= until && self.remove(&key).is_ok() {
                let bytes = [record.header.as_bytes(), record.payload.as_bytes()].concat();
                each(bytes.into());
            }
        }
    }
}
