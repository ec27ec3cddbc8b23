//! What a person at a terminal reads, and what a pipe gets.

use anyhow::{Result, ensure};

use crate::guest::{
    MulticastSocket, Netns, OptmemMax, Tracer, check_membership_size, group, join_until_refused,
};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("optmem-exhausted-text", text),
    alone("already-joined-closed-pipe", closed_pipe),
];

/// The summary, the numbers, what to type, and where to read on.
fn text() -> Result<()> {
    let netns = Netns::new("text")?;
    let interface = netns.dummy("d0")?;
    let _limit = OptmemMax::set(&netns, 4000)?;
    let socket = MulticastSocket::udp(&netns)?;
    let tracer = Tracer::text(&[])?;
    let joins = join_until_refused(&socket, interface.ifindex, 0)?.refused_with(libc::ENOMEM)?;
    let size = check_membership_size(4000, joins.done)?;
    let done = tracer.finish_text()?;
    ensure!(done.status.success(), "{done}");
    ensure!(!done.stdout.contains('\x1b'), "colour in a pipe: {done}");
    let title = format!("guest[{}]", std::process::id());
    let group = joins.refused.group.to_string();
    let omem = format!("sk_omem_alloc {}", size * joins.done);
    let memberships = format!("memberships {}", joins.done);
    for part in [
        "FAILURE",
        "optmem-exhausted",
        title.as_str(),
        "d0",
        group.as_str(),
        "ENOMEM",
        "evidence",
        omem.as_str(),
        "optmem_max 4000",
        memberships.as_str(),
        "fix",
        "net.core.optmem_max=",
        "more",
        "v6trace explain optmem-exhausted",
    ] {
        ensure!(done.stdout.contains(part), "no {part:?} in {done}");
    }
    let said = format!("{}{}", done.stdout, done.stderr);
    ensure!(said.contains("no events lost"), "{done}");
    ensure!(!done.stdout.contains("v6trace: ready"), "{done}");
    Ok(())
}

/// `v6trace live | head`: nobody reads any more, so it ends without a word.
fn closed_pipe() -> Result<()> {
    for json in [false, true] {
        let netns = Netns::new("pipe")?;
        let interface = netns.dummy("d0")?;
        let socket = MulticastSocket::udp(&netns)?;
        socket.join(interface.ifindex, group(1))?;
        let tracer = if json {
            Tracer::unread(&["--json"])?
        } else {
            Tracer::unread(&[])?
        };
        // One line to find the pipe closed, some more to be sure.
        for _ in 0..5 {
            ensure!(socket.join(interface.ifindex, group(1)).is_err());
        }
        let done = tracer.end_text()?;
        ensure!(done.status.success(), "json {json}: {done}");
        let said = done.stderr.to_lowercase();
        for word in ["pipe", "panick", "error"] {
            ensure!(!said.contains(word), "json {json}: {done}");
        }
    }
    Ok(())
}
