//! The story v6trace was made for, with the real daemon.

use anyhow::{Context as _, Result, ensure};

use super::OF_A_LEAK;
use crate::guest::{Link, Netns, OptmemMax, Radvd, Taps, Tracer, check_membership_size};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("optmem-exhausted-radvd", radvd)];

/// Interfaces per batch: radvd reads all addresses again for each of them.
const BATCH: u32 = 40;

/// A quarter of what the kernels that the story comes from have by default, which would
/// only take longer.
const OPTMEM_MAX: u64 = 5120;

/// radvd's socket when it could not join any more.
struct Exhausted {
    memberships: u64,
    stale: u64,
    /// The taps on which it failed.
    refused_on: Vec<Link>,
}

/// Lets radvd serve batch after batch of taps until it cannot join any more.
fn exhaust(radvd: &Radvd, netns: &Netns) -> Result<Exhausted> {
    let mut stale = 0;
    loop {
        ensure!(
            stale < 1000,
            "radvd has served {stale} taps and still works"
        );
        let taps = Taps::new(netns, "tap", BATCH)?;
        radvd.reload()?;
        let refused_on = radvd.serve(netns, taps.links())?;
        taps.delete(netns)?;
        if !refused_on.is_empty() {
            let alive = u64::from(BATCH) - u64::try_from(refused_on.len())?;
            return Ok(Exhausted {
                memberships: stale + alive,
                stale,
                refused_on,
            });
        }
        stale += u64::from(BATCH);
    }
}

/// The diagnosis must come to the numbers that follow from the taps.
fn radvd() -> Result<()> {
    let netns = Netns::new("router")?;
    let _limit = OptmemMax::set(&netns, OPTMEM_MAX)?;
    let radvd = Radvd::start(&netns, "tap", BATCH)?;
    let tracer = Tracer::start(&["--comm", "radvd"])?;
    let Exhausted {
        memberships,
        stale,
        refused_on,
    } = exhaust(&radvd, &netns)?;
    let report = tracer.finish()?;
    report.complete()?;
    let size = check_membership_size(OPTMEM_MAX, memberships)?;
    for tap in &refused_on {
        // It goes on trying, so a tap may have been refused more than once.
        let mut of_tap = report
            .diagnoses
            .iter()
            .filter(|diagnosis| diagnosis.field("ifindex") == tap.ifindex);
        let diagnosis = of_tap
            .next()
            .with_context(|| format!("nothing about {}: {:?}", tap.name, report.diagnoses))?;
        diagnosis
            .expect()
            .field("cause", "optmem-exhausted")
            .field("errno", "ENOMEM")
            .field("comm", "radvd")
            .field("pid", radvd.id())
            .field("tid", radvd.id())
            .field("netns", netns.inode())
            .field("interface", tap.name.as_str())
            .field("address", "ff02::2")
            .evidence("optmem_max", OPTMEM_MAX)
            .evidence("sk_omem_alloc", size * memberships)
            .evidence("memberships", memberships)
            .evidence("stale_memberships", stale)
            .evidence("kernel_socket", false)
            .summary_has(["radvd", "ff02::2", tap.name.as_str(), &stale.to_string()])
            .summary_has_one_of(OF_A_LEAK)
            .some_fix_has("restart radvd")
            .check()?;
    }
    // Reloaded, it joins again where its own timer was faster; it takes that
    // error for success, but the kernel did refuse.
    let expected = ["optmem-exhausted", "already-joined"];
    let other = report
        .diagnoses
        .iter()
        .find(|diagnosis| !expected.contains(&diagnosis.cause()));
    ensure!(other.is_none(), "{other:?}");
    Ok(())
}
