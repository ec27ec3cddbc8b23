//! Sockets that wait at an address which is not there any more.

use std::net::IpAddr;

use super::{Cause, Stray, host::Place};
use crate::{
    event::{Name, Task},
    explain::{Diagnosis, Fix},
};

/// Those of a namespace.
pub(super) fn findings(place: Place<'_>) -> impl Iterator<Item = Diagnosis> {
    // Who may bind to any address waits for those that come and go.
    let is_meant = place.snapshot.all.nonlocal_bind != Some(0);
    let strays = place.snapshot.strays.iter().flatten();
    strays
        .filter(move |_| !is_meant)
        .map(move |stray| found(place, stray))
}

fn found(place: Place<'_>, stray: &Stray) -> Diagnosis {
    let Stray {
        address,
        port,
        inode,
        owner,
    } = stray;
    let who = owner.as_ref().map_or("A process", |(_, comm)| comm);
    let summary = format!(
        "{who} waits for connections at [{address}]:{port}, and no interface of this network \
         namespace has that address: nobody can reach it there. The address has gone since, or it \
         was bound ahead of it (IP_FREEBIND), which the kernel does not list."
    );
    let snapshot = place.snapshot;
    let mut found = Diagnosis::of_state(
        snapshot.netns,
        snapshot.boot_ns,
        Cause::ListenerAbsent,
        summary,
    )
    .with("port", u32::from(*port))
    .with("socket", *inode)
    .with("ip_nonlocal_bind", snapshot.all.nonlocal_bind)
    .likely();
    found.address = Some(IpAddr::V6(*address));
    found.task = owner.as_ref().map(|(pid, comm)| Task {
        pid: *pid,
        tid: *pid,
        comm: Name::new(comm),
    });
    let add = format!("ip -6 address add {address}/PREFIX dev IFNAME");
    let add = place.site().command(&add);
    found
        .fix(Fix::new("have it wait at :: instead").remark("at whatever address there is"))
        .fix(add.remark("unless another node has it by now, as with addresses that move"))
}
