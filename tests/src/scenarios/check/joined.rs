//! Sockets whose option memory fills with what they joined.

use anyhow::{Context as _, Result};

use crate::guest::{Checked, MulticastSocket, Netns, OptmemMax, group, join_each};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("stale-memberships", stale),
    alone("stale-memberships-none", live),
];

const OPTMEM_MAX: u64 = 20480;

/// Joined on interfaces that were deleted, one of which has its like elsewhere. What is
/// on interfaces that are there is not what fills the memory.
fn stale() -> Result<()> {
    let netns = Netns::new("stm")?;
    let other = Netns::new("stmo")?;
    let limit = OptmemMax::set(&netns, OPTMEM_MAX)?;
    other.dummy_with_index("same", 4243)?;
    let kept = netns.dummy("kept")?;
    let socket = MulticastSocket::icmpv6(&netns)?;
    for (n, index) in [4242, 4243, 4244].into_iter().enumerate() {
        let gone = netns.dummy_with_index(&format!("tap{n}"), index)?;
        join_each(&socket, gone.ifindex, 0, 60)?;
        gone.delete(&netns)?;
    }
    join_each(&socket, kept.ifindex, 0, 20)?;
    let checked = Checked::now()?;
    checked.silent(&other)?;
    let found = checked.only(&netns, "stale-memberships")?;
    found
        .expect()
        .field("severity", "hazard")
        .field("confidence", "certain")
        .field("pid", std::process::id())
        .evidence("memberships", 200)
        .evidence("stale_memberships", 180)
        .evidence("memberships_complete", true)
        .evidence("gone_interfaces", 3)
        .evidence("by_interface", serde_json::json!(["kept 20"]))
        .evidence("optmem_max", limit.bytes())
        .evidence("socket", socket.inode()?)
        .summary_has(["180 of its 200"])
        .some_fix_has("restart")
        .check()?;
    found.follow("net.core.optmem_max=")?;
    Checked::now()?.silent(&netns)?;
    OptmemMax::set(&netns, OPTMEM_MAX)?;
    // What a restart of the program does.
    drop(socket);
    Checked::now()?.silent(&netns)
}

/// Many memberships, all on interfaces that are there; a few that were left behind in
/// a memory that is nearly full; many in one that has room; and a program that leaves
/// in time.
fn live() -> Result<()> {
    let [busy, few, roomy, leaves] = ["stml", "stmf", "stmr", "stmt"].map(Netns::new);
    let (busy, few, roomy, leaves) = (busy?, few?, roomy?, leaves?);
    let mut limits = Vec::new();
    let mut sockets = Vec::new();
    for (netns, there, gone) in [
        (&busy, 300, 0),
        (&few, 250, 30),
        (&roomy, 3, 120),
        (&leaves, 200, 0),
    ] {
        limits.push(OptmemMax::set(netns, OPTMEM_MAX)?);
        let kept = netns.dummy("kept")?;
        let tap = netns.dummy("tap")?;
        let socket = MulticastSocket::udp(netns)?;
        join_each(&socket, kept.ifindex, 0, there)?;
        join_each(&socket, tap.ifindex, 0, gone)?;
        if netns.inode() == leaves.inode() {
            join_each(&socket, tap.ifindex, 0, 100)?;
            for n in 0..100 {
                let left = socket.leave(tap.ifindex, group(n));
                left.context("cannot leave a group")?;
            }
        }
        tap.delete(netns)?;
        sockets.push(socket);
    }
    let checked = Checked::now()?;
    let all = [&busy, &few, &roomy, &leaves];
    all.iter().try_for_each(|netns| checked.silent(netns))
}
