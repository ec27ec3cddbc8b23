//! Addresses that duplicate address detection finds in use, rightly or not.

mod bond;
mod conflict;
mod doctor;
mod loopback;
mod optimistic;
mod own;
mod proxy;
mod secret;
mod shared_mac;
mod silent;
mod subnet_router;
mod virtual_mac;

use std::net::Ipv6Addr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::Scenario;
use crate::guest::{
    AddressState, Diagnosis, Expect, Link, Netns, Report, Segment, Tracing, finish,
};
use own::{address, mac};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    loopback::SCENARIOS,
    conflict::SCENARIOS,
    optimistic::SCENARIOS,
    shared_mac::SCENARIOS,
    subnet_router::SCENARIOS,
    proxy::SCENARIOS,
    virtual_mac::SCENARIOS,
    secret::SCENARIOS,
    bond::SCENARIOS,
    silent::SCENARIOS,
    doctor::SCENARIOS,
];

/// The time that two are apart that ask at once: less than the first waits for
/// answers.
const APART: Duration = Duration::from_millis(200);

/// A host with one interface on a segment.
struct Host {
    netns: Netns,
    interface: Link,
}

/// What an interface has from router advertisements: an address of another
/// prefix and the default route.
struct Advertised<'h>(&'h Host);

impl<'h> Advertised<'h> {
    const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 8, 0, 0, 0, 0xa);

    /// Gives a host what an advertisement would.
    fn to(host: &'h Host) -> Result<Self> {
        let interface = &host.interface.name;
        let lifetime = "valid_lft 900 preferred_lft 900";
        host.add(Self::ADDRESS, &format!("nodad {lifetime}"))?;
        host.netns.ip(&format!(
            "-6 route add default via fe80::1 dev {interface} proto ra expires 900"
        ))?;
        Ok(Self(host))
    }

    /// Checks that the host has both still.
    fn stays(self) -> Result<()> {
        let Self(host) = self;
        let interface = &host.interface.name;
        let state = AddressState::of(&host.netns, interface, Self::ADDRESS)?;
        ensure!(state == AddressState::Usable, "the address is {state:?}");
        let routes = host.netns.enter(|| {
            let words = "-6 route show default proto ra";
            let mut ip = Command::new("ip");
            finish(ip.args(words.split(' ')), Duration::from_secs(5))
        })?;
        ensure!(
            routes.stdout.contains("fe80::1"),
            "no default route: {routes}"
        );
        Ok(())
    }
}

impl Host {
    /// Plugs a new host into the port of its own name, and its interface up.
    fn new(segment: &Segment, name: &str, mac: &str) -> Result<Self> {
        let netns = Netns::new(name)?;
        let port = format!("to-{name}");
        let interface = segment.plug(&netns, "eth0", &port, mac)?;
        segment.connect(&netns, "eth0", &port)?;
        Ok(Self { netns, interface })
    }

    /// Adds an address, with more words for `ip`.
    fn add(&self, address: Ipv6Addr, words: &str) -> Result<()> {
        let interface = &self.interface.name;
        self.netns
            .ip(&format!("addr add {address}/64 dev {interface} {words}"))
    }

    /// Changes an address that it has.
    fn change(&self, address: Ipv6Addr, words: &str) -> Result<()> {
        let interface = &self.interface.name;
        self.netns
            .ip(&format!("addr change {address}/64 dev {interface} {words}"))
    }

    /// Adds an address that it may keep, and waits until it knows.
    fn own(&self, address: Ipv6Addr) -> Result<()> {
        self.add(address, "")?;
        AddressState::Usable.wait(&self.netns, &self.interface.name, address)
    }

    /// Traces as it adds an address that it finds in use, until then.
    fn refused(&self, address: Ipv6Addr) -> Result<Report> {
        let tracer = Tracing::start()?;
        self.add(address, "")?;
        AddressState::Failed.wait(&self.netns, &self.interface.name, address)?;
        let report = tracer.finish()?;
        report.complete()?;
        Ok(report)
    }

    fn del(&self, address: Ipv6Addr) -> Result<()> {
        let interface = &self.interface.name;
        self.netns
            .ip(&format!("addr del {address}/64 dev {interface}"))
    }

    fn set(&self, sysctl: &str, value: &str) -> Result<()> {
        let name = format!("ipv6/conf/{}/{sysctl}", self.interface.name);
        self.netns.set_sysctl(&name, value)
    }

    /// Lets the host wait for answers for four seconds instead of one, time
    /// enough for another to ask as well.
    fn ask_patiently(&self) -> Result<()> {
        let interface = &self.interface.name;
        let name = format!("ipv6/neigh/{interface}/retrans_time_ms");
        self.netns.set_sysctl(&name, "4000")
    }

    /// What holds whatever was found out about an address of this host.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis, address: Ipv6Addr) -> Expect<'d> {
        diagnosis
            .expect()
            .field("operation", "duplicate-address-detection")
            .field("errno", Value::Null)
            // It happens in a softirq, to which nobody's task is related.
            .field("pid", Value::Null)
            .field("comm", Value::Null)
            .field("netns", self.netns.inode())
            .field("ifindex", self.interface.ifindex)
            .field("interface", self.interface.name.clone())
            .field("address", address.to_string())
            .evidence("suppressed", 0)
            .summary_has([self.interface.name.clone()])
    }

    /// What holds for a failure, found in a `message` from `source_mac`.
    fn expect_failure<'d>(
        &self,
        diagnosis: &'d Diagnosis,
        message: &str,
        source_mac: &str,
    ) -> Expect<'d> {
        self.expect(diagnosis, address())
            .field("severity", "failure")
            .evidence("message", message)
            .evidence("source_mac", source_mac)
            .evidence("own_mac", mac())
            .evidence("address_deleted", false)
            .evidence("ipv6_disabled", false)
            .summary_has(["dadfailed", message])
            .some_fix_has(&format!("ip address add {}/64 dev", address()))
    }
}
