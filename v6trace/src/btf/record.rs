//! One type's record as it lies in the type section: twelve bytes common to all
//! kinds, then what the kind adds.

use super::Btf;

/// Bytes of a record that all kinds have.
pub(super) const COMMON: usize = 12;

/// The kinds of `include/uapi/linux/btf.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Ptr,
    Array,
    Struct,
    Union,
    Enum,
    Fwd,
    Typedef,
    Volatile,
    Const,
    Restrict,
    Func,
    FuncProto,
    Var,
    Datasec,
    Float,
    DeclTag,
    TypeTag,
    Enum64,
    /// Newer than this reader; the file's layout section told its length.
    Other,
}

impl Kind {
    pub(super) fn from_info(info: u32) -> Self {
        match kind_number(info) {
            1 => Self::Int,
            2 => Self::Ptr,
            3 => Self::Array,
            4 => Self::Struct,
            5 => Self::Union,
            6 => Self::Enum,
            7 => Self::Fwd,
            8 => Self::Typedef,
            9 => Self::Volatile,
            10 => Self::Const,
            11 => Self::Restrict,
            12 => Self::Func,
            13 => Self::FuncProto,
            14 => Self::Var,
            15 => Self::Datasec,
            16 => Self::Float,
            17 => Self::DeclTag,
            18 => Self::TypeTag,
            19 => Self::Enum64,
            _ => Self::Other,
        }
    }

    /// Bytes after the common part: a fixed number and one for each of `vlen`
    /// elements. None for a kind not known here.
    pub(super) fn extra(self) -> Option<(u8, u8)> {
        Some(match self {
            Self::Int | Self::Var | Self::DeclTag => (4, 0),
            Self::Array => (12, 0),
            Self::Struct | Self::Union | Self::Datasec | Self::Enum64 => (0, 12),
            Self::Enum | Self::FuncProto => (0, 8),
            Self::Ptr
            | Self::Fwd
            | Self::Typedef
            | Self::Volatile
            | Self::Const
            | Self::Restrict
            | Self::Func
            | Self::Float
            | Self::TypeTag => (0, 0),
            Self::Other => return None,
        })
    }

    pub(super) fn is_composite(self) -> bool {
        matches!(self, Self::Struct | Self::Union)
    }

    /// Whether types of this kind are looked up by name.
    pub(super) fn is_indexed(self) -> bool {
        matches!(
            self,
            Self::Struct | Self::Union | Self::Enum | Self::Enum64 | Self::Func
        )
    }
}

/// The kind's number. The format first had five bits for it and later took
/// two more that had been zero.
pub(super) fn kind_number(info: u32) -> u8 {
    info.to_le_bytes()[3] & 0x7f
}

/// Number of elements. Likewise widened, from 16 bits to 24.
pub(super) fn vlen(info: u32) -> u32 {
    info & 0x00ff_ffff
}

/// The little-endian number at `at`, if the bytes reach that far.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*word))
}

/// Element `N` of a record's variable part, as words.
pub(super) fn words<const W: usize>(element: &[u8]) -> [u32; W] {
    std::array::from_fn(|i| u32_at(element, i * 4).unwrap_or(0))
}

/// A type's record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) id: u32,
    pub(super) kind: Kind,
    pub(super) name_off: u32,
    info: u32,
    /// The size of the type or the number of the one it refers to, by kind.
    pub(super) size_or_type: u32,
    extra: &'a [u8],
}

/// A member of a structure or union.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawMember {
    pub(super) name_off: u32,
    pub(super) type_id: u32,
    /// Bits from the beginning of the structure.
    pub(super) bit_offset: u32,
    /// Width where the record itself says that this is a bitfield.
    pub(super) bit_width: Option<u8>,
}

impl<'a> Record<'a> {
    /// Bit 31: bitfields are marked in the members; for an enum, that it is signed.
    pub(super) fn kind_flag(&self) -> bool {
        self.info >> 31 != 0
    }

    /// Fixed words after the common part (int, array, …).
    pub(super) fn fixed<const W: usize>(&self) -> [u32; W] {
        words(self.extra)
    }

    /// Elements of `size` bytes (enum values, parameters, …).
    pub(super) fn elements(&self, size: usize) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.extra.chunks_exact(size)
    }

    /// The members, if this is a structure or union.
    pub(super) fn members(&self) -> impl Iterator<Item = RawMember> + use<'a> {
        let extra = if self.kind.is_composite() {
            self.extra
        } else {
            &[]
        };
        let flagged = self.kind_flag();
        extra.chunks_exact(12).map(move |element| {
            let [name_off, type_id, offset] = words(element);
            let width = offset.to_le_bytes()[3];
            RawMember {
                name_off,
                type_id,
                bit_offset: if flagged {
                    offset & 0x00ff_ffff
                } else {
                    offset
                },
                bit_width: (flagged && width != 0).then_some(width),
            }
        })
    }
}

impl Btf {
    /// The record of type `id`; none for 0 (void) and for numbers not in the file.
    pub(super) fn record(&self, id: u32) -> Option<Record<'_>> {
        let at = usize::try_from(id).ok()?.checked_sub(1)?;
        let start = usize::try_from(*self.starts.get(at)?).ok()?;
        let end = usize::try_from(*self.starts.get(at + 1)?).ok()?;
        let bytes = self.data.get(self.types.clone())?.get(start..end)?;
        let info = u32_at(bytes, 4)?;
        Some(Record {
            id,
            kind: Kind::from_info(info),
            name_off: u32_at(bytes, 0)?,
            info,
            size_or_type: u32_at(bytes, 8)?,
            extra: bytes.get(COMMON..)?,
        })
    }

    /// Whether the string at `offset` is exactly `name`.
    pub(super) fn name_is(&self, offset: u32, name: &str) -> bool {
        self.string_tail(offset)
            .and_then(|tail| tail.strip_prefix(name.as_bytes()))
            .is_some_and(|rest| rest.first() == Some(&0))
    }

    /// The string at `offset`; none if it is outside the section, longer than
    /// any name the kernel allows, or not UTF-8.
    pub(super) fn name(&self, offset: u32) -> Option<&str> {
        let name = super::index::bounded_name(self.string_tail(offset)?)?;
        std::str::from_utf8(name).ok()
    }

    fn string_tail(&self, offset: u32) -> Option<&[u8]> {
        self.data
            .get(self.strings.clone())?
            .get(usize::try_from(offset).ok()?..)
    }
}
