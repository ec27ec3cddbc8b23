//! Kernels and users that do not let v6trace do everything: it says so, and
//! does the rest.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use v6trace::btf::KERNEL_BTF;
use v6trace_common::HOOKS;

use super::{Full, expect_join};
use crate::guest::{
    Finished, MulticastSocket, Netns, OptmemMax, Tracer, Tracing, finish, join_until_refused,
    v6trace,
};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone(
        "optmem-exhausted-without-sock-kmalloc",
        without_sock_kmalloc,
    ),
    alone("optmem-exhausted-by-kprobes", by_kprobes),
    scenario("degraded-without-any-hook", without_any_hook),
    scenario("degraded-corrupt-btf", corrupt_btf),
    scenario("degraded-unprivileged", unprivileged),
    scenario("degraded-doctor", doctor),
];

/// How long v6trace may take to say that it cannot work.
const LIMIT: Duration = Duration::from_secs(40);

/// `nobody` of every Unix.
const NOBODY: u32 = 65534;

/// A file that is gone when the scenario is.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, content: impl AsRef<[u8]>) -> Result<Self> {
        let path = PathBuf::from("/tmp").join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(path))
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A copy of the kernel's symbols in which these functions do not exist.
fn symbols_without(functions: &[String]) -> Result<Temporary> {
    let symbols = fs::read_to_string("/proc/kallsyms").context("cannot read /proc/kallsyms")?;
    let mut kept = String::with_capacity(symbols.len());
    for line in symbols.lines() {
        let name = line.split_whitespace().nth(2).unwrap_or_default();
        if !functions.iter().any(|function| function == name) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    Temporary::new("kallsyms", kept)
}

/// v6trace's command line, which is to fail with status 1.
fn fails(args: &[&str]) -> Result<Finished> {
    let done = finish(&mut v6trace(args), LIMIT)?;
    ensure!(done.status.code() == Some(1), "{args:?}: {done}");
    Ok(done)
}

/// What `doctor --json` says, whatever its exit status.
fn doctors_report(done: &Finished) -> Result<Value> {
    serde_json::from_str(&done.stdout).with_context(|| format!("no JSON object: {done}"))
}

/// One helpful hook is missing: the values are exact all the same.
fn without_sock_kmalloc() -> Result<()> {
    let symbols = symbols_without(&["sock_kmalloc".to_owned()])?;
    exhaust(&["--kallsyms", symbols.name()], |coverage| {
        coverage["status"] == "missing"
    })
}

/// The running kernel's own BTF, but given as a file: no trampolines.
fn by_kprobes() -> Result<()> {
    exhaust(&["--btf", KERNEL_BTF], |coverage| {
        coverage["via"] == "kprobe"
    })
}

/// Exhausts a socket and wants exact values, and `sock_kmalloc` covered as
/// `fits` says.
fn exhaust(arguments: &[&str], fits: impl Fn(&Value) -> bool) -> Result<()> {
    let netns = Netns::new("half")?;
    let interface = netns.dummy("d0")?;
    let limit = OptmemMax::set(&netns, 6000)?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracer::start(arguments)?;
    let joins = join_until_refused(&socket, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
    let report = tracer.finish()?;
    report.complete()?;
    let coverage = report.coverage_of("sock_kmalloc")?;
    ensure!(fits(coverage), "{coverage}");
    let full = Full::of(&joins, &socket, &limit)?;
    full.expect(expect_join(
        report.only("optmem-exhausted")?,
        &netns,
        &interface,
        &joins.refused,
    ))
    .check()
}

/// Nothing can be traced: that is an error, and not silence.
fn without_any_hook() -> Result<()> {
    // The fallbacks must go as well.
    let candidates = HOOKS.iter().flat_map(|hook| hook.candidates);
    let functions: Vec<_> = candidates
        .map(|candidate| candidate.function.to_owned())
        .collect();
    let symbols = symbols_without(&functions)?;
    let done = fails(&["live", "--kallsyms", symbols.name()])?;
    ensure!(done.stderr.contains("__ipv6_sock_mc_join"), "{done}");
    ensure!(!done.stderr.contains("v6trace: ready"), "{done}");

    let arguments = ["doctor", "--kallsyms", symbols.name()];
    let text = fails(&arguments)?.stdout;
    for words in [
        "missing    __ipv6_sock_mc_join",
        "no hook could be attached",
    ] {
        ensure!(text.contains(words), "{text}");
    }
    let found = doctors_report(&fails(&[&arguments[..], &["--json"]].concat())?)?;
    ensure!(found["ok"] == false, "{found}");
    let hooks = found["coverage"].as_array().map(Vec::as_slice);
    let missing = |hook: &Value| hook["status"] == "missing";
    ensure!(
        hooks.is_some_and(|hooks| !hooks.is_empty() && hooks.iter().all(missing)),
        "{found}"
    );
    Ok(())
}

/// A type description that is damaged, each in its own way, is refused by name.
fn corrupt_btf() -> Result<()> {
    let btf = fs::read("/sys/kernel/btf/vmlinux").context("cannot read the kernel's BTF")?;
    let mut no_magic = btf[..btf.len().min(4096)].to_vec();
    no_magic[0] ^= 0xff;
    let mut long_strings = btf[..btf.len().min(100_000)].to_vec();
    // str_len, the last word of the header, reaches beyond the end.
    long_strings[20..24].copy_from_slice(&u32::MAX.to_le_bytes());
    let cases = [
        ("btf-empty", Vec::new()),
        ("btf-header", btf[..11].to_vec()),
        ("btf-half", btf[..btf.len() / 2].to_vec()),
        ("btf-magic", no_magic),
        ("btf-strings", long_strings),
    ];
    for (name, content) in cases {
        let file = Temporary::new(name, content)?;
        let done = fails(&["live", "--btf", file.name()])?;
        ensure!(done.stderr.contains(file.name()), "{name}: {done}");
        ensure!(!done.stderr.contains("panicked"), "{name}: {done}");
    }
    Ok(())
}

/// A user without capabilities learns which ones are missing.
fn unprivileged() -> Result<()> {
    for args in [&["live"][..], &["live", "--json"], &["doctor"]] {
        let done = finish(v6trace(args).uid(NOBODY).gid(NOBODY), LIMIT)?;
        ensure!(done.status.code() == Some(1), "{args:?}: {done}");
        let said = format!("{}{}", done.stdout, done.stderr).to_uppercase();
        ensure!(said.contains("CAP_BPF"), "{args:?}: {done}");
        ensure!(said.contains("CAP_PERFMON"), "{args:?}: {done}");
    }
    Ok(())
}

/// On a healthy machine the doctor is content and lists every hook.
fn doctor() -> Result<()> {
    let text = finish(&mut v6trace(&["doctor"]), LIMIT)?;
    ensure!(text.status.success(), "{text}");
    let json = finish(&mut v6trace(&["doctor", "--json"]), LIMIT)?;
    ensure!(json.status.success(), "{json}");
    let report = doctors_report(&json)?;
    let kernel = rustix::system::uname();
    let kernel = kernel.release().to_string_lossy().into_owned();
    ensure!(report["kernel"] == kernel.as_str(), "{report}");
    ensure!(text.stdout.contains(&kernel), "{text}");
    // Attached for real, the same hooks are there.
    let session = Tracing::start()?.finish()?.session;
    let of_session = session["coverage"].as_array().cloned().unwrap_or_default();
    let of_doctor = report["coverage"].as_array().cloned().unwrap_or_default();
    ensure!(!of_session.is_empty(), "{session}");
    for line in &of_session {
        // A hook may be served by a second choice on some kernels.
        let served = ["attached", "fallback"].map(Value::from);
        ensure!(served.contains(&line["status"]), "{line}");
        let same = of_doctor
            .iter()
            .any(|other| other["hook"] == line["hook"] && other["function"] == line["function"]);
        ensure!(same, "the doctor does not list {line}: {report}");
        let function = line["function"].as_str().unwrap_or_default();
        ensure!(text.stdout.contains(function), "{function}: {text}");
    }
    Ok(())
}
