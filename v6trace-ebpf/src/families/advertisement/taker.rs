//! Which raw socket was given an advertisement. The kernel hands a packet to raw
//! sockets before it processes it itself, each a clone with the same `head`.

use aya_ebpf::macros::map;

use super::{Packet, received::ADVERTISEMENT};
use crate::{
    attachment::{Arguments, Object},
    kernel::Sock,
    programs::programs,
    scratch::Scratch,
};

/// The packet that was last given to a socket on this CPU.
#[repr(C)]
struct Taken {
    head: u64,
    /// The socket's inode number.
    socket: u64,
    /// How many sockets it was given to.
    count: u64,
}

#[map]
static TAKER: Scratch<Taken> = Scratch::new();

programs! {
    given: kprobe advertisement_to_socket, fentry advertisement_to_socket_fentry;
}

/// `rawv6_rcv(sk, skb)`, of a packet that the socket's filter lets through.
#[inline(always)]
fn given<A: Arguments>(ctx: &A) -> Option<()> {
    let packet = Packet::of(ctx.object(1))?;
    let kind: u8 = packet.icmpv6()?;
    if kind != ADVERTISEMENT {
        return None;
    }
    let head = packet.head;
    let socket = Sock(ctx.object(0)).inode()?;
    let taken = TAKER.get()?;
    if taken.head != head {
        taken.head = head;
        taken.count = 0;
    }
    taken.socket = socket;
    taken.count += 1;
    Some(())
}

/// A socket that was given the packet, and how many were.
#[inline(always)]
pub(super) fn of<O: Object>(packet: &Packet<O>) -> (u64, u32) {
    let Some(taken) = TAKER.get() else {
        return (0, 0);
    };
    if taken.head != packet.head {
        return (0, 0);
    }
    // The memory will be another packet's.
    taken.head = 0;
    (taken.socket, taken.count as u32)
}
