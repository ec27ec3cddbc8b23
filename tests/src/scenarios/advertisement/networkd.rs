//! systemd-networkd sets accept_ra = 0 and processes advertisements itself: no
//! failure, however early v6trace looks.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{ADDRESS, Site, ordinary};
use crate::guest::{AddressState, Networkd, Tracing, until_some};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("ra-ignored-accept-ra-networkd", managed)];

fn managed() -> Result<()> {
    let site = Site::new()?;
    let tracer = Tracing::start()?;
    let networkd = Networkd::start(&site.host, &site.interface.name)?;
    let ready = until_some("networkd takes over", Duration::from_secs(20), || {
        Ok((site.get("accept_ra")? == 0).then_some(()))
    });
    ready.with_context(|| networkd.log())?;
    let advertiser = site.advertiser()?;
    let taken = until_some("networkd makes an address", Duration::from_secs(20), || {
        advertiser.send(&ordinary().bytes())?;
        std::thread::sleep(Duration::from_millis(300));
        let state = AddressState::of(&site.host, &site.interface.name, ADDRESS)?;
        Ok((state == AddressState::Usable).then_some(()))
    });
    taken.with_context(|| networkd.log())?;
    let report = tracer.finish()?;
    report.complete()?;
    for diagnosis in &report.diagnoses {
        ensure!(
            diagnosis.field("severity") == "notice",
            "all is well: {diagnosis}"
        );
    }
    // By now it listens, and whoever comes later sees that.
    let report = site.traced(&ordinary().bytes())?;
    let who = format!("systemd-network[{}]", networkd.id());
    site.expect_advertisement(report.only("ra-ignored-accept-ra")?)
        .field("severity", "notice")
        .evidence("taker", "systemd-network")
        .summary_has([who])
        .check()
}
