//! What a package installs, and where.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};

use crate::{Named, causes, completions, manual};

/// A file that is installed.
pub(crate) struct File {
    /// Where, below the root.
    pub(crate) path: String,
    pub(crate) content: Vec<u8>,
    pub(crate) is_program: bool,
}

impl File {
    fn new(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            content: content.into(),
            is_program: false,
        }
    }

    /// Its permissions.
    pub(crate) fn mode(&self) -> u16 {
        if self.is_program { 0o755 } else { 0o644 }
    }
}

/// How much is done for packages to be small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// What can be.
    Most,
    /// Little: nobody is to be handed them.
    Least,
}

impl Effort {
    /// As a level of gzip.
    pub(crate) fn level(self) -> u32 {
        match self {
            Self::Most => 9,
            Self::Least => 1,
        }
    }
}

/// Where the program is.
const PROGRAM: &str = "usr/bin/v6trace";

const DOCUMENTATION: &str = "usr/share/doc/v6trace";

/// What is documented, by the name that it has there.
const DOCUMENTS: [(&str, &str); 9] = [
    (
        "daemonset.yaml",
        include_str!("../kubernetes/daemonset.yaml"),
    ),
    ("README.md", include_str!("../../README.md")),
    ("json.md", include_str!("../../docs/json.md")),
    ("schema.json", include_str!("../../docs/schema.json")),
    (
        "session-format.md",
        include_str!("../../docs/session-format.md"),
    ),
    ("why.md", include_str!("../../docs/why.md")),
    ("LICENSE-APACHE", include_str!("../../LICENSE-APACHE")),
    ("LICENSE-MIT", include_str!("../../LICENSE-MIT")),
    ("LICENSE-GPL2", include_str!("../../LICENSE-GPL2")),
];

/// What systemd reads.
const UNIT: (&str, &str) = (
    "usr/lib/systemd/system/v6trace-record.service",
    include_str!("../systemd/v6trace-record.service"),
);

/// All of them, with this program, in the order of their paths.
pub(crate) fn all(program: &[u8], date: &str) -> Result<Vec<File>> {
    let mut files = vec![File {
        path: PROGRAM.to_owned(),
        content: program.to_owned(),
        is_program: true,
    }];
    for (name, page) in manual_pages(date)? {
        let (_, section) = name.rsplit_once('.').context("a page has no section")?;
        let path = format!("usr/share/man/man{section}/{name}.gz");
        files.push(File::new(path, gzip(&page, Effort::Most)?));
    }
    for (directory, name, text) in completions::all() {
        files.push(File::new(format!("{directory}/{name}"), text));
    }
    files.push(File::new(UNIT.0, UNIT.1));
    for (name, text) in DOCUMENTS {
        files.push(File::new(format!("{DOCUMENTATION}/{name}"), text));
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Every manual page.
pub(crate) fn manual_pages(date: &str) -> Result<Vec<Named>> {
    let mut pages = manual::pages(date)?;
    pages.push(causes::page(date)?);
    Ok(pages)
}

/// Bytes as gzip has them, whenever that is.
pub(crate) fn gzip(bytes: &[u8], effort: Effort) -> Result<Vec<u8>> {
    let level = Compression::new(effort.level());
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), level);
    gzip.write_all(bytes)?;
    Ok(gzip.finish()?)
}

#[cfg(test)]
mod tests {
    use crate::about::{NAME, VERSION};

    #[test]
    fn the_manifest_asks_for_the_image_of_this_version() {
        let manifest = include_str!("../kubernetes/daemonset.yaml");
        let image = format!("image: localhost/{NAME}:{VERSION}\n");
        assert!(manifest.contains(&image), "it has another image");
    }
}
