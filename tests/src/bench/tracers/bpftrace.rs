//! bpftrace, with a script that does what v6trace does as far as that goes:
//! it prints joins that fail, and otherwise every call with its values.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use v6trace::btf::{Btf, KERNEL_BTF};

use crate::bench::hooks;

use super::{DIRECTORY, Purpose, Ready, Recorded, Stop, Tracer, output, ready_command, size};

pub(super) const TRACER: Tracer = Tracer {
    name: "bpftrace",
    define: write_script,
    command,
    ways: |_| (Ready::RunsCommand, Stop::Interrupt),
    recorded,
    explained: None,
};

/// The script; in capitals what depends on the kernel and the purpose.
const SCRIPT: &str = include_str!("v6.bt");

fn path() -> String {
    format!("{DIRECTORY}/v6.bt")
}

fn write_script(purpose: Purpose) -> Result<()> {
    let script = match purpose {
        Purpose::Hooks(count) => counting_script(count)?,
        Purpose::Explain | Purpose::Router | Purpose::Command => {
            joins_script("(int32)retval != 0")?
        }
        Purpose::Record => joins_script("1")?,
    };
    fs::write(path(), script).with_context(|| format!("cannot write {}", path()))
}

/// Counts what so many hooks see.
fn counting_script(count: usize) -> Result<String> {
    let mut script = String::new();
    for probe in hooks::probes(count)? {
        let function = probe.function;
        script += &format!("kprobe:{function} {{ @[\"{function}\"] = count(); }}\n");
        if probe.returns {
            script += &format!("kretprobe:{function} {{ @[\"{function}\"] = count(); }}\n");
        }
    }
    Ok(script)
}

/// Prints the joins that are wanted, by this condition.
fn joins_script(wanted: &str) -> Result<String> {
    let btf = Btf::load(KERNEL_BTF.as_ref()).context("cannot read the kernel's BTF")?;
    let optmem_max = if btf.member("net.core.sysctl_optmem_max").is_ok() {
        "((struct sock *)arg0)->__sk_common.skc_net.net->core.sysctl_optmem_max"
    } else {
        // Older kernels have one limit for all.
        r#"*(int32 *)kaddr("sysctl_optmem_max")"#
    };
    Ok(SCRIPT
        .replace("OPTMEM_MAX", optmem_max)
        .replace("WANTED", wanted))
}

#[expect(clippy::unnecessary_wraps, reason = "as every tracer's")]
fn command(_purpose: Purpose) -> Result<Command> {
    let mut command = Command::new("bpftrace");
    command.args(["-c", &ready_command().join(" "), &path()]);
    Ok(command)
}

fn recorded() -> Result<Recorded> {
    let text = fs::read(output(TRACER.name, "out"))?;
    let text = String::from_utf8_lossy(&text);
    let joins = text
        .lines()
        .filter(|line| line.starts_with("join "))
        .count();
    let said = fs::read(output(TRACER.name, "err"))?;
    let said = String::from_utf8_lossy(&said);
    let lost = said
        .lines()
        .chain(text.lines())
        .filter_map(|line| {
            let count = line.strip_prefix("Lost ")?.split(' ').next()?;
            count.parse::<u64>().ok()
        })
        .sum();
    Ok(Recorded {
        joins: joins as u64,
        bytes: size(TRACER.name, "out")?,
        lost: Some(lost),
    })
}
