//! What is no news, what is told once, and what is held back.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::Host;
use crate::guest::{Netlink, Tracing, finish};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("request-refused-not-by-probes", probes),
    scenario("request-refused-once-for-a-process", answers),
    scenario("request-refused-exists-each", each),
    scenario("request-refused-storm", storm),
];

/// What `ip` asks first, what is granted, and what is no request of IPv6.
fn probes() -> Result<()> {
    let host = Host::new("probes")?;
    let tracer = Tracing::start()?;
    for words in [
        "link set v1 mtu 1400",
        "link set v1 alias uplink",
        "link set v1 addrgenmode none",
        "link set v1 addrgenmode eui64",
        "link add br0 type bridge",
        "link set v1 master br0",
        "link set v1 nomaster",
        "link del br0",
        "-6 route replace fd00:5c::/64 via fe80::9 dev v0",
        "-6 route replace fd00:5c::/64 via fe80::8 dev v0",
        "-6 rule add pref 77 from fd00:5c::/64 lookup 100",
        "-6 rule del pref 77",
        "-6 neigh replace fd00:5a::9 lladdr 02:00:00:00:00:01 dev v0",
        "-6 neigh replace fd00:5a::9 lladdr 02:00:00:00:00:02 dev v0",
        "-6 neigh del fd00:5a::9 dev v0",
        "-6 neigh flush dev v0",
        "-6 nexthop replace id 5 via fe80::9 dev v0",
        "-6 nexthop replace id 5 via fe80::8 dev v0",
        "nexthop del id 5",
        "addrlabel add prefix fd00:5c::/64 label 99",
        "addrlabel del prefix fd00:5c::/64 label 99",
        "-6 address replace fd00:5a::7/64 dev v0",
        "-6 address flush dev v1",
        "-6 address show",
        "-6 route show table all",
        "-6 rule show",
        "-d link show",
        "monitor help",
    ] {
        // The last shows how it is called, and calls that an error.
        let done = host.netns.ip(words);
        ensure!(done.is_ok() || words == "monitor help", "{done:?}");
    }
    for words in [
        "rule add pref 9 from 10.0.0.0/8 goto 5",
        "neigh del 10.90.0.9 dev v0",
        "address del 10.90.0.9/24 dev v0",
        "route del 10.91.0.0/16",
        "link add v0 type dummy",
        "link set v0 master v1",
        "-6 route show table 12345",
    ] {
        host.fails(words)?;
    }
    tracer.finish()?.silent()
}

/// Sends the same request many times from one process, whatever the answers.
fn batch(host: &Host, line: &str, count: usize) -> Result<()> {
    send(host, &format!("{line}\n").repeat(count))
}

/// Sends these requests from one process, of which some are refused.
fn send(host: &Host, lines: &str) -> Result<()> {
    let file = format!("/run/{}.batch", host.netns.name());
    std::fs::write(&file, lines).with_context(|| format!("cannot write {file}"))?;
    let words = host.netns.ip_words(&format!("-6 -force -batch {file}"));
    let mut ip = Command::new("ip");
    ip.args(words.split_whitespace()).stderr(Stdio::null());
    let done = finish(&mut ip, Duration::from_secs(30))?;
    ensure!(!done.status.success(), "nothing was refused: {done}");
    Ok(())
}

/// A daemon that adds what is there, and deletes what is not, is told of once for each.
fn answers() -> Result<()> {
    let host = Host::new("answers")?;
    let rule = "rule add pref 77 from fd00:5c::/64 lookup 100";
    host.netns.ip(&format!("-6 {rule}"))?;
    let tracer = Tracing::start()?;
    batch(&host, rule, 100)?;
    batch(&host, "neigh del fd00:5a::8 dev v0", 100)?;
    // Another process.
    batch(&host, rule, 100)?;
    let report = tracer.finish()?;
    report.complete()?;
    let told: Vec<_> = report
        .diagnoses
        .iter()
        .map(|it| it.field("operation"))
        .collect();
    ensure!(
        told == ["rule-add", "neighbour-delete", "rule-add"],
        "it says {told:?}"
    );
    Ok(())
}

/// Rules of one process that are there already, with another priority each: more than are
/// told one by one, and what is more is told at the end.
fn each() -> Result<()> {
    const RULES: usize = 9;
    const MOST: usize = 4;
    let host = Host::new("each-rule")?;
    let rule = |n| format!("pref {} from fd00:5c::/64 lookup 100", 70 + n);
    let adds: Vec<_> = (0..RULES)
        .map(|n| format!("rule add {}\n", rule(n)))
        .collect();
    for add in &adds {
        host.netns.ip(&format!("-6 {}", add.trim()))?;
    }
    let tracer = Tracing::start()?;
    send(&host, &adds.concat())?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(MOST + 1)?;
    let asked = (0..MOST).chain([RULES - 1]);
    for (diagnosis, n) in report.diagnoses.iter().zip(asked) {
        host.expect(diagnosis, "notice", "rule-add", "EEXIST", &rule(n))
            .check()?;
    }
    report.diagnoses[MOST]
        .expect()
        .evidence("suppressed", RULES - MOST - 1)
        .summary_has([&format!("the last of {} such requests", RULES - MOST)])
        .check()
}

/// Ten thousand refusals from one process as fast as it goes, and one when its time is over:
/// of the process so many are told, that one says how many were not, and nothing is lost.
fn storm() -> Result<()> {
    const REFUSED: usize = 10_000;
    const RTM_NEWRULE: u16 = 32;
    const MOST: usize = 8;
    const AGAIN: Duration = Duration::from_secs(10);
    let host = Host::new("flood")?;
    let mut netlink = Netlink::open(&host.netns)?;
    // A rule that goes nowhere (FR_ACT_GOTO without FRA_GOTO).
    let mut fails = || -> Result<()> {
        let errno = netlink.ask(RTM_NEWRULE, 0x400, &[10, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0])?;
        ensure!(errno == libc::EINVAL, "the kernel says {errno}");
        Ok(())
    };
    let tracer = Tracing::start()?;
    let started = Instant::now();
    for _ in 0..REFUSED {
        fails()?;
    }
    let is_one_window = started.elapsed() < AGAIN;
    sleep(AGAIN + Duration::from_millis(100));
    fails()?;
    let report = tracer.finish()?;
    report.complete()?;
    let mut diagnoses = report.diagnoses.iter();
    ensure!(
        diagnoses.all(|it| it.cause() == "request-refused"),
        "something else is told"
    );
    if is_one_window {
        report.count(MOST + 1)?;
    }
    let told = report.diagnoses.iter().map(|it| {
        let held_back = it.evidence("suppressed").and_then(Value::as_u64);
        1 + held_back.unwrap_or_default()
    });
    let told: u64 = told.sum();
    ensure!(
        told == u64::try_from(REFUSED)? + 1,
        "{told} of {REFUSED} and one are told or counted"
    );
    Ok(())
}
