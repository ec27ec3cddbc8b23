//! What every diagnosis of a failed join has to say, given what the scenario
//! knows of it.

use anyhow::Result;
use serde_json::Value;

use crate::guest::{
    Diagnosis, Expect, Joins, Link, MulticastSocket, Netns, OptmemMax, Refused, Scope,
    check_membership_size,
};

/// Phrases that would speak of memberships on deleted interfaces.
pub(super) const OF_A_LEAK: &[&str] = &["no longer exist", "stale", "leak", "gone", "deleted"];

/// Expects the diagnosis to be about exactly this join, on this interface.
pub(super) fn expect_join<'d>(
    diagnosis: &'d Diagnosis,
    netns: &Netns,
    interface: &Link,
    refused: &Refused,
) -> Expect<'d> {
    expect_anywhere(diagnosis, netns, refused)
        .field("confidence", "certain")
        .field("ifindex", interface.ifindex)
        .field("interface", interface.name.as_str())
        .summary_has([&interface.name])
}

/// Expects what holds of a failed join with or without an interface.
pub(super) fn expect_anywhere<'d>(
    diagnosis: &'d Diagnosis,
    netns: &Netns,
    refused: &Refused,
) -> Expect<'d> {
    let group = refused.group.to_string();
    let errno = match refused.error.raw_os_error() {
        Some(libc::ENOMEM) => "ENOMEM",
        Some(libc::EADDRINUSE) => "EADDRINUSE",
        Some(libc::EINVAL) => "EINVAL",
        Some(libc::ENODEV) => "ENODEV",
        _ => "an errno that no scenario provokes",
    };
    // Whoever joins twice is a member all the same.
    let severity = match errno {
        "EADDRINUSE" => "notice",
        _ => "failure",
    };
    diagnosis
        .expect()
        .field("severity", severity)
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
    /// A socket that is full of these joins, none of them on an interface that
    /// is gone.
    pub(super) fn of(joins: &Joins, socket: &MulticastSocket, limit: &OptmemMax) -> Result<Self> {
        let size = check_membership_size(limit.bytes(), joins.done)?;
        Ok(Self {
            socket: socket.inode()?,
            sk_omem_alloc: size * joins.done,
            size,
            optmem_max: limit.bytes(),
            scope: limit.scope(),
            memberships: joins.done,
            stale: 0,
        })
    }

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
