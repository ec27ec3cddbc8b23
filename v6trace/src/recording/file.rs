//! The file that is recorded into, and its further pieces.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::{output::Output, piece_path};

/// Who may read a recording: its owner. It names processes and addresses.
const MODE: u32 = 0o600;

/// How recordings are cut into pieces.
#[derive(Clone, Copy, Debug, Default)]
pub struct PieceOptions {
    /// Bytes after which the next piece begins.
    pub max_size: Option<u64>,
    /// How many pieces to keep.
    pub max_files: Option<u32>,
}

/// A file that grows by whole frames only.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    force: bool,
    options: PieceOptions,
    piece: u32,
    file: File,
    /// Bytes of whole frames.
    len: u64,
    /// Whether it can be cut back to that.
    regular: bool,
    /// Whether it has to be: a part of a frame follows.
    torn: bool,
}

impl OutputFile {
    /// What stands in the way of creating it without force: the file itself, or
    /// a piece of an earlier recording of that name.
    pub fn in_the_way(path: &Path) -> Option<PathBuf> {
        if fs::symlink_metadata(path).is_ok() {
            return Some(path.to_owned());
        }
        pieces(path).into_iter().next()
    }

    /// Creates the file; one that is there already is replaced only by force,
    /// with its pieces.
    pub fn create(path: &Path, force: bool, options: PieceOptions) -> io::Result<Self> {
        let (file, regular) = open(path, force)?;
        if force {
            for piece in pieces(path) {
                fs::remove_file(piece)?;
            }
        }
        Ok(Self {
            path: path.to_owned(),
            force,
            options,
            piece: 0,
            file,
            len: 0,
            regular,
            torn: false,
        })
    }

    /// The file's name, as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes a part of a frame: in front of the next it would be damage.
    fn mend(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.len)?;
            self.file.seek(io::SeekFrom::Start(self.len))?;
            self.torn = false;
        }
        Ok(())
    }
}

impl Output for OutputFile {
    fn piece(&self) -> u32 {
        self.piece
    }

    fn bytes(&self) -> u64 {
        self.len
    }

    fn may_be_full(&self) -> bool {
        self.options.max_size.is_some()
    }

    fn is_full_with(&self, more: usize) -> bool {
        let max = self.options.max_size.unwrap_or(u64::MAX);
        self.len.saturating_add(more as u64) > max
    }

    fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        self.mend()?;
        let written = self.file.write_all(frame);
        if written.is_ok() {
            self.len += frame.len() as u64;
        } else if self.regular {
            self.torn = true;
            // Else before the next frame; why writing failed says more.
            let _ = self.mend();
        }
        written
    }

    fn next_piece(&mut self, closing: &[u8]) -> io::Result<()> {
        let next = self.piece + 1;
        let path = piece_path(&self.path, next);
        let (file, regular) = open(&path, self.force)?;
        if let Err(error) = self.append(closing).and_then(|()| self.sync()) {
            // It is to be created again when there is space.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        (self.file, self.regular) = (file, regular);
        (self.piece, self.len) = (next, 0);
        let keep = self.options.max_files;
        if let Some(oldest) = keep.and_then(|keep| next.checked_sub(keep))
            && let Err(error) = fs::remove_file(piece_path(&self.path, oldest))
            && error.kind() != io::ErrorKind::NotFound
        {
            log::warn!("an old piece cannot be removed: {error}");
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        if self.regular {
            self.file.sync_all()
        } else {
            Ok(())
        }
    }
}

/// The pieces but the first that are there, in no order.
fn pieces(path: &Path) -> Vec<PathBuf> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let entries = fs::read_dir(directory.unwrap_or(Path::new(".")));
    let is_piece = |candidate: &PathBuf| {
        let number = candidate.extension().and_then(|number| number.to_str());
        let number = number.and_then(|number| number.parse::<u32>().ok());
        number.is_some_and(|number| {
            number > 0 && piece_path(path, number).file_name() == candidate.file_name()
        })
    };
    let entries = entries.into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(is_piece).collect()
}

fn open(path: &Path, force: bool) -> io::Result<(File, bool)> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(!force)
        .create(force)
        .truncate(false)
        .mode(MODE)
        .open(path)?;
    let regular = file.metadata()?.is_file();
    if regular {
        // One that was there may have had another.
        file.set_permissions(fs::Permissions::from_mode(MODE))?;
        // Not on opening: what cannot be replaced is left as it was.
        file.set_len(0)?;
    }
    Ok((file, regular))
}
