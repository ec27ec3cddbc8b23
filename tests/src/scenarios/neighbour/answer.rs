//! Answers that come, and that the kernel makes nothing of.

use std::net::Ipv6Addr;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::{BEYOND, GATEWAY, Site, other};
use crate::guest::{Advertiser, Link, Netns, Report, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("neighbour-unreachable-answer-forwarded", forwarded),
    scenario("neighbour-unreachable-answer-to-group", to_group),
    scenario("neighbour-unreachable-answer-without-lladdr", bare),
    scenario("neighbour-unreachable-answer-by-another-link", elsewhere),
    scenario("neighbour-unreachable-answer-of-another", of_another),
];

/// The flags S and O.
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;
/// An option with the address on the link.
const LLADDR: [u8; 8] = [2, 1, 2, 0, 0, 0, 0, 0x4e];
/// Who answers.
const NODE: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x4e);

fn answer(target: Ipv6Addr, flags: u8, options: &[u8]) -> Vec<u8> {
    let mut message = vec![136, 0, 0, 0, flags, 0, 0, 0];
    message.extend(target.octets());
    message.extend(options);
    message
}

/// What sends from an interface of the node.
fn sender(node: &Netns, interface: &str) -> Result<Advertiser> {
    node.ip(&format!("address add {NODE}/64 dev {interface} nodad"))?;
    Advertiser::new(node, &Link::find(node, interface)?, NODE)
}

/// Traces as the gateway is looked for, and this comes.
fn while_asked(site: &Site, sender: &Advertiser, message: &[u8]) -> Result<Report> {
    site.host
        .ip(&format!("-6 route add default via {GATEWAY} dev v0"))?;
    let tracer = Tracing::start()?;
    site.send_in_vain(BEYOND)?;
    sleep(Duration::from_millis(50));
    sender.send(message)?;
    site.wait(GATEWAY, "FAILED")?;
    let report = tracer.finish()?;
    report.complete()?;
    Ok(report)
}

fn is_dropped(site: &Site, report: &Report, what: &str, interface: &str, says: &str) -> Result<()> {
    site.expect(report.only("neighbour-unreachable")?, GATEWAY)
        .field("severity", "failure")
        .evidence("answer_dropped", what)
        .evidence("answer_interface", interface)
        .summary_has([says.to_owned()])
        .check()
}

/// By a router, as its hop limit says.
fn forwarded() -> Result<()> {
    let site = Site::new("forwarded-answer")?;
    let sender = sender(&site.node, "p0")?;
    sender.hop_limit(64)?;
    let message = answer(GATEWAY, SOLICITED | OVERRIDE, &LLADDR);
    let report = while_asked(&site, &sender, &message)?;
    is_dropped(&site, &report, "hop-limit", "v0", "its hop limit is 64")
}

fn to_group() -> Result<()> {
    let site = Site::new("shouted-answer")?;
    let sender = sender(&site.node, "p0")?;
    let message = answer(GATEWAY, SOLICITED | OVERRIDE, &LLADDR);
    let report = while_asked(&site, &sender, &message)?;
    is_dropped(&site, &report, "group", "v0", "it went to a group")
}

fn bare() -> Result<()> {
    let site = Site::new("bare-answer")?;
    let sender = sender(&site.node, "p0")?;
    let message = answer(GATEWAY, OVERRIDE, &[]);
    let report = while_asked(&site, &sender, &message)?;
    is_dropped(&site, &report, "lladdr", "v0", "the address on the link")
}

/// The node is on another link than the host's routes say.
fn elsewhere() -> Result<()> {
    let site = Site::new("crossed-answer")?;
    let far = site.node.name();
    site.host
        .ip(&format!("link add w0 type veth peer name q0 netns {far}"))?;
    site.node.ip("link set q0 up")?;
    site.host.ip("link set w0 up")?;
    let sender = sender(&site.node, "q0")?;
    sleep(Duration::from_millis(200));
    let message = answer(GATEWAY, OVERRIDE, &LLADDR);
    let report = while_asked(&site, &sender, &message)?;
    is_dropped(&site, &report, "interface", "w0", "it came in by w0")
}

/// An answer of somebody else says nothing of the gateway.
fn of_another() -> Result<()> {
    let site = Site::new("other-answer")?;
    let sender = sender(&site.node, "p0")?;
    sender.hop_limit(64)?;
    let message = answer(other(9), SOLICITED | OVERRIDE, &LLADDR);
    let report = while_asked(&site, &sender, &message)?;
    site.expect(report.only("neighbour-unreachable")?, GATEWAY)
        .evidence("answer_dropped", Value::Null)
        .evidence("answer_interface", Value::Null)
        .summary_has_none_of(&["made nothing of it"])
        .check()
}
