//! The architectures that v6trace is built for, by all that they are called.
//!
//! Tasks take one of them and hand it on: `setup` gets what it boots and is built
//! with, `ebpf` and `binaries` build for it, `qemu` plays it. What is made of it for
//! guests is in a directory of its own.

use std::path::PathBuf;

use anyhow::Error;

use crate::paths;

/// A program with the packages that bring it.
pub(crate) type Program = (&'static str, &'static [&'static str]);

/// An architecture.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Architecture {
    /// What the kernel, Rust and QEMU call it.
    pub(crate) name: &'static str,
    /// What Debian's packages call it.
    pub(crate) debian: &'static str,
    /// Where its programs look for their loader.
    pub(crate) loader: &'static str,
    /// What emulates all of a machine.
    pub(crate) emulator: Program,
    /// What runs a single program of it, where this machine does not itself.
    pub(crate) runner: Option<Program>,
    /// QEMU's `-machine`.
    pub(crate) machine: &'static str,
    /// QEMU's `-cpu`, the quickest to emulate.
    pub(crate) processor: &'static str,
    /// The kernel's name of the first serial line.
    pub(crate) console: &'static str,
    /// Parameters of its kernels alone that make a guest quicker, and it no different.
    pub(crate) quicker: &'static str,
}

/// All of them.
const ARCHITECTURES: [&Architecture; 2] = [&X86_64, &AARCH64];

/// That of the machine that these tasks run on: `setup::lock` sees to it.
pub(crate) const OWN: &Architecture = &X86_64;

const X86_64: Architecture = Architecture {
    name: "x86_64",
    debian: "amd64",
    loader: "lib64/ld-linux-x86-64.so.2",
    emulator: ("qemu-system-x86_64", &["qemu-system-x86", "seabios"]),
    runner: None,
    machine: "pc",
    // All that QEMU can emulate, but for an instruction after which its parallel emulation
    // crashes guests, and without fast string instructions, which it emulates byte by byte:
    // kernels that do without them clear and copy eight bytes at a time.
    processor: "max,-cx16,-erms,-fsrm",
    console: "ttyS0",
    // Four levels of page tables, and no panic where a busy host was late with the first
    // ticks of the timer.
    quicker: "no5lvl no_timer_check",
};

pub(crate) const AARCH64: Architecture = Architecture {
    name: "aarch64",
    debian: "arm64",
    loader: "lib/ld-linux-aarch64.so.1",
    emulator: ("qemu-system-aarch64", &["qemu-system-arm"]),
    runner: Some(("qemu-aarch64", &["qemu-user"])),
    machine: "virt",
    // With atomic instructions, and without signed pointers, which take most of the time
    // where they are emulated.
    processor: "cortex-a76",
    console: "ttyAMA0",
    quicker: "",
};

impl Architecture {
    /// Rust's name for its programs.
    pub(crate) fn target(&self) -> String {
        format!("{}-unknown-linux-gnu", self.name)
    }

    /// Debian's name for what is compiled for it: of its directories of libraries, and of
    /// compilers for it.
    pub(crate) fn triplet(&self) -> String {
        format!("{}-linux-gnu", self.name)
    }

    /// `target/guest/ARCHITECTURE/NAME`: kernels, userland, initramfs layers and logs.
    pub(crate) fn guest(&self, name: &str) -> PathBuf {
        paths::guest(self.name).join(name)
    }
}

/// What they are called on the command line.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ARCHITECTURES.iter().map(|architecture| architecture.name)
}

/// The one of that name.
pub(crate) fn named(name: &str) -> Result<&'static Architecture, Error> {
    let found = ARCHITECTURES
        .iter()
        .find(|architecture| architecture.name == name);
    found.copied().ok_or_else(|| {
        let all: Vec<&str> = names().collect();
        Error::msg(format!("there are {}", all.join(" and ")))
    })
}
