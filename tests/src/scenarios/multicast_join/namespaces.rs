//! The limit and the interfaces must be those of the socket's own namespace.

use anyhow::Result;

use super::{FailedJoin, Full};
use crate::guest::{
    MulticastSocket, Netns, OptmemMax, Scope, Tracer, check_membership_size, join_until_refused,
};
use crate::scenarios::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "optmem-exhausted-netns-limit",
        run: limit,
    },
    Scenario {
        name: "optmem-exhausted-netns-interfaces",
        run: interfaces,
    },
    Scenario {
        name: "optmem-exhausted-netns-nameless",
        run: nameless,
    },
];

/// The host's limit and the namespace's differ where they can.
fn limit() -> Result<()> {
    let netns = Netns::new("limited")?;
    let interface = netns.dummy("d0")?;
    let host = 7000;
    let _host = OptmemMax::set_host(host)?;
    let (scope, optmem_max) = match Scope::of(&netns)? {
        Scope::Global => (Scope::Global, host),
        Scope::Netns => (Scope::Netns, 5000),
    };
    let _own = match scope {
        Scope::Global => None,
        Scope::Netns => Some(OptmemMax::set(&netns, optmem_max)?),
    };
    let tracer = Tracer::start(&[])?;
    let socket = MulticastSocket::udp(&netns)?;
    let joins = join_until_refused(&socket, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
    let size = check_membership_size(optmem_max, joins.done)?;
    let report = tracer.finish()?;
    let join = FailedJoin {
        netns: &netns,
        interface: &interface,
        refused: &joins.refused,
        errno: "ENOMEM",
    };
    Full {
        socket: socket.inode()?,
        sk_omem_alloc: size * joins.done,
        size,
        optmem_max,
        scope,
        memberships: joins.done,
        stale: 0,
    }
    .expect(join.expect(report.only("optmem-exhausted")?))
    .check()
}

/// Two namespaces have an interface of the same index; one thread holds a
/// socket in each and is in neither.
fn interfaces() -> Result<()> {
    let places = [("left", "sinister"), ("right", "dexter")];
    let mut cases = Vec::new();
    let tracer = Tracer::start(&[])?;
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
        let join = FailedJoin {
            netns,
            interface,
            refused: &joins.refused,
            errno: "ENOMEM",
        };
        join.expect(diagnosis)
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
    let tracer = Tracer::start(&[])?;
    let joins = join_until_refused(&socket, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
    let size = check_membership_size(3000, joins.done)?;
    let report = tracer.finish()?;
    let join = FailedJoin {
        netns: &netns,
        interface: &interface,
        refused: &joins.refused,
        errno: "ENOMEM",
    };
    Full {
        socket: socket.inode()?,
        sk_omem_alloc: size * joins.done,
        size,
        optmem_max: 3000,
        scope: limit.scope(),
        memberships: joins.done,
        stale: 0,
    }
    .expect(join.expect(report.only("optmem-exhausted")?))
    .check()
}
