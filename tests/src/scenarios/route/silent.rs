//! What is no news, and what is told once.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::{BEHIND, Host};
use crate::guest::{Diagnosis, Netns, Tracing, finish};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("route-refused-not-by-kernel", kernels_own),
    scenario("route-exists-once-for-a-process", answers),
    scenario("route-exists-of-each-prefix", each),
    scenario("route-gateway-not-on-link-storm", storm),
];

/// What the kernel tries by itself, and what succeeds.
fn kernels_own() -> Result<()> {
    let host = Host::new("own-tries")?;
    let tracer = Tracing::start()?;
    // Its own prefix route is there when the second address comes.
    for address in ["fd00:60::1/64", "fd00:60::2/64"] {
        host.netns
            .ip(&format!("address add {address} dev v1 nodad"))?;
    }
    host.route(&format!("replace {BEHIND} via fe80::9 dev v0"))?;
    host.route(&format!("replace {BEHIND} via fe80::8 dev v0"))?;
    host.route(&format!("append {BEHIND} via fe80::7 dev v1"))?;
    host.route(&format!("del {BEHIND} via fe80::8"))?;
    host.netns.ip("link set v1 down")?;
    host.netns.ip("link set v1 up")?;
    host.netns.ip("link set v1 mtu 1279")?;
    host.netns.ip("link set v1 mtu 1500")?;
    host.netns.set_sysctl("ipv6/conf/v1/disable_ipv6", "1")?;
    host.netns.ip("link del v1")?;
    tracer.finish()?.silent()
}

/// Sends the same request many times from one process, whatever the answers.
fn batch(netns: &Netns, line: &str, count: usize) -> Result<()> {
    send(netns, &format!("{line}\n").repeat(count))
}

/// Sends these requests from one process, of which some are refused.
fn send(netns: &Netns, lines: &str) -> Result<()> {
    let file = format!("/run/{}.batch", netns.name());
    std::fs::write(&file, lines).with_context(|| format!("cannot write {file}"))?;
    let words = netns.ip_words(&format!("-6 -force -batch {file}"));
    let mut ip = Command::new("ip");
    ip.args(words.split_whitespace()).stderr(Stdio::null());
    let done = finish(&mut ip, Duration::from_secs(30))?;
    ensure!(!done.status.success(), "nothing was refused: {done}");
    Ok(())
}

/// A daemon that adds what is there, and deletes what is not, is told of once.
fn answers() -> Result<()> {
    let host = Host::new("idempotent")?;
    host.route(&format!("add {BEHIND} via fe80::9 dev v0"))?;
    let tracer = Tracing::start()?;
    let add = format!("route add {BEHIND} via fe80::9 dev v0");
    batch(&host.netns, &add, 100)?;
    batch(&host.netns, "route del fd00:5d::/64", 100)?;
    // Another process.
    batch(&host.netns, &add, 100)?;
    let report = tracer.finish()?;
    report.complete()?;
    let causes: Vec<_> = report.diagnoses.iter().map(Diagnosis::cause).collect();
    ensure!(
        causes == ["route-exists", "route-absent", "route-exists"],
        "it says {causes:?}"
    );
    Ok(())
}

/// One process asks twice for more routes than it is told of one by one: some are, and the
/// last says how many were not.
fn each() -> Result<()> {
    const ROUTES: usize = 40;
    const MOST: usize = 4;
    let host = Host::new("each")?;
    let adds: Vec<_> = (1..=ROUTES)
        .map(|n| format!("route add fd00:6b:1:{n:x}::/64 via fe80::9 dev v0\n"))
        .collect();
    for add in &adds {
        host.netns.ip(&format!("-6 {}", add.trim()))?;
    }
    let tracer = Tracing::start()?;
    send(&host.netns, &adds.concat().repeat(2))?;
    // What is not there, by another process: no more than are told.
    let absent: Vec<_> = (0..MOST)
        .map(|n| format!("route del fd00:6c:0:{n:x}::/64\n"))
        .collect();
    send(&host.netns, &absent.concat())?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(MOST + 1 + MOST)?;
    let of = |cause: &str| -> Vec<&Diagnosis> {
        let told = report.diagnoses.iter();
        told.filter(|it| it.cause() == cause).collect()
    };
    ensure!(of("route-absent").len() == MOST, "{:?}", report.diagnoses);
    let exists = of("route-exists");
    for (n, diagnosis) in exists.iter().take(MOST).enumerate() {
        diagnosis
            .expect()
            .field("address", format!("fd00:6b:1:{:x}::", n + 1))
            .field("confidence", "certain")
            .check()?;
    }
    // Those that were told are not among them, whether asked for again or not.
    let held_back = (ROUTES - MOST) * 2;
    exists[MOST]
        .expect()
        .field("severity", "notice")
        .field("confidence", "likely")
        .field("fix", serde_json::json!([]))
        .evidence(
            "request",
            format!("fd00:6b:1:{ROUTES:x}::/64 via fe80::9 dev v0"),
        )
        .evidence("suppressed", held_back - 1)
        .summary_has(["EEXIST", &format!("the last of {held_back} such requests")])
        .check()
}

/// Refused by hundreds from many: a process's limit holds, and the namespace's own.
fn storm() -> Result<()> {
    let host = Host::new("storm")?;
    let tracer = Tracing::start()?;
    let add = format!("route add {BEHIND} via fd00:99::1 dev v0");
    let started = Instant::now();
    for _ in 0..12 {
        batch(&host.netns, &add, 100)?;
    }
    // 16 at once, and once more for each ten seconds that it takes.
    let windows = usize::try_from(started.elapsed().as_secs() / 10)? + 1;
    let most = windows * 16;
    let report = tracer.finish()?;
    report.complete()?;
    let told = report.diagnoses.len();
    ensure!(
        (16..=most).contains(&told),
        "it says {told} things, {most} at most"
    );
    let mut of_processes: BTreeMap<u64, usize> = BTreeMap::new();
    for pid in report
        .diagnoses
        .iter()
        .filter_map(|it| it.field("pid").as_u64())
    {
        *of_processes.entry(pid).or_default() += 1;
    }
    ensure!(
        !of_processes.is_empty() && of_processes.values().all(|&count| count <= 8),
        "of processes it says {of_processes:?}"
    );
    let mut diagnoses = report.diagnoses.iter();
    ensure!(
        diagnoses.all(|it| it.cause() == "route-gateway-not-on-link"),
        "something else is told"
    );
    Ok(())
}
