//! What the doctor says of settings that make duplicates sooner or later.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::guest::{Netns, finish, v6trace};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[alone("dad-loopback-doctor-names-hazards", hazards)];

/// A port in hairpin mode beside one that is not, and an interface without
/// enhanced DAD beside one that has it.
fn hazards() -> Result<()> {
    let netns = Netns::new("doctor")?;
    ensure!(listed(&netns)?.is_empty(), "a new namespace has hazards");
    netns.ip("link add br0 type bridge")?;
    for (port, mode) in [("p0", "off"), ("p1", "on")] {
        netns.ip(&format!("link add {port} type veth peer name {port}x"))?;
        netns.ip(&format!("link set {port} master br0"))?;
        netns.ip(&format!("link set {port} type bridge_slave hairpin {mode}"))?;
    }
    // The interface's own setting does not matter while that of all is on.
    netns.set_sysctl("ipv6/conf/p0/enhanced_dad", "0")?;
    let found = listed(&netns)?;
    let [(what, fix)] = &found[..] else {
        anyhow::bail!("not just the port: {found:?}");
    };
    ensure!(what.contains("p1") && what.contains("br0"), "{what}");
    ensure!(fix == "bridge link set dev p1 hairpin off", "{fix}");
    netns.set_sysctl("ipv6/conf/all/enhanced_dad", "0")?;
    let found = listed(&netns)?;
    ensure!(found.len() == 2, "{found:?}");
    let (what, fix) = &found[1];
    ensure!(what.contains("enhanced DAD is off on p0"), "{what}");
    ensure!(fix.contains("net/ipv6/conf/p0/enhanced_dad=1"), "{fix}");
    Ok(())
}

/// The doctor's hazards in a namespace: what, and the fix.
fn listed(netns: &Netns) -> Result<Vec<(String, String)>> {
    // It tries the hooks as well, which takes its time and is not what this is about.
    let mut doctor = v6trace(&["doctor", "--json"]);
    let done = netns.enter(|| finish(&mut doctor, Duration::from_secs(30)))?;
    ensure!(done.status.success(), "{done}");
    let report: Value = serde_json::from_str(&done.stdout).context("no JSON object")?;
    let hazards = report["hazards"].as_array().context("no hazards")?;
    let text = |hazard: &Value, name: &str| hazard[name].as_str().unwrap_or_default().to_owned();
    Ok(hazards
        .iter()
        .map(|hazard| (text(hazard, "what"), text(hazard, "fix")))
        .collect())
}
