//! Runs other programs quietly: their output is kept and shown only when
//! they fail, so that a message of ours is not lost between theirs.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// How many lines of a failed program's output an error repeats.
const SHOWN_LINES: usize = 40;

/// Runs a command without standard input and returns its standard output.
///
/// Fails when it can't be started or exits with another status than 0; the
/// error then ends with what the program said.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = finish(command)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Like [`output()`], for output that is not text.
pub(crate) fn bytes(command: &mut Command) -> Result<Vec<u8>> {
    Ok(finish(command)?.stdout)
}

/// Like [`output()`], but hands back what the program said on either stream:
/// for programs whose warnings matter.
pub(crate) fn messages(command: &mut Command) -> Result<String> {
    let output = finish(command)?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

fn finish(command: &mut Command) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {name}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = [&output.stderr[..], &output.stdout[..]].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    bail!(
        "`{}` failed ({}):\n{}",
        line(command),
        output.status,
        tail(&said)
    )
}

/// The command as one would type it, for messages.
fn line(command: &Command) -> String {
    let words = [command.get_program()];
    let words: Vec<_> = words
        .into_iter()
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let from = lines.len().saturating_sub(SHOWN_LINES);
    lines[from..].join("\n")
}

/// Finds a program in the PATH, or in the directories where Debian keeps
/// those that only root has in its PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .map(|directory: PathBuf| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// The PATH with directories put in front.
pub(crate) fn path_with(first: &[PathBuf]) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let all = first.iter().cloned().chain(env::split_paths(&path));
    env::join_paths(all).context("the PATH cannot be extended")
}

/// Takes away what `cargo xtask` itself was given by cargo and rustup, so
/// that an inner cargo decides on its own toolchain, flags and packages.
pub(crate) fn without_outer_cargo(command: &mut Command) -> &mut Command {
    for (name, _) in env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        let outer = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CFG_"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
            || matches!(
                text,
                "CARGO"
                    | "CARGO_PRIMARY_PACKAGE"
                    | "CARGO_TARGET_DIR"
                    | "CARGO_BUILD_TARGET"
                    | "CARGO_ENCODED_RUSTFLAGS"
                    | "LD_LIBRARY_PATH"
                    | "OUT_DIR"
                    | "RUSTFLAGS"
            );
        if outer {
            command.env_remove(name);
        }
    }
    command
}

/// What has a compiler name no directory of this machine in what it makes, which is
/// then the same elsewhere: for `CARGO_ENCODED_RUSTFLAGS`.
pub(crate) fn without_places() -> Vec<String> {
    let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or(home);
    let places = [
        (Some(crate::paths::root().to_owned()), "v6trace"),
        (cargo, "cargo"),
    ];
    let named = places.into_iter().filter_map(|(place, name)| {
        Some(format!("--remap-path-prefix={}={name}", place?.display()))
    });
    named.collect()
}

/// The cargo that runs this xtask, for building what runs on the host.
pub(crate) fn cargo() -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    without_outer_cargo(&mut command).current_dir(crate::paths::root());
    command
}
