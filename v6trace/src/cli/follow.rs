//! The processes that `v6trace why` is about: where the kernel side begins to follow
//! them, and how long that goes on.

use std::{cell::Cell, fs, io::Write as _, process, time::Duration};

use anyhow::{Context as _, bail};
use aya::maps::HashMap;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::sleep,
};
use v6trace_common::families::process::{IS_FOLLOWED, START, STARTS};

use super::{command::Traced, options, stop::Stop};
use crate::{
    attach::Attached, clock, families::process::Following, observe::descendants,
    privilege::PidNamespace, render::Render, report::Report,
};

/// What is followed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Follow {
    /// The command that v6trace will run.
    Command,
    /// A process that runs, and what has come of it already.
    Process(u32),
}

impl Follow {
    /// The command, or the process with this id.
    pub(super) fn new(process: Option<u32>) -> anyhow::Result<Self> {
        if PidNamespace::read() == PidNamespace::Nested {
            bail!(
                "this is a process-id namespace of its own (a container), whose ids are not \
                 those that the kernel tells: run v6trace on the host itself, with -p or \
                 `nsenter`, or the container with --pid=host"
            );
        }
        let Some(id) = process else {
            return Ok(Self::Command);
        };
        let status = fs::read_to_string(format!("/proc/{id}/status"));
        let status = status.with_context(|| format!("there is no process {id}"))?;
        // It may be the id of a thread.
        let group = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
        let group = group.and_then(|group| group.trim().parse().ok());
        Ok(Self::Process(group.unwrap_or(id)))
    }

    /// Has the kernel side follow them, once every hook is attached.
    pub(super) fn begin(
        self,
        attached: &mut Attached,
        command: Option<&Traced>,
    ) -> anyhow::Result<Following> {
        if !attached.coverage.has(START) {
            bail!(
                "without the hook {} no process can be followed; `v6trace doctor` says why it \
                 is not there",
                START.info().name
            );
        }
        let map = attached.ebpf.map_mut("FOLLOWED");
        let map = map.context("the programs have no FOLLOWED map")?;
        let mut followed: HashMap<_, u32, u32> = HashMap::try_from(map)?;
        let mut processes = Vec::new();
        match self {
            // What v6trace starts is the command, and v6trace is no part of it.
            Self::Command => followed.insert(process::id(), STARTS, 0)?,
            Self::Process(id) => {
                let mut found = vec![id];
                // What they start meanwhile is followed by then, or is found next.
                while found.len() > processes.len() {
                    for process in &found {
                        followed.insert(process, IS_FOLLOWED, 0)?;
                    }
                    processes = found;
                    found = descendants(&processes);
                }
            }
        }
        Ok(Following {
            boot_ns: clock::boot_ns(),
            command: command.map(Traced::name),
            processes,
        })
    }

    /// Waits until the process has ended, or somebody wants an end.
    pub(super) async fn ended(self, stop: &mut Stop) {
        tokio::select! {
            _ = stop.asked() => {}
            () = self.gone() => {}
        }
    }

    async fn gone(self) {
        let Self::Process(id) = self else {
            return std::future::pending().await;
        };
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
        let opened = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty()));
        let Some(Ok(descriptor)) = opened else {
            // It is gone already.
            return;
        };
        // SAFETY: it owns the one descriptor that it returns, and closes it when it is
        // dropped.
        let descriptor = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
        let Ok(descriptor) = descriptor else {
            return std::future::pending().await;
        };
        let _ = descriptor.readable().await;
    }
}

/// How often it is looked whether the records of what a command did last are explained.
const LOOK: Duration = Duration::from_millis(25);

/// How far what happened is explained.
#[derive(Debug, Default)]
pub(super) struct Explained {
    /// Everything up to then is, nanoseconds since boot.
    pub(super) through_ns: Cell<u64>,
    /// Until when something may come of what it was: where the command fails, and where
    /// it ends well.
    settled_ns: Cell<[u64; 2]>,
}

impl Explained {
    /// Notes what there is to wait for.
    pub(super) fn note(&self, report: &Report<Box<dyn Render>>) {
        self.settled_ns
            .set([false, true].map(|ended_well| report.settled_ns(ended_well)));
    }

    /// Waits until nothing more may come of what the command did, such as a duplicate of
    /// an address that it added; or until somebody wants an end. From then on a second
    /// signal ends v6trace.
    pub(super) async fn settled(&self, ended_well: bool, stop: &mut Stop, quiet: bool) {
        tokio::select! {
            _ = stop.asked() => {}
            () = self.nothing_left(ended_well, quiet) => {}
        }
        if let Err(error) = Stop::arm() {
            log::warn!("a second Ctrl-C does not end v6trace at once: {error}");
        }
    }

    async fn nothing_left(&self, ended_well: bool, quiet: bool) {
        let ended_ns = clock::boot_ns();
        while self.through_ns.get() < ended_ns {
            sleep(LOOK).await;
        }
        let left = || {
            let settled_ns = self.settled_ns.get()[usize::from(ended_well)];
            Duration::from_nanos(settled_ns.saturating_sub(clock::boot_ns()))
        };
        if left().is_zero() {
            return;
        }
        if !quiet {
            // With standard error closed there is nobody to tell.
            let _ = writeln!(
                options::stderr(),
                "v6trace: waits for what may come of it, {} s at most; Ctrl-C ends",
                left().as_secs() + 1
            );
        }
        while !left().is_zero() {
            sleep(left()).await;
        }
    }
}
