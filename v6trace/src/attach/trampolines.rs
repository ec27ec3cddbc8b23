//! Whether hooks can be attached by trampolines (fentry and fexit), and what
//! aya wants to know for that: the numbers that the kernel's BTF gives to their
//! functions.
//!
//! aya takes such a number from BTF of its own reading. That of a whole kernel
//! takes it 20 MiB and a tenth of a second, so it gets one that has nothing but
//! the functions in question, each at its number.

use std::collections::BTreeMap;

use aya::{Endianness, util::KernelVersion};
use v6trace_common::HOOKS;

use crate::btf::Btf;

/// Since this version the kernel keeps a program that is preempted from being
/// run again on the same CPU.
const GUARDED: (u8, u8) = (5, 12);

/// What a record of BTF is: twelve bytes, the second word holding its kind.
const FORWARD: u32 = 7 << 24;
const FUNCTION: u32 = 12 << 24;

/// BTF with the functions of every trampoline; `None` where there cannot be
/// any.
pub(super) fn functions(btf: &Btf) -> Option<aya::Btf> {
    if !is_guarded() {
        log::debug!("this kernel preempts programs: kprobes only");
        return None;
    }
    let candidates = HOOKS.iter().flat_map(|hook| hook.candidates);
    let wanted = candidates.filter(|candidate| candidate.trampoline.is_some());
    let functions = wanted.filter_map(|candidate| {
        let number = btf.function(candidate.function)?;
        Some((number, candidate.function))
    });
    let bytes = made_up(&functions.collect());
    aya::Btf::parse(&bytes, Endianness::default())
        .inspect_err(|error| log::debug!("no trampolines: {error}"))
        .ok()
}

/// Whether a program is never run while it already runs on the same CPU.
fn is_guarded() -> bool {
    let preempts = || {
        let system = rustix::system::uname();
        system.version().to_string_lossy().contains("PREEMPT")
    };
    let (major, minor) = GUARDED;
    let guarded = KernelVersion::new(major, minor, 0);
    KernelVersion::current().is_ok_and(|version| version >= guarded) || !preempts()
}

/// BTF in which these numbers are functions and all others nothing.
fn made_up(functions: &BTreeMap<u32, &str>) -> Vec<u8> {
    let mut strings = vec![0];
    let mut types = Vec::new();
    let last = functions.keys().copied().max().unwrap_or_default();
    for number in 1..=last {
        let (name, kind) = match functions.get(&number) {
            Some(name) => {
                let at = strings.len();
                strings.extend_from_slice(name.as_bytes());
                strings.push(0);
                (at, FUNCTION)
            }
            None => (0, FORWARD),
        };
        for word in [word(name), kind, 0] {
            types.extend_from_slice(&word.to_le_bytes());
        }
    }
    let header = [0x0001_eb9f, 24, 0, word(types.len()), word(types.len())];
    let header = header.into_iter().chain([word(strings.len())]);
    let mut bytes: Vec<u8> = header.flat_map(u32::to_le_bytes).collect();
    bytes.append(&mut types);
    bytes.append(&mut strings);
    bytes
}

/// A length of something that is far shorter than 4 GiB.
fn word(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
