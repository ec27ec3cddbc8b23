//! Looking things up in the network namespace of an event.

use std::{
    fs::{self, File},
    io,
    os::fd::AsFd as _,
    path::PathBuf,
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::namespaces::{NAMED, inode_of};

/// Runs `look` in the network namespace with inode number `inode`, on a thread
/// of its own: a thread that has entered a namespace is of no other use.
///
/// # Errors
/// The namespace has no name, no process lives in it any more, it cannot be
/// entered, or whatever `look` finds.
pub(super) fn within<T: Send>(
    inode: u32,
    pid: u32,
    look: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    let path = path_of(inode, pid).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "no way into the network namespace is left",
        )
    })?;
    let file = File::open(path)?;
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
            look()
        });
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the look-up panicked")))
    })
}

/// A file that leads into the namespace. `pid` is tried early, since it most
/// likely lives there.
fn path_of(inode: u32, pid: u32) -> Option<PathBuf> {
    let likely = [
        "/proc/self/ns/net".into(),
        PathBuf::from(format!("/proc/{pid}/ns/net")),
    ];
    let named = entries(NAMED);
    let processes = entries("/proc").filter(|path| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit))
    });
    likely
        .into_iter()
        .chain(named)
        .chain(processes.map(|path| path.join("ns/net")))
        .find(|path| inode_of(path).is_ok_and(|found| found == inode))
}

fn entries(directory: &str) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}
