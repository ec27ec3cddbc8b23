//! The limit and the interfaces must be those of the socket's own namespace.

use anyhow::Result;

use super::{Full, expect_join};
use crate::guest::{MulticastSocket, Netns, OptmemMax, Scope, Tracing, join_until_refused};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("optmem-exhausted-netns-limit", limit),
    scenario("optmem-exhausted-netns-interfaces", interfaces),
    scenario("optmem-exhausted-netns-nameless", nameless),
];

/// The host's limit and the namespace's differ where they can.
fn limit() -> Result<()> {
    let netns = Netns::new("limited")?;
    let interface = netns.dummy("d0")?;
    let host = OptmemMax::set_host(7000)?;
    let own = match Scope::of(&netns)? {
        Scope::Global => None,
        Scope::Netns => Some(OptmemMax::set(&netns, 5000)?),
    };
    let limit = own.as_ref().unwrap_or(&host);
    let tracer = Tracing::start()?;
    let socket = MulticastSocket::udp(&netns)?;
    let joins = join_until_refused(&socket, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
    let full = Full::of(&joins, &socket, limit)?;
    let report = tracer.finish()?;
    full.expect(expect_join(
        report.only("optmem-exhausted")?,
        &netns,
        &interface,
        &joins.refused,
    ))
    .check()
}

/// Two namespaces have an interface of the same index; one thread holds a
/// socket in each and is in neither.
fn interfaces() -> Result<()> {
    let places = [("left", "sinister"), ("right", "dexter")];
    let mut cases = Vec::new();
    let tracer = Tracing::start()?;
    for (name, interface) in places {
        let netns = Netns::new(name)?;
        let interface = netns.dummy_with_index(interface, 777)?;
        let _limit = OptmemMax::set(&netns, 3000)?;
        let socket = MulticastSocket::udp(&netns)?;
        let joins =
            join_until_refused(&socket, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
        cases.push((netns, interface, socket, joins));
    }
    let report = tracer.finish()?;
    report.count(2)?;
    for (netns, interface, socket, joins) in &cases {
        let diagnosis = report.of_socket(socket.inode()?, "optmem-exhausted")?;
        expect_join(diagnosis, netns, interface, &joins.refused)
            .evidence("memberships", joins.done)
            .check()?;
    }
    Ok(())
}

/// A namespace without a name, as containers have them, that nobody but the
/// failing socket keeps alive.
fn nameless() -> Result<()> {
    let netns = Netns::new("fleeting")?;
    let interface = netns.dummy("d0")?;
    let limit = OptmemMax::set(&netns, 3000)?;
    let socket = MulticastSocket::udp(&netns)?;
    netns.forget_name()?;
    let tracer = Tracing::start()?;
    let joins = join_until_refused(&socket, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
    let full = Full::of(&joins, &socket, &limit)?;
    let report = tracer.finish()?;
    full.expect(expect_join(
        report.only("optmem-exhausted")?,
        &netns,
        &interface,
        &joins.refused,
    ))
    .check()
}
