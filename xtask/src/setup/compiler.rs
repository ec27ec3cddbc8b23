//! Chooses the compiler for the eBPF programs, and installs one if need be.
//!
//! Two will do: a nightly toolchain of rustup with the `rust-src` component
//! and a `bpf-linker` of the user's, or Debian's Rust packages, which come
//! with the standard library's source, and a `bpf-linker` built here against
//! the LLVM that they use. The first is taken when it is complete.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::host;
use crate::progress::Step;
use crate::{paths, process};

/// The release of bpf-linker that is built when the user has none.
const BPF_LINKER: &str = "0.13.0";

/// The oldest compiler that v6trace builds with: `rust-version` in Cargo.toml.
const OLDEST: (u32, u32) = (1, 95);

/// The packages that hold a complete Rust, in Debian's stable releases and
/// in those under development.
const RUST_PACKAGES: [[&str; 3]; 2] = [
    ["rustc-web", "cargo-web", "rust-web-src"],
    ["rustc", "cargo", "rust-src"],
];

/// A compiler for `bpfel-unknown-none` together with its linker.
pub(crate) enum Compiler {
    /// rustup's nightly.
    Nightly {
        /// The user's bpf-linker.
        linker: PathBuf,
    },
    /// `/usr/bin/rustc` and `/usr/bin/cargo`.
    Debian {
        /// The bpf-linker under `target/tools`, or the user's.
        linker: PathBuf,
    },
}

impl Compiler {
    /// A `cargo` that compiles with this compiler and links with its linker.
    pub(crate) fn cargo(&self) -> Result<Command> {
        let (mut command, linker) = match self {
            Self::Nightly { linker } => {
                let mut command = Command::new("cargo");
                command.arg("+nightly");
                (command, linker)
            }
            Self::Debian { linker } => {
                let mut command = Command::new("/usr/bin/cargo");
                // Only a nightly accepts `-Z build-std` without being told.
                command
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("RUSTC_BOOTSTRAP", "1");
                (command, linker)
            }
        };
        process::without_outer_cargo(&mut command).env_remove("RUSTUP_TOOLCHAIN");
        let directory = linker.parent().unwrap_or(Path::new("/")).to_path_buf();
        command
            .env("PATH", process::path_with(&[directory])?)
            .current_dir(paths::root());
        Ok(command)
    }
}

/// Finds a complete compiler or installs Debian's.
pub(crate) fn find_or_install() -> Result<Compiler> {
    let users_linker = process::find_program("bpf-linker");
    if let Some(linker) = &users_linker
        && nightly_has_source()
    {
        return Ok(Compiler::Nightly {
            linker: linker.clone(),
        });
    }
    let debian = install_debian_rust(users_linker.is_none()).and_then(|()| match users_linker {
        Some(linker) => Ok(linker),
        None => install_linker(),
    });
    match debian {
        Ok(linker) => Ok(Compiler::Debian { linker }),
        Err(error) => bail!(
            "there is no compiler for the eBPF programs. Either install rustup's nightly:\n  \
             rustup toolchain install nightly --component rust-src\n  \
             cargo install bpf-linker --version {BPF_LINKER}\n\
             or let this task use Debian's packages, which failed here:\n{error:#}"
        ),
    }
}

/// Whether rustup has a nightly with the source that `build-std` compiles.
fn nightly_has_source() -> bool {
    let mut rustc = Command::new("rustc");
    process::without_outer_cargo(&mut rustc)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("RUSTUP_AUTO_INSTALL", "0")
        .args(["+nightly", "--print", "sysroot"]);
    has_source(&mut rustc)
}

fn has_source(print_sysroot: &mut Command) -> bool {
    process::output(print_sysroot).is_ok_and(|sysroot| {
        Path::new(sysroot.trim())
            .join("lib/rustlib/src/rust/library/Cargo.lock")
            .is_file()
    })
}

/// What `rustc -vV` says about Debian's compiler.
fn debian_rustc() -> Option<String> {
    let mut rustc = Command::new("/usr/bin/rustc");
    process::without_outer_cargo(&mut rustc).arg("-vV");
    let version = process::output(&mut rustc).ok()?;
    let field = version
        .lines()
        .find_map(|line| line.strip_prefix("release: "))?;
    (parse_version(field)? >= OLDEST).then_some(version)
}

/// Installs Debian's Rust, and along with it what building a linker takes if
/// that comes next: one command for the user who has to do it.
fn install_debian_rust(for_linker: bool) -> Result<()> {
    let complete = || {
        let mut rustc = Command::new("/usr/bin/rustc");
        process::without_outer_cargo(&mut rustc).args(["--print", "sysroot"]);
        debian_rustc().is_some() && Path::new("/usr/bin/cargo").is_file() && has_source(&mut rustc)
    };
    if complete() {
        return Ok(());
    }
    let rust = if let Some(rust) = offered_rust() {
        rust
    } else {
        // Package lists may be absent (a fresh container) or out of date.
        host::update()?;
        offered_rust().with_context(|| {
            format!(
                "this machine's Debian has no Rust {}.{} or newer (package {} or {}); are its \
                 security updates among apt's sources?",
                OLDEST.0, OLDEST.1, RUST_PACKAGES[0][0], RUST_PACKAGES[1][0]
            )
        })?
    };
    let mut packages: Vec<String> = rust.iter().map(ToString::to_string).collect();
    if for_linker && let Some(llvm) = host::library_number(rust[0], "libllvm") {
        packages.extend(linker_packages(&llvm));
    }
    host::install(&packages, "the eBPF compiler")?;
    if !complete() {
        bail!(
            "{} are installed, but /usr/bin/rustc still has no source of its core library",
            rust.join(", ")
        );
    }
    Ok(())
}

/// The packages of the machine's Debian that are a new enough Rust.
fn offered_rust() -> Option<[&'static str; 3]> {
    RUST_PACKAGES.into_iter().find(|packages| {
        let version = host::candidate(packages[0]);
        version.is_some_and(|version| parse_version(&version) >= Some(OLDEST))
    })
}

/// What building bpf-linker against this version of LLVM takes.
fn linker_packages(llvm: &str) -> Vec<String> {
    [
        "g++",
        &format!("llvm-{llvm}-dev"),
        "libzstd-dev",
        "zlib1g-dev",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Builds bpf-linker into `target/tools` unless it is there.
fn install_linker() -> Result<PathBuf> {
    let tools = paths::target("tools");
    let linker = tools.join("bin/bpf-linker");
    let version = debian_rustc().context("/usr/bin/rustc is gone")?;
    let llvm = version
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))
        .and_then(|version| version.split('.').next())
        .context("/usr/bin/rustc does not say which LLVM it uses")?;
    // bpf-linker reads the compiler's bitcode, so it must follow its LLVM.
    let stamp = tools.join("bpf-linker.version");
    let wanted = format!("{BPF_LINKER} llvm-{llvm}\n");
    if linker.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|built| built == wanted) {
        return Ok(linker);
    }
    host::install(&linker_packages(llvm), "building bpf-linker")?;
    let step = Step::start(format!("Building bpf-linker {BPF_LINKER} (once)"));
    let prefix = format!("/usr/lib/llvm-{llvm}");
    process::output(
        process::cargo()
            .env(
                "PATH",
                process::path_with(&[Path::new(&prefix).join("bin")])?,
            )
            .env("LLVM_PREFIX", &prefix)
            // The work is LLVM's, which is built already.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .args([
                "install",
                "bpf-linker",
                "--version",
                BPF_LINKER,
                "--locked",
                "--force",
            ])
            .args([
                "--no-default-features",
                "--features",
                &format!("llvm-{llvm}"),
            ])
            .arg("--root")
            .arg(&tools)
            .arg("--target-dir")
            .arg(tools.join("build")),
    )?;
    paths::remove_dir(&tools.join("build"))?;
    paths::write(&stamp, wanted)?;
    step.done();
    Ok(linker)
}

/// Major and minor number of `1.96.0`, `1.96.0+dfsg1-1` and the like.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(['.', '+', '-', '~']);
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_of_rust_and_of_packages() {
        assert_eq!(parse_version("1.96.0"), Some((1, 96)));
        assert_eq!(parse_version("1.85.0+dfsg3-1"), Some((1, 85)));
        assert_eq!(parse_version("1.97.0-nightly"), Some((1, 97)));
        assert_eq!(parse_version("(none)"), None);
    }
}
