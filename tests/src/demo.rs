//! The story that v6trace was made for, told live on the console in under a
//! minute: radvd serves virtual machines that come and go, and after a while
//! it cannot join `ff02::2` any more.
//!
//! What happens is real: Debian's radvd, real taps, the real kernel. Only the
//! limit is lowered, so that it takes five batches of machines and not a
//! hundred.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::guest::{Netns, OptmemMax, Radvd, Taps, Tracer, membership_size};

/// Taps per batch.
const BATCH: u32 = 16;

/// Batches after which there is no more room, but for the last two taps.
const BATCHES: u32 = 5;

/// Tells the story.
pub(crate) fn run() -> Result<()> {
    let host = Netns::host()?;
    let optmem_max = membership_size()? * u64::from(BATCHES * BATCH - 2) + 32;
    let _limit = OptmemMax::set_host(optmem_max)?;
    say(&format!(
        "net.core.optmem_max is lowered to {optmem_max}, so that this takes seconds, not weeks."
    ));
    say("v6trace live starts:");
    let tracer = Tracer::on_console(&[])?;
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
    // The failures of one batch arrive together.
    thread::sleep(Duration::from_millis(500));
    say("radvd itself logs only this:");
    let complaint = radvd.log();
    if let Some(line) = complaint.lines().find(|line| line.contains("can't join")) {
        println!("{line}");
    }
    say("Ctrl-C for v6trace:");
    let done = tracer.finish_text()?;
    ensure!(done.status.success(), "v6trace ended with {}", done.status);
    Ok(())
}

/// A line of narration.
fn say(line: &str) {
    println!("# {line}");
}
