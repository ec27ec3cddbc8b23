//! The header, and the one walk over the type section that finds where each
//! record begins.

use super::{
    Btf, BtfError,
    index::NameIndex,
    record::{COMMON, Kind, kind_number, u32_at, vlen},
};
use std::ops::Range;

/// Length of the header in the format's first version; later ones only append to it.
pub(super) const MIN_HEADER: usize = 24;

/// Length of a header that also says where the layout section is.
const LAYOUT_HEADER: usize = 32;

/// Says what the file is if it is not little-endian BTF.
pub(super) fn check_magic(bytes: &[u8]) -> Result<(), BtfError> {
    match bytes {
        [0x9f, 0xeb, ..] => Ok(()),
        [0xeb, 0x9f, ..] => Err(BtfError::BigEndian),
        [0x7f, b'E', b'L', b'F', ..] => Err(BtfError::Elf),
        [0x1f, 0x8b, ..] => Err(BtfError::Compressed("gzip")),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Err(BtfError::Compressed("xz")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(BtfError::Compressed("zstd")),
        [] | [0x9f] => Err(BtfError::Truncated {
            what: "the header",
            needed: 24,
            have: bytes.len() as u64,
        }),
        _ => Err(BtfError::BadMagic),
    }
}

pub(super) fn parse(data: Vec<u8>) -> Result<Btf, BtfError> {
    check_magic(&data)?;
    let header = Header::read(&data)?;
    let strings = header.strings.clone();
    let text = data.get(strings.clone()).unwrap_or_default();
    if text.first() != Some(&0) || text.last() != Some(&0) {
        return Err(BtfError::Malformed(
            "the string section does not begin and end with a zero",
        ));
    }
    let types = header.types.clone();
    let layout = data.get(header.layout).unwrap_or_default();
    let (starts, names) = walk(data.get(types.clone()).unwrap_or_default(), text, layout)?;
    Ok(Btf {
        data,
        types,
        strings,
        starts,
        names,
    })
}

struct Header {
    types: Range<usize>,
    strings: Range<usize>,
    layout: Range<usize>,
}

impl Header {
    fn read(data: &[u8]) -> Result<Self, BtfError> {
        let have = data.len() as u64;
        let truncated = |what, needed| BtfError::Truncated { what, needed, have };
        let word = |at| u32_at(data, at).ok_or(truncated("the header", MIN_HEADER as u64));
        let header_len = word(4)? as usize;
        word(MIN_HEADER - 4)?;
        if let Some(&version) = data.get(2)
            && version != 1
        {
            return Err(BtfError::UnknownVersion(version));
        }
        if header_len < MIN_HEADER {
            return Err(BtfError::Malformed(
                "the header says it is shorter than any header",
            ));
        }
        if header_len > data.len() {
            return Err(truncated("the header", header_len as u64));
        }
        // Sections are counted from the end of the header, however long it is.
        let section = |what, at| {
            let start = header_len as u64 + u64::from(word(at)?);
            let end = start + u64::from(word(at + 4)?);
            match (usize::try_from(start), usize::try_from(end)) {
                (Ok(start), Ok(end)) if end <= data.len() => Ok(start..end),
                _ => Err(truncated(what, end)),
            }
        };
        Ok(Self {
            types: section("the type section", 8)?,
            strings: section("the string section", 16)?,
            layout: if header_len >= LAYOUT_HEADER {
                section("the layout section", 24)?
            } else {
                0..0
            },
        })
    }
}

/// Finds the records and indexes those that have a name.
fn walk(types: &[u8], text: &[u8], layout: &[u8]) -> Result<(Vec<u32>, NameIndex), BtfError> {
    let end = u32::try_from(types.len())
        .map_err(|_| BtfError::Malformed("the type section is longer than 4 GiB"))?;
    // A record has at least twelve bytes; kernels' average is about 22.
    let mut starts = Vec::with_capacity(types.len() / 22);
    let mut names = NameIndex::default();
    let mut at = 0;
    while at < end {
        let truncated = |needed| BtfError::Truncated {
            what: "a type's record",
            needed,
            have: u64::from(end),
        };
        let from = at as usize;
        let (Some(name_off), Some(info), Some(_)) = (
            u32_at(types, from),
            u32_at(types, from + 4),
            u32_at(types, from + 8),
        ) else {
            return Err(truncated(u64::from(at) + COMMON as u64));
        };
        starts.push(at);
        // Fits: a record has twelve bytes and their sum fits.
        let id = u32::try_from(starts.len()).unwrap_or(u32::MAX);
        let kind = Kind::from_info(info);
        let (fixed, each) = kind
            .extra()
            .or_else(|| layout_of(layout, info))
            .ok_or_else(|| BtfError::UnknownKind {
                type_id: id,
                kind: kind_number(info),
            })?;
        // At most 255 + 2^24 * 255 bytes, so it cannot overflow.
        let length = COMMON as u64 + u64::from(fixed) + u64::from(each) * u64::from(vlen(info));
        let next = u64::from(at) + length;
        if next > u64::from(end) {
            return Err(truncated(next));
        }
        let tail = text
            .get(name_off as usize..)
            .filter(|tail| !tail.is_empty())
            .ok_or(BtfError::Malformed(
                "a type's name lies outside the string section",
            ))?;
        if kind.is_indexed() {
            names.add(tail, id);
        }
        at = u32::try_from(next).map_err(|_| truncated(next))?;
    }
    starts.push(end);
    names.finish();
    Ok((starts, names))
}

/// Bytes of a kind not known here, from the layout section that newer files
/// have: four bytes per kind, the first two being the lengths. Kind 0 is void
/// and never has a record.
fn layout_of(layout: &[u8], info: u32) -> Option<(u8, u8)> {
    let kind = usize::from(kind_number(info));
    match layout.chunks_exact(4).nth(kind) {
        Some([fixed, each, ..]) if kind != 0 => Some((*fixed, *each)),
        _ => None,
    }
}
