//! Giving up capabilities, for a thread and those that it starts from then on.

use caps::{CapSet, Capability, CapsHashSet, errors::CapsError};

/// Keeps those of these that are held, and no other; no program that is started has
/// more.
///
/// # Errors
/// The kernel refuses; what was given up by then is.
pub(crate) fn keep_only(wanted: impl IntoIterator<Item = Capability>) -> Result<(), CapsError> {
    let held = caps::read(None, CapSet::Permitted)?;
    let wanted = wanted.into_iter();
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
