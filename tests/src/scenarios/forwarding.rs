//! Default routes that go when somebody writes a forwarding sysctl.

mod together;

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::{Scenario, alone, scenario};
use crate::guest::{
    Diagnosis, Link, Netns, Radvd, Tracer, Tracing, default_route, default_routes, finish,
    until_some,
};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    &[
        scenario(
            "default-route-purged-by-another-interface",
            another_interface,
        ),
        scenario("default-route-purged-by-all", all),
        alone("default-route-purged-two-uplinks", two_uplinks),
        scenario("default-route-purged-vrf", vrf),
        scenario("default-route-purged-not", silent),
    ],
    together::SCENARIOS,
];

/// A host with a default route on each uplink, learned from radvd on the other
/// end of a veth. radvd is killed then, and so says neither hello nor goodbye
/// again.
struct Host {
    near: Netns,
    far: Netns,
    interface: Link,
    /// The router behind v0, as the host knows it.
    gateway: String,
    uplinks: u32,
}

impl Host {
    fn new() -> Result<Self> {
        Self::with_uplinks(1, None)
    }

    /// Uplinks v0, v1 and so on, in a VRF with this table if there is one.
    fn with_uplinks(uplinks: u32, vrf: Option<u32>) -> Result<Self> {
        let near = Netns::new("purge-host")?;
        let far = Netns::new("purge-router")?;
        near.ip("link add d0 up type dummy")?;
        far.set_sysctl("ipv6/conf/all/forwarding", "1")?;
        if let Some(table) = vrf {
            near.ip(&format!("link add red up type vrf table {table}"))?;
        }
        for n in 0..uplinks {
            near.ip(&format!(
                "link add v{n} type veth peer name w{n} netns {}",
                far.name()
            ))?;
            if vrf.is_some() {
                near.ip(&format!("link set v{n} master red"))?;
            }
            far.set_sysctl(&format!("ipv6/conf/w{n}/accept_dad"), "0")?;
            far.ip(&format!("link set w{n} up"))?;
            near.ip(&format!("link set v{n} up"))?;
        }
        let interface = Link::find(&near, "v0")?;
        let mut host = Self {
            near,
            far,
            interface,
            gateway: String::new(),
            uplinks,
        };
        host.hear_the_router()?;
        host.gateway = default_routes(&host.near)?
            .into_iter()
            .find(|(_, interface)| interface == "v0")
            .context("no default route on v0")?
            .0;
        Ok(host)
    }

    /// Waits until advertisements have brought a default route on each uplink.
    fn hear_the_router(&self) -> Result<()> {
        let _radvd = Radvd::start(&self.far, "w", self.uplinks)?;
        let what = "the host should learn its default routes";
        until_some(what, Duration::from_secs(30), || {
            let learnt = default_routes(&self.near)?.len();
            Ok((learnt == self.uplinks as usize).then_some(()))
        })
    }

    fn forward(&self, which: &str, value: &str) -> Result<()> {
        let name = format!("ipv6/conf/{which}/forwarding");
        self.near.set_sysctl(&name, value)
    }

    /// The default routes of a table, as `ip` shows them.
    fn routes_of(&self, table: &str) -> Result<String> {
        let words = self
            .near
            .ip_words(&format!("-6 route show default table {table}"));
        let mut ip = Command::new("ip");
        let shown = finish(ip.args(words.split_whitespace()), Duration::from_secs(5))?;
        Ok(shown.stdout)
    }
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
    let tracer = Tracing::start()?;
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
            json!([{"interface": "v0", "gateway": host.gateway, "forwarding": 0, "accept_ra": 1, "table": 254}]),
        )
        .summary_has(["guest", "v0", host.gateway.as_str()])
        .summary_has_one_of(&["brings the route back"])
        .some_fix_has("net/ipv6/conf/v0/accept_ra=2")
        .some_fix_has(&format!("default via {} dev v0", host.gateway))
        .check()?;
    ensure!(
        default_route(&host.near)?.is_none(),
        "the route is still there"
    );
    let diagnosis = report.only("default-route-purged")?;
    diagnosis.follow("route add default")?;
    let routes = host.routes_of("main")?;
    let back = format!("default via {} dev v0", host.gateway);
    ensure!(routes.contains(&back), "the fix brings no route: {routes}");
    // It does not keep the advertised one out, nor does that have to wait for
    // the other fix.
    host.hear_the_router()?;
    diagnosis.follow("accept_ra=2")?;
    host.forward("d0", "1")?;
    ensure!(
        default_route(&host.near)?.is_some(),
        "the advertised route is gone again"
    );
    Ok(())
}

/// Written to conf.all, the uplink forwards as well and hears no router again.
fn all() -> Result<()> {
    let host = Host::new()?;
    let tracer = Tracing::start()?;
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
            json!([{"interface": "v0", "gateway": host.gateway, "forwarding": 1, "accept_ra": 1, "table": 254}]),
        )
        .summary_has_one_of(&["stays away"])
        .check()?;
    the_purge(&report.diagnoses)?.follow("accept_ra=2")?;
    host.hear_the_router()?;
    // And it stays, also when forwarding is written again.
    host.forward("all", "1")?;
    ensure!(default_route(&host.near)?.is_some(), "it is gone again");
    Ok(())
}

/// Whoever asks for one of the interfaces is told, and nobody else.
fn two_uplinks() -> Result<()> {
    let host = Host::with_uplinks(2, None)?;
    let of_second = Tracer::start(&["-i", "v1"])?;
    let of_other = Tracer::start(&["-i", "d0"])?;
    host.forward("d0", "1")?;
    let report = of_second.finish()?;
    report.complete()?;
    let diagnosis = report.only("default-route-purged")?;
    // In the order of the table, which is that of their gateways.
    let interfaces = diagnosis.evidence("interfaces");
    let both = [json!(["v0", "v1"]), json!(["v1", "v0"])];
    diagnosis
        .expect()
        .that(
            interfaces.is_some_and(|interfaces| both.contains(interfaces)),
            "other interfaces",
        )
        .field("interface", serde_json::Value::Null)
        .field("ifindex", serde_json::Value::Null)
        .evidence("count", 2)
        .summary_has(["v0", "v1"])
        .some_fix_has("net/ipv6/conf/v0/accept_ra=2")
        .some_fix_has("net/ipv6/conf/v1/accept_ra=2")
        .check()?;
    of_other.finish()?.silent()
}

/// The route goes from the VRF's table, and is to come back there.
fn vrf() -> Result<()> {
    let host = Host::with_uplinks(1, Some(100))?;
    let tracer = Tracing::start()?;
    host.forward("d0", "1")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("default-route-purged")?;
    diagnosis
        .expect()
        .field("interface", "v0")
        .evidence(
            "routes",
            json!([{
                "interface": "v0", "gateway": host.gateway, "forwarding": 0, "accept_ra": 1,
                "table": 100,
            }]),
        )
        .check()?;
    ensure!(
        default_route(&host.near)?.is_none(),
        "the route is still there"
    );
    diagnosis.follow("route add default")?;
    let routes = host.routes_of("100")?;
    let back = format!("default via {} dev v0", host.gateway);
    ensure!(routes.contains(&back), "the fix brings no route: {routes}");
    ensure!(
        host.routes_of("main")?.is_empty(),
        "it is in the wrong table"
    );
    Ok(())
}

/// Routes that stay: of an interface with accept_ra = 2, and those that were
/// not learned by the kernel; and no write of 0 purges.
fn silent() -> Result<()> {
    let host = Host::new()?;
    host.near.set_sysctl("ipv6/conf/v0/accept_ra", "2")?;
    let words = "-6 route add default via fe80::99 dev v0 metric 5 proto ra";
    host.near.ip(words)?;
    let tracer = Tracing::start()?;
    host.forward("d0", "0")?;
    host.forward("d0", "1")?;
    host.near.set_sysctl("ipv6/conf/v0/accept_ra", "1")?;
    host.forward("d0", "0")?;
    host.forward("default", "1")?;
    tracer.finish()?.silent()?;
    ensure!(default_route(&host.near)?.is_some(), "the route is gone");
    Ok(())
}
