//! The memberships that sockets have, read once where userspace asks for them:
//! an iterator over the files that processes have open.
//!
//! ```text
//! each file -> a socket of IPv6 that has memberships
//!           -> walk: the interface index of each  -> HELD -> the iterator's reader
//! ```
//!
//! The iterator holds the file, and so the socket, and runs under RCU, which frees
//! memberships: what leaves the list meanwhile can still be read.

use core::ffi::c_void;

use aya_ebpf::{helpers::generated, macros::map, maps::Array, programs::FEntryContext};
use v6trace_common::{
    families::multicast_join::{Holder, LISTED},
    member::ABSENT,
};

use super::{globals, walk};
use crate::{
    attachment::{self, Arguments as _, Object as _},
    kernel::Sock,
    pointer::{Pointer, Reading},
    search::search,
    volatile::Volatile,
};

/// `SOCKFS_MAGIC`
const SOCKETS: u64 = 0x534f_434b;
/// `AF_INET6`
const INET6: u16 = 10;
/// Steps of the walk, in rows of as many.
const ROWS: usize = LISTED / ROW + 1;
const ROW: usize = 64;

/// What is written of a socket.
#[repr(C)]
struct Held {
    holder: Holder,
    memberships: [Volatile<u32>; LISTED],
    listed: Volatile<u32>,
    /// Not 0: the walk came to the end of the list.
    complete: Volatile<u32>,
    /// The next membership, 0 at the end.
    next: Volatile<u64>,
}

/// One for all CPUs.
#[repr(transparent)]
struct Only(Array<Held>);

#[map]
static HELD: Only = Only(Array::with_max_entries(1, 0));

impl Only {
    /// The value. `None` never comes, but the verifier wants it seen to.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "the map is not what is changed")]
    fn get(&self) -> Option<&mut Held> {
        let held = self.0.get_ptr_mut(0)?;
        // SAFETY: a map value, checked for null, that begins as zeros, of which a
        // value is made. A single reader has the iterator run, for one file after
        // the other; within the program, one function has it at a time.
        Some(unsafe { &mut *held })
    }
}

/// `iter/task_file`, whose arguments come as those of a traced function do: the
/// state of the iteration, a task, a number, and the file that it has by that.
///
/// The kernel calls it once more at the end, without a file.
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task_file")]
extern "C" fn multicast_memberships(ctx: *mut c_void) -> i32 {
    let _ = socket(&FEntryContext::new(ctx));
    0
}

#[inline(always)]
fn socket(ctx: &FEntryContext) -> Option<()> {
    let file = ctx.number(3);
    if file == 0 {
        return None;
    }
    let sock = sock_of(Pointer(attachment::plain(file)?))?;
    let first = walk::memberships(sock.0)?;
    let known = globals::MC_IFINDEX.load() != ABSENT && globals::MC_NEXT.load() != ABSENT;
    if first.0 == 0 || !known {
        return None;
    }
    let held = HELD.get()?;
    held.holder.socket_inode = sock.inode()?;
    held.holder.netns = sock.net()?.inum()?;
    held.holder.sk_omem_alloc = sock.0.get(&globals::SOCK_OMEM_ALLOC)?;
    held.listed.set(0);
    held.complete.set(0);
    held.next.set(first.0);
    list();
    let held = HELD.get()?;
    let listed = held.listed.get().min(LISTED as u32);
    held.holder.size = globals::MC_SIZE.load();
    held.holder.listed = listed;
    held.holder.complete = held.complete.get();
    let seq: u64 = ctx.object(0).value(&globals::ITER_SEQ)?;
    let size = size_of::<Holder>() as u32 + listed * size_of::<u32>() as u32;
    // SAFETY: the iteration's own output, and no more than is in the map's value,
    // where what is written comes first.
    unsafe { generated::bpf_seq_write(seq as *mut _, (&raw const *held).cast(), size) };
    Some(())
}

/// The socket of IPv6 that a file is.
#[inline(always)]
fn sock_of(file: Pointer) -> Option<Sock<Pointer>> {
    let inode = file.follow(&globals::FILE_INODE)?;
    let within = globals::SOCKET_OF_INODE.load();
    let magic: u64 = inode
        .follow(&globals::INODE_SUPERBLOCK)?
        .or_zero(&globals::SUPERBLOCK_MAGIC);
    if magic != SOCKETS || within == ABSENT {
        return None;
    }
    let sock = Pointer(inode.0 - u64::from(within)).follow(&globals::SOCKET_SK)?;
    let family: u16 = sock.or_zero(&globals::SOCK_FAMILY);
    (sock.0 != 0 && family == INET6).then_some(Sock(sock))
}

search! {
    /// Lists the memberships.
    fn list() in HELD, at most ROWS rows of ROW by memberships_row, memberships_step: step;
}

/// Lists one; `false` at the end. What cannot be read is zero, and no end.
#[inline(always)]
fn step(held: &mut Held) -> bool {
    let membership = Pointer(held.next.get());
    if membership.0 == 0 {
        held.complete.set(1);
        return false;
    }
    let listed = held.listed.get();
    if listed >= LISTED as u32 {
        return false;
    }
    let mut reading = Reading::new();
    let ifindex: u32 = reading.get(membership, &globals::MC_IFINDEX);
    held.next.set(reading.get(membership, &globals::MC_NEXT));
    if !reading.is_complete() {
        return false;
    }
    held.memberships[listed as usize & (LISTED - 1)].set(ifindex);
    held.listed.set(listed + 1);
    true
}
