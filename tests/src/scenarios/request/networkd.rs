//! systemd-networkd asks for what is there already, each time that it starts: no failure.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Host;
use crate::guest::{Networkd, Tracing, until_some};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("request-refused-not-by-networkd", twice)];

/// What networkd is told beside what a [`Networkd`] always is.
const DIRECTORY: &str = "/run/systemd/network/10-guest.network.d";
const MORE: &str = "[Neighbor]\nAddress=fd00:5a::9\nLinkLayerAddress=02:00:00:00:00:09\n\
    [RoutingPolicyRule]\nFrom=fd00:5c::/64\nTable=100\nPriority=77\n\
    [NextHop]\nId=5\nGateway=fe80::9\n\
    [IPv6AddressLabel]\nPrefix=fd00:5c::/64\nLabel=99\n\
    [Route]\nDestination=fd00:5d::/64\nGateway=fe80::9\n";
/// How long the rest may take once it has set an address.
const SETTLED: Duration = Duration::from_secs(1);

/// It starts where nothing of that is there, ends without taking it away, and starts again.
/// What is asked for by hand is told all the same.
fn twice() -> Result<()> {
    let host = Host::new("managed")?;
    let tracer = Tracing::start()?;
    for address in ["fd00:5a::2/64", "fd00:5a::3/64"] {
        // It goes with each.
        fs::create_dir_all(DIRECTORY)?;
        let more = format!("[Network]\nAddress={address}\n{MORE}");
        fs::write(format!("{DIRECTORY}/more.conf"), more)?;
        let networkd = Networkd::start(&host.netns, "v0")?;
        let what = "networkd should set its address and all else";
        let done = until_some(what, Duration::from_secs(20), || {
            let state = host.state()?;
            let has = |word: &str| state.iter().any(|line| line.contains(word));
            let all = [address, "77:\tfrom fd00:5c::/64", "label 99", "id 5 via"];
            Ok(all.iter().all(|word| has(word)).then_some(()))
        });
        done.with_context(|| networkd.log())?;
        sleep(SETTLED);
    }
    host.fails("-6 rule add pref 77 from fd00:5c::/64 lookup 100 protocol static")?;
    let report = tracer.finish()?;
    report.complete()?;
    let by_hand = |it: &&crate::guest::Diagnosis| it.field("comm") == "ip";
    let told = report.diagnoses.iter().filter(by_hand).count();
    ensure!(told == 1, "of what is asked by hand {told} are told");
    for diagnosis in &report.diagnoses {
        ensure!(
            diagnosis.field("severity") == "notice",
            "all is well: {diagnosis}"
        );
    }
    Ok(())
}
