//! What `v6trace check` finds on the guest as it is.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::{Diagnosis, Finished, Netns, finish, v6trace};

/// How long a check may take.
const CHECK: Duration = Duration::from_secs(20);

/// The findings of one run.
pub(crate) struct Checked {
    findings: Vec<Diagnosis>,
}

impl Checked {
    /// Runs it.
    ///
    /// # Errors
    /// It fails, its stream is not what it promises, or its exit status is not that of
    /// what it found.
    pub(crate) fn now() -> Result<Self> {
        Self::with(&[])
    }

    /// The same with more arguments.
    pub(crate) fn with(more: &[&str]) -> Result<Self> {
        let args = [&["check", "--json", "--exit-code"], more].concat();
        let run = finish(&mut v6trace(&args), CHECK)?;
        let status = run.status.code();
        let checked = Self::parse(&run)?;
        let wanted = if checked.findings.is_empty() { 0 } else { 3 };
        ensure!(
            status == Some(wanted),
            "the exit status is not {wanted}: {run}"
        );
        Ok(checked)
    }

    /// What a run printed, or the replay of a recording.
    pub(crate) fn parse(run: &Finished) -> Result<Self> {
        let lines = run.stdout.lines().map(serde_json::from_str);
        let objects = lines.collect::<Result<Vec<Value>, _>>();
        let mut objects = objects.with_context(|| format!("not JSON: {run}"))?;
        let summary = objects
            .pop()
            .with_context(|| format!("no summary: {run}"))?;
        ensure!(
            objects
                .first()
                .is_some_and(|first| first["type"] == "session"),
            "the session is not first: {run}"
        );
        let mut findings: Vec<_> = objects.drain(1..).collect();
        // Of a piece that is replayed alone: that others were not given.
        findings.retain(|found| found["type"] != "missing");
        ensure!(
            findings.iter().all(|found| found["type"] == "finding"),
            "something else than findings: {run}"
        );
        ensure!(
            summary["type"] == "summary" && summary["findings"] == findings.len(),
            "another number is summed up: {run}"
        );
        ensure!(summary["unseen"].is_null(), "not all was seen: {run}");
        Ok(Self {
            findings: findings.into_iter().map(Diagnosis::new).collect(),
        })
    }

    /// What is the matter in a namespace.
    pub(crate) fn of(&self, netns: &Netns) -> Vec<&Diagnosis> {
        let inode = Value::from(netns.inode());
        let findings = self.findings.iter();
        findings
            .filter(|found| *found.field("netns") == inode)
            .collect()
    }

    /// The one thing that is the matter in a namespace.
    ///
    /// # Errors
    /// There is nothing, something else, or more.
    pub(crate) fn only(&self, netns: &Netns, cause: &str) -> Result<&Diagnosis> {
        match self.of(netns)[..] {
            [found] if found.cause() == cause => Ok(found),
            ref others => bail!("expected one {cause}: {others:#?}"),
        }
    }

    /// Checks that nothing is the matter in a namespace.
    pub(crate) fn silent(&self, netns: &Netns) -> Result<()> {
        let found = self.of(netns);
        ensure!(found.is_empty(), "nothing was to be found: {found:#?}");
        Ok(())
    }
}
