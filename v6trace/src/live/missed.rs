//! Calls that the kernel left out, since a program was running on that CPU
//! already, or none was to run there for the moment: for whoever was preempted
//! in the midst of it, or by an interrupt.
//!
//! The kernel counts them by program, from 5.12 on, and for kprobes from 6.7
//! on. A call whose entry was left out may show a second time, as a return whose
//! call is unknown; but not every return can tell that there should have been
//! one.

use std::{
    io, mem,
    os::fd::{AsFd as _, OwnedFd},
};

use aya::Ebpf;
use v6trace_common::{HOOKS, Hook, Programs};

use super::bpf;
use crate::{clock, record::Lost};

/// A program of a hook.
struct Watched {
    hook: Hook,
    program: OwnedFd,
    /// What the kernel counted when it was last asked.
    counted: u64,
}

/// The programs of every hook.
pub(super) struct Missed {
    programs: Vec<Watched>,
}

impl Missed {
    /// Watches the programs that are loaded. What was left out before is none of the
    /// session's: as others are attached, and as those are named that are followed, v6trace
    /// itself works on maps, and so holds off programs on that CPU.
    pub(super) fn watch(ebpf: &Ebpf) -> Self {
        let mut names = Vec::new();
        for hook in HOOKS {
            for candidate in hook.candidates {
                let all = candidate.trampoline.into_iter().chain([candidate.kprobes]);
                let all = all.flat_map(|Programs { entry, ret, .. }| entry.into_iter().chain(ret));
                names.extend(all.map(|name| (hook.hook, name)));
            }
        }
        // Candidates of a hook share programs.
        names.sort_unstable_by_key(|&(hook, name)| (hook.0, name));
        names.dedup();
        let programs = names.into_iter().filter_map(|(hook, name)| {
            let program = ebpf.program(name)?.fd().ok()?;
            let program = program.as_fd().try_clone_to_owned().ok()?;
            Some(Watched {
                hook,
                counted: left_out(&program).unwrap_or_default(),
                program,
            })
        });
        Self {
            programs: programs.collect(),
        }
    }

    /// What was left out since the last time.
    pub(super) fn count(&mut self) -> Vec<Lost> {
        let mut lost = Vec::new();
        for watched in &mut self.programs {
            let now = match left_out(&watched.program) {
                Ok(now) => now,
                Err(error) => {
                    log::debug!("what was left out cannot be told: {error}");
                    continue;
                }
            };
            let before = mem::replace(&mut watched.counted, now);
            if now > before {
                lost.push(Lost {
                    boot_ns: clock::boot_ns(),
                    hook: Some(watched.hook),
                    cpu: None,
                    count: now - before,
                });
            }
        }
        lost
    }
}

/// How often the kernel did not run a program, since it was running; 0 where
/// the kernel does not count that.
fn left_out(program: &OwnedFd) -> io::Result<u64> {
    Ok(bpf::program_info(program.as_fd())?.recursion_misses)
}
