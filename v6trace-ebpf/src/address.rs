//! IPv6 addresses.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, transmute};

/// A `struct in6_addr`: two numbers in network order, upper half first.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Address {
    pub(crate) upper: u64,
    pub(crate) lower: u64,
}

/// `::`
pub(crate) const UNSPECIFIED: Address = Address { upper: 0, lower: 0 };

/// `::1`
const LOOPBACK: Address = Address {
    upper: 0,
    lower: 1u64.to_be(),
};

impl PartialEq for Address {
    /// In one branch: the verifier would follow each of two.
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.difference(*other) == 0
    }
}

impl Address {
    /// The address that these bytes are.
    #[inline(always)]
    pub(crate) fn of(bytes: [u8; 16]) -> Self {
        transmute!(bytes)
    }

    /// Its bytes, as a record has them.
    #[inline(always)]
    pub(crate) fn bytes(self) -> [u8; 16] {
        transmute!(self)
    }

    /// Not 0 where they differ.
    #[inline(always)]
    pub(crate) fn difference(self, other: Address) -> u64 {
        (self.upper ^ other.upper) | (self.lower ^ other.lower)
    }

    /// Whether it is in fe80::/10.
    #[inline(always)]
    pub(crate) fn is_link_local(self) -> bool {
        u64::from_be(self.upper) >> 54 == 0xfe80 >> 6
    }

    /// Whether it is `::1`.
    #[inline(always)]
    pub(crate) fn is_loopback(self) -> bool {
        self == LOOPBACK
    }

    /// The address with all but its first `bits` bits cleared, up to 127. By
    /// arithmetic alone: the verifier would follow each branch of each visit.
    #[inline(always)]
    pub(crate) fn prefix(self, bits: u32) -> Address {
        let beyond = i64::from(bits) - 64;
        // All ones where the prefix ends in the upper half, else zero.
        let in_upper = beyond >> 63;
        let clear = |half: u64, kept: u64| {
            // In two steps, since a shift by 64 is none.
            let rest = (u64::MAX >> (kept / 2)) >> (kept - kept / 2);
            half & !rest.to_be()
        };
        Address {
            upper: clear(self.upper, (64 + (beyond & in_upper)) as u64),
            lower: clear(self.lower, (beyond & !in_upper) as u64),
        }
    }
}
