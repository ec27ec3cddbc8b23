//! Whether hooks can be attached by trampolines (fentry and fexit), and what
//! aya wants to know for that, and for iterators: the numbers that the kernel's
//! BTF gives to their functions.
//!
//! aya takes such a number from BTF of its own reading. That of a whole kernel
//! takes it 20 MiB and a tenth of a second, so it gets one that has nothing but
//! the functions in question, each at its number. That one still has some 6 MiB,
//! for a type of nothing at each number in between: there is one for everything.

use std::collections::BTreeMap;

use aya::programs::ProgramError;
use aya_obj::btf::{BtfType, Func, FuncLinkage};
use v6trace_common::HookInfo;

use super::iterators;
use crate::btf::Btf;

/// Where the kernel says whether its own code is preempted, and how: all ways,
/// the present one in parentheses.
const PREEMPTION: &str = "/sys/kernel/debug/sched/preempt";

/// The functions of every trampoline and iterator, by number.
pub(super) fn functions(hooks: &[&HookInfo], btf: &Btf) -> BTreeMap<u32, String> {
    let candidates = hooks.iter().flat_map(|hook| hook.candidates);
    let wanted = candidates.filter(|candidate| candidate.trampoline.is_some());
    let functions = wanted.filter_map(|candidate| {
        let number = btf.function(candidate.function)?;
        Some((number, candidate.function.to_owned()))
    });
    functions.chain(iterators::function(btf)).collect()
}

/// Whether trampolines are a choice.
pub(super) fn are_safe() -> bool {
    let preempts = preempts();
    if preempts {
        log::debug!("this kernel may preempt programs: kprobes only");
    }
    !preempts
}

/// Whether the kernel may preempt what runs at a trampoline. Whoever comes by
/// there on the same CPU meanwhile is not seen: a program is not run a second
/// time. What runs at a kprobe is never preempted.
fn preempts() -> bool {
    let system = rustix::system::uname();
    if !system.version().to_string_lossy().contains("PREEMPT") {
        return false;
    }
    let ways = std::fs::read_to_string(PREEMPTION).unwrap_or_default();
    !ways.contains("(none)") && !ways.contains("(voluntary)")
}

/// `ENOTSUPP`, which is the kernel's own.
const NOT_SUPPORTED: i32 = 524;

/// Whether the kernel refused the first trampoline since it has none: on aarch64 before 6.4.
/// (It says the same of a function with more arguments than a trampoline hands on.)
pub(super) fn none_can_be_had(error: &ProgramError) -> bool {
    let ProgramError::SyscallError(call) = error else {
        return false;
    };
    call.io_error.raw_os_error() == Some(NOT_SUPPORTED)
}

/// BTF in which these numbers are functions and all others nothing.
pub(super) fn made_up(functions: &BTreeMap<u32, String>) -> aya::Btf {
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
        let functions = [(3, "sock_kmalloc"), (70, "fib_select_path")];
        let functions = functions.map(|(number, name)| (number, name.to_owned()));
        let functions = BTreeMap::from(functions);
        let btf = made_up(&functions);
        for (number, name) in functions {
            let found = btf.id_by_type_name_kind(&name, BtfKind::Func).unwrap();
            assert_eq!(found, number);
        }
    }
}
