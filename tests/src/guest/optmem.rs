//! The limit on a socket's option memory, which decides how many groups it
//! can join.

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};

use super::Netns;

const SYSCTL: &str = "core/optmem_max";

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Each network namespace has its own, as on newer kernels.
    Netns,
    /// One for the whole machine, set in the first namespace.
    Global,
}

impl Scope {
    /// What this kernel does: only where the limit is the namespace's own does
    /// a namespace other than the first have the file.
    pub(crate) fn of(netns: &Netns) -> Result<Self> {
        Ok(if netns.has_sysctl(SYSCTL)? {
            Self::Netns
        } else {
            Self::Global
        })
    }

    /// As the evidence's `optmem_scope` puts it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Netns => "netns",
            Self::Global => "global",
        }
    }
}

/// The first namespace's limit, which others may be under as well.
#[derive(Clone)]
struct Host {
    own: String,
    restore: String,
}

/// That limit while this process has another, None while it has not.
fn host_limit() -> MutexGuard<'static, Option<Host>> {
    static HOST: Mutex<Option<Host>> = Mutex::new(None);
    HOST.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_host(value: &str) -> Result<()> {
    Netns::host()?.set_sysctl(SYSCTL, value)
}

/// Lets something be done, as other scenarios may, under the limit that the first
/// namespace had before.
pub(super) fn as_before<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let Some(Host { own, restore }) = host_limit().clone() else {
        return work();
    };
    write_host(&restore)?;
    let done = work();
    write_host(&own)?;
    done
}

/// A value of `net.core.optmem_max` that holds until drop.
pub(crate) struct OptmemMax {
    scope: Scope,
    bytes: u64,
}

impl OptmemMax {
    /// Sets the limit that sockets of `netns`, which must not be the first
    /// namespace, are under; in bytes.
    pub(crate) fn set(netns: &Netns, bytes: u64) -> Result<Self> {
        let scope = Scope::of(netns)?;
        if scope == Scope::Global {
            return Self::set_host(bytes);
        }
        netns.set_sysctl(SYSCTL, &bytes.to_string())?;
        Ok(Self { scope, bytes })
    }

    /// Sets the first namespace's limit, which on older kernels is everyone's.
    pub(crate) fn set_host(bytes: u64) -> Result<Self> {
        let restore = Netns::host()?.sysctl(SYSCTL)?;
        let own = bytes.to_string();
        write_host(&own)?;
        let mut limit = host_limit();
        let restore = limit.take().map_or(restore, |earlier| earlier.restore);
        *limit = Some(Host { own, restore });
        drop(limit);
        Ok(Self {
            scope: Scope::Global,
            bytes,
        })
    }

    /// Gives the first namespace a limit again, bytes, which somebody left changed.
    pub(crate) fn restore_host(bytes: u64) -> Result<()> {
        write_host(&bytes.to_string())
    }

    /// The limit of the first namespace, bytes.
    pub(crate) fn host() -> Result<u64> {
        let text = Netns::host()?.sysctl(SYSCTL)?;
        text.parse()
            .with_context(|| format!("optmem_max is {text:?}, not a number"))
    }

    /// The limit that was set.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whose limit was set.
    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }
}

impl Drop for OptmemMax {
    fn drop(&mut self) {
        // A namespace's own goes away with it.
        if self.scope == Scope::Global
            && let Some(Host { restore, .. }) = host_limit().take()
        {
            // PID 1 restores it too, after a scenario that failed.
            let _ = fs::write(format!("/proc/sys/net/{SYSCTL}"), restore);
        }
    }
}
