//! Whether hooks can be attached by trampolines (fentry and fexit), and what
//! aya wants to know for that: the numbers that the kernel's BTF gives to their
//! functions.
//!
//! aya takes such a number from BTF of its own reading. That of a whole kernel
//! takes it 20 MiB and a tenth of a second, so it gets one that has nothing but
//! the functions in question, each at its number.

use std::collections::BTreeMap;

use aya::util::KernelVersion;
use aya_obj::btf::{BtfType, Func, FuncLinkage};
use v6trace_common::HOOKS;

use crate::btf::Btf;

/// Since this version the kernel keeps a program that is preempted from being
/// run again on the same CPU.
const GUARDED: (u8, u8) = (5, 12);

/// BTF with the functions of every trampoline; `None` where trampolines are no
/// choice.
pub(super) fn functions(btf: &Btf) -> Option<aya::Btf> {
    if !is_guarded() {
        log::debug!("this kernel preempts programs: kprobes only");
        return None;
    }
    let candidates = HOOKS.iter().flat_map(|hook| hook.candidates);
    let functions = candidates.filter_map(|candidate| {
        let programs = candidate.trampoline?;
        let number = btf.function(candidate.function)?;
        if let Some(arguments) = programs.arguments
            && btf.function_params(candidate.function)?.len() != arguments
        {
            log::debug!("{} takes other arguments: kprobes", candidate.function);
            return None;
        }
        Some((number, candidate.function))
    });
    Some(made_up(&functions.collect()))
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
fn made_up(functions: &BTreeMap<u32, &str>) -> aya::Btf {
    let mut btf = aya::Btf::new();
    let mut next = 1;
    for (&number, name) in functions {
        for _ in next..number {
            btf.add_type(BtfType::Unknown);
        }
        let name = btf.add_string(name);
        btf.add_type(BtfType::Func(Func::new(name, 0, FuncLinkage::Static)));
        next = number + 1;
    }
    btf
}

#[cfg(test)]
mod tests {
    use aya_obj::btf::BtfKind;

    use super::*;

    #[test]
    fn functions_are_found_at_their_numbers() {
        let functions = BTreeMap::from([(3, "sock_kmalloc"), (70, "fib_select_path")]);
        let btf = made_up(&functions);
        for (number, name) in functions {
            let found = btf.id_by_type_name_kind(name, BtfKind::Func).unwrap();
            assert_eq!(found, number);
        }
    }
}
