//! Frames of neighbour discovery (RFC 4861): what they say, and the MACs and
//! nonces in them.

use std::{fmt, net::Ipv6Addr};

use serde::{Deserialize, Serialize};
use v6trace_common::neighbour as wire;

/// Bytes of an ICMPv6 neighbour message ahead of its options.
const OPTIONS: usize = 24;
const OPTION_NONCE: u8 = 14;
const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// Bytes of an Ethernet header.
const ETHERNET: u16 = 14;

/// The flags of an advertisement (RFC 4861, section 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisementFlags {
    /// R: the sender is a router.
    pub router: bool,
    /// S: it answers a solicitation that had a source.
    pub solicited: bool,
    /// O: it replaces what was known. Owners set it; those that answer for an
    /// anycast address or as a proxy do not.
    pub r#override: bool,
}

/// A nonce of RFC 7527, as the kernel keeps it; all zeros is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce(pub [u8; 6]);

impl Nonce {
    /// A solicitation without a nonce.
    pub const NONE: Self = Self([0; 6]);

    pub(crate) fn from_wire(nonce: u64) -> Self {
        let mut bytes = [0; 6];
        bytes.copy_from_slice(&nonce.to_le_bytes()[..6]);
        Self(bytes)
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("none");
        }
        Mac(self.0).fmt(f)
    }
}

/// A MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Mac(pub [u8; 6]);

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

impl Mac {
    /// The number of the VRRP virtual router whose MAC this is, for IPv4 or
    /// IPv6 (RFC 9568, section 7.3).
    pub const fn virtual_router(self) -> Option<u8> {
        match self.0 {
            [0x00, 0x00, 0x5e, 0x00, 0x01 | 0x02, number] => Some(number),
            _ => None,
        }
    }
}

impl TryFrom<String> for Mac {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "a MAC address is six bytes in hexadecimal, joined by colons";
        let mut mac = [0; 6];
        let mut bytes = text.split(':');
        for byte in &mut mac {
            let digits = bytes.next().filter(|digits| digits.len() == 2);
            *byte = digits
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .ok_or(WRONG)?;
        }
        bytes.next().map_or(Ok(Self(mac)), |_| Err(WRONG))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

/// The beginning of a frame of neighbour discovery, from its link layer on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    bytes: Vec<u8>,
    length: u16,
    network: u16,
    transport: u16,
}

/// What a neighbour message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// A neighbour solicitation: somebody asks.
    Solicitation,
    /// A neighbour advertisement: somebody answers.
    Advertisement,
}

impl Message {
    /// Its usual short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Solicitation => "NS",
            Self::Advertisement => "NA",
        }
    }
}

impl Frame {
    pub(crate) fn from_wire(wire: &wire::NeighbourFrame) -> Self {
        Self::new(
            wire.bytes.get(..wire.copied.into()).unwrap_or(&wire.bytes),
            wire.length,
            wire.network,
            wire.transport,
        )
    }

    /// A frame of which `bytes` were copied.
    pub(crate) fn new(bytes: &[u8], length: u16, network: u16, transport: u16) -> Self {
        Self {
            bytes: bytes.to_vec(),
            length,
            network,
            transport,
        }
    }

    /// Bytes of the frame that were copied, from its link layer on.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes that the frame had.
    pub fn length(&self) -> usize {
        self.length.into()
    }

    /// Where its IPv6 header begins: behind an Ethernet header or behind
    /// something else.
    pub fn network(&self) -> usize {
        self.network.into()
    }

    /// Whether it begins with an Ethernet header.
    pub fn is_ethernet(&self) -> bool {
        self.network >= ETHERNET
    }

    /// The Ethernet source; `None` where there is no Ethernet header.
    pub fn source_mac(&self) -> Option<Mac> {
        if !self.is_ethernet() {
            return None;
        }
        let source = self.bytes.get(6..12)?;
        Some(Mac(source.try_into().ok()?))
    }

    /// The source in its IPv6 header.
    pub fn source(&self) -> Option<Ipv6Addr> {
        let source = self.ipv6()?.get(8..24)?;
        Some(<[u8; 16]>::try_from(source).ok()?.into())
    }

    /// The hop limit in its IPv6 header.
    pub fn hop_limit(&self) -> Option<u8> {
        self.ipv6()?.get(7).copied()
    }

    fn ipv6(&self) -> Option<&[u8]> {
        self.bytes.get(usize::from(self.network)..)
    }

    /// What it says.
    pub fn message(&self) -> Option<Message> {
        match *self.neighbour_message().first()? {
            SOLICITATION => Some(Message::Solicitation),
            ADVERTISEMENT => Some(Message::Advertisement),
            _ => None,
        }
    }

    /// The flags of an advertisement; `None` of anything else.
    pub fn advertisement_flags(&self) -> Option<AdvertisementFlags> {
        if self.message()? != Message::Advertisement {
            return None;
        }
        let flags = *self.neighbour_message().get(4)?;
        Some(AdvertisementFlags {
            router: flags & 0x80 != 0,
            solicited: flags & 0x40 != 0,
            r#override: flags & 0x20 != 0,
        })
    }

    /// Its nonce as the kernel reads it: the first nonce option counts, and
    /// only with a length of 8 bytes. `None` where the copy ends too early to
    /// tell.
    pub fn nonce(&self) -> Option<Nonce> {
        let mut options = self.neighbour_message().get(OPTIONS..)?;
        loop {
            let &[kind, units, ref rest @ ..] = options else {
                let whole = self.bytes.len() >= usize::from(self.length);
                return (options.is_empty() && whole).then_some(Nonce::NONE);
            };
            if kind == OPTION_NONCE {
                if units != 1 {
                    return Some(Nonce::NONE);
                }
                return Some(Nonce(rest.get(..6)?.try_into().ok()?));
            }
            if units == 0 {
                return None;
            }
            options = options.get(usize::from(units) * 8..)?;
        }
    }

    /// Bytes that its ICMPv6 message had.
    pub fn message_length(&self) -> usize {
        usize::from(self.length.saturating_sub(self.transport))
    }

    /// Its ICMPv6 message, as far as it was copied.
    pub fn neighbour_message(&self) -> &[u8] {
        self.bytes
            .get(usize::from(self.transport)..)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(options: &[u8]) -> Frame {
        let mut bytes = vec![0; 14 + 40];
        bytes[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 7]);
        bytes.push(SOLICITATION);
        bytes.resize(14 + 40 + OPTIONS, 0);
        bytes.extend_from_slice(options);
        Frame {
            length: bytes.len().try_into().unwrap(),
            bytes,
            network: 14,
            transport: 54,
        }
    }

    #[test]
    fn the_nonce_is_found_as_the_kernel_finds_it() {
        let nonce = [1, 2, 3, 4, 5, 6];
        let option = [&[14, 1][..], &nonce].concat();
        let other = [1, 1, 2, 0, 0, 0, 0, 7];
        assert_eq!(frame(&[]).nonce(), Some(Nonce::NONE));
        assert_eq!(frame(&option).nonce(), Some(Nonce(nonce)));
        assert_eq!(
            frame(&[&other[..], &option].concat()).nonce(),
            Some(Nonce(nonce))
        );
        assert_eq!(frame(&other).nonce(), Some(Nonce::NONE));
        // A nonce of another length is none.
        let long = [&[14, 2][..], &[9; 14]].concat();
        assert_eq!(frame(&long).nonce(), Some(Nonce::NONE));
        assert_eq!(Nonce::from_wire(0x0605_0403_0201), Nonce(nonce));
    }

    #[test]
    fn what_was_not_copied_is_not_taken_for_absent() {
        let mut cut = frame(&[1, 2, 0, 0, 0, 0, 0, 0]);
        cut.length += 8;
        assert_eq!(cut.nonce(), None);
        let mut cut = frame(&[]);
        cut.length += 8;
        assert_eq!(cut.nonce(), None);
    }

    #[test]
    fn frames_without_ethernet_have_no_mac() {
        let mut tunnel = frame(&[]);
        assert_eq!(tunnel.source_mac(), Some(Mac([2, 0, 0, 0, 0, 7])));
        assert_eq!(tunnel.message(), Some(Message::Solicitation));
        tunnel.bytes.drain(..14);
        tunnel.network = 0;
        tunnel.transport = 40;
        assert_eq!(tunnel.source_mac(), None);
        assert_eq!(tunnel.message(), Some(Message::Solicitation));
    }
}
