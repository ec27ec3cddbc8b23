//! What wakes the reader at once: a bell that the kernel side rings behind a
//! record, when the reader sleeps until somebody does, and for what cannot wait.

use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
};

use anyhow::Context as _;
use aya::{
    Ebpf,
    maps::{MapData, RingBuf},
};
use tokio::io::{Interest, unix::AsyncFd};

use super::words::Words;

/// The bell, and whether it is to be rung for any record.
pub(super) struct Bell {
    rings: AsyncFd<RingBuf<MapData>>,
    asleep: Words,
}

impl Bell {
    /// Takes the maps of loaded programs.
    pub(super) fn open(ebpf: &mut Ebpf) -> anyhow::Result<Self> {
        let rings = ebpf
            .take_map("BELL")
            .context("the programs have no BELL map")?;
        let rings = RingBuf::try_from(rings)?;
        // SAFETY: the ring buffer owns the map whose descriptor it returns, always
        // the same one, and closes it when it is dropped.
        let rings = unsafe { AsyncFd::register_with_interest(rings, Interest::READABLE) };
        Ok(Self {
            rings: rings.map_err(io::Error::from)?,
            asleep: Words::open(ebpf, "ASLEEP")?,
        })
    }

    /// Waits until it rings. What it rang for is in the buffers then.
    pub(super) async fn rung(&self) -> io::Result<()> {
        poll_fn(|context| self.poll_rung(context)).await
    }

    fn poll_rung(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut rung = false;
        while let Poll::Ready(guard) = self.rings.poll_read_ready(context)? {
            let mut guard = guard;
            guard.clear_ready();
            rung = true;
        }
        if rung {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }

    /// Silences it, so that it can ring again: to be done before the buffers are
    /// read. It does not ring twice until then.
    pub(super) fn silence(&mut self) {
        while self.rings.get_mut().next().is_some() {}
    }

    /// Has it rung for the next record, whatever that is.
    pub(super) fn wake_at_next(&self) {
        self.asleep.set(0, 1);
    }
}
