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

/// What recording takes beside them: it makes files in directories of others, and with
/// `--force` replaces files of others.
const RECORDING: [Capability; 2] = [CAP_DAC_OVERRIDE, CAP_FOWNER];

/// Gives up what looking up does not take, nor recording where it `records`, for this
/// thread and those that it starts from now on.
///
/// # Errors
/// The kernel refuses; what was given up by then is.
pub(crate) fn only_for_lookups(records: bool) -> Result<(), CapsError> {
    let recording = RECORDING.into_iter().filter(|_| records);
    rights::keep_only(KEPT.into_iter().chain(recording))
}
