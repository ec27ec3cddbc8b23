//! IPv6 addresses as numbers.

use crate::kernel::Pointer;

/// A `struct in6_addr` as two numbers, upper half first.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Address {
    pub(crate) upper: u64,
    pub(crate) lower: u64,
}

/// The address that is stored at `at`.
#[inline(always)]
pub(crate) fn address_at(at: Pointer) -> Option<Address> {
    let [upper, lower]: [u64; 2] = at.read()?;
    Some(Address {
        upper: u64::from_be(upper),
        lower: u64::from_be(lower),
    })
}

impl Address {
    /// Whether it is in fe80::/10.
    #[inline(always)]
    pub(crate) fn is_link_local(self) -> bool {
        self.upper >> 54 == 0xfe80 >> 6
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
            half & !rest
        };
        Address {
            upper: clear(self.upper, (64 + (beyond & in_upper)) as u64),
            lower: clear(self.lower, (beyond & !in_upper) as u64),
        }
    }
}
