//! What a tracer that is attached gives up: it has loaded what it runs, and from then on
//! only looks things up.
//!
//! Landlock is no part of it. Whoever is held by it sees neither the network
//! namespaces nor the sockets of processes that are not.

use caps::{
    CapSet,
    Capability::{
        self, CAP_BPF, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_PERFMON, CAP_SYS_ADMIN,
        CAP_SYS_PTRACE,
    },
    CapsHashSet,
    errors::CapsError,
};

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

/// Gives up what looking up does not take, for this thread and those that it starts from
/// now on. What `records` goes on making files, and others' directories may be where.
///
/// # Errors
/// The kernel refuses; what was given up by then is.
pub(crate) fn only_for_lookups(records: bool) -> Result<(), CapsError> {
    let held = caps::read(None, CapSet::Permitted)?;
    let wanted = KEPT.into_iter().chain(records.then_some(CAP_DAC_OVERRIDE));
    let kept: CapsHashSet = wanted.filter(|one| held.contains(one)).collect();
    // Without CAP_SETPCAP the bounds stay; nothing that is started may exceed what is
    // held, in any case.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        for one in caps::runtime::thread_all_supported().difference(&kept) {
            caps::drop(None, CapSet::Bounding, *one)?;
        }
    }
    caps::clear(None, CapSet::Ambient)?;
    caps::clear(None, CapSet::Inheritable)?;
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)?;
    if let Err(error) = rustix::thread::set_no_new_privs(true) {
        log::debug!("programs could be given more rights: {error}");
    }
    Ok(())
}
