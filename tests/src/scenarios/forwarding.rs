//! Default routes that go when somebody writes a forwarding sysctl.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::Scenario;
use crate::guest::{Diagnosis, Link, Netns, Radvd, Tracer, until_some};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[&[
    Scenario {
        name: "default-route-purged-by-another-interface",
        run: another_interface,
    },
    Scenario {
        name: "default-route-purged-by-all",
        run: all,
    },
    Scenario {
        name: "default-route-purged-not",
        run: silent,
    },
]];

/// `RTF_ADDRCONF | RTF_DEFAULT` of `linux/ipv6_route.h`.
const LEARNT_DEFAULT: u32 = 0x0005_0000;

/// A host with a default route that it learned from radvd, on the other end of
/// a veth. radvd is killed then, and so says neither hello nor goodbye again.
struct Host {
    near: Netns,
    _far: Netns,
    interface: Link,
    /// The router, as the host knows it.
    gateway: String,
}

impl Host {
    fn new() -> Result<Self> {
        let near = Netns::new("purge-host")?;
        let far = Netns::new("purge-router")?;
        near.ip("link add v0 type veth peer name w0 netns purge-router")?;
        near.ip("link add d0 up type dummy")?;
        far.set_sysctl("ipv6/conf/all/forwarding", "1")?;
        far.set_sysctl("ipv6/conf/w0/accept_dad", "0")?;
        far.ip("link set w0 up")?;
        near.ip("link set v0 up")?;
        let radvd = Radvd::start(&far, "w", 1)?;
        let interface = Link::find(&near, "v0")?;
        let what = "the host should learn a default route";
        let gateway = until_some(what, Duration::from_secs(20), || learnt(&near))?;
        drop(radvd);
        Ok(Self {
            near,
            _far: far,
            interface,
            gateway,
        })
    }

    fn forward(&self, which: &str, value: &str) -> Result<()> {
        let name = format!("ipv6/conf/{which}/forwarding");
        self.near.set_sysctl(&name, value)
    }
}

/// The gateway of the namespace's default route from an advertisement.
fn learnt(netns: &Netns) -> Result<Option<String>> {
    let table = netns.enter(|| {
        fs::read_to_string("/proc/thread-self/net/ipv6_route").context("cannot read the routes")
    })?;
    for line in table.lines() {
        let columns: Vec<_> = line.split_whitespace().collect();
        if let [_, length, _, _, gateway, _, _, _, flags, _] = columns.as_slice()
            && *length == "00"
            && u32::from_str_radix(flags, 16)? & LEARNT_DEFAULT == LEARNT_DEFAULT
        {
            let gateway = u128::from_str_radix(gateway, 16)?;
            return Ok(Some(std::net::Ipv6Addr::from(gateway).to_string()));
        }
    }
    Ok(None)
}

/// The one diagnosis of the cause.
fn the_purge(diagnoses: &[Diagnosis]) -> Result<&Diagnosis> {
    let mut found = diagnoses
        .iter()
        .filter(|one| one.cause() == "default-route-purged");
    let one = found.next().context("nothing about the default route")?;
    ensure!(found.next().is_none(), "it is reported twice");
    Ok(one)
}

/// Forwarding on a bridge takes the uplink's route away.
fn another_interface() -> Result<()> {
    let host = Host::new()?;
    let tracer = Tracer::live(&[])?;
    host.forward("d0", "1")?;
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("default-route-purged")?
        .expect()
        .field("severity", "hazard")
        .field("confidence", "certain")
        .field("operation", "forwarding-change")
        .field("errno", serde_json::Value::Null)
        .field("pid", std::process::id())
        .field("comm", "guest")
        .field("netns", host.near.inode())
        .field("interface", "v0")
        .field("ifindex", host.interface.ifindex)
        .evidence("interfaces", json!(["v0"]))
        .evidence("written", "d0")
        .evidence("count", 1)
        .evidence(
            "routes",
            json!([{"interface": "v0", "gateway": host.gateway, "forwarding": 0, "accept_ra": 1}]),
        )
        .summary_has(["guest", "v0", host.gateway.as_str()])
        .summary_has_one_of(&["brings the route back"])
        .some_fix_has("net/ipv6/conf/v0/accept_ra=2")
        .some_fix_has(&format!("default via {} dev v0", host.gateway))
        .check()?;
    ensure!(learnt(&host.near)?.is_none(), "the route is still there");
    Ok(())
}

/// Written to conf.all, the uplink forwards as well and hears no router again.
fn all() -> Result<()> {
    let host = Host::new()?;
    let tracer = Tracer::live(&[])?;
    host.forward("all", "1")?;
    let report = tracer.finish()?;
    report.complete()?;
    the_purge(&report.diagnoses)?
        .expect()
        .field("severity", "hazard")
        .field("pid", std::process::id())
        .evidence("interfaces", json!(["v0"]))
        .evidence("written", "all")
        .evidence(
            "routes",
            json!([{"interface": "v0", "gateway": host.gateway, "forwarding": 1, "accept_ra": 1}]),
        )
        .summary_has_one_of(&["stays away"])
        .check()
}

/// Routes that stay: of an interface with accept_ra = 2, and those that were
/// not learned by the kernel; and no write of 0 purges.
fn silent() -> Result<()> {
    let host = Host::new()?;
    host.near.set_sysctl("ipv6/conf/v0/accept_ra", "2")?;
    let words = "-6 route add default via fe80::99 dev v0 metric 5 proto ra";
    host.near.ip(words)?;
    let tracer = Tracer::live(&[])?;
    host.forward("d0", "0")?;
    host.forward("d0", "1")?;
    host.near.set_sysctl("ipv6/conf/v0/accept_ra", "1")?;
    host.forward("d0", "0")?;
    host.forward("default", "1")?;
    tracer.finish()?.silent()?;
    ensure!(learnt(&host.near)?.is_some(), "the route is gone");
    Ok(())
}
