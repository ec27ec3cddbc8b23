//! What is the matter with this host now, in every network namespace, without
//! waiting for it to fail once more.
//!
//! ```text
//! look (live only): each namespace -> Snapshot ...  Checked
//!                                        \-> the stream, ahead of all events
//! stream -> Host: the snapshots -> addresses, advertisements ... -> Diagnosis
//! ```
//!
//! A finding is a function of the stream alone, as every diagnosis is: `check`
//! makes a stream of nothing else, `live` and `record` begin theirs with it. What
//! is the same matter as an event of a family has that family's cause and words;
//! the causes here are of what shows in the state only.

mod addresses;
mod advertisements;
mod causes;
mod forwarding;
mod hazards;
mod host;
mod interfaces;
mod joined;
#[cfg(feature = "live")]
pub(crate) mod look;
mod neighbours;
mod routers;
mod routes;
mod snapshot;
mod sockets;
mod sources;
mod temporary;

use crate::{explain::Diagnosis, families::bind, session::Session};

pub use causes::Cause;
pub(crate) use host::Snapshots;
use host::{Answering, Host, Place};
pub use snapshot::{
    Address, Checked, Choice, Gateway, Interface, Ipv6, Joined, Route, Settings, Snapshot, Sources,
    Stray, Unread,
};

/// What the catalogue calls these causes, and what they are about.
pub const NAME: &str = "check";
/// See [`NAME`].
pub const ABOUT: &str = "what `v6trace check` finds in the state of a host";

/// Findings at most: a hostile stream could have any number.
const MOST: usize = 1 << 12;

/// What is asked of the snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// What is the matter.
    Now,
    /// What would be with 1 written to `net.ipv6.conf.all.forwarding`.
    IfForwarding,
}

/// Everything that is the matter, namespace by namespace.
pub(crate) fn findings(session: &Session, question: Question) -> Vec<Diagnosis> {
    let answering = Answering::of(session);
    let host = Host {
        session,
        answering: &answering,
    };
    let mut found: Vec<Diagnosis> = Vec::new();
    if question == Question::Now {
        found.extend(without_ipv6(host));
        found.extend(neighbours::table(host));
    }
    let all = session.snapshots().all().iter();
    let each = all.flat_map(|snapshot| {
        let place = Place { host, snapshot };
        let found: Box<dyn Iterator<Item = Diagnosis>> = match question {
            Question::IfForwarding => Box::new(forwarding::would(place)),
            Question::Now => Box::new(
                addresses::findings(place)
                    .chain(temporary::findings(place))
                    .chain(interfaces::findings(place))
                    .chain(advertisements::findings(place))
                    .chain(routers::findings(place))
                    .chain(routes::findings(place))
                    .chain(neighbours::findings(place))
                    .chain(sockets::findings(place))
                    .chain(joined::findings(place))
                    .chain(sources::findings(place))
                    .chain(hazards::findings(place)),
            ),
        };
        found
    });
    found.extend(each.take(MOST));
    let belonging = |finding: Diagnosis| finding.belonging(session);
    found.into_iter().map(belonging).collect()
}

/// That the host was booted without IPv6, of which each namespace has the same to tell.
fn without_ipv6(host: Host<'_>) -> Option<Diagnosis> {
    let first = host.snapshots().first()?;
    bind::off_as_it_is(first.netns, first.boot_ns, first.all.ipv6_off)
}
