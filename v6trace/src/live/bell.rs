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
    maps::{Array, MapData, MapError, RingBuf},
};
use tokio::io::{Interest, unix::AsyncFd};

/// The bell, and whether it is to be rung for any record.
pub(super) struct Bell {
    rings: AsyncFd<RingBuf<MapData>>,
    asleep: Array<MapData, u64>,
}

impl Bell {
    /// Takes the maps of loaded programs.
    pub(super) fn open(ebpf: &mut Ebpf) -> anyhow::Result<Self> {
        let mut take = |name| {
            let map = ebpf.take_map(name);
            map.with_context(|| format!("the programs have no {name} map"))
        };
        let (rings, asleep) = (take("BELL")?, take("ASLEEP")?);
        let rings = RingBuf::try_from(rings)?;
        // SAFETY: the ring buffer owns the map whose descriptor it returns, always
        // the same one, and closes it when it is dropped.
        let rings = unsafe { AsyncFd::register_with_interest(rings, Interest::READABLE) };
        Ok(Self {
            rings: rings.map_err(io::Error::from)?,
            asleep: Array::try_from(asleep)?,
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
    pub(super) fn wake_at_next(&mut self) -> Result<(), MapError> {
        self.asleep.set(0, 1_u64, 0)
    }
}
