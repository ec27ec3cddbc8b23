//! The lines of `/proc/kallsyms` that v6trace wants, read once for all scenarios
//! of a guest: the kernel writes each of its 150,000 lines anew for every reader,
//! which was up to a fifth of a scenario's time. Those that have all families
//! watched read the kernel's own.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};

use anyhow::{Context as _, Result};
use v6trace::families::process;
use v6trace_common::{HOOKS, families};

const KALLSYMS: &str = "/proc/kallsyms";
const KEPT: &str = "/run/kallsyms";

/// Keeps the lines for the scenarios to come.
pub(crate) fn keep() -> Result<()> {
    let candidates = HOOKS.iter().flat_map(|hook| hook.candidates);
    let variables = families::variables().flat_map(|variable| variable.symbols);
    let wanted: BTreeSet<&str> = candidates
        .map(|candidate| candidate.function)
        .chain(variables.map(|&(symbol, _)| symbol))
        .chain(process::functions())
        .collect();
    let all = File::open(KALLSYMS).with_context(|| format!("cannot open {KALLSYMS}"))?;
    let mut kept = Vec::new();
    for line in BufReader::new(all).lines() {
        let line = line.with_context(|| format!("cannot read {KALLSYMS}"))?;
        let name = line.split_whitespace().nth(2).unwrap_or_default();
        // With the forms that the compiler makes of a function.
        if wanted.contains(name.split('.').next().unwrap_or_default()) {
            writeln!(kept, "{line}")?;
        }
    }
    fs::write(KEPT, kept).with_context(|| format!("cannot write {KEPT}"))
}

/// The file with them, where a guest's tests have begun with [`keep`].
pub(crate) fn kept() -> Option<&'static str> {
    fs::exists(KEPT).is_ok_and(|there| there).then_some(KEPT)
}
