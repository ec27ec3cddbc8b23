//! The device that a join asked for.

use v6trace_common::{
    INTERFACE_NAME_LEN,
    families::multicast_join::{
        DEVICE_ABSENT, DEVICE_DEAD, DEVICE_FOUND, DEVICE_HAS_INET6, DEVICES_READ, INET6_READ,
        MTU_READ, MulticastJoin,
    },
    member::ABSENT,
};

use super::globals;
use crate::{
    attachment::Object,
    devices::Found,
    kernel::{Device, Net},
};

use super::walk::find_device;

/// Looks for the device that was asked for. Begins the payload: what follows
/// adds to its flags.
#[inline(always)]
pub(super) fn find<O: Object>(net: Option<Net<O>>, wanted: u32, payload: &mut MulticastJoin) {
    payload.requested_ifindex = wanted;
    payload.mtu = 0;
    payload.flags = 0;
    if let Some(device) = search(net, wanted, payload) {
        describe(device, payload);
    } else {
        payload.interface = [0; INTERFACE_NAME_LEN];
    }
}

#[inline(always)]
fn search<O: Object>(
    net: Option<Net<O>>,
    wanted: u32,
    payload: &mut MulticastJoin,
) -> Option<Device> {
    let buckets = net.and_then(Net::device_buckets)?;
    let known = globals::DEV_INDEX_HLIST.load() != ABSENT && globals::DEV_IFINDEX.load() != ABSENT;
    if !known {
        return None;
    }
    payload.flags = DEVICES_READ;
    if wanted == 0 {
        return None;
    }
    match find_device(buckets, wanted) {
        Found::At(device) => Some(device),
        Found::Nowhere => {
            payload.flags |= DEVICE_ABSENT;
            None
        }
        Found::Unknown => None,
    }
}

#[inline(always)]
fn describe(device: Device, payload: &mut MulticastJoin) {
    payload.flags |= DEVICE_FOUND;
    device.name_into(&mut payload.interface);
    if let Some(mtu) = device.0.get(&globals::DEV_MTU) {
        payload.mtu = mtu;
        payload.flags |= MTU_READ;
    }
    let Some(inet6_dev) = device.0.follow(&globals::DEV_IP6_PTR) else {
        return;
    };
    payload.flags |= INET6_READ;
    if inet6_dev.0 != 0 {
        payload.flags |= DEVICE_HAS_INET6;
        if inet6_dev.get(&globals::INET6_DEV_DEAD).unwrap_or(0u32) != 0 {
            payload.flags |= DEVICE_DEAD;
        }
    }
}
