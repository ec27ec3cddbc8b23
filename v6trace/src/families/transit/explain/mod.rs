//! Why a packet for another host was not passed on, and why its sender does not learn it.

mod dropped;
mod forwarding;

pub(super) use dropped::explain as dropped;
pub(super) use forwarding::explain as not_forwarded;
