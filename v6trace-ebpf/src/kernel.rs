//! The kernel's objects that more than one family looks into.

use v6trace_common::INTERFACE_NAME_LEN;

use crate::{
    attachment::Object,
    globals,
    pointer::{Pointer, Reading},
};

/// Buckets of `net.dev_index_head` (`NETDEV_HASHENTRIES`).
const DEVICE_BUCKETS: u32 = 256;

/// `IF_READY` of `inet6_dev.if_flags`: the link is there.
pub(crate) const IF_READY: u32 = 0x8000_0000;

/// A `struct sock`.
#[derive(Clone, Copy)]
pub(crate) struct Sock<O>(pub(crate) O);

impl<O: Object> Sock<O> {
    /// The namespace that the socket lives in.
    #[inline(always)]
    pub(crate) fn net(self) -> Option<Net<O>> {
        self.0.next(&globals::SOCK_NET).map(Net)
    }

    /// The inode number that userspace knows the socket by.
    #[inline(always)]
    pub(crate) fn inode(self) -> Option<u64> {
        // `struct socket` is the first member of `struct socket_alloc`.
        let socket = self.0.next(&globals::SOCK_SOCKET)?;
        socket.pointer().get(&globals::SOCKET_INODE)
    }
}

/// What a socket is, and how far it has come.
pub(crate) struct SocketState {
    /// `sk_type`
    pub(crate) kind: u32,
    /// `sk_protocol`
    pub(crate) protocol: u32,
    /// `sk_state`
    pub(crate) state: u32,
    /// `inet_num`
    pub(crate) number: u32,
    /// `sk_bound_dev_if`
    pub(crate) bound: u32,
    /// All bits if all of it could be read, else none.
    pub(crate) read: u32,
}

impl Sock<Pointer> {
    /// Reads it.
    #[inline(always)]
    pub(crate) fn state(self) -> SocketState {
        let mut reading = Reading::new();
        let kind: u16 = reading.get(self.0, &globals::SOCK_TYPE);
        let protocol: u16 = reading.get(self.0, &globals::SOCK_PROTOCOL);
        let state: u8 = reading.get(self.0, &globals::SOCK_STATE);
        let number: u16 = reading.get(self.0, &globals::SOCK_NUM);
        SocketState {
            kind: kind.into(),
            protocol: protocol.into(),
            state: state.into(),
            number: number.into(),
            bound: reading.get(self.0, &globals::SOCK_BOUND),
            read: reading.mask(),
        }
    }

    /// `yes` where it is for IPv6 alone, with `read` where that could be read.
    #[inline(always)]
    pub(crate) fn v6only(self, read: u32, yes: u32) -> u32 {
        match self.0.bits(&globals::SOCK_V6ONLY) {
            Some(0) => read,
            Some(_) => read | yes,
            None => 0,
        }
    }
}

/// A `struct net`.
#[derive(Clone, Copy)]
pub(crate) struct Net<O = Pointer>(pub(crate) O);

impl<O: Object> Net<O> {
    /// The inode number of the namespace; `None` of one that is going away. Nobody
    /// is in it any more, and what its interfaces lose on the way is no news.
    #[inline(always)]
    pub(crate) fn inum(self) -> Option<u32> {
        let references: Option<u32> = self.0.value(&globals::NET_COUNT);
        if references == Some(0) {
            return None;
        }
        self.0.value(&globals::NET_INUM)
    }

    /// The hash table of the namespace's devices by index.
    #[inline(always)]
    pub(crate) fn device_buckets(self) -> Option<Pointer> {
        let head = self.0.next(&globals::NET_DEV_INDEX_HEAD)?;
        Some(head.pointer())
    }
}

/// Where in the table of devices the bucket is in which a device of index
/// `ifindex` would be; its first node, null where it is empty.
#[inline(always)]
pub(crate) fn bucket_offset(ifindex: u32) -> u32 {
    (ifindex & (DEVICE_BUCKETS - 1)) * size_of::<u64>() as u32
}

/// A `struct net_device`.
#[derive(Clone, Copy)]
pub(crate) struct Device(pub(crate) Pointer);

impl Device {
    /// The device whose `index_hlist` is `node`.
    #[inline(always)]
    pub(crate) fn of_node(node: Pointer) -> Device {
        Device(Pointer(node.0 - u64::from(globals::DEV_INDEX_HLIST.load())))
    }

    /// Its IPv6 state, `None` without.
    #[inline(always)]
    pub(crate) fn inet6(self) -> Option<Pointer> {
        self.0
            .follow(&globals::DEV_IP6_PTR)
            .filter(|inet6_dev| inet6_dev.0 != 0)
    }

    /// Writes its name, NUL-padded; zeros where it cannot be read.
    #[inline(always)]
    pub(crate) fn name_into(self, name: &mut [u8; INTERFACE_NAME_LEN]) {
        let at = self.0.member(&globals::DEV_NAME).unwrap_or(Pointer(0));
        at.read_into(name);
    }

    /// Its name, NUL-padded; zeros where it cannot be read.
    #[inline(always)]
    pub(crate) fn name(self) -> [u8; INTERFACE_NAME_LEN] {
        let mut name = [0; INTERFACE_NAME_LEN];
        self.name_into(&mut name);
        name
    }

    /// Its interface index.
    #[inline(always)]
    pub(crate) fn ifindex(self) -> Option<u32> {
        self.0.get(&globals::DEV_IFINDEX)
    }
}

/// Whether there is a secret to make stable addresses of: the interface's own, or
/// that of `default`.
#[inline(always)]
pub(crate) fn has_stable_secret(inet6_dev: Pointer, net: Net, reading: &mut Reading) -> bool {
    let own = inet6_dev.member(&globals::INET6_DEV_CNF);
    let own = own.unwrap_or(Pointer(0));
    let default = Pointer(reading.get(net.0, &globals::NET_DEVCONF_DEFAULT));
    let of_own: u8 = reading.get(own, &globals::DEVCONF_SECRET_SET);
    let of_default: u8 = reading.get(default, &globals::DEVCONF_SECRET_SET);
    of_own | of_default != 0
}
