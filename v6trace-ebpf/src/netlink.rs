//! Requests over netlink, and which of them a family has judged.
//!
//! ```text
//! judged      a family saw why its request is refused           JUDGED[thread]
//! was_judged  the kernel answers: whether that was this request
//! ```
//!
//! The kernel answers a request on the thread that sent it, right after it refused it,
//! so what is left there by another request is never taken for this one's: each says
//! where its message is.

use core::{ffi::c_void, hint::black_box};

use aya_ebpf::{helpers::generated, macros::map};
use v6trace_common::families::route::{REQUEST_LEN, SAID_LEN};

use crate::{calls::Calls, pointer::Pointer};

/// Bytes of a `struct nlmsghdr`.
pub(crate) const MESSAGE_HEADER: u64 = 16;

/// `struct nlmsghdr`, as far as it is of interest.
#[repr(C)]
#[derive(Clone, Copy, zerocopy::FromBytes)]
pub(crate) struct MessageHeader {
    pub(crate) length: u32,
    pub(crate) kind: u16,
    pub(crate) flags: u16,
}

/// Something in the last request of each thread that a family has judged.
#[map]
static JUDGED: Calls<u64> = Calls::new(1024);

/// A family has judged the request of this thread in which this is, whether it tells
/// of it or not.
#[inline(always)]
pub(crate) fn judged(part: u64) {
    // What cannot be remembered is told twice.
    JUDGED.begin(&part);
}

/// Whether a family has judged this thread's request of so many bytes.
#[inline(always)]
pub(crate) fn was_judged(message: u64, length: u32) -> bool {
    let part = JUDGED.take().unwrap_or(0);
    part.wrapping_sub(message) < u64::from(length)
}

/// The request itself behind its header, as much as there is room for. Whether it could
/// be read; zeros where there is none.
#[inline(always)]
pub(crate) fn copy(from: Pointer, length: u32, request: &mut [u8; REQUEST_LEN]) -> bool {
    const {
        assert!(REQUEST_LEN == 0x100);
    }
    if length >= REQUEST_LEN as u32 {
        return from.read_into(request);
    }
    *request = [0; REQUEST_LEN];
    // Bounded where it is used: the verifier forgets the bounds of what the
    // compiler puts away in between.
    let length = black_box(length) & 0xff;
    // SAFETY: the helper checks the address itself and writes `length` bytes, which
    // is fewer than `request` has; zeros where it fails.
    let failed = unsafe {
        generated::bpf_probe_read_kernel(
            request.as_mut_ptr().cast(),
            length,
            from.0 as *const c_void,
        )
    };
    failed == 0
}

/// What the kernel says of a request, if anything. Whether that could be read.
#[inline(always)]
pub(crate) fn said(message: Option<Pointer>, said: &mut [u8; SAID_LEN]) -> bool {
    *said = [0; SAID_LEN];
    let Some(message) = message else {
        return false;
    };
    if message.0 == 0 {
        return true;
    }
    message.text_into(said)
}
