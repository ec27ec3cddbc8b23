//! Solicitations for an address that the host is to answer for as a proxy, where a
//! sysctl keeps it from that.
//!
//! It is called for every solicitation that asks for a neighbour. A host that has no
//! entries of proxies finds an empty bucket and leaves, a proxy at work its own sysctls.

use aya_ebpf::{EbpfContext, macros::map};
use v6trace_common::families::{dad::REFLECTION, neighbour::NeighbourProxyIdle};

use super::{Often, Place, Same, globals, often};
use crate::{
    address::Address,
    kernel::{Device, Net},
    limit::Limit,
    output::Record,
    pointer::{Pointer, Reading},
    scratch::Scratch,
    search::functions,
};

/// Entries in one of the sixteen buckets of `nd_tbl.phash_buckets` that are looked at:
/// with that many in each there are 1024.
const BUCKET_ENTRIES: u32 = 64;
/// `PNEIGH_HASHMASK`
const BUCKETS: u32 = 0xf;

/// How often it is told, and how soon of the same address again.
const OFTEN: Often = Often {
    of_interface: 4,
    of_namespace: 16,
    again_ns: 600 * 1_000_000_000,
};

#[map]
static NEIGHBOUR_PROXIES_TOLD: Limit<Same> = Limit::new(1024);

#[map]
static NEIGHBOUR_PROXY_PLACES_TOLD: Limit<Place> = Limit::new(1024);

#[map]
static NEIGHBOUR_PROXY_IDLE: Scratch<Record<NeighbourProxyIdle>> = Scratch::new();

/// A solicitation from `source` came in by `device`.
#[inline(always)]
pub(crate) fn solicited<C: EbpfContext>(
    ctx: &C,
    device: Device,
    source: Address,
    address: Address,
) -> Option<()> {
    let inet6_dev = device.inet6()?;
    let parms = inet6_dev.follow(&globals::IDEV_NEIGH_PARMS)?;
    let table = parms.follow(&globals::PARMS_TABLE)?;
    let buckets = table.follow(&globals::TABLE_PROXIES)?;
    let bucket = buckets.0 + u64::from(hash(address)) * size_of::<u64>() as u64;
    // Mostly it ends here.
    let first: u64 = Pointer(bucket).read()?;
    if first == 0 {
        return None;
    }
    let net = Net(device.0.follow(&globals::DEV_NET)?);
    let mut reading = Reading::new();
    let forwarding: i32 = reading.get(inet6_dev, &globals::CNF_FORWARDING);
    let own: i32 = reading.get(inet6_dev, &globals::CNF_PROXY_NDP);
    let all = Pointer(reading.get(net.0, &globals::NET_DEVCONF_ALL));
    let of_all: i32 = reading.get(all, &globals::DEVCONF_PROXY_NDP);
    if !reading.is_complete() || (forwarding != 0 && own | of_all != 0) {
        return None;
    }
    if neighbour_proxy(first, address.upper, address.lower, net.0.0, device.0.0) == 0 {
        return None;
    }
    let all_forwarding: i32 = all.or_zero(&globals::DEVCONF_FORWARDING);
    let asked = Same {
        address,
        netns: net.inum()?,
        ifindex: device.ifindex()?,
    };
    // With other sysctls it is for another reason.
    let reason = u32::from(forwarding != 0) | u32::from(own | of_all != 0) << 1;
    let told = (&NEIGHBOUR_PROXIES_TOLD, &NEIGHBOUR_PROXY_PLACES_TOLD);
    let suppressed = often(told, &asked, reason, reason, &OFTEN)?;
    let record = NEIGHBOUR_PROXY_IDLE.get()?;
    record.open(REFLECTION, asked.netns);
    let payload = &mut record.payload;
    payload.address = address.bytes();
    payload.source = source.bytes();
    device.name_into(&mut payload.interface);
    payload.ifindex = asked.ifindex;
    payload.forwarding = forwarding;
    payload.proxy_ndp = own;
    payload.all_proxy_ndp = of_all;
    payload.all_forwarding = all_forwarding;
    payload.suppressed = suppressed;
    record.send(ctx, REFLECTION);
    Some(())
}

/// In which bucket an address is.
#[inline(always)]
fn hash(address: Address) -> u32 {
    // The last four bytes, as they are in memory.
    let mut hash = (address.lower >> 32) as u32;
    hash ^= hash >> 16;
    hash ^= hash >> 8;
    hash ^= hash >> 4;
    hash & BUCKETS
}

functions! {
    /// Not 0: a bucket that begins so has an entry of that namespace for the address on
    /// that interface. IPv6 has none for all interfaces (`pndisc_constructor`).
    fn neighbour_proxy(first: u64, upper: u64, lower: u64, net: u64, device: u64) -> u64 {
        let address = Address { upper, lower };
        let mut entry = first;
        for _ in 0..BUCKET_ENTRIES {
            if entry == 0 {
                return 0;
            }
            let at = Pointer(entry);
            let mut reading = Reading::new();
            let key = Address {
                upper: reading.get(at, &globals::PROXY_KEY),
                lower: reading.get(
                    Pointer(entry + size_of::<u64>() as u64),
                    &globals::PROXY_KEY,
                ),
            };
            let of: u64 = reading.get(at, &globals::PROXY_NET);
            let by: u64 = reading.get(at, &globals::PROXY_DEV);
            if reading.is_complete() && key == address && of == net && by == device {
                return 1;
            }
            entry = at.or_zero(&globals::PROXY_NEXT);
        }
        0
    }
}
