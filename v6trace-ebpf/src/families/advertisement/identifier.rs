//! Of what an interface makes the last 64 bits of its addresses: a token, a secret,
//! the hardware address of its link, or its link-local address.

use v6trace_common::families::advertisement::{
    IDENTIFIER_READ, LINK_LOCAL_USABLE, STABLE_SECRET_SET, TOKEN_SET,
};

use super::{ADVERTISEMENT_RECORD, globals, own};
use crate::{
    address::{Address, UNSPECIFIED},
    kernel::{self, Device, Net},
    pointer::{Pointer, Reading},
    search::functions,
};

/// `ARPHRD_PPP` and `ARPHRD_NONE`: links without hardware addresses.
const PPP: u16 = 512;
const NONE: u16 = 0xfffe;

functions! {
    /// Reads it into the record, and which of it could be read.
    fn advertisement_identifier(inet6_dev: u64) -> u32 {
        let Some(record) = ADVERTISEMENT_RECORD.get() else {
            return 0;
        };
        let inet6_dev = Pointer(inet6_dev);
        let payload = &mut record.payload;
        let mut reading = Reading::new();
        let device = Pointer(reading.get(inet6_dev, &globals::INET6_DEV_DEV));
        let addr_len: u8 = reading.get(device, &globals::DEV_ADDR_LEN);
        payload.addr_len = addr_len.into();
        payload.device_type = reading.get(device, &globals::DEV_TYPE);
        payload.addr_gen_mode = reading.get(inet6_dev, &globals::CNF_ADDR_GEN_MODE);
        let token: Address = reading.get(inet6_dev, &globals::INET6_DEV_TOKEN);
        let net = Net(Pointer(reading.get(device, &globals::DEV_NET)));
        let has_secret = kernel::has_stable_secret(inet6_dev, net, &mut reading);
        let mut found = IDENTIFIER_READ & reading.mask();
        if token != UNSPECIFIED {
            found |= TOKEN_SET;
        }
        if has_secret {
            found |= STABLE_SECRET_SET;
        }
        record.payload.read |= found;
        found
    }
}

/// Whether there is a token, and a link-local address, on a link that has nothing else
/// to make one of: neither is part of the interface's configuration.
#[inline(always)]
pub(super) fn of_links_without(device_type: u16, device: Device, source: Address) -> u32 {
    if device_type != PPP && device_type != NONE {
        return 0;
    }
    let inet6_dev = device.inet6().unwrap_or(Pointer(0));
    let token = inet6_dev.get::<Address>(&globals::INET6_DEV_TOKEN);
    let token = match token {
        Some(token) if token != UNSPECIFIED => TOKEN_SET,
        _ => 0,
    };
    token | own(inet6_dev, source) & LINK_LOCAL_USABLE
}

/// Reads it into the record.
#[inline(always)]
pub(super) fn read(inet6_dev: Pointer) {
    advertisement_identifier(inet6_dev.0);
}
