//! From a name to the types that bear it, without a string per type: hashes of
//! the names, in chains; whoever asks compares the name itself.

use std::{iter, mem};

/// The kernel allows names of up to 511 bytes (`KSYM_NAME_LEN`). The bound also
/// keeps types that share one endless name from making the index slow.
const MAX_NAME: usize = 511;

/// The end of a chain.
const END: u32 = u32::MAX;

/// The types that have a name.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    entries: Vec<Entry>,
    /// For some of a hash's bits, the first entry of their chain.
    heads: Vec<u32>,
}

#[derive(Debug)]
struct Entry {
    hash: u32,
    /// The type's number.
    id: u32,
    /// The next entry of the chain.
    next: u32,
}

impl NameIndex {
    /// Adds a type whose name lies at the beginning of `tail`, if it has one;
    /// what is looked up later must be [`NameIndex::finish`]ed first.
    pub(super) fn add(&mut self, tail: &[u8], id: u32) {
        if let Some(hash) = hash_of_bounded(tail) {
            self.entries.push(Entry {
                hash,
                id,
                next: END,
            });
        }
    }

    pub(super) fn finish(&mut self) {
        self.entries.shrink_to_fit();
        self.heads = vec![END; self.entries.len().next_power_of_two()];
        // The last one first, so that a chain is in the order of the file.
        for (number, entry) in self.entries.iter_mut().enumerate().rev() {
            // Fits: there are fewer entries than the type section has bytes.
            let number = u32::try_from(number).unwrap_or(END);
            let chain = chain(&self.heads, entry.hash);
            entry.next = mem::replace(&mut self.heads[chain], number);
        }
    }

    /// Types that may bear `name`, in the order of the file.
    pub(super) fn candidates(&self, name: &[u8]) -> impl Iterator<Item = u32> + use<'_> {
        let hash = hash(name);
        let head = self.heads.get(chain(&self.heads, hash));
        let entry = |number: &u32| self.entries.get(*number as usize);
        let entries = iter::successors(head.and_then(entry), move |last| entry(&last.next));
        let same = entries.filter(move |entry| entry.hash == hash);
        same.map(|entry| entry.id)
    }
}

/// Which chain a hash belongs to; there are a power of two of them.
fn chain(heads: &[u32], hash: u32) -> usize {
    hash as usize & heads.len().wrapping_sub(1)
}

/// The bytes before the terminating zero, if it comes soon enough.
pub(super) fn bounded_name(tail: &[u8]) -> Option<&[u8]> {
    let window = tail.get(..=MAX_NAME).unwrap_or(tail);
    let end = window.iter().position(|byte| *byte == 0)?;
    window.get(..end)
}

/// FNV-1a.
fn hash(name: &[u8]) -> u32 {
    name.iter().copied().fold(SEED, one_more)
}

/// The same of what [`bounded_name`] would give, in one go: every type of a
/// kernel comes by here. None where that is nothing.
fn hash_of_bounded(tail: &[u8]) -> Option<u32> {
    let mut hash = SEED;
    for (length, &byte) in tail.iter().take(MAX_NAME + 1).enumerate() {
        if byte == 0 {
            return (length > 0).then_some(hash);
        }
        hash = one_more(hash, byte);
    }
    None
}

const SEED: u32 = 0x811c_9dc5;

fn one_more(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
}
