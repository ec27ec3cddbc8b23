//! Neighbours that get no entry, or do not answer, and proxies that may not.

mod answer;
mod full;
mod gateway;
mod proxy;
mod silent;
mod snooping;
mod unreachable;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Scenario;
use crate::guest::{Diagnosis, Expect, Link, Netns, Report, Tracing, finish, until_some};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    gateway::SCENARIOS,
    unreachable::SCENARIOS,
    silent::SCENARIOS,
    snooping::SCENARIOS,
    answer::SCENARIOS,
    proxy::SCENARIOS,
    full::SCENARIOS,
];

/// The name of whoever sends.
const COMM: &str = "sendd";

/// The host's address, and others of its prefix.
const OWN: Ipv6Addr = other(1);
const GATEWAY: Ipv6Addr = other(0xfe);
/// What is behind the gateway.
const BEYOND: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x77, 0, 0, 0, 0, 1);

/// An address of the host's prefix.
const fn other(number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, 0x4e, 0, 0, 0, 0, 0, number)
}

/// A host, and another node at the other end of its link, which has no address of
/// the host's prefix.
struct Site {
    host: Netns,
    node: Netns,
    link: Link,
}

impl Site {
    fn new(name: &str) -> Result<Self> {
        let host = Netns::new(name)?;
        let node = Netns::new(&format!("{name}-node"))?;
        let far = node.name();
        host.ip(&format!("link add v0 type veth peer name p0 netns {far}"))?;
        for (netns, interface) in [(&host, "v0"), (&node, "p0")] {
            // What nobody answers is to be known soon, and addresses without a test.
            netns.set_sysctl(&format!("ipv6/neigh/{interface}/retrans_time_ms"), "100")?;
            netns.set_sysctl(&format!("ipv6/conf/{interface}/accept_dad"), "0")?;
            netns.set_sysctl(&format!("ipv6/conf/{interface}/router_solicitations"), "0")?;
            netns.ip(&format!("link set {interface} up"))?;
        }
        host.ip(&format!("address add {OWN}/64 dev v0 nodad"))?;
        let link = Link::find(&host, "v0")?;
        Ok(Self { host, node, link })
    }

    /// Gives the node an address.
    fn give(&self, address: Ipv6Addr) -> Result<()> {
        self.node
            .ip(&format!("address add {address}/64 dev p0 nodad"))
    }

    /// Sends a datagram, and returns what the kernel says of it.
    fn send(&self, to: impl Into<IpAddr>) -> Result<io::Result<()>> {
        send(&self.host, to)
    }

    /// Sends to an address that is given up at last.
    fn send_in_vain(&self, to: Ipv6Addr) -> Result<()> {
        self.send(to)??;
        Ok(())
    }

    /// Waits until the host's entry for a neighbour is in that state.
    fn wait(&self, neighbour: Ipv6Addr, state: &str) -> Result<()> {
        wait(&self.host, neighbour, state)
    }

    /// Traces as a packet is sent to `away`, for which `asked` does not answer.
    fn unanswered(&self, away: Ipv6Addr, asked: Ipv6Addr) -> Result<Report> {
        let tracer = Tracing::start()?;
        self.send_in_vain(away)?;
        self.wait(asked, "FAILED")?;
        let report = tracer.finish()?;
        report.complete()?;
        Ok(report)
    }

    /// The nodes in the host's table, which itself has them in any order. Groups come and go
    /// there with what the host itself tells its routers of them.
    fn neighbours(&self) -> Result<Vec<String>> {
        let mut entries = shown(&self.host, "-6 neigh show nud all")?;
        entries.retain(|entry| !entry.ends_with("NOARP"));
        entries.sort();
        Ok(entries)
    }

    /// The MAC of the node.
    fn mac(&self) -> Result<String> {
        let lines = shown(&self.node, "-o link show dev p0")?;
        let words: Vec<_> = lines
            .iter()
            .flat_map(|line| line.split_whitespace())
            .collect();
        let at = words.iter().position(|word| *word == "link/ether");
        let mac = at.and_then(|at| words.get(at + 1));
        Ok((*mac.context("p0 has no MAC")?).to_owned())
    }

    /// What holds whatever is said of a neighbour that does not answer.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis, address: Ipv6Addr) -> Expect<'d> {
        diagnosis
            .expect()
            .field("cause", "neighbour-unreachable")
            .field("operation", "neighbour-discovery")
            .field("confidence", "certain")
            .field("errno", serde_json::Value::Null)
            .field("comm", serde_json::Value::Null)
            .field("netns", self.host.inode())
            .field("interface", "v0")
            .field("ifindex", self.link.ifindex)
            .field("address", address.to_string())
            .summary_has([address.to_string(), "v0".to_owned()])
    }
}

/// Sends a datagram, and returns what the kernel says of it.
fn send(netns: &Netns, to: impl Into<IpAddr>) -> Result<io::Result<()>> {
    let to = to.into();
    netns.enter_as(COMM, || {
        let own: IpAddr = match to {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((own, 0)).context("cannot make a socket")?;
        Ok(socket.send_to(&[0], (to, 4000)).map(drop))
    })
}

/// Waits until the entry for a neighbour is in that state.
fn wait(netns: &Netns, neighbour: Ipv6Addr, state: &str) -> Result<()> {
    let what = format!("{neighbour} is {state}");
    until_some(&what, Duration::from_secs(8), || {
        let entries = shown(netns, "-6 neigh show nud all")?;
        let own = format!("{neighbour} ");
        let entry = entries.iter().find(|line| line.starts_with(&own));
        // What has failed may be cleared up before it is seen.
        let is_it = entry.map_or(state == "FAILED", |line| line.contains(state));
        Ok(is_it.then_some(()))
    })
}

/// What `ip` shows in a namespace.
fn shown(netns: &Netns, words: &str) -> Result<Vec<String>> {
    let words = netns.ip_words(words);
    let mut ip = Command::new("ip");
    let done = finish(ip.args(words.split_whitespace()), Duration::from_secs(20))?;
    ensure!(done.status.success(), "ip {words}: {done}");
    Ok(done
        .stdout
        .lines()
        .map(|line| line.trim().to_owned())
        .collect())
}

/// The diagnosis about this address.
fn about(report: &Report, address: Ipv6Addr) -> Result<&Diagnosis> {
    let address = address.to_string();
    let mut found = report.diagnoses.iter();
    found
        .find(|diagnosis| diagnosis.field("address") == address.as_str())
        .with_context(|| format!("nothing about {address}: {:?}", report.diagnoses))
}
