//! What a frame of neighbour discovery holds.

use aya_ebpf::helpers::generated;
use v6trace_common::neighbour::{FRAME_COPIED, FRAME_LEN, NeighbourFrame};

use crate::{
    globals,
    pointer::{Pointer, Reading},
    search::functions,
};

/// `ND_OPT_NONCE`
const OPTION_NONCE: u8 = 14;
/// Bytes from the beginning of a solicitation to its options.
const OPTIONS: u64 = 24;
/// Options that are looked at for the nonce; the kernel sends it alone.
const OPTIONS_SEEN: u32 = 4;
/// `mac_header` of a packet without one.
const NO_HEADER: u16 = u16::MAX;

/// The nonce among the options of a solicitation of `length` bytes, in the
/// form of `inet6_ifaddr.dad_nonce`.
#[inline(always)]
pub(crate) fn nonce(solicitation: Pointer, length: u64) -> Option<u64> {
    match solicitation_nonce(solicitation.0, length) {
        0 => None,
        nonce => Some(nonce),
    }
}

functions! {
    /// The same; 0, which is no nonce to the kernel, without.
    fn solicitation_nonce(solicitation: u64, length: u64) -> u64 {
        let mut at = OPTIONS;
        for _ in 0..OPTIONS_SEEN {
            if at + 8 > length {
                return 0;
            }
            let option: u64 = Pointer(solicitation + at).read().unwrap_or(0);
            let [kind, units] = [option as u8, (option >> 8) as u8];
            if kind == OPTION_NONCE {
                // Any other length is no nonce to the kernel.
                return if units == 1 { option >> 16 } else { 0 };
            }
            if units == 0 {
                return 0;
            }
            at += u64::from(units) * 8;
        }
        0
    }
}

/// Copies the frame from its link layer on, or says that nothing was copied.
#[inline(always)]
pub(crate) fn copy_frame(skb: Pointer, frame: &mut NeighbourFrame) {
    frame.copied = 0;
    frame.length = 0;
    frame.network = 0;
    frame.transport = 0;
    let mut reading = Reading::new();
    let head: u64 = reading.get(skb, &globals::SKB_HEAD);
    let mac: u16 = reading.get(skb, &globals::SKB_MAC_HEADER);
    let network: u16 = reading.get(skb, &globals::SKB_NETWORK_HEADER);
    let transport: u16 = reading.get(skb, &globals::SKB_TRANSPORT_HEADER);
    let length: u32 = reading.get(skb, &globals::SKB_LEN);
    if !reading.is_complete() || transport < network {
        return;
    }
    let start = if mac == NO_HEADER || mac > network {
        network
    } else {
        mac
    };
    let transport = transport - start;
    let length = u32::from(transport) + length;
    let copied = if length > FRAME_COPIED {
        FRAME_COPIED
    } else {
        length
    };
    // The mask shows the verifier that it fits.
    let copied = copied & (FRAME_LEN as u32 - 1);
    // SAFETY: the destination has FRAME_LEN bytes, more than the mask lets
    // through; the helper checks the source itself.
    let result = unsafe {
        generated::bpf_probe_read_kernel(
            frame.bytes.as_mut_ptr().cast(),
            copied,
            (head + u64::from(start)) as *const _,
        )
    };
    if result == 0 {
        frame.copied = copied as u16;
        frame.length = length as u16;
        frame.network = network - start;
        frame.transport = transport;
    }
}
