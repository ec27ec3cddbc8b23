//! What a router advertisement says (RFC 4861, section 4.2; RFC 4191 for routes),
//! read as `ndisc_parse_options` reads it.

use std::net::Ipv6Addr;

/// Bytes ahead of the options.
const HEADER: usize = 16;
/// Option lengths count in these.
const UNIT: usize = 8;
const SOURCE: u8 = 1;
const PREFIX: u8 = 3;
const MTU: u8 = 5;
const ROUTE: u8 = 24;

/// A router advertisement, as far as it was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The hop limit that hosts are to use; 0 says nothing.
    pub hop_limit: u8,
    /// M: addresses are to be had by DHCPv6.
    pub managed: bool,
    /// How long the router is a default router, seconds.
    pub lifetime: u16,
    /// Bytes of the first option with the source's address of the link; the kernel
    /// ignores others.
    pub source_option: Option<usize>,
    /// Prefixes of the link.
    pub prefixes: Vec<Prefix>,
    /// The first MTU of the link; the kernel ignores others.
    pub mtu: Option<u32>,
    /// Routes by way of the router.
    pub routes: Vec<Route>,
    /// What makes the whole message invalid.
    pub fault: Option<Fault>,
    /// Whether it goes on beyond what was copied.
    pub is_cut: bool,
}

/// Why a message is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has fewer bytes than an advertisement has without options.
    TooShort {
        /// How many it has.
        length: usize,
    },
    /// An option has no length, or one beyond the message's end.
    Option {
        /// Its type, where the message is long enough to have one.
        kind: Option<u8>,
        /// Bytes ahead of it.
        offset: usize,
    },
}

/// A prefix of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Its bits.
    pub prefix: Ipv6Addr,
    /// How many of them count.
    pub length: u8,
    /// A: hosts are to make addresses of it.
    pub autonomous: bool,
    /// P: hosts had better get a prefix of their own (RFC 9762).
    pub delegation_preferred: bool,
    /// How long addresses are valid, seconds.
    pub valid: u32,
    /// How long they are preferred, seconds.
    pub preferred: u32,
    /// Whether the option has all of its 32 bytes.
    pub is_whole: bool,
}

/// A route by way of the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its prefix.
    pub prefix: Ipv6Addr,
    /// Bits of the prefix.
    pub length: u8,
    /// How long it lasts, seconds.
    pub lifetime: u32,
    /// Its preference, two bits: 2 is reserved.
    pub preference: u8,
    /// Bytes of the option.
    pub bytes: usize,
}

impl Message {
    /// Reads the beginning of a message of `length` bytes. Whatever the bytes are,
    /// what can be read of them is.
    pub fn parse(bytes: &[u8], length: usize) -> Self {
        let bytes = bytes.get(..length).unwrap_or(bytes);
        let mut message = Self {
            is_cut: bytes.len() < length,
            ..Self::default()
        };
        if length < HEADER {
            message.fault = Some(Fault::TooShort { length });
            return message;
        }
        let Some((header, mut options)) = bytes.split_at_checked(HEADER) else {
            return message;
        };
        message.hop_limit = header[4];
        message.managed = header[5] & 0x80 != 0;
        message.lifetime = u16::from_be_bytes([header[6], header[7]]);
        while !options.is_empty() {
            let offset = bytes.len() - options.len();
            let fault = |kind| Some(Fault::Option { kind, offset });
            let &[kind, units, ..] = options else {
                if !message.is_cut {
                    message.fault = fault(None);
                }
                return message;
            };
            let size = usize::from(units) * UNIT;
            if size == 0 || offset + size > length {
                message.fault = fault(Some(kind));
                return message;
            }
            let Some((option, rest)) = options.split_at_checked(size) else {
                // The rest was not copied.
                return message;
            };
            message.option(kind, option);
            options = rest;
        }
        message
    }

    fn option(&mut self, kind: u8, option: &[u8]) {
        match kind {
            SOURCE => {
                self.source_option.get_or_insert(option.len());
            }
            PREFIX => self.prefixes.push(Prefix::read(option)),
            MTU if self.mtu.is_none() => self.mtu = Some(word(option, 4)),
            ROUTE => self.routes.push(Route::read(option)),
            _ => {}
        }
    }
}

impl Prefix {
    fn read(option: &[u8]) -> Self {
        let flags = byte(option, 3);
        Self {
            prefix: address(option, 16),
            length: byte(option, 2),
            autonomous: flags & 0x40 != 0,
            delegation_preferred: flags & 0x10 != 0,
            valid: word(option, 4),
            preferred: word(option, 8),
            is_whole: option.len() >= 32,
        }
    }
}

impl Route {
    fn read(option: &[u8]) -> Self {
        Self {
            prefix: address(option, 8),
            length: byte(option, 2),
            lifetime: word(option, 4),
            preference: byte(option, 3) >> 3 & 3,
            bytes: option.len(),
        }
    }
}

fn byte(option: &[u8], at: usize) -> u8 {
    option.get(at).copied().unwrap_or_default()
}

fn word(option: &[u8], at: usize) -> u32 {
    let bytes = option.get(at..at + 4);
    bytes.map_or(0, |bytes| {
        bytes
            .iter()
            .fold(0, |word, &byte| word << 8 | u32::from(byte))
    })
}

/// The address there, which may be left off at its end.
fn address(option: &[u8], at: usize) -> Ipv6Addr {
    let mut address = [0; 16];
    for (to, from) in address.iter_mut().zip(option.iter().skip(at)) {
        *to = *from;
    }
    address.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> Vec<u8> {
        vec![134, 0, 0, 0, 64, 0x80, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0]
    }

    fn prefix() -> Vec<u8> {
        let mut option = vec![3, 4, 64, 0xc0, 0, 0, 0, 60, 0, 0, 0, 30, 0, 0, 0, 0];
        option.extend([0x20, 1, 0xd, 0xb8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        option
    }

    #[test]
    fn what_it_says_is_read() {
        let mut bytes = [header(), prefix()].concat();
        bytes.extend([5, 1, 0, 0, 0, 0, 0x05, 0xdc]);
        bytes.extend([24, 2, 48, 0x08, 0, 0, 0, 90, 0xfd, 0, 0, 5, 0, 0, 0, 0]);
        let message = Message::parse(&bytes, bytes.len());
        assert_eq!((message.hop_limit, message.lifetime), (64, 1800));
        assert!(message.managed && !message.is_cut);
        assert_eq!(message.mtu, Some(1500));
        assert_eq!(message.fault, None);
        let [prefix] = message.prefixes[..] else {
            panic!("{message:?}");
        };
        assert_eq!(prefix.prefix, "2001:db8:7::".parse::<Ipv6Addr>().unwrap());
        assert_eq!(
            (prefix.length, prefix.valid, prefix.preferred),
            (64, 60, 30)
        );
        assert!(prefix.autonomous && prefix.is_whole);
        let [route] = message.routes[..] else {
            panic!("{message:?}");
        };
        assert_eq!(route.prefix, "fd00:5::".parse::<Ipv6Addr>().unwrap());
        assert_eq!(
            (route.length, route.lifetime, route.preference),
            (48, 90, 1)
        );
    }

    #[test]
    fn faults_are_those_of_the_kernel() {
        let fault = |more: &[u8]| {
            let bytes = [&header(), more].concat();
            Message::parse(&bytes, bytes.len()).fault
        };
        assert_eq!(fault(&[]), None);
        let option = |kind| Some(Fault::Option { kind, offset: 16 });
        assert_eq!(fault(&[1]), option(None));
        assert_eq!(fault(&[1, 0, 0, 0, 0, 0, 0, 0]), option(Some(1)));
        assert_eq!(fault(&[1, 2, 0, 0, 0, 0, 0, 0]), option(Some(1)));
        assert_eq!(fault(&[99, 1, 0, 0, 0, 0, 0, 0]), None);
        let short = Message::parse(&header()[..12], 12).fault;
        assert_eq!(short, Some(Fault::TooShort { length: 12 }));
    }

    #[test]
    fn what_was_not_copied_is_no_fault() {
        let bytes = [header(), prefix(), prefix()].concat();
        for end in 0..bytes.len() {
            let message = Message::parse(&bytes[..end], bytes.len());
            assert!(message.is_cut, "{end}");
            assert_eq!(message.fault, None, "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            length in 0_usize..220,
        ) {
            let message = Message::parse(&bytes, length);
            prop_assert_eq!(message.is_cut, bytes.len() < length);
        }
    }
}
