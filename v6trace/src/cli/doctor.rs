//! `v6trace doctor`: what live tracing finds on this machine, by trying it.

mod coverage;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    thread,
};

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde_json::{Value, json};

use super::{options, trace_options::TraceOptions};
use crate::{
    attach::{self, AttachError, Attached},
    confine::{self, Confined},
    coverage::Coverage,
    observe::{Hazard, hazards},
    privilege::{Kprobes, Lockdown, Obstacle, Privileges, kept},
};

/// Arguments of `v6trace doctor`.
#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    trace: TraceOptions,
}

/// What was found.
struct Findings {
    privileges: Privileges,
    obstacles: Vec<Obstacle>,
    hazards: Vec<Hazard>,
    /// What holds a process that reads recordings; `None` where that could not be tried.
    confined: Option<Confined>,
    /// Where the kernel's types are read.
    btf: PathBuf,
    attached: Result<Coverage, AttachError>,
}

impl Doctor {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        self.trace.start_log();
        let privileges = Privileges::read();
        let options = self.trace.attach(false, false);
        let findings = Findings {
            obstacles: privileges.obstacles(),
            hazards: hazards(),
            // Tried by a thread that is of no other use then.
            confined: thread::spawn(|| confine::to_reading(&[])).join().ok(),
            privileges,
            btf: options.btf().to_owned(),
            // Attached for a moment: no other answer is as good.
            attached: attach::attach(&options, |_| Ok(()))
                .map(|(Attached { coverage, .. }, ())| coverage),
        };
        if self.json {
            writeln!(io::stdout().lock(), "{}", findings.json())?;
        } else {
            findings.print(&mut options::stdout())?;
        }
        Ok(if findings.attached.is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Findings {
    fn capabilities(&self) -> Vec<(&'static str, bool)> {
        use caps::Capability::{CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN, CAP_SYS_PTRACE, CAP_SYSLOG};
        [
            ("CAP_BPF", CAP_BPF),
            ("CAP_PERFMON", CAP_PERFMON),
            ("CAP_SYS_ADMIN", CAP_SYS_ADMIN),
            ("CAP_SYS_PTRACE", CAP_SYS_PTRACE),
            ("CAP_SYSLOG", CAP_SYSLOG),
        ]
        .map(|(name, capability)| (name, self.privileges.has(capability)))
        .to_vec()
    }

    fn coverage(&self) -> Option<&Coverage> {
        match &self.attached {
            Ok(coverage) => Some(coverage),
            Err(error) => error.coverage(),
        }
    }

    fn json(&self) -> Value {
        let coverage = self.coverage();
        let error = self.attached.as_ref().err().map(ToString::to_string);
        let hazards: Vec<Value> = self
            .hazards
            .iter()
            .map(|found| json!({ "what": found.what, "fix": found.fix }))
            .collect();
        let obstacles: Vec<Value> = self
            .obstacles
            .iter()
            .map(|found| json!({ "what": found.what, "fix": found.fix, "blocks": found.blocks }))
            .collect();
        json!({
            "type": "doctor",
            "ok": self.attached.is_ok(),
            "version": env!("CARGO_PKG_VERSION"),
            "kernel": self.privileges.caller.kernel_release,
            "architecture": self.privileges.caller.architecture,
            "btf": self.btf.exists(),
            "kprobes": kprobes(self.privileges.kprobes),
            "lockdown": lockdown(self.privileges.lockdown),
            "kept": self.kept(),
            "confinement": self.confined.map(|confined| json!({
                "landlock": confined.landlock,
                "capabilities": confined.capabilities.then_some(["CAP_DAC_READ_SEARCH"]),
            })),
            "capabilities": self.capabilities().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            "obstacles": obstacles,
            "hazards": hazards,
            "coverage": coverage.map(|coverage| &coverage.hooks),
            "left_out": coverage.map(|coverage| &coverage.left_out),
            "absent": coverage.map(|coverage| &coverage.absent),
            "error": error,
        })
    }

    /// What is wrong and how to mend it, the facts, and the verdict.
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let bad = AnsiColor::Red.on_default().bold();
        let careful = AnsiColor::Yellow.on_default().bold();
        let good = AnsiColor::Green.on_default().bold();
        for obstacle in &self.obstacles {
            writeln!(out, "{bad}problem{bad:#}        {}", obstacle.what)?;
            writeln!(out, "  fix          {}", obstacle.fix)?;
        }
        for hazard in &self.hazards {
            writeln!(out, "{careful}hazard{careful:#}         {}", hazard.what)?;
            writeln!(out, "  fix          {}", hazard.fix)?;
        }
        self.print_machine(out)?;
        if let Some(coverage) = self.coverage() {
            coverage::print(out, coverage)?;
        }
        match &self.attached {
            Ok(_) => writeln!(out, "{good}live tracing works here{good:#}")?,
            Err(AttachError::Nothing { .. }) => writeln!(
                out,
                "{bad}live tracing does not work here{bad:#}: no hook could be attached"
            )?,
            Err(error) => writeln!(out, "{bad}live tracing does not work here{bad:#}: {error}")?,
        }
        out.flush()
    }

    /// What a tracer has left once it is attached.
    fn kept(&self) -> Vec<String> {
        let kept = kept::KEPT.into_iter();
        let kept = kept.filter(|one| self.privileges.has(*one));
        kept.map(|one| one.to_string()).collect()
    }

    /// What holds a process that reads recordings, should one of them be hostile.
    fn confinement(&self) -> String {
        let landlock = self.confined.and_then(|confined| confined.landlock);
        let landlock = match landlock {
            Some(version) => format!("read within Landlock {version}"),
            None => "read without Landlock, which the kernel lacks".to_owned(),
        };
        let gives_up = self.confined.is_some_and(|confined| confined.capabilities);
        let capabilities = if gives_up {
            "at most CAP_DAC_READ_SEARCH"
        } else {
            "all capabilities: they cannot be given up"
        };
        format!("{landlock}, with {capabilities}")
    }

    /// What this machine offers, and what this process may do on it.
    fn print_machine(&self, out: &mut impl Write) -> io::Result<()> {
        let caller = &self.privileges.caller;
        line(
            out,
            "kernel",
            &format!("{} {}", caller.kernel_release, caller.architecture),
        )?;
        let mut btf = self.btf.to_string_lossy().into_owned();
        if !self.btf.exists() {
            btf += " is not there; give another with --btf FILE";
        }
        line(out, "BTF", &btf)?;
        line(out, "kprobes", kprobes(self.privileges.kprobes))?;
        line(out, "lockdown", lockdown(self.privileges.lockdown))?;
        line(
            out,
            "once attached",
            &format!("keeps {}", self.kept().join(" ")),
        )?;
        line(out, "recordings", &self.confinement())?;
        let (have, lack): (Vec<_>, Vec<_>) =
            self.capabilities().into_iter().partition(|&(_, has)| has);
        let names = |list: Vec<(&'static str, bool)>| {
            list.into_iter()
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let mut capabilities = if have.is_empty() {
            "none".to_owned()
        } else {
            names(have)
        };
        if !lack.is_empty() {
            capabilities += &format!(" (not {})", names(lack));
        }
        line(out, "capabilities", &capabilities)
    }
}

fn line(out: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
    let dim = Style::new().dimmed();
    writeln!(out, "{dim}{label:<13}{dim:#}  {text}")
}

fn kprobes(kprobes: Kprobes) -> &'static str {
    match kprobes {
        Kprobes::Available => "available",
        Kprobes::Disarmed => "switched off",
        Kprobes::Missing => "not in this kernel",
        Kprobes::Unknown => "unknown, /sys does not tell",
    }
}

fn lockdown(lockdown: Lockdown) -> &'static str {
    match lockdown {
        Lockdown::None => "none",
        Lockdown::Integrity => "integrity",
        Lockdown::Confidentiality => "confidentiality",
        Lockdown::Unknown => "unknown, securityfs does not tell",
    }
}
