//! Which way each hook is attached: what the kernel side costs depends on it,
//! and everything works either way, so nothing else would show it.

use std::fs;

use anyhow::{Result, ensure};
use rustix::system::uname;
use v6trace_common::HOOKS;

use super::{Scenario, scenario};
use crate::guest::Tracing;

pub(super) const SCENARIOS: &[&[Scenario]] = &[&[scenario("hooks-by-the-cheapest-way", cheapest)]];

/// How the kernel may be preempted where it can be chosen at boot, the present
/// way in parentheses.
const PREEMPTION: &str = "/sys/kernel/debug/sched/preempt";

/// Functions that are passed an object by value: trampolines can be had for these
/// from 6.1 on.
const BY_VALUE: [&str; 1] = ["ipv6_setsockopt"];

/// Trampolines where there are any and the kernel does not preempt them, else
/// kprobes.
fn cheapest() -> Result<()> {
    let report = Tracing::start()?.finish()?;
    report.complete()?;
    let is_by_kprobes = preempts() || !has_trampolines();
    let by_value_is_new = uname().release().to_string_lossy().starts_with("5.");
    let mut trampolines = 0;
    for candidate in HOOKS.iter().flat_map(|hook| hook.candidates) {
        let Ok(covered) = report.coverage_of(candidate.function) else {
            continue;
        };
        let has_one = !(by_value_is_new && BY_VALUE.contains(&candidate.function));
        let wanted = if candidate.trampoline.is_some() && has_one && !is_by_kprobes {
            trampolines += 1;
            "trampoline"
        } else {
            "kprobe"
        };
        ensure!(covered["via"] == wanted, "not by {wanted}: {covered}");
    }
    ensure!(is_by_kprobes || trampolines > 0, "no hook has a trampoline");
    Ok(())
}

/// Those of aarch64 came with 6.4.
fn has_trampolines() -> bool {
    let system = uname();
    let release = system.release().to_string_lossy();
    let is_old = ["5.", "6.1."].iter().any(|old| release.starts_with(old));
    cfg!(target_arch = "x86_64") || !is_old
}

fn preempts() -> bool {
    let system = uname();
    let built = system.version().to_string_lossy().contains("PREEMPT");
    let ways = fs::read_to_string(PREEMPTION).unwrap_or_default();
    built
        && !["(none)", "(voluntary)"]
            .iter()
            .any(|way| ways.contains(way))
}
