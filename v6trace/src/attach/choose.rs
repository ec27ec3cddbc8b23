//! Which function serves each hook on this kernel.
//!
//! Decided from the kernel's symbols before anything is attached: the old
//! kernels silently pick one of several functions of a name, and an error of
//! `perf_event_open` says little. Attaching itself is the caller's, so that
//! the choice can be tested without a kernel.

use std::io;

use aya::programs::ProgramError;
use v6trace_common::{Candidate, HookInfo};

use super::{AttachError, one_line::in_one_line, resolve::Globals};
use crate::{
    coverage::{HookCoverage, Status, Via},
    error_chain::with_causes,
    symbols::{SymbolStatus, Symbols},
};

/// Why a candidate is not attached.
#[derive(Debug)]
pub(super) struct Refusal {
    status: Status,
    reason: String,
}

impl Refusal {
    /// Anything that is not an answer about the function.
    pub(super) fn other(error: impl Into<AttachError>) -> Self {
        Self {
            status: Status::Refused,
            reason: in_one_line(&error.into().to_string()),
        }
    }

    /// What attaching answered.
    pub(super) fn from_attach(error: &ProgramError) -> Self {
        let ProgramError::SyscallError(call) = error else {
            return Self {
                status: Status::Refused,
                reason: with_causes(error),
            };
        };
        let (status, reason) = match call.io_error.raw_os_error() {
            Some(libc::ENOENT) => (Status::Missing, "this kernel has no such symbol".to_owned()),
            Some(libc::EADDRNOTAVAIL) => (
                Status::Ambiguous,
                "several functions bear this name".to_owned(),
            ),
            Some(libc::EINVAL) => (
                Status::Refused,
                "the kernel does not allow a probe on it (EINVAL)".to_owned(),
            ),
            Some(libc::EACCES | libc::EPERM) => (Status::Refused, denied(&call.io_error)),
            _ => (
                Status::Refused,
                format!("{} failed: {}", call.call, call.io_error),
            ),
        };
        Self { status, reason }
    }
}

fn denied(error: &io::Error) -> String {
    format!("the kernel denied the probe: {error}")
}

/// Attaches the first candidate of each hook that can be had.
pub(super) fn choose(
    hooks: &[&HookInfo],
    symbols: &Symbols,
    globals: &Globals,
    mut attach: impl FnMut(&Candidate) -> Result<Via, Refusal>,
) -> Vec<HookCoverage> {
    hooks
        .iter()
        .map(|hook| choose_one(hook, symbols, globals, &mut attach))
        .collect()
}

fn choose_one(
    hook: &HookInfo,
    symbols: &Symbols,
    globals: &Globals,
    attach: &mut impl FnMut(&Candidate) -> Result<Via, Refusal>,
) -> HookCoverage {
    let mut refusals: Vec<(&str, Refusal)> = Vec::new();
    for candidate in hook.candidates {
        let outcome = possible(candidate, symbols, globals).and_then(|()| attach(candidate));
        match outcome {
            Ok(via) => return covered(hook, candidate, via, refusals.first()),
            Err(refusal) => refusals.push((candidate.function, refusal)),
        }
    }
    let (function, status) = refusals
        .first()
        .map_or(("", Status::Missing), |(function, refusal)| {
            (*function, refusal.status)
        });
    let reasons: Vec<String> = refusals
        .iter()
        .map(|(function, refusal)| format!("{function}: {}", refusal.reason))
        .collect();
    HookCoverage {
        hook: hook.name.to_owned(),
        function: function.to_owned(),
        status,
        via: None,
        note: Some(format!("{}; {}", reasons.join("; "), hook.without)),
    }
}

fn covered(
    hook: &HookInfo,
    candidate: &Candidate,
    via: Via,
    passed_over: Option<&(&str, Refusal)>,
) -> HookCoverage {
    HookCoverage {
        hook: hook.name.to_owned(),
        function: candidate.function.to_owned(),
        status: if passed_over.is_some() {
            Status::Fallback
        } else {
            Status::Attached
        },
        via: Some(via),
        note: passed_over.map(|(function, refusal)| {
            let cost = candidate
                .note
                .map_or_else(String::new, |note| format!("; {note}"));
            format!("{function}: {}{cost}", refusal.reason)
        }),
    }
}

/// Whether symbols and BTF allow the candidate.
fn possible(candidate: &Candidate, symbols: &Symbols, globals: &Globals) -> Result<(), Refusal> {
    let refuse = |status, reason| Err(Refusal { status, reason });
    match symbols.status(candidate.function) {
        SymbolStatus::Present { .. } => {}
        SymbolStatus::Missing => {
            return refuse(Status::Missing, "this kernel has no such symbol".to_owned());
        }
        SymbolStatus::Ambiguous { count } => {
            return refuse(
                Status::Ambiguous,
                format!("{count} functions bear this name"),
            );
        }
        SymbolStatus::OnlySuffixed { names } => {
            let names = names.join(", ");
            return refuse(
                Status::Missing,
                format!("only as {names}, which may take other arguments"),
            );
        }
    }
    match candidate.needs.iter().find(|need| !globals.has(need)) {
        Some(need) => refuse(
            Status::Refused,
            format!("this kernel's BTF lacks {}", need.path),
        ),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use v6trace_common::{Hook, Programs, kernel::NET_INUM};

    use super::*;

    const fn candidate(function: &'static str, note: Option<&'static str>) -> Candidate {
        Candidate {
            function,
            kprobes: Programs::entry("program"),
            trampoline: None,
            needs: &[&NET_INUM],
            note,
        }
    }

    const TABLE: &[&HookInfo] = &[&HookInfo {
        hook: Hook(0),
        name: "made-up",
        about: "nothing",
        without: "nothing is seen",
        candidates: &[
            candidate("v6trace_made_up_symbol", None),
            candidate("second_choice", Some("half is not seen")),
        ],
    }];

    fn symbols(text: &str) -> Symbols {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let group = vec!["v6trace_made_up_symbol", "second_choice"];
        Symbols::load(file.path(), &[group]).unwrap()
    }

    fn chosen(kallsyms: &str) -> HookCoverage {
        let globals = Globals::made_up(&[(&NET_INUM, 136)]);
        choose(TABLE, &symbols(kallsyms), &globals, |_| Ok(Via::Kprobe)).remove(0)
    }

    #[test]
    fn the_preferred_function_is_attached() {
        let hook =
            chosen("ffffffff81000000 t v6trace_made_up_symbol\nffffffff81000010 T second_choice\n");
        assert_eq!(hook.status, Status::Attached);
        assert_eq!(
            (hook.function.as_str(), hook.note),
            ("v6trace_made_up_symbol", None)
        );
    }

    #[test]
    fn a_missing_function_gives_way_to_the_next() {
        let hook = chosen("ffffffff81000010 T second_choice\n");
        assert_eq!(hook.status, Status::Fallback);
        assert_eq!(hook.function, "second_choice");
        let note = hook.note.unwrap();
        assert!(
            note.contains("no such symbol") && note.contains("half is not seen"),
            "{note}"
        );
    }

    #[test]
    fn an_ambiguous_function_is_not_attached() {
        let hook = chosen(
            "ffffffff81000000 t v6trace_made_up_symbol\nffffffff81000010 t v6trace_made_up_symbol\n",
        );
        assert_eq!(hook.status, Status::Ambiguous);
        let note = hook.note.unwrap();
        assert!(
            note.contains("2 functions") && note.contains("nothing is seen"),
            "{note}"
        );
    }

    #[test]
    fn a_suffixed_function_is_missing_and_named() {
        let hook = chosen("ffffffff81000000 t v6trace_made_up_symbol.isra.0\n");
        assert_eq!(hook.status, Status::Missing);
        assert!(hook.note.unwrap().contains("v6trace_made_up_symbol.isra.0"));
    }

    #[test]
    fn a_member_that_is_absent_refuses_the_hook() {
        let symbols = symbols("ffffffff81000000 t v6trace_made_up_symbol\n");
        let hook = choose(TABLE, &symbols, &Globals::made_up(&[]), |_| Ok(Via::Kprobe)).remove(0);
        assert_eq!(hook.status, Status::Refused);
        assert!(hook.note.unwrap().contains("net.ns.inum"));
    }

    #[test]
    fn a_refused_hook_says_what_the_kernel_said() {
        let symbols = symbols("ffffffff81000000 t v6trace_made_up_symbol\n");
        let globals = Globals::made_up(&[(&NET_INUM, 136)]);
        let hook = choose(TABLE, &symbols, &globals, |_| {
            Err(Refusal {
                status: Status::Refused,
                reason: "the kernel said no".to_owned(),
            })
        })
        .remove(0);
        assert_eq!(hook.status, Status::Refused);
        assert!(hook.note.unwrap().contains("the kernel said no"));
    }
}
