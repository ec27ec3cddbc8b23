//! Joins and leaves without end, for recordings that grow.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::Ipv6Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};

use crate::guest::{MulticastSocket, Netns};

/// Joins between pauses: as fast as it goes, the tracer would lose some.
const BURST: u64 = 50;
const PAUSE: Duration = Duration::from_millis(5);

/// A thread that joins a group and leaves it, over and over.
pub(super) struct Storm {
    stop: Arc<AtomicBool>,
    joins: Arc<AtomicU64>,
    thread: JoinHandle<Result<()>>,
}

impl Storm {
    /// Begins in `netns` on the interface.
    pub(super) fn begin(netns: &Netns, ifindex: u32) -> Result<Self> {
        let socket = MulticastSocket::udp(netns)?;
        let stop = Arc::new(AtomicBool::new(false));
        let joins = Arc::new(AtomicU64::new(0));
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&joins));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for _ in 0..BURST {
                    let n = count.load(Ordering::Relaxed);
                    let group = Self::group(n);
                    socket.join(ifindex, group)?;
                    count.store(n + 1, Ordering::Relaxed);
                    socket.leave(ifindex, group)?;
                }
                thread::sleep(PAUSE);
            }
            Ok(())
        });
        Ok(Self {
            stop,
            joins,
            thread,
        })
    }

    /// The group of the `n`th join: nothing about them repeats, so that they do
    /// not compress.
    pub(super) fn group(n: u64) -> Ipv6Addr {
        let mut hasher = DefaultHasher::new();
        n.hash(&mut hasher);
        Ipv6Addr::from(0xff15_0000_0000_0000 << 64 | u128::from(hasher.finish()))
    }

    /// Joins so far.
    pub(super) fn joins(&self) -> u64 {
        self.joins.load(Ordering::Relaxed)
    }

    /// Ends it; gives the number of joins.
    pub(super) fn end(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.map_err(|_| anyhow!("the thread that joins panicked"))??;
        Ok(self.joins.load(Ordering::Relaxed))
    }
}
