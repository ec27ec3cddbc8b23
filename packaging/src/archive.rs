//! Archives of tar that are the same whenever they are made, and whoever makes
//! them.

use anyhow::Result;
use tar::{Builder, EntryType, Header};

use crate::{
    about::{NAME, VERSION},
    files::{Effort, File, gzip},
    machine::Machine,
};

/// An archive that is being made.
pub(crate) struct Archive {
    builder: Builder<Vec<u8>>,
    /// When all of it was made, seconds since 1970.
    epoch: u64,
}

impl Archive {
    pub(crate) fn new(epoch: u64) -> Self {
        Self {
            builder: Builder::new(Vec::new()),
            epoch,
        }
    }

    /// Appends a file of root's.
    pub(crate) fn file(&mut self, path: &str, content: &[u8], mode: u32) -> Result<()> {
        let mut header = self.header(EntryType::Regular, mode);
        header.set_size(content.len() as u64);
        Ok(self.builder.append_data(&mut header, path, content)?)
    }

    /// Appends a directory of root's.
    pub(crate) fn directory(&mut self, path: &str, mode: u32) -> Result<()> {
        let mut header = self.header(EntryType::Directory, mode);
        Ok(self.builder.append_data(&mut header, path, &[][..])?)
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        Ok(self.builder.into_inner()?)
    }

    fn header(&self, what: EntryType, mode: u32) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(what);
        header.set_mode(mode);
        header.set_mtime(self.epoch);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        header
    }
}

/// All files below one directory, for machines without a package manager:
/// `tar -C / --strip-components 1 -xf` installs them.
pub(crate) fn of(
    files: &[File],
    machine: Machine,
    epoch: u64,
    effort: Effort,
) -> Result<(String, Vec<u8>)> {
    let top = format!("{NAME}-{VERSION}-{}-linux", machine.name);
    let mut archive = Archive::new(epoch);
    for file in files {
        let path = format!("{top}/{}", file.path);
        archive.file(&path, &file.content, file.mode().into())?;
    }
    Ok((format!("{top}.tar.gz"), gzip(&archive.finish()?, effort)?))
}
