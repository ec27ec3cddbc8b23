//! Answers that come, and that the kernel makes nothing of.

use std::net::Ipv6Addr;

use anyhow::Result;
use serde_json::Value;

use super::{BEYOND, GATEWAY, Site, other};
use crate::guest::{Advertiser, Link, Netns, Report, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("neighbour-unreachable-answer-forwarded", forwarded),
    scenario("neighbour-unreachable-answer-to-group", to_group),
    scenario("neighbour-unreachable-answer-without-lladdr", bare),
    scenario("neighbour-unreachable-answer-with-code", with_code),
    scenario("neighbour-unreachable-answer-by-another-link", elsewhere),
    scenario("neighbour-unreachable-answer-of-another", of_another),
    scenario("neighbour-unreachable-answer-too-early", too_early),
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
    // Long enough for an answer in between.
    site.host
        .set_sysctl("ipv6/neigh/v0/retrans_time_ms", "1500")?;
    let tracer = Tracing::start()?;
    site.send_in_vain(BEYOND)?;
    site.wait(GATEWAY, "INCOMPLETE")?;
    sender.send(message)?;
    site.wait(GATEWAY, "FAILED")?;
    let report = tracer.finish()?;
    report.complete()?;
    Ok(report)
}

fn is_dropped(site: &Site, report: &Report, what: &str, says: &str) -> Result<()> {
    site.expect(report.only("neighbour-unreachable")?, GATEWAY)
        .field("severity", "failure")
        .evidence("answer_dropped", what)
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
    is_dropped(&site, &report, "hop-limit", "its hop limit is 64")
}

fn to_group() -> Result<()> {
    let site = Site::new("shouted-answer")?;
    let sender = sender(&site.node, "p0")?;
    let message = answer(GATEWAY, SOLICITED | OVERRIDE, &LLADDR);
    let report = while_asked(&site, &sender, &message)?;
    is_dropped(&site, &report, "group", "it went to a group")
}

fn bare() -> Result<()> {
    let site = Site::new("bare-answer")?;
    let sender = sender(&site.node, "p0")?;
    let message = answer(GATEWAY, OVERRIDE, &[]);
    let report = while_asked(&site, &sender, &message)?;
    is_dropped(&site, &report, "lladdr", "the address on the link")
}

fn with_code() -> Result<()> {
    let site = Site::new("coded-answer")?;
    let sender = sender(&site.node, "p0")?;
    let mut message = answer(GATEWAY, OVERRIDE, &LLADDR);
    message[1] = 1;
    let report = while_asked(&site, &sender, &message)?;
    is_dropped(&site, &report, "code", "its ICMPv6 code is 1")
}

/// Nothing is said of an answer.
fn without_answer(site: &Site, report: &Report) -> Result<()> {
    site.expect(report.only("neighbour-unreachable")?, GATEWAY)
        .evidence("answer_dropped", Value::Null)
        .summary_has_none_of(&["made nothing of it"])
        .check()
}

/// Another link has a node with the same address, which is none of this one's business.
fn elsewhere() -> Result<()> {
    let site = Site::new("other-link-answer")?;
    let far = site.node.name();
    site.host
        .ip(&format!("link add w0 type veth peer name q0 netns {far}"))?;
    site.node.ip("link set q0 up")?;
    site.host.ip("link set w0 up")?;
    let sender = sender(&site.node, "q0")?;
    for (netns, interface) in [(&site.host, "w0"), (&site.node, "q0")] {
        netns.carries(interface)?;
    }
    sender.hop_limit(64)?;
    let message = answer(GATEWAY, SOLICITED | OVERRIDE, &LLADDR);
    let report = while_asked(&site, &sender, &message)?;
    without_answer(&site, &report)
}

/// An answer of somebody else says nothing of the gateway.
fn of_another() -> Result<()> {
    let site = Site::new("other-answer")?;
    let sender = sender(&site.node, "p0")?;
    sender.hop_limit(64)?;
    let message = answer(other(9), SOLICITED | OVERRIDE, &LLADDR);
    let report = while_asked(&site, &sender, &message)?;
    without_answer(&site, &report)
}

/// It came before anybody asked.
fn too_early() -> Result<()> {
    let site = Site::new("early-answer")?;
    let sender = sender(&site.node, "p0")?;
    sender.hop_limit(64)?;
    site.host
        .ip(&format!("-6 route add default via {GATEWAY} dev v0"))?;
    let tracer = Tracing::start()?;
    sender.send(&answer(GATEWAY, SOLICITED | OVERRIDE, &LLADDR))?;
    site.send_in_vain(BEYOND)?;
    site.wait(GATEWAY, "FAILED")?;
    let report = tracer.finish()?;
    report.complete()?;
    without_answer(&site, &report)
}
