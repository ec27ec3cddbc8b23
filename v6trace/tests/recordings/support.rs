//! What several of these tests share: the golden recordings, made on real
//! kernels by `cargo xtask golden`.

use std::{fs, path::PathBuf};

/// The kernels on which every story was recorded.
pub(crate) const KERNELS: [&str; 4] = ["5.10", "6.1", "6.12", "sid"];
/// The stories.
pub(crate) const STORIES: [&str; 6] = [
    "advertisement",
    "anycast",
    "dad",
    "radvd",
    "source",
    "token",
];

/// Where the recording of a story on a kernel is.
pub(crate) fn recording(kernel: &str, story: &str) -> PathBuf {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    golden.join(kernel).join(story).with_extension("v6t")
}

/// Its bytes.
pub(crate) fn bytes(kernel: &str, story: &str) -> Vec<u8> {
    let path = recording(kernel, story);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
