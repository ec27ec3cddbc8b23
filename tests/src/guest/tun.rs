//! Tun interfaces: links without addresses of their own, on which whoever has made
//! them sends packets without a link layer.

use std::fs::File;
use std::io::Write as _;
use std::net::Ipv6Addr;

use anyhow::{Context as _, Result};

use super::{
    Netns,
    tap::{TUN, attach},
};

/// `IPPROTO_ICMPV6`
const ICMPV6: u8 = 58;

/// A tun interface, there until it is dropped.
pub(crate) struct Tun(File);

impl Tun {
    pub(crate) fn new(netns: &Netns, name: &str) -> Result<Self> {
        netns.enter(|| attach(name, TUN)).map(Self)
    }

    /// Has the interface receive a message of `source` to all nodes.
    pub(crate) fn receive(&mut self, source: Ipv6Addr, message: &[u8]) -> Result<()> {
        let to = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
        let length = u16::try_from(message.len())?;
        let addresses = [source.octets(), to.octets()].concat();
        let sum = checksum(&[
            &addresses,
            &u32::from(length).to_be_bytes(),
            &[0, 0, 0, ICMPV6],
            message,
        ]);
        let mut packet = vec![0x60, 0, 0, 0];
        packet.extend(length.to_be_bytes());
        packet.extend([ICMPV6, 255]);
        packet.extend(addresses);
        packet.extend(&message[..2]);
        packet.extend(sum.to_be_bytes());
        packet.extend(&message[4..]);
        self.0.write_all(&packet).context("cannot send by the tun")
    }
}

/// The Internet checksum (RFC 1071) of parts that each have whole words.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum = words.fold(0_u32, |sum, word| {
        let low = word.get(1).copied().unwrap_or_default();
        sum + u32::from(u16::from_be_bytes([word[0], low]))
    });
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    !u16::try_from(sum).unwrap_or_default()
}
