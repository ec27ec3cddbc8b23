//! Filling a socket with memberships.

use std::net::Ipv6Addr;
use std::{fs, io};

use anyhow::{Context as _, Result, bail};

use super::MulticastSocket;

/// The `n`th of many groups that nothing else uses (transient, site-local).
pub(crate) fn group(n: u32) -> Ipv6Addr {
    let [high, low] = [n >> 16, n & 0xffff].map(|half| u16::try_from(half).unwrap_or_default());
    Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0x6e, high, low)
}

/// What filling a socket came to.
#[derive(Debug)]
pub(crate) struct Joins {
    /// How many joins succeeded.
    pub(crate) done: u64,
    /// The one that did not.
    pub(crate) refused: Refused,
}

/// A join that failed.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) group: Ipv6Addr,
    pub(crate) error: io::Error,
    /// The thread that tried.
    pub(crate) tid: u32,
    /// What the kernel calls that thread.
    pub(crate) comm: String,
}

/// Joins groups from the `first` on until one join fails.
///
/// # Errors
/// Not one of ten thousand joins fails.
pub(crate) fn join_until_refused(
    socket: &MulticastSocket,
    ifindex: u32,
    first: u32,
) -> Result<Joins> {
    for done in 0..10_000 {
        let group = group(first + done);
        if let Err(error) = socket.join(ifindex, group) {
            return Ok(Joins {
                done: u64::from(done),
                refused: Refused::here(group, error)?,
            });
        }
    }
    bail!("ten thousand joins succeeded: the socket has no limit")
}

/// Joins `count` groups from the `first` on.
///
/// # Errors
/// The first join that fails.
pub(crate) fn join_each(
    socket: &MulticastSocket,
    ifindex: u32,
    first: u32,
    count: u32,
) -> Result<()> {
    for group in (first..first + count).map(group) {
        socket
            .join(ifindex, group)
            .with_context(|| format!("cannot join {group} on ifindex {ifindex}"))?;
    }
    Ok(())
}

impl Joins {
    /// The same, if the refusal was the one expected.
    pub(crate) fn refused_with(self, errno: i32) -> Result<Self> {
        self.refused.check(errno)?;
        Ok(self)
    }
}

impl Refused {
    /// A failure of the calling thread.
    fn here(group: Ipv6Addr, error: io::Error) -> Result<Self> {
        let comm = fs::read_to_string("/proc/thread-self/comm")
            .context("cannot read this thread's name")?;
        Ok(Self {
            group,
            error,
            tid: rustix::thread::gettid()
                .as_raw_nonzero()
                .get()
                .unsigned_abs(),
            comm: comm.trim_end().to_owned(),
        })
    }

    fn check(&self, errno: i32) -> Result<()> {
        if self.error.raw_os_error() != Some(errno) {
            bail!(
                "joining {} failed with {}, where {} was to be expected",
                self.group,
                self.error,
                io::Error::from_raw_os_error(errno)
            );
        }
        Ok(())
    }

    /// A single join that has to fail with `errno`.
    pub(crate) fn expect(group: Ipv6Addr, errno: i32, result: io::Result<()>) -> Result<Self> {
        let Err(error) = result else {
            bail!("joining {group} succeeded, where it has to fail");
        };
        let refused = Self::here(group, error)?;
        refused.check(errno)?;
        Ok(refused)
    }
}
