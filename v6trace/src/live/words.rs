//! Arrays of the kernel side, read and written where they lie.
//!
//! While a system call looks into a map, the kernel runs no program of a kprobe
//! on that CPU (`bpf_disable_instrumentation`). One that preempts its own code
//! may give the CPU to somebody else meanwhile, and what that does is not seen:
//! what is looked at again and again must not be asked for so.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use aya::{Ebpf, maps::Map};

use super::mapping::Mapping;

/// The words of an array that was made to be mapped (`BPF_F_MMAPABLE`).
pub(super) struct Words {
    memory: Mapping,
    len: usize,
    /// Programs that are loaded later refer to its descriptor.
    _map: Map,
}

impl Words {
    /// Maps an array of loaded programs, whose values are words or nothing but
    /// words.
    pub(super) fn open(ebpf: &mut Ebpf, name: &'static str) -> anyhow::Result<Self> {
        let map = ebpf
            .take_map(name)
            .with_context(|| format!("the programs have no {name} map"))?;
        let Map::Array(data) = &map else {
            anyhow::bail!("{name} is no array");
        };
        let info = data.info()?;
        let bytes = info.max_entries() as usize * info.value_size() as usize;
        let pages = bytes.next_multiple_of(rustix::param::page_size());
        let memory = Mapping::of(data.fd(), pages)
            .with_context(|| format!("the kernel does not share {name}"))?;
        Ok(Self {
            memory,
            len: bytes / size_of::<u64>(),
            _map: map,
        })
    }

    /// All of them, in their order. Both sides read and write each as a whole.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        (0..self.len).filter_map(|index| Some(self.word(index)?.load(Ordering::Relaxed)))
    }

    /// Writes one.
    pub(super) fn set(&self, index: usize, value: u64) {
        if let Some(word) = self.word(index) {
            word.store(value, Ordering::Relaxed);
        }
    }

    fn word(&self, index: usize) -> Option<&AtomicU64> {
        let offset = index * size_of::<u64>();
        if index >= self.len || offset >= self.memory.len() {
            return None;
        }
        // SAFETY: within the mapping, as has just been looked at.
        let word = unsafe { self.memory.start().add(offset) };
        // SAFETY: aligned, since the mapping begins with a page; it is there as
        // long as `self`, and both sides access it as a whole.
        Some(unsafe { AtomicU64::from_ptr(word.cast().as_ptr()) })
    }
}
