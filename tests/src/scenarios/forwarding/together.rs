//! What one write took and gave, in the text that a person reads.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Host;
use crate::guest::{self, Report, Tracer, ip_batch, until};
use crate::scenarios::{Scenario, alone, anycast::ping};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("default-route-purged-among-addresses", among_addresses),
    alone("default-route-purged-told-apart", told_apart),
    alone("subnet-router-anycast-repeats", one_by_one),
];

/// Interfaces beside the uplink, of a router with many customers.
const CUSTOMERS: u32 = 300;

/// What a tracer said: the text, its blanks and line breaks as one blank each, and the
/// report of the same recording.
fn finish(mut tracer: Tracer) -> Result<(String, Report)> {
    let recording = tracer.take_recording().context("nothing is recorded")?;
    let live = tracer.finish_text()?;
    let report = Report::parse(recording.replay(&live)?)?;
    report.complete()?;
    let words: Vec<_> = live.stdout.split_whitespace().collect();
    Ok((words.join(" "), report))
}

/// Waits until no address is under test any more.
fn settled(host: &Host) -> Result<()> {
    let words = host.near.ip_words("-6 address show tentative");
    until("addresses should be usable", Duration::from_secs(8), || {
        let mut ip = Command::new("ip");
        ip.args(words.split_whitespace());
        let shown = guest::finish(&mut ip, Duration::from_secs(5));
        shown.is_ok_and(|shown| shown.status.success() && shown.stdout.is_empty())
    })
}

fn expect(text: &str, blocks: usize, phrases: &[&str]) -> Result<()> {
    let told = text.matches("more v6trace explain").count();
    ensure!(told == blocks, "{told} blocks, not {blocks}: {text}");
    for phrase in phrases {
        ensure!(text.contains(phrase), "no {phrase:?} in {text}");
    }
    Ok(())
}

/// A host with hundreds of interfaces beside the one that leads to its neighbour.
fn with_customers() -> Result<Host> {
    let host = Host::new()?;
    host.far.ip("address add fd00:4::/64 dev w0 nodad")?;
    host.near.ip("address add fd00:4::5/64 dev v0 nodad")?;
    let add = |n| {
        [
            format!("link add c{n} up type dummy"),
            format!("address add fd01:{n:x}::1/64 dev c{n} nodad"),
        ]
    };
    let commands: Vec<_> = (1..=CUSTOMERS).flat_map(add).collect();
    ip_batch(host.near.name(), &commands)?;
    settled(&host)?;
    Ok(host)
}

/// Hundreds of interfaces become routers, and hosts again: a block for each write, which
/// leads with the address that a neighbour has. Programs are told each.
fn among_addresses() -> Result<()> {
    let host = with_customers()?;
    // Among so many, the neighbour's entry does not last.
    ping(&host.near, "fd00:4::".parse()?)?;
    let tracer = Tracer::start(&[])?;
    host.forward("all", "1")?;
    let (text, report) = finish(tracer)?;
    // Those of fd00:4::/64 and of the prefix that is advertised, and the default route.
    report.count(CUSTOMERS as usize + 3)?;
    let routers = format!("{} interfaces that are up became routers", CUSTOMERS + 2);
    let unused = format!("and {} more) and answers for them", CUSTOMERS - 2);
    expect(
        &text,
        1,
        &[
            "HAZARD subnet-router-anycast guest[",
            "guest turned forwarding on (net.ipv6.conf.all.forwarding), so this host now owns \
             fd00:4::, the subnet-router anycast address of fd00:4::/64 on v0,",
            "A neighbour was known to have it so far",
            "The kernel removed the default route that it had learned",
            "the route stays away",
            &format!(
                "This host now owns {} addresses as subnet-router anycast",
                CUSTOMERS + 1
            ),
            "What advertisements gave to v0 runs out, unless somebody else renews it.",
            &unused,
            &routers,
            "in_use 1, default_routes 1",
            "also default-route-purged",
            "net/ipv6/conf/v0/accept_ra=2",
        ],
    )?;
    let tracer = Tracer::start(&[])?;
    host.forward("all", "0")?;
    let (text, report) = finish(tracer)?;
    report.count(CUSTOMERS as usize + 2)?;
    expect(
        &text,
        1,
        &[
            "NOTICE subnet-router-anycast-released guest[",
            &format!(
                "no longer owns {} addresses as subnet-router anycast",
                CUSTOMERS + 2
            ),
            &format!("{} interfaces that are up became hosts", CUSTOMERS + 2),
        ],
    )
}

/// A write that took one thing reads as if it were alone, however soon the next comes;
/// and who wants every event is told each.
fn told_apart() -> Result<()> {
    let host = Host::new()?;
    for (interface, prefix) in [("d0", "fd00:5"), ("d1", "fd00:6"), ("d2", "fd00:7")] {
        if interface != "d0" {
            host.near.dummy(interface)?;
        }
        let words = format!("address add {prefix}::1/64 dev {interface} nodad");
        host.near.ip(&words)?;
    }
    host.near.set_sysctl("ipv6/conf/v0/accept_ra", "2")?;
    settled(&host)?;
    let tracer = Tracer::start(&[])?;
    host.forward("d0", "1")?;
    host.forward("d1", "1")?;
    let (text, report) = finish(tracer)?;
    report.count(2)?;
    expect(
        &text,
        1,
        &[
            "guest turned forwarding on (net/ipv6/conf/d0/forwarding), so this host now owns \
             fd00:5::, the subnet-router anycast address of fd00:5::/64 on d0, and answers for \
             it. Nothing was found that uses it.",
            "1 more like it in",
            ": d1 changed address fd00:6::",
        ],
    )?;
    let tracer = Tracer::start(&["--events"])?;
    host.forward("all", "0")?;
    let (text, report) = finish(tracer)?;
    report.count(2)?;
    expect(&text, 2, &["hosts 2"])?;
    Ok(())
}

/// Hundreds of interfaces that a daemon has forward one after the other are a screen, and the
/// one whose address a neighbour has is told in full among them.
fn one_by_one() -> Result<()> {
    let host = with_customers()?;
    let tracer = Tracer::start(&[])?;
    for n in 1..=CUSTOMERS / 2 {
        host.forward(&format!("c{n}"), "1")?;
    }
    // Among so many, the neighbour's entry does not last.
    ping(&host.near, "fd00:4::".parse()?)?;
    host.forward("v0", "1")?;
    for n in CUSTOMERS / 2 + 1..=CUSTOMERS {
        host.forward(&format!("c{n}"), "1")?;
    }
    tracer.wait_for_line("more like it")?;
    let (text, report) = finish(tracer)?;
    report.count(CUSTOMERS as usize + 3)?;
    let blocks = text.matches("more v6trace explain").count();
    let lines = text.matches("more like it").count();
    ensure!(blocks <= 4 && lines <= 12, "{blocks} and {lines}: {text}");
    for phrase in [
        "HAZARD default-route-purged guest[",
        "fd01:1:: on c1",
        "this host now owns fd01:2::,",
        "HAZARD subnet-router-anycast guest[",
        "this host now owns fd00:4::, the subnet-router anycast address of fd00:4::/64 on v0,",
        "changed address fd01:3::",
    ] {
        ensure!(text.contains(phrase), "no {phrase:?} in {text}");
    }
    let counted = text.split("… ").filter_map(|rest| {
        let (count, rest) = rest.split_once(' ')?;
        rest.starts_with("more like it")
            .then(|| count.parse::<usize>().ok())?
    });
    let told: usize = counted.sum();
    ensure!(told >= CUSTOMERS as usize - 2, "{told} counted: {text}");
    Ok(())
}
