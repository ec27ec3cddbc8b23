//! Finding a device by its index.

use v6trace_common::member::ABSENT;

use crate::{
    globals,
    kernel::{Device, Net, bucket_offset},
    pointer::Pointer,
    search::functions,
};

/// Devices whose indices share a bucket that are looked at: with that many in
/// each, a namespace has 4096.
const BUCKET_DEVICES: u32 = 16;
/// Of `device_by_index`: there is none.
const NOWHERE: u64 = 0;
/// The same: that cannot be told.
const UNKNOWN: u64 = u64::MAX;

/// Where a device is that was looked for.
pub(crate) enum Found {
    At(Device),
    Nowhere,
    /// Something could not be read, or there are too many.
    Unknown,
}

/// The device with this index in a namespace.
#[inline(always)]
pub(crate) fn find(net: Net, ifindex: u32) -> Found {
    match device_by_index(net.0.0, ifindex) {
        NOWHERE => Found::Nowhere,
        UNKNOWN => Found::Unknown,
        device => Found::At(Device(Pointer(device))),
    }
}

functions! {
    /// Its address.
    fn device_by_index(net: u64, ifindex: u32) -> u64 {
        if globals::DEV_INDEX_HLIST.load() == ABSENT || globals::DEV_IFINDEX.load() == ABSENT {
            return UNKNOWN;
        }
        let Some(buckets) = Net(Pointer(net)).device_buckets() else {
            return UNKNOWN;
        };
        let mut node = Pointer(buckets.0 + u64::from(bucket_offset(ifindex)));
        for _ in 0..BUCKET_DEVICES {
            // `hlist_head.first`, and then `hlist_node.next`, come first.
            let Some(next) = node.read() else {
                return UNKNOWN;
            };
            if next == 0 {
                return NOWHERE;
            }
            node = Pointer(next);
            let device = Device::of_node(node);
            match device.ifindex() {
                Some(index) if index == ifindex => return device.0.0,
                Some(_) => {}
                None => return UNKNOWN,
            }
        }
        UNKNOWN
    }
}
