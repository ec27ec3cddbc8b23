//! Kernel records of equal size, side by side: only what changes from one to
//! the next is stored.
//!
//! In a burst most words of a record repeat. Each record is taken as 32-bit
//! words, each word as its difference from the record before; of the words that
//! ever change, the differences are stored byte by byte in planes, which leaves
//! long runs of zeros to the compressor.

#[cfg(feature = "live")]
use bytes::BufMut as _;
use bytes::Bytes;
use v6trace_common::RecordHeader;

/// Bytes of a word.
const WORD: usize = 4;

/// Appends records of `size` bytes each, concatenated in `records`.
#[cfg(feature = "live")]
pub(super) fn pack(records: &[u8], size: usize, out: &mut Vec<u8>) {
    let Some(first) = records.get(..size) else {
        return;
    };
    let count = records.len() / size;
    let words = size.div_ceil(WORD);
    out.put_u32_le(u32::try_from(count).unwrap_or(u32::MAX));
    out.put_u16_le(u16::try_from(size).unwrap_or(u16::MAX));
    out.put_slice(first);
    let mut differences = vec![0; words];
    for row in records.chunks_exact(size) {
        add_differences(&mut differences, row, first);
    }
    let mut mask = vec![0_u8; words.div_ceil(8)];
    for (at, _) in differences
        .iter()
        .enumerate()
        .filter(|(_, bits)| **bits != 0)
    {
        mask[at / 8] |= 1 << (at % 8);
    }
    out.put_slice(&mask);
    let mut column = Vec::with_capacity(count);
    for (at, _) in differences
        .iter()
        .enumerate()
        .filter(|(_, bits)| **bits != 0)
    {
        let mut before = word(first, at);
        column.clear();
        column.extend(records.chunks_exact(size).skip(1).map(|row| {
            let now = word(row, at);
            now.wrapping_sub(std::mem::replace(&mut before, now))
                .to_le_bytes()
        }));
        for plane in 0..WORD {
            out.extend(column.iter().map(|bytes| bytes[plane]));
        }
    }
}

/// The records of a size that [`pack`] has made `packed` of, concatenated;
/// `None` where it is no such thing, or they are more than `limit` bytes.
pub(super) fn unpack(packed: &[u8], limit: usize) -> Option<(Bytes, usize)> {
    let (count, rest) = packed.split_first_chunk::<4>()?;
    let (size, rest) = rest.split_first_chunk::<2>()?;
    let count = u32::from_le_bytes(*count) as usize;
    let size = usize::from(u16::from_le_bytes(*size));
    let words = size.div_ceil(WORD);
    let (first, rest) = rest.split_at_checked(size)?;
    let (mask, planes) = rest.split_at_checked(words.div_ceil(8))?;
    let differences = count.checked_sub(1)?;
    // Fewer bytes than a header are no record, but would be very many.
    if size < size_of::<RecordHeader>() || count.checked_mul(size)? > limit {
        return None;
    }
    let changed: Vec<usize> = (0..words)
        .filter(|at| mask[at / 8] & (1 << (at % 8)) != 0)
        .collect();
    if planes.len() != changed.len() * WORD * differences {
        return None;
    }
    let mut records = Vec::with_capacity(count * size);
    records.extend_from_slice(first);
    for row in 0..differences {
        records.extend_from_within(row * size..);
        let next = &mut records[(row + 1) * size..];
        for (index, &at) in changed.iter().enumerate() {
            let column = &planes[index * WORD * differences..];
            let difference = [0, 1, 2, 3].map(|plane| column[plane * differences + row]);
            let value = word(next, at).wrapping_add(u32::from_le_bytes(difference));
            let end = next.len().min((at + 1) * WORD);
            let bytes = value.to_le_bytes();
            next[at * WORD..end].copy_from_slice(&bytes[..end - at * WORD]);
        }
    }
    Some((records.into(), size))
}

/// Sets the bits in which the words of two records of one size differ.
#[cfg(feature = "live")]
fn add_differences(differences: &mut [u32], row: &[u8], other: &[u8]) {
    let (whole, rest) = row.as_chunks::<WORD>();
    let (of_other, _) = other.as_chunks::<WORD>();
    // Nothing but this in the loop: the compiler does several words at once.
    for ((bits, word), of_other) in differences.iter_mut().zip(whole).zip(of_other) {
        *bits |= u32::from_le_bytes(*word) ^ u32::from_le_bytes(*of_other);
    }
    if let (false, Some(bits)) = (rest.is_empty(), differences.last_mut()) {
        *bits |= word(row, whole.len()) ^ word(other, whole.len());
    }
}

/// A word of a record; what is beyond its end counts as zero.
fn word(record: &[u8], at: usize) -> u32 {
    let bytes = &record[at * WORD..];
    if let Some(whole) = bytes.first_chunk() {
        return u32::from_le_bytes(*whole);
    }
    let mut word = [0; WORD];
    let end = bytes.len().min(WORD);
    word[..end].copy_from_slice(&bytes[..end]);
    u32::from_le_bytes(word)
}

#[cfg(all(test, feature = "live"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_come_back(size in 56_usize..130, seed in prop::collection::vec(any::<u8>(), 1..1300)) {
            let rows = seed.len() / size;
            let records = &seed[..rows * size];
            let mut packed = Vec::new();
            pack(records, size, &mut packed);
            let unpacked = unpack(&packed, usize::MAX).unwrap_or_default();
            prop_assert_eq!(&unpacked.0, records);
        }

        #[test]
        fn any_bytes_unpack_or_fail_cleanly(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = unpack(&bytes, 1 << 16);
        }
    }

    #[test]
    fn a_claim_beyond_the_limit_is_refused() {
        let mut packed = Vec::new();
        pack(&[7; 800], 80, &mut packed);
        assert!(unpack(&packed, 800).is_some());
        assert!(unpack(&packed, 799).is_none());
    }

    #[test]
    fn what_is_shorter_than_a_header_is_no_record() {
        let mut packed = Vec::new();
        pack(&[7; 550], 55, &mut packed);
        assert!(unpack(&packed, 800).is_none());
    }
}
