//! What requests over rtnetlink are made of: a header, and attributes behind it.
//!
//! They are what some program sent: lengths and types are believed only as far as
//! the bytes go.

use std::net::IpAddr;

/// Bytes of a `struct nlattr`.
pub(crate) const ATTRIBUTE: usize = 4;

/// `NLA_TYPE_MASK`: the type without the flags beside it.
const TYPE_MASK: u16 = 0x3fff;

/// `NLM_F_*`: what a request is to do about what is there, or is not.
pub(crate) const REPLACE: u32 = 0x100;
pub(crate) const EXCLUSIVE: u32 = 0x200;
pub(crate) const CREATE: u32 = 0x400;
const APPEND: u32 = 0x800;

/// What a request for something new is to do, as `ip` calls it.
pub(crate) const fn verb(flags: u32) -> &'static str {
    if flags & REPLACE != 0 && flags & CREATE != 0 {
        "replace"
    } else if flags & REPLACE != 0 {
        "change"
    } else if flags & APPEND != 0 {
        "append"
    } else {
        "add"
    }
}

/// Attributes, one after the other.
pub(crate) struct Attributes<'b>(pub(crate) &'b [u8]);

impl<'b> Iterator for Attributes<'b> {
    type Item = (u16, &'b [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let &[low, high, kind_low, kind_high] = self.0.get(..ATTRIBUTE)? else {
            return None;
        };
        let length = usize::from(u16::from_le_bytes([low, high]));
        let value = self.0.get(ATTRIBUTE..length)?;
        let kind = u16::from_le_bytes([kind_low, kind_high]) & TYPE_MASK;
        let next = length.next_multiple_of(4);
        self.0 = self.0.get(next..).unwrap_or_default();
        Some((kind, value))
    }
}

impl<'b> Attributes<'b> {
    /// The last one, where it is not there to its end.
    pub(crate) fn cut(&self) -> Option<(u16, &'b [u8])> {
        let (header, value) = self.0.split_at_checked(ATTRIBUTE)?;
        let &[_, _, low, high] = header else {
            return None;
        };
        Some((u16::from_le_bytes([low, high]) & TYPE_MASK, value))
    }
}

/// The number that a value begins with.
pub(crate) fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?))
}

/// The address that a value is.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(bytes) = <[u8; 16]>::try_from(bytes) {
        Some(IpAddr::V6(bytes.into()))
    } else {
        <[u8; 4]>::try_from(bytes)
            .ok()
            .map(|bytes| IpAddr::V4(bytes.into()))
    }
}
