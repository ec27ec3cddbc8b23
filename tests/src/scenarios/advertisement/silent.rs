//! Routers that do not answer.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{Site, ordinary};
use crate::guest::{Link, Netns, Report, Tracer, Tracing, until_some};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("router-silent", gives_up),
    alone("router-silent-goes-on", goes_on),
    alone("router-silent-not-answered", answered),
    alone("router-silent-not-deaf", deaf),
];

/// How long it takes to send three solicitations, a second apart at first.
const ASKING: Duration = Duration::from_secs(12);

impl Site {
    /// Has the interface ask anew, every second at first.
    fn ask(&self, solicitations: &str) -> Result<()> {
        let name = &self.interface.name;
        self.host.ip(&format!("link set {name} down"))?;
        self.set("router_solicitations", solicitations)?;
        self.set("router_solicitation_interval", "1")?;
        self.set("router_solicitation_delay", "1")?;
        self.host.ip(&format!("link set {name} up"))
    }

    fn silent(&self, report: &Report, sent: u32, solicitations: i32) -> Result<()> {
        report.complete()?;
        report
            .only("router-silent")?
            .expect()
            .field("operation", "router-solicitation")
            .field("severity", "notice")
            .field("confidence", "certain")
            .field("errno", Value::Null)
            .field("comm", Value::Null)
            .field("netns", self.host.inode())
            .field("ifindex", self.interface.ifindex)
            .field("interface", self.interface.name.clone())
            .evidence("rs_probes", sent)
            .evidence("router_solicitations", solicitations)
            .evidence("addresses", Vec::<String>::new())
            .summary_has([sent.to_string(), self.interface.name.clone()])
            .check()
    }
}

/// The kernel gives up after two.
fn gives_up() -> Result<()> {
    let site = Site::new()?;
    let tracer = Tracer::start(&[])?;
    site.ask("2")?;
    tracer.wait_for_line("router-silent")?;
    site.silent(&tracer.finish()?, 2, 2)?;
    // What comes unasked is heeded.
    site.heeds()
}

/// By default it goes on for ever; it is told once.
fn goes_on() -> Result<()> {
    let site = Site::new()?;
    let tracer = Tracer::start(&[])?;
    site.ask("-1")?;
    tracer.wait_for_line("router-silent")?;
    std::thread::sleep(Duration::from_secs(5));
    site.silent(&tracer.finish()?, 3, -1)
}

/// A router answers, if late.
fn answered() -> Result<()> {
    let site = Site::new()?;
    let tracer = Tracing::start()?;
    site.ask("2")?;
    // The first is sent as soon as the link-local address is there.
    site.is_up()?;
    site.heeds()?;
    std::thread::sleep(ASKING / 2);
    tracer.finish()?.silent()
}

/// Interfaces that do not listen do not ask; nor is a port of a bridge told, which
/// gets no answers.
fn deaf() -> Result<()> {
    let site = Site::new()?;
    let tracer = Tracing::start()?;
    site.set("accept_ra", "0")?;
    site.ask("2")?;
    let switch = Netns::new("switch")?;
    switch.ip("link add br0 type bridge")?;
    switch.ip("link set br0 addrgenmode none up")?;
    switch.ip("link add port type veth peer name far")?;
    for sysctl in ["router_solicitation_interval", "router_solicitation_delay"] {
        switch.set_sysctl(&format!("ipv6/conf/port/{sysctl}"), "1")?;
    }
    switch.set_sysctl("ipv6/conf/port/router_solicitations", "2")?;
    switch.ip("link set port master br0 up")?;
    switch.ip("link set far addrgenmode none up")?;
    let port = Link::find(&switch, "port")?;
    ensure!(port.ifindex > 0, "no port");
    std::thread::sleep(ASKING / 2);
    let report = tracer.finish()?;
    report.silent()?;
    // It can still be told of routers.
    site.set("accept_ra", "1")?;
    site.send(&ordinary().bytes())?;
    until_some("the default route", Duration::from_secs(5), || {
        crate::guest::default_route(&site.host)
    })?;
    Ok(())
}
