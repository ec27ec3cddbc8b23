//! Advertisements while tracing begins and ends: what is heard with only one of two
//! programs in place is neither told nor lost.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Result, anyhow, ensure};

use super::{Site, ordinary};
use crate::guest::Tracer;
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("ra-while-tracing-begins-and-ends", throughout)];

/// From one advertisement to the next.
const PACE: Duration = Duration::from_millis(5);

/// The router never says the same twice in a row.
fn throughout() -> Result<()> {
    let site = Site::new()?;
    site.set("forwarding", "1")?;
    let advertiser = site.advertiser()?;
    let over = AtomicBool::new(false);
    let traced = thread::scope(|scope| {
        let router = scope.spawn(|| -> Result<()> {
            let mut advertisement = ordinary();
            while !over.load(Ordering::Relaxed) {
                advertisement.hop_limit ^= 1;
                advertiser.send(&advertisement.bytes())?;
                thread::sleep(PACE);
            }
            Ok(())
        });
        let traced = Tracer::start(&[]).and_then(|tracer| {
            tracer.wait_for_line("ra-ignored-forwarding")?;
            tracer.finish()
        });
        over.store(true, Ordering::Relaxed);
        router.join().map_err(|_| anyhow!("the router broke"))??;
        traced
    })?;
    traced.complete()?;
    let told = traced
        .diagnoses
        .iter()
        .filter(|it| it.cause() == "ra-ignored-forwarding");
    ensure!(told.count() > 0, "no advertisement was told");
    Ok(())
}
