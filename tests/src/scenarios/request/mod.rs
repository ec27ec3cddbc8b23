//! Requests over netlink that the kernel refuses, and that no other family judges.

mod networkd;
mod present;
mod refused;
mod silent;
mod ties;
mod way;

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Scenario;
use crate::guest::{Diagnosis, Expect, Link, Netns, Report, Tracing, finish, ip_fails, until_some};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    refused::SCENARIOS,
    present::SCENARIOS,
    way::SCENARIOS,
    ties::SCENARIOS,
    silent::SCENARIOS,
    networkd::SCENARIOS,
];

/// A namespace with two links that are up; the first has a prefix.
struct Host {
    netns: Netns,
    first: Link,
}

impl Host {
    fn new(name: &str) -> Result<Self> {
        let netns = Netns::new(name)?;
        for (interface, peer) in [("v0", "p0"), ("v1", "p1")] {
            netns.ip(&format!("link add {interface} type veth peer name {peer}"))?;
            netns.ip(&format!("link set {peer} addrgenmode none up"))?;
            netns.ip(&format!("link set {interface} up"))?;
        }
        netns.ip("address add fd00:5a::1/64 dev v0 nodad")?;
        // What a router has advertised.
        netns.ip("address add fd00:5f::1/64 dev v0 nodad valid_lft 3000 preferred_lft 3000")?;
        netns.ip("-6 route add default via fe80::5f dev v0 proto ra")?;
        let first = Link::find(&netns, "v0")?;
        Ok(Self { netns, first })
    }

    /// Asks in a way that is refused; the message of `ip`.
    fn fails(&self, words: &str) -> Result<String> {
        ip_fails(&self.netns.ip_words(words))
    }

    /// The same with each of these, and what v6trace says of them, one each.
    fn refused(&self, requests: &[&str]) -> Result<Report> {
        let tracer = Tracing::start()?;
        for request in requests {
            self.fails(request)?;
        }
        let report = tracer.finish()?;
        report.complete()?;
        report.count(requests.len())?;
        Ok(report)
    }

    /// What `ip` shows.
    fn shown(&self, words: &str) -> Result<Vec<String>> {
        let words = self.netns.ip_words(words);
        let mut ip = Command::new("ip");
        let done = finish(ip.args(words.split_whitespace()), Duration::from_secs(20))?;
        ensure!(done.status.success(), "ip {words}: {done}");
        let lines = done.stdout.lines().map(|line| line.trim().to_owned());
        Ok(lines.collect())
    }

    /// Addresses, routes, rules, labels and nexthop objects, without their lifetimes.
    fn state(&self) -> Result<Vec<String>> {
        let mut state = Vec::new();
        for words in [
            "-6 -o address show dev v0",
            "-6 route show table all",
            "-6 rule",
            "addrlabel",
            "nexthop",
        ] {
            let shown = self.shown(words)?;
            state.extend(shown.iter().map(|line| {
                let mut lasting = line
                    .split(" valid_lft ")
                    .flat_map(|it| it.split(" expires "));
                lasting.next().unwrap_or_default().to_owned()
            }));
        }
        Ok(state)
    }

    /// Follows a fix, which takes nothing away.
    fn follow(&self, diagnosis: &Diagnosis, fix: &str) -> Result<()> {
        let before = until_some("no address under test", Duration::from_secs(8), || {
            let state = self.state()?;
            let is_tested = state.iter().any(|line| line.contains("tentative"));
            Ok((!is_tested).then_some(state))
        })?;
        diagnosis.follow(fix)?;
        let after = self.state()?;
        ensure!(
            before.iter().all(|line| after.contains(line)),
            "{fix} takes something away: there was {before:#?}, now {after:#?}"
        );
        Ok(())
    }

    /// What holds of all that is told.
    fn expect<'d>(
        &self,
        diagnosis: &'d Diagnosis,
        severity: &str,
        operation: &str,
        errno: &str,
        request: &str,
    ) -> Expect<'d> {
        diagnosis
            .expect()
            .field("cause", "request-refused")
            .field("severity", severity)
            .field("operation", operation)
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

/// The one that is about this request.
fn about<'r>(report: &'r Report, request: &str) -> Result<&'r Diagnosis> {
    let mut found = report.diagnoses.iter();
    found
        .find(|it| it.evidence("request").is_some_and(|it| it == request))
        .with_context(|| format!("nothing about {request}: {:?}", report.diagnoses))
}
