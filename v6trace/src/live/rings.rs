//! The per-CPU perf buffers.

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
};

use anyhow::Context as _;
use aya::{
    maps::{
        Map, MapData, PerfEventArray,
        perf::{PerfEvent, PerfEventArrayBuffer},
    },
    util::online_cpus,
};
use bytes::{Bytes, BytesMut};
use tokio::io::{Interest, unix::AsyncFd};

/// Bytes of memory that records are copied into, many after the other: an
/// allocation for each would cost more than the copy.
const SLAB: usize = 64 << 10;

/// One buffer for each CPU that is online.
pub(super) struct Rings {
    rings: Vec<Ring>,
    slab: BytesMut,
}

struct Ring {
    cpu: u32,
    buffer: AsyncFd<PerfEventArrayBuffer<MapData>>,
}

impl Rings {
    /// Opens a buffer of `bytes` for each CPU, rounded up to a power of two of
    /// pages.
    pub(super) fn open(map: Map, bytes: usize) -> anyhow::Result<Self> {
        let mut array = PerfEventArray::try_from(map)?;
        let pages = bytes
            .div_ceil(rustix::param::page_size())
            .max(1)
            .next_power_of_two();
        let cpus = online_cpus()
            .map_err(|(path, error)| anyhow::anyhow!("cannot read {path}: {error}"))?;
        let rings = cpus
            .into_iter()
            .map(|cpu| {
                let buffer = array.open(cpu, Some(pages)).with_context(|| {
                    format!(
                        "cannot open a perf buffer of {pages} pages on CPU {cpu}; a smaller \
                         --buffer-size may fit into kernel.perf_event_mlock_kb"
                    )
                })?;
                // SAFETY: the buffer owns the perf event whose descriptor it returns,
                // always the same one, and closes it when it is dropped.
                let buffer = unsafe { AsyncFd::register_with_interest(buffer, Interest::READABLE) };
                let buffer = buffer.map_err(io::Error::from)?;
                Ok(Ring { cpu, buffer })
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            rings,
            slab: BytesMut::with_capacity(SLAB),
        })
    }

    /// Waits until some buffer has something to read.
    pub(super) async fn readable(&self) -> io::Result<()> {
        poll_fn(|context| self.poll_readable(context)).await
    }

    /// Clears the readiness of every buffer that is ready: what arrives from
    /// here on makes it ready again, and what is there is drained after this.
    fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut ready = false;
        for ring in &self.rings {
            while let Poll::Ready(guard) = ring.buffer.poll_read_ready(context)? {
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

    /// Reads all that is there.
    pub(super) fn drain(&mut self, mut record: impl FnMut(Bytes), mut lost: impl FnMut(u32, u64)) {
        let slab = &mut self.slab;
        for ring in &mut self.rings {
            let cpu = ring.cpu;
            ring.buffer.get_mut().for_each(|event| match event {
                PerfEvent::Sample { head, tail } => record(copy(slab, head, tail)),
                PerfEvent::Lost { count } => lost(cpu, count),
            });
        }
    }
}

/// A record that wraps around the end of the buffer comes in two parts.
fn copy(slab: &mut BytesMut, head: &[u8], tail: &[u8]) -> Bytes {
    slab.extend_from_slice(head);
    slab.extend_from_slice(tail);
    slab.split().freeze()
}
