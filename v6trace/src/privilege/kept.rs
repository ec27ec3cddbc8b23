//! What a tracer that is attached gives up: it has loaded what it runs, and from then on
//! only looks things up.
//!
//! Landlock is no part of it. Whoever is held by it sees neither the network
//! namespaces nor the sockets of processes that are not.

use caps::{
    Capability::{
        self, CAP_BPF, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_PERFMON,
        CAP_SYS_ADMIN, CAP_SYS_PTRACE,
    },
    errors::CapsError,
};

use crate::rights;

/// What is read after attaching takes these: maps (and on older kernels `CAP_SYS_ADMIN`
/// stands in for that), network namespaces, processes of others, files of container
/// runtimes.
pub(crate) const KEPT: [Capability; 5] = [
    CAP_BPF,
    CAP_PERFMON,
    CAP_SYS_ADMIN,
    CAP_SYS_PTRACE,
    CAP_DAC_READ_SEARCH,
];

/// What is written beside looking things up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// No file.
    None,
    /// New ones, in directories of others too.
    Made,
    /// These, and with `--force` those of others are replaced.
    Replaced,
}

impl Files {
    /// What that takes.
    fn rights(self) -> &'static [Capability] {
        match self {
            Self::None => &[],
            Self::Made => &[CAP_DAC_OVERRIDE],
            Self::Replaced => &[CAP_DAC_OVERRIDE, CAP_FOWNER],
        }
    }
}

/// Gives up what looking up does not take, nor writing such files, for this thread and those
/// that it starts from now on.
///
/// # Errors
/// The kernel refuses; what was given up by then is.
pub(crate) fn only_for_lookups(files: Files) -> Result<(), CapsError> {
    let writing = files.rights().iter().copied();
    rights::keep_only(KEPT.into_iter().chain(writing))
}
