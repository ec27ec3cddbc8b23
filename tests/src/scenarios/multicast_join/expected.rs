//! What every diagnosis of a failed join has to say, given what the scenario
//! knows of it.

use serde_json::Value;

use crate::guest::{Diagnosis, Expect, Link, Netns, Refused, Scope};

/// Phrases that would speak of memberships on deleted interfaces.
pub(super) const OF_A_LEAK: &[&str] = &["no longer exist", "stale", "leak", "gone", "deleted"];

/// A join that failed, as the scenario saw it.
pub(super) struct FailedJoin<'a> {
    pub(super) netns: &'a Netns,
    pub(super) interface: &'a Link,
    pub(super) refused: &'a Refused,
    pub(super) errno: &'a str,
}

impl FailedJoin<'_> {
    /// Expects the diagnosis to be about exactly this join.
    pub(super) fn expect<'d>(&self, diagnosis: &'d Diagnosis) -> Expect<'d> {
        let Self {
            netns,
            interface,
            refused,
            errno,
        } = self;
        expect_common(diagnosis, netns, refused, errno)
            .field("confidence", "certain")
            .field("ifindex", interface.ifindex)
            .field("interface", interface.name.as_str())
            .summary_has([&interface.name])
    }
}

/// Expects what holds of a failed join with or without an interface.
pub(super) fn expect_common<'d>(
    diagnosis: &'d Diagnosis,
    netns: &Netns,
    refused: &Refused,
    errno: &str,
) -> Expect<'d> {
    let group = refused.group.to_string();
    diagnosis
        .expect()
        .field("severity", "failure")
        .field("operation", "multicast-join")
        .field("errno", errno)
        .field("pid", std::process::id())
        .field("tid", refused.tid)
        .field("comm", refused.comm.as_str())
        .field("netns", netns.inode())
        .field("address", group.as_str())
        .evidence("kernel_socket", false)
        .summary_has([refused.comm.as_str(), group.as_str(), errno])
        .that(
            !diagnosis.fixes().is_empty(),
            "there is no fix, though each of these failures has one",
        )
}

/// The budget of a socket whose option memory is full.
#[derive(Clone, Copy, Debug)]
pub(super) struct Full {
    pub(super) socket: u64,
    pub(super) sk_omem_alloc: u64,
    pub(super) size: u64,
    pub(super) optmem_max: u64,
    pub(super) scope: Scope,
    pub(super) memberships: u64,
    pub(super) stale: u64,
}

impl Full {
    /// Expects the evidence to be these values, and the summary to give those
    /// that decide.
    pub(super) fn expect<'d>(&self, expect: Expect<'d>) -> Expect<'d> {
        expect
            .field("cause", "optmem-exhausted")
            .evidence("socket", self.socket)
            .evidence("sk_omem_alloc", self.sk_omem_alloc)
            .evidence("size", self.size)
            .evidence("optmem_max", self.optmem_max)
            .evidence("optmem_scope", self.scope.as_str())
            .evidence("memberships", self.memberships)
            .evidence("stale_memberships", self.stale)
            .evidence("memberships_complete", true)
            .summary_has([self.sk_omem_alloc, self.optmem_max])
            .some_fix_has("net.core.optmem_max")
    }
}

/// The number that a fix would set `net.core.optmem_max` to.
pub(super) fn proposed_limit(diagnosis: &Diagnosis) -> Option<u64> {
    let fixes = diagnosis.fixes();
    let (_, value) = fixes
        .iter()
        .find_map(|fix| fix.split_once("net.core.optmem_max="))?;
    let digits = value.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// A field whose value is not the scenario's to know, only that there is none.
pub(super) const NONE: Value = Value::Null;
