//! radvd serves virtual machines that come and go, and after a while it cannot
//! join `ff02::2` any more: its socket's option memory is full of memberships
//! on taps that are gone.
//!
//! Only the limit is lowered, so that it takes five batches of machines and not
//! a hundred.

use anyhow::{Result, ensure};

use super::say;
use crate::guest::{Netns, OptmemMax, Radvd, Taps, membership_size};

/// Taps per batch.
const BATCH: u32 = 16;

/// Batches after which there is no more room, but for the last two taps.
const BATCHES: u32 = 5;

pub(super) fn tell() -> Result<Vec<Netns>> {
    let host = Netns::host()?;
    let optmem_max = membership_size()? * u64::from(BATCHES * BATCH - 2) + 32;
    let _limit = OptmemMax::set_host(optmem_max)?;
    say(&format!(
        "net.core.optmem_max is lowered to {optmem_max}, so that this takes seconds, not weeks."
    ));
    say(&format!(
        "radvd starts. It is to announce a prefix on {BATCH} taps, of virtual machines to come."
    ));
    let radvd = Radvd::start(&host, "tap", BATCH)?;
    let mut served = 0;
    loop {
        ensure!(
            served < 400,
            "radvd has served {served} taps and still works"
        );
        say(&format!(
            "{BATCH} virtual machines start; radvd joins ff02::2 on their taps."
        ));
        let taps = Taps::new(&host, "tap", BATCH)?;
        let refused = radvd.serve(&host, taps.links())?;
        if !refused.is_empty() {
            break;
        }
        served += BATCH;
        say("They stop, and their taps are deleted. radvd does not leave the groups.");
        taps.delete(&host)?;
    }
    say("radvd itself logs only this:");
    let complaint = radvd.log();
    if let Some(line) = complaint.lines().find(|line| line.contains("can't join")) {
        println!("{line}");
    }
    Ok(vec![host])
}
