//! Routes that the kernel refuses, and those that it takes away.

mod daemon;
mod device;
mod gateway;
mod gone;
mod ioctl;
mod present;
mod silent;

use std::net::Ipv6Addr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Scenario;
use crate::guest::{Diagnosis, Expect, Link, Netns, Report, Tracing, finish, ip_fails, until};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    gateway::SCENARIOS,
    device::SCENARIOS,
    present::SCENARIOS,
    ioctl::SCENARIOS,
    gone::SCENARIOS[0],
    gone::SCENARIOS[1],
    gone::SCENARIOS[2],
    gone::SCENARIOS[3],
    gone::SCENARIOS[4],
    silent::SCENARIOS,
    daemon::SCENARIOS,
];

/// Where there is no IPv6 at all.
pub(super) const OFF: &[Scenario] = device::OFF;

/// The address of the host on its first link.
const OWN: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x5a, 0, 0, 0, 0, 0, 1);
/// A prefix that a route is asked for.
const BEHIND: &str = "fd00:5b::/64";

/// A namespace with two links that are up; the first has a prefix.
struct Host {
    netns: Netns,
    first: Link,
    second: Link,
}

impl Host {
    fn new(name: &str) -> Result<Self> {
        let netns = Netns::new(name)?;
        for (interface, peer) in [("v0", "p0"), ("v1", "p1")] {
            netns.ip(&format!("link add {interface} type veth peer name {peer}"))?;
            netns.ip(&format!("link set {peer} addrgenmode none up"))?;
            netns.ip(&format!("link set {interface} up"))?;
        }
        netns.ip(&format!("address add {OWN}/64 dev v0 nodad"))?;
        // Another host's, and what a router has advertised.
        netns.ip("-6 route add fd00:5e::/64 via fe80::5e dev v0 metric 7")?;
        netns.ip("-6 route add fd00:5f::/64 via fe80::5f dev v1 proto ra")?;
        let first = Link::find(&netns, "v0")?;
        let second = Link::find(&netns, "v1")?;
        Ok(Self {
            netns,
            first,
            second,
        })
    }

    /// Asks in a way that is refused, and returns what v6trace says of it.
    fn refused(&self, words: &str) -> Result<Report> {
        let tracer = Tracing::start()?;
        self.fails(words)?;
        let report = tracer.finish()?;
        report.complete()?;
        Ok(report)
    }

    /// Asks for a route of IPv6 in a way that is refused.
    fn fails(&self, words: &str) -> Result<()> {
        ip_fails(&self.netns.ip_words(&format!("-6 route {words}"))).map(drop)
    }

    fn route(&self, words: &str) -> Result<()> {
        self.netns.ip(&format!("-6 route {words}"))
    }

    /// All routes of IPv6, as `ip` shows them, but for what the kernel makes for
    /// link-local addresses.
    fn routes(&self) -> Result<Vec<String>> {
        let mut routes = shown(&self.netns, "-6 route show table all")?;
        routes.retain(|line| !line.contains("fe80::") || line.contains(" via fe80::"));
        Ok(routes)
    }

    /// Follows a fix, with this interface where the reader is to put one; it brings a
    /// route that has all of these words, and takes none away.
    fn follow(
        &self,
        diagnosis: &Diagnosis,
        fix: &str,
        interface: &str,
        has: &[&str],
    ) -> Result<()> {
        let before = self.routes()?;
        let fixes = diagnosis.fixes();
        let found = fixes.iter().find(|each| each.contains(fix));
        let typed = found
            .with_context(|| format!("no fix says {fix}: {diagnosis}"))?
            .replace("IFNAME", interface);
        let mut bash = Command::new("/bin/bash");
        let done = finish(bash.args(["-c", &typed]), Duration::from_secs(20))?;
        ensure!(done.status.success(), "the fix {typed:?} fails: {done}");
        println!("followed: {typed}");
        let after = self.routes()?;
        ensure!(
            before.iter().all(|route| after.contains(route)),
            "{typed} takes routes away: there were {before:#?}, now {after:#?}"
        );
        let has_all = |route: &String| has.iter().all(|word| route.contains(word));
        ensure!(
            after.iter().any(has_all),
            "{typed} brings no {has:?}: {after:#?}"
        );
        Ok(())
    }

    /// What holds whatever refused a route that was to be added.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis, errno: &str, request: &str) -> Expect<'d> {
        diagnosis
            .expect()
            .field("operation", "route-add")
            .field("severity", "failure")
            .field("confidence", "certain")
            .field("errno", errno)
            .field("netns", self.netns.inode())
            .field("comm", "ip")
            .evidence("request", request)
            .summary_has([errno])
            .that(
                diagnosis.summary().contains(request),
                format!("the summary does not say {request:?}"),
            )
    }
}

/// What `ip` shows, by line.
pub(in crate::scenarios) fn shown(netns: &Netns, words: &str) -> Result<Vec<String>> {
    let words = netns.ip_words(words);
    let mut ip = Command::new("ip");
    let done = finish(ip.args(words.split_whitespace()), Duration::from_secs(20))?;
    ensure!(done.status.success(), "ip {words}: {done}");
    let lines = done.stdout.lines().map(|line| line.trim().to_owned());
    Ok(lines.collect())
}

/// Waits until a route of IPv6 says that its interface has no carrier, or none does.
pub(in crate::scenarios) fn marked(netns: &Netns, wanted: bool) -> Result<()> {
    let what = format!("routes should be marked: {wanted}");
    until(&what, Duration::from_secs(5), || {
        let routes = shown(netns, "-6 route show table all").unwrap_or_default();
        routes.iter().any(|route| route.contains("linkdown")) == wanted
    })
}

/// The diagnosis about this address.
fn about<'r>(report: &'r Report, address: &str) -> Result<&'r Diagnosis> {
    let mut found = report.diagnoses.iter();
    found
        .find(|diagnosis| diagnosis.field("address") == address)
        .with_context(|| format!("nothing about {address}: {:?}", report.diagnoses))
}
