//! What has become of an interface that came up without a link-local address.

use std::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use crate::{explain::Subject, record::Finding};

/// An interface some seconds after it came up, as userspace found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// When it was looked up, nanoseconds since boot.
    pub boot_ns: u64,
    /// Inode number of its namespace.
    pub netns: u32,
    /// Its index.
    pub ifindex: u32,
    /// The name of the interface that has it.
    pub interface: String,
    /// Whether it is up and has a carrier.
    pub is_up: bool,
    /// Its `disable_ipv6`; `None` where it has no IPv6.
    pub disable_ipv6: Option<i32>,
    /// Its `addr_gen_mode`, likewise.
    pub addr_gen_mode: Option<u32>,
    /// The bridge or bond that gets its packets.
    pub master: Option<String>,
    /// A link-local address that it has.
    pub link_local: Option<Ipv6Addr>,
    /// How many others it has.
    pub others: u32,
}

impl Finding for Settled {}

impl Settled {
    /// What was looked up of an interface of the event's namespace.
    pub(super) fn of(ifindex: u32, subject: Subject<'_>) -> Option<&Self> {
        let mut found = subject.session.found::<Self>();
        found.find(|found| (found.netns, found.ifindex) == (subject.event.netns, ifindex))
    }
}
