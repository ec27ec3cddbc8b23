//! The limit on a socket's option memory, which decides how many groups it
//! can join.

use std::fs;

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

/// A value of `net.core.optmem_max` that holds until drop.
pub(crate) struct OptmemMax {
    scope: Scope,
    bytes: u64,
    /// The global value to restore; a namespace's own goes away with it.
    restore: Option<String>,
}

impl OptmemMax {
    /// Sets the limit that sockets of `netns`, which must not be the first
    /// namespace, are under; in bytes.
    pub(crate) fn set(netns: &Netns, bytes: u64) -> Result<Self> {
        let scope = Scope::of(netns)?;
        let host = Netns::host()?;
        let restore = match scope {
            Scope::Netns => {
                netns.set_sysctl(SYSCTL, &bytes.to_string())?;
                None
            }
            Scope::Global => {
                let old = host.sysctl(SYSCTL)?;
                host.set_sysctl(SYSCTL, &bytes.to_string())?;
                Some(old)
            }
        };
        Ok(Self {
            scope,
            bytes,
            restore,
        })
    }

    /// Sets the first namespace's limit, which on older kernels is everyone's.
    pub(crate) fn set_host(bytes: u64) -> Result<Self> {
        let host = Netns::host()?;
        let restore = Some(host.sysctl(SYSCTL)?);
        host.set_sysctl(SYSCTL, &bytes.to_string())?;
        Ok(Self {
            scope: Scope::Global,
            bytes,
            restore,
        })
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
        if let Some(old) = &self.restore {
            // PID 1 restores it too, after a scenario that failed.
            let _ = fs::write(format!("/proc/sys/net/{SYSCTL}"), old);
        }
    }
}
