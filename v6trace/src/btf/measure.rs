//! From a type and a distance in bits to the bytes to load: sizes of types, the
//! chains of typedefs before them, and bitfields.

use super::{
    BitField, Btf, Member, MemberError,
    record::{Kind, Record},
};

/// Links of typedef, const and the like followed from one type; real chains
/// have fewer than ten. The kernel's own limit is 32.
const MAX_CHAIN: usize = 64;

/// Arrays of arrays.
const MAX_DIMENSIONS: u32 = 32;

/// Every kernel that v6trace's eBPF object can run on is a 64-bit one.
const POINTER_SIZE: u32 = 8;

/// Where the walk along a path has got to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) type_id: u32,
    /// From the beginning of the outermost structure.
    pub(super) bits: u64,
    /// Set when the member's record says that it is a bitfield.
    pub(super) width: Option<u8>,
    /// Whether the containing structure marks its bitfields in the members, so
    /// that an int's own idea of bits does not count.
    pub(super) flagged: bool,
}

impl Btf {
    /// Turns a place into what to load.
    pub(super) fn measure(&self, place: Place) -> Result<Member, MemberError> {
        let record = self.target(place.type_id)?;
        let size = self.size(record)?;
        if let Some(width) = place.width {
            return bitfield(record.id, place.bits, width);
        }
        if record.kind == Kind::Int && !place.flagged {
            // The encoding before kind_flag: an int type made for the bitfield.
            let [encoding] = record.fixed();
            let [width, _, shift, _] = encoding.to_le_bytes();
            if shift != 0 || u32::from(width) != size.saturating_mul(8) {
                return bitfield(record.id, place.bits + u64::from(shift), width);
            }
        }
        if !place.bits.is_multiple_of(8) {
            return Err(malformed(
                record.id,
                "a member that is no bitfield begins within a byte",
            ));
        }
        Ok(Member {
            byte_offset: byte_offset(record.id, place.bits / 8)?,
            byte_size: size,
            bit: None,
        })
    }

    /// The type behind typedefs and qualifiers.
    pub(super) fn target(&self, id: u32) -> Result<Record<'_>, MemberError> {
        let mut at = id;
        for _ in 0..MAX_CHAIN {
            let record = self
                .record(at)
                .ok_or_else(|| malformed(id, "it refers to no type"))?;
            match record.kind {
                Kind::Typedef | Kind::Volatile | Kind::Const | Kind::Restrict | Kind::TypeTag => {
                    at = record.size_or_type;
                }
                _ => return Ok(record),
            }
        }
        Err(malformed(id, "its chain of typedefs does not end"))
    }

    /// Size in bytes of a type that [`Btf::target`] gave.
    pub(super) fn size(&self, record: Record<'_>) -> Result<u32, MemberError> {
        let (mut at, mut count) = (record, 1_u64);
        for _ in 0..MAX_DIMENSIONS {
            let each = match at.kind {
                Kind::Int
                | Kind::Struct
                | Kind::Union
                | Kind::Enum
                | Kind::Enum64
                | Kind::Float
                | Kind::Datasec => at.size_or_type,
                Kind::Ptr => POINTER_SIZE,
                Kind::Array => {
                    let [element, _, len] = at.fixed();
                    count = count
                        .checked_mul(u64::from(len))
                        .ok_or_else(|| malformed(at.id, "an array is impossibly large"))?;
                    at = self.target(element)?;
                    continue;
                }
                _ => return Err(malformed(at.id, "a member is of a type that has no size")),
            };
            return count
                .checked_mul(u64::from(each))
                .and_then(|size| u32::try_from(size).ok())
                .ok_or_else(|| malformed(record.id, "an array is impossibly large"));
        }
        Err(malformed(record.id, "arrays nest without end"))
    }
}

/// The smallest naturally aligned unit that holds all bits of the bitfield.
fn bitfield(type_id: u32, bits: u64, width: u8) -> Result<Member, MemberError> {
    if !(1..=64).contains(&width) {
        return Err(malformed(type_id, "a bitfield has no bits or too many"));
    }
    let last = bits + u64::from(width) - 1;
    for byte_size in [1_u32, 2, 4, 8] {
        let unit = u64::from(byte_size) * 8;
        if bits / unit == last / unit {
            // Below 64, as the unit is at most that long.
            let shift = u8::try_from(bits % unit).unwrap_or(0);
            return Ok(Member {
                byte_offset: byte_offset(type_id, bits / unit * u64::from(byte_size))?,
                byte_size,
                bit: Some(BitField { shift, width }),
            });
        }
    }
    Err(malformed(
        type_id,
        "a bitfield lies across an 8-byte boundary",
    ))
}

/// Refuses distances that no byte offset can express, so that sums of them cannot overflow.
pub(super) fn within_reach(type_id: u32, bits: u64) -> Result<u64, MemberError> {
    byte_offset(type_id, bits / 8)?;
    Ok(bits)
}

fn byte_offset(type_id: u32, bytes: u64) -> Result<u32, MemberError> {
    u32::try_from(bytes).map_err(|_| malformed(type_id, "a member lies beyond 4 GiB"))
}

pub(super) fn malformed(type_id: u32, problem: &'static str) -> MemberError {
    MemberError::Malformed { type_id, problem }
}
