//! Where a cgroup is, by the number that records have of it.

use std::{
    fs::{self, File},
    io,
    mem::size_of,
    os::{
        fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
        unix::fs::MetadataExt as _,
    },
    path::Path,
};

/// Where systemd mounts the cgroup2 hierarchy: alone, or beside cgroup1's.
const HIERARCHIES: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// `FILEID_KERNFS`: a handle that is an id of kernfs, as the kernel has it of cgroups
/// since 5.5.
const KERNFS_ID: i32 = 0xfe;

/// `struct file_handle` with room for that id.
#[repr(C)]
struct Handle {
    bytes: u32,
    kind: i32,
    id: u64,
}

const _: () = assert!(size_of::<Handle>() == 16);

/// The path of the cgroup2 cgroup with this id, from the hierarchy's root on; none of the
/// root itself, or where it is gone, or is not to be asked for (`CAP_DAC_READ_SEARCH`).
pub(crate) fn path_of(id: u64) -> Option<String> {
    HIERARCHIES.iter().find_map(|root| {
        let opened = open(Path::new(root), id).ok()?;
        let path = fs::read_link(format!("/proc/self/fd/{}", opened.as_raw_fd())).ok()?;
        let below = path.strip_prefix(root).ok()?.to_str()?;
        // What the kernel says of one that was removed meanwhile.
        let is_there = !below.is_empty() && !below.ends_with(" (deleted)");
        is_there.then(|| format!("/{below}"))
    })
}

/// Whether the cgroup with this path has this id.
pub(crate) fn has_id(path: &str, id: u64) -> bool {
    HIERARCHIES.iter().any(|root| {
        let path = Path::new(root).join(path.trim_start_matches('/'));
        fs::metadata(path).is_ok_and(|found| found.ino() == id)
    })
}

fn open(root: &Path, id: u64) -> io::Result<OwnedFd> {
    let root = File::open(root)?;
    let mut handle = Handle {
        bytes: u32::try_from(size_of::<u64>()).unwrap_or_default(),
        kind: KERNFS_ID,
        id,
    };
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: `Handle` is laid out as the `struct file_handle` that the call reads, has as
    // many bytes behind its two numbers as it says, and outlives the call.
    let opened =
        unsafe { libc::open_by_handle_at(root.as_raw_fd(), (&raw mut handle).cast(), flags) };
    if opened < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just opened it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}
