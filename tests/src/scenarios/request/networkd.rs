//! systemd-networkd asks for what is there already, each time that it starts: no failure.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Host;
use crate::guest::{Networkd, Tracing, until_some};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("request-refused-not-by-networkd", twice)];

/// What networkd is told beside what a [`Networkd`] always is.
const DIRECTORY: &str = "/run/systemd/network/10-guest.network.d";
const MORE: &str = "[Network]\nAddress=fd00:5a::2/64\n\
    [Neighbor]\nAddress=fd00:5a::9\nLinkLayerAddress=02:00:00:00:00:09\n\
    [RoutingPolicyRule]\nFrom=fd00:5c::/64\nTable=100\nPriority=77\n\
    [NextHop]\nId=5\nGateway=fe80::9\n\
    [IPv6AddressLabel]\nPrefix=fd00:5c::/64\nLabel=99\n\
    [Route]\nDestination=fd00:5d::/64\nGateway=fe80::9\n";

/// It starts where nothing of that is there, ends without taking it away, and starts again.
fn twice() -> Result<()> {
    let host = Host::new("managed")?;
    let tracer = Tracing::start()?;
    for _ in 0..2 {
        // It goes with each.
        fs::create_dir_all(DIRECTORY)?;
        fs::write(format!("{DIRECTORY}/more.conf"), MORE)?;
        let networkd = Networkd::start(&host.netns, "v0")?;
        let done = until_some(
            "networkd should be through",
            Duration::from_secs(20),
            || {
                let log = networkd.log();
                Ok(log.contains("v0: Configured").then_some(()))
            },
        );
        done.with_context(|| networkd.log())?;
        let state = host.state()?;
        for line in [
            "77:\tfrom fd00:5c::/64",
            "prefix fd00:5c::/64 label 99",
            "id 5 via",
        ] {
            ensure!(
                state.iter().any(|it| it.starts_with(line)),
                "networkd brings no {line}: {state:#?}"
            );
        }
    }
    let report = tracer.finish()?;
    report.complete()?;
    for diagnosis in &report.diagnoses {
        ensure!(
            diagnosis.field("severity") == "notice",
            "all is well: {diagnosis}"
        );
    }
    Ok(())
}
