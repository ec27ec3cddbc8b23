//! The eBPF object with this kernel's values in it, and its maps.

use std::fs;

use aya::{Ebpf, EbpfLoader};
use lz4_flex::block::{DecompressError, decompress_into, uncompressed_size};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use zerocopy::IntoBytes as _;

use v6trace_common::HOOK_COUNT;

use super::{AttachError, OBJECT, Options, resolve::Globals};

/// Makes the maps; the programs are loaded when they are attached.
pub(super) fn load(options: &Options<'_>, globals: &Globals) -> Result<Ebpf, AttachError> {
    // Before 5.11 maps count as locked memory, whose usual limit is too low. A
    // failure here shows as one of loading, with the reason.
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    let _ = setrlimit(Resource::Memlock, unlimited);
    let events = u8::from(options.events);
    let debug = u8::from(options.debug);
    let mut loader = without_kernel_types();
    for (member, value) in &globals.words {
        loader.override_global(member.global, value, true);
    }
    for (name, value) in &globals.addresses {
        loader.override_global(name, value, true);
    }
    loader.override_global("EMIT_ALL", &events, true);
    loader.override_global("DEBUG", &debug, true);
    let counters = cpu_numbers() * HOOK_COUNT;
    loader.map_max_entries("LOSSES", u32::try_from(counters).unwrap_or(u32::MAX));
    let (object, size) = object()?;
    let made = loader.load(&object.as_bytes()[..size]);
    made.map_err(|error| AttachError::load(&error))
}

/// The object and its size. It is unpacked into words: aya takes an ELF file only where
/// it begins at a multiple of eight bytes.
fn object() -> Result<(Vec<u64>, usize), DecompressError> {
    let (size, packed) = uncompressed_size(OBJECT)?;
    let mut object = vec![0_u64; size.div_ceil(size_of::<u64>())];
    decompress_into(packed, object.as_mut_bytes())?;
    Ok((object, size))
}

/// One more than the largest number that a CPU of this machine can have: 8 for
/// `0-7`, and for `0,2-7`. Where the kernel does not tell, opening the perf buffers
/// fails.
fn cpu_numbers() -> usize {
    let possible = fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let last = possible.trim().rsplit([',', '-']).next();
    last.and_then(|last| last.parse::<usize>().ok())
        .map_or(1, |last| last + 1)
}

/// A loader that has not read the kernel's BTF. A new one always tries to, for
/// relocations of which this object has none, and that would be most of
/// v6trace's memory; where no file can be opened, it does without.
fn without_kernel_types() -> EbpfLoader<'static> {
    let limit = getrlimit(Resource::Nofile);
    let none = Rlimit {
        current: Some(0),
        ..limit
    };
    let closed = setrlimit(Resource::Nofile, none).is_ok();
    let mut loader = EbpfLoader::new();
    if closed && let Err(error) = setrlimit(Resource::Nofile, limit) {
        log::warn!("no more files can be opened: {error}");
    }
    loader.btf(None);
    loader
}
