//! From a name to the types that bear it, without a string per type: hashes of
//! the names, sorted; whoever asks compares the name itself.

/// The kernel allows names of up to 511 bytes (`KSYM_NAME_LEN`). The bound also
/// keeps types that share one endless name from making the index slow.
const MAX_NAME: usize = 511;

/// Pairs of a name's hash and the number of a type that bears it.
#[derive(Debug, Default)]
pub(super) struct NameIndex {
    entries: Vec<(u32, u32)>,
}

impl NameIndex {
    /// Adds a type; what is looked up later must be [`NameIndex::finish`]ed first.
    pub(super) fn add(&mut self, name: &[u8], id: u32) {
        self.entries.push((hash(name), id));
    }

    pub(super) fn finish(&mut self) {
        self.entries.sort_unstable();
        self.entries.shrink_to_fit();
    }

    /// Types that may bear `name`, in the order of the file.
    pub(super) fn candidates(&self, name: &[u8]) -> impl Iterator<Item = u32> + use<'_> {
        let hash = hash(name);
        let from = self.entries.partition_point(|entry| entry.0 < hash);
        let rest = self.entries.get(from..).unwrap_or_default();
        rest.iter()
            .take_while(move |entry| entry.0 == hash)
            .map(|entry| entry.1)
    }
}

/// The bytes before the terminating zero, if it comes soon enough.
pub(super) fn bounded_name(tail: &[u8]) -> Option<&[u8]> {
    let window = tail.get(..=MAX_NAME).unwrap_or(tail);
    let end = window.iter().position(|byte| *byte == 0)?;
    window.get(..end)
}

/// FNV-1a.
fn hash(name: &[u8]) -> u32 {
    name.iter().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
