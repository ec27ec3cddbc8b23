//! Looking things up in the network namespace of an event.

use std::{
    fs::File,
    io,
    os::{fd::AsFd as _, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::namespaces::{OWN, inode_of};

/// Runs `look` in the network namespace with inode number `netns`: right here
/// where that is v6trace's own, which needs no privilege, else by way of the
/// first of `paths` that leads there, on a thread of its own: a thread that has
/// entered a namespace is of no other use.
///
/// # Errors
/// No path leads there any more, the namespace cannot be entered
/// (`CAP_SYS_ADMIN`), or whatever `look` finds.
pub(crate) fn within<T: Send>(
    netns: u32,
    paths: &[PathBuf],
    look: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    if inode_of(OWN.as_ref()).is_ok_and(|own| own == netns) {
        return look();
    }
    let file = open(netns, paths)?;
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("v6trace-look".to_owned())
            .spawn_scoped(scope, || {
                move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
                look()
            })?;
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the look-up panicked")))
    })
}

/// Opens the namespace.
///
/// # Errors
/// None of the paths leads there, or may be opened.
pub(crate) fn open(netns: u32, paths: &[PathBuf]) -> io::Result<File> {
    let mut refused = None;
    for path in paths {
        match open_if(netns, path) {
            Ok(Some(file)) => return Ok(file),
            Ok(None) => {}
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "no way into the network namespace is left",
        )
    }))
}

/// The file, if it is that namespace: what is opened is asked, since a path
/// may lead elsewhere from one moment to the next.
fn open_if(netns: u32, path: &Path) -> io::Result<Option<File>> {
    let file = File::open(path)?;
    let inode = file.metadata()?.ino();
    Ok((inode == u64::from(netns)).then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_namespace_needs_no_way_into_it() {
        let own = inode_of(OWN.as_ref()).unwrap();
        assert_eq!(within(own, &[], || Ok(7)).unwrap(), 7);
        let error = within(own + 1, &[OWN.into()], || Ok(7)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
