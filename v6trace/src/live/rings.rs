//! The perf buffers of all CPUs.

use std::{
    future::poll_fn,
    io,
    os::fd::{AsFd as _, BorrowedFd},
    task::{Context, Poll},
};

use anyhow::{Context as _, bail};
use aya::{maps::Map, util::online_cpus};
use bytes::{Bytes, BytesMut};
use tokio::io::{Interest, unix::AsyncFd};

use super::{
    bpf,
    ring::{Entry, Ring},
};

/// Bytes of memory that records are copied into, many after the other: an
/// allocation for each would cost more than the copy.
const SLAB: usize = 64 << 10;

/// One buffer for each CPU that is online.
pub(super) struct Rings {
    of_cpus: Vec<OfCpu>,
    slab: BytesMut,
    /// Where the programs' output finds the buffers; the kernel takes them out
    /// once it is closed.
    _map: Map,
}

struct OfCpu {
    cpu: u32,
    ring: AsyncFd<Ring>,
}

impl Rings {
    /// Opens a buffer of `bytes` for each CPU, rounded up to a power of two of
    /// pages.
    pub(super) fn open(map: Map, bytes: usize) -> anyhow::Result<Self> {
        let Map::PerfEventArray(data) = &map else {
            bail!("the programs' output does not go to perf buffers");
        };
        let page = rustix::param::page_size();
        let pages = bytes.div_ceil(page).max(1).next_power_of_two();
        let cpus = online_cpus()
            .map_err(|(path, error)| anyhow::anyhow!("cannot read {path}: {error}"))?;
        let open = |cpu| {
            open(data.fd().as_fd(), cpu, pages * page).with_context(|| {
                format!(
                    "cannot open a perf buffer of {pages} pages on CPU {cpu}; a smaller \
                     --buffer-size may fit into kernel.perf_event_mlock_kb"
                )
            })
        };
        let of_cpus = cpus.into_iter().map(open).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            of_cpus,
            slab: BytesMut::with_capacity(SLAB),
            _map: map,
        })
    }

    /// Waits until a quarter of some buffer has been filled.
    pub(super) async fn filling(&self) -> io::Result<()> {
        poll_fn(|context| self.poll_filling(context)).await
    }

    /// Clears the readiness of every buffer that is ready: what arrives from
    /// here on makes it ready again, and what is there is drained after this.
    fn poll_filling(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut ready = false;
        for OfCpu { ring, .. } in &self.of_cpus {
            while let Poll::Ready(guard) = ring.poll_read_ready(context)? {
                let mut guard = guard;
                guard.clear_ready();
                ready = true;
            }
        }
        if ready {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    /// Reads all that is there. Whether anything was.
    pub(super) fn drain(
        &mut self,
        mut record: impl FnMut(Bytes),
        mut lost: impl FnMut(u32, u64),
    ) -> bool {
        let slab = &mut self.slab;
        let mut any = false;
        for OfCpu { cpu, ring } in &mut self.of_cpus {
            any |= ring.get_mut().drain(|entry| match entry {
                Entry::Record(head, tail) => record(copy(slab, head, tail)),
                Entry::Lost(count) => lost(*cpu, count),
            });
        }
        any
    }
}

fn open(map: BorrowedFd<'_>, cpu: u32, size: usize) -> io::Result<OfCpu> {
    let ring = Ring::open(cpu, size)?;
    bpf::set_event(map, cpu, ring.as_fd())?;
    // SAFETY: the ring owns the event whose descriptor it returns, always the
    // same one, and closes it when it is dropped.
    let ring = unsafe { AsyncFd::register_with_interest(ring, Interest::READABLE) };
    let ring = ring.map_err(io::Error::from)?;
    Ok(OfCpu { cpu, ring })
}

/// A record that goes around the end of the buffer comes in two parts.
fn copy(slab: &mut BytesMut, head: &[u8], tail: &[u8]) -> Bytes {
    slab.extend_from_slice(head);
    slab.extend_from_slice(tail);
    slab.split().freeze()
}
