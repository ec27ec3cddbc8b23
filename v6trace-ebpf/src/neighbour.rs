//! What a frame of neighbour discovery holds.

use aya_ebpf::helpers::generated;
use v6trace_common::neighbour::{FRAME_COPIED, NeighbourFrame};

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

/// What was copied of a frame.
pub(crate) struct Copied {
    /// Bytes of it; 0 where the frame could not be read.
    pub(crate) copied: u16,
    /// Bytes of the whole frame.
    pub(crate) length: u16,
    /// Where the IPv6 header begins.
    pub(crate) network: u16,
    /// Where the ICMPv6 header begins.
    pub(crate) transport: u16,
}

/// Copies the frame from its link layer on, or says that nothing was copied.
#[inline(always)]
pub(crate) fn copy_frame(skb: Pointer, frame: &mut NeighbourFrame) {
    let copied = copy(skb, &mut frame.bytes, FRAME_COPIED);
    frame.copied = copied.copied;
    frame.length = copied.length;
    frame.network = copied.network;
    frame.transport = copied.transport;
}

/// Copies at most `most` bytes of a frame from its link layer on; `LEN` is a power
/// of two, and more.
#[inline(always)]
pub(crate) fn copy<const LEN: usize>(skb: Pointer, bytes: &mut [u8; LEN], most: u32) -> Copied {
    const { assert!(LEN.is_power_of_two()) };
    let mut frame = Copied {
        copied: 0,
        length: 0,
        network: 0,
        transport: 0,
    };
    let mut reading = Reading::new();
    let head: u64 = reading.get(skb, &globals::SKB_HEAD);
    let data: u64 = reading.get(skb, &globals::SKB_DATA);
    let mac: u16 = reading.get(skb, &globals::SKB_MAC_HEADER);
    let network: u16 = reading.get(skb, &globals::SKB_NETWORK_HEADER);
    let transport: u16 = reading.get(skb, &globals::SKB_TRANSPORT_HEADER);
    let length: u32 = reading.get(skb, &globals::SKB_LEN);
    let elsewhere: u32 = reading.get(skb, &globals::SKB_DATA_LEN);
    if !reading.is_complete() || transport < network {
        return frame;
    }
    let start = if mac == NO_HEADER || mac > network {
        network
    } else {
        mac
    };
    // What is counted begins at the data, wherever that stands by now.
    let length = (data - head) as u32 - u32::from(start) + length;
    // The rest of the packet lies in other pages.
    let here = length - elsewhere;
    let copied = if here > most { most } else { here };
    // The mask shows the verifier that it fits.
    let copied = copied & (LEN as u32 - 1);
    // SAFETY: the destination has LEN bytes, more than the mask lets through; the
    // helper checks the source itself.
    let result = unsafe {
        generated::bpf_probe_read_kernel(
            bytes.as_mut_ptr().cast(),
            copied,
            (head + u64::from(start)) as *const _,
        )
    };
    if result == 0 {
        frame.copied = copied as u16;
        frame.length = length as u16;
        frame.network = network - start;
        frame.transport = transport - start;
    }
    frame
}
