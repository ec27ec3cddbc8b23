//! Calls that the kernel left out, since the program for them was running on
//! that CPU already: for whoever was preempted in the midst of it, or by an
//! interrupt.
//!
//! The kernel counts them by program, from 5.12 on, and for kprobes from 6.7
//! on. A call whose entry was left out is no such loss: its return is counted
//! as one whose call is unknown.

use std::{
    io, mem,
    os::fd::{AsFd as _, AsRawFd as _, OwnedFd},
};

use aya::Ebpf;
use aya_obj::generated::{bpf_attr, bpf_cmd, bpf_prog_info};
use v6trace_common::{HOOKS, Hook, Programs};

use crate::{clock, record::Lost};

/// A program of a hook.
struct Watched {
    hook: Hook,
    program: OwnedFd,
    /// What the kernel counted when it was last asked.
    counted: u64,
}

/// The programs without whose run a call is not seen.
pub(super) struct Missed {
    programs: Vec<Watched>,
}

impl Missed {
    /// Watches the programs that are loaded.
    pub(super) fn watch(ebpf: &Ebpf) -> Self {
        let mut names = Vec::new();
        for hook in HOOKS {
            for candidate in hook.candidates {
                let all = candidate.trampoline.into_iter().chain([candidate.kprobes]);
                let deciding = all.filter_map(|programs: Programs| programs.ret.or(programs.entry));
                names.extend(deciding.map(|name| (hook.hook, name)));
            }
        }
        // Candidates of a hook share programs.
        names.dedup();
        let programs = names.into_iter().filter_map(|(hook, name)| {
            let program = ebpf.program(name)?.fd().ok()?;
            Some(Watched {
                hook,
                program: program.as_fd().try_clone_to_owned().ok()?,
                counted: 0,
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
    // SAFETY: structs of integers, of which all zeros are a value.
    let (mut info, mut attr): (bpf_prog_info, bpf_attr) = unsafe { mem::zeroed() };
    let descriptor = program.as_raw_fd().cast_unsigned();
    attr.info.bpf_fd = descriptor;
    attr.info.info_len = u32::try_from(size_of_val(&info)).map_err(io::Error::other)?;
    attr.info.info = &raw mut info as u64;
    let command = bpf_cmd::BPF_OBJ_GET_INFO_BY_FD as libc::c_long;
    // SAFETY: the command reads `attr`, whose size it is told, and writes at
    // most as much to `info` as that says, which is all of it; both outlive the
    // call. No other pointer in `info` is set.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut attr, size_of_val(&attr)) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(info.recursion_misses)
}
