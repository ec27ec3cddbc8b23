//! Router advertisements that are ignored, wholly or in part.

mod farewell;
mod identifier;
mod ignored;
mod invalid;
mod losses;
mod networkd;
mod parts;
mod prefix;
mod redirect;
mod silent;

use std::net::Ipv6Addr;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use super::Scenario;
use crate::guest::{
    AddressState, AdvertisedPrefix, Advertisement, Advertiser, Diagnosis, Expect, Link, Netns,
    Report, Tracing, default_routes,
};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    ignored::SCENARIOS,
    networkd::SCENARIOS,
    invalid::SCENARIOS,
    parts::SCENARIOS,
    prefix::SCENARIOS,
    identifier::SCENARIOS,
    redirect::SCENARIOS,
    silent::SCENARIOS,
    losses::SCENARIOS,
];

/// What takes routes away.
pub(super) const FAREWELLS: &[Scenario] = farewell::SCENARIOS;

const HOST_MAC: &str = "02:00:00:00:00:0a";
const ROUTER_MAC: &str = "02:00:00:00:00:01";
/// The router's link-local address.
const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x53);
/// What it announces.
const PREFIX: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x53, 7, 0, 0, 0, 0);
/// What the host makes of it.
const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x53, 7, 0, 0xff, 0xfe00, 0xa);

/// A router, and a host on its link.
struct Site {
    host: Netns,
    router: Netns,
    /// The host's.
    interface: Link,
    /// The router's.
    port: Link,
}

impl Site {
    fn new() -> Result<Self> {
        let host = Netns::new("hearer")?;
        let router = Netns::new("announcer")?;
        host.ip("link set lo up")?;
        host.ip(&format!(
            "link add up.7 address {HOST_MAC} type veth peer name w0 address {ROUTER_MAC} netns {}",
            router.name()
        ))?;
        router.ip("link set w0 addrgenmode none up")?;
        router.ip(&format!("address add {ROUTER}/64 dev w0 nodad"))?;
        // Addresses are to be usable at once.
        host.set_sysctl("ipv6/conf/up.7/accept_dad", "0")?;
        host.ip("link set up.7 up")?;
        let interface = Link::find(&host, "up.7")?;
        let port = Link::find(&router, "w0")?;
        let site = Self {
            host,
            router,
            interface,
            port,
        };
        site.is_up()?;
        Ok(site)
    }

    /// Waits until the host's link is there, and with it its link-local address.
    fn is_up(&self) -> Result<()> {
        let own = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 0xa);
        AddressState::Usable.wait(&self.host, &self.interface.name, own)
    }

    fn set(&self, sysctl: &str, value: &str) -> Result<()> {
        let name = format!("ipv6/conf/{}/{sysctl}", self.interface.name);
        self.host.set_sysctl(&name, value)
    }

    fn get(&self, sysctl: &str) -> Result<i64> {
        let name = format!("ipv6/conf/{}/{sysctl}", self.interface.name);
        Ok(self.host.sysctl(&name)?.trim().parse()?)
    }

    /// Whether this kernel has a sysctl of interfaces.
    fn has(&self, sysctl: &str) -> Result<bool> {
        let name = format!("ipv6/conf/{}/{sysctl}", self.interface.name);
        self.host.has_sysctl(&name)
    }

    /// What sends for the router.
    fn advertiser(&self) -> Result<Advertiser> {
        Advertiser::new(&self.router, &self.port, ROUTER)
    }

    /// Sends a message of the router's.
    fn send(&self, message: &[u8]) -> Result<()> {
        self.advertiser()?.send(message)
    }

    /// Traces as the router sends a message.
    fn traced(&self, message: &[u8]) -> Result<Report> {
        let tracer = Tracing::start()?;
        self.send(message)?;
        let report = tracer.finish()?;
        report.complete()?;
        Ok(report)
    }

    /// Waits until the host has the address and the default route that an ordinary
    /// advertisement brings.
    fn heeds(&self) -> Result<()> {
        self.send(&ordinary().bytes())?;
        self.has_all()
    }

    /// Checks that it has.
    fn has_all(&self) -> Result<()> {
        let name = &self.interface.name;
        AddressState::Usable.wait(&self.host, name, ADDRESS)?;
        let routes = default_routes(&self.host)?;
        let wanted = (ROUTER.to_string(), name.clone());
        ensure!(
            routes.contains(&wanted),
            "the default routes are {routes:?}"
        );
        Ok(())
    }

    /// Checks that the host has nothing of what was advertised.
    fn has_nothing(&self) -> Result<()> {
        let state = AddressState::of(&self.host, &self.interface.name, ADDRESS)?;
        ensure!(state == AddressState::Absent, "{ADDRESS} is {state:?}");
        let routes = default_routes(&self.host)?;
        ensure!(routes.is_empty(), "the default routes are {routes:?}");
        Ok(())
    }

    /// Takes away what the host has from advertisements.
    fn forget(&self) -> Result<()> {
        let name = &self.interface.name;
        // Either may not be there.
        let _ = self
            .host
            .ip(&format!("address del {ADDRESS}/64 dev {name}"));
        let _ = self.host.ip("-6 route del default proto ra");
        self.has_nothing()
    }

    /// What holds for whatever is said of the router's messages.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis) -> Expect<'d> {
        diagnosis
            .expect()
            .field("errno", Value::Null)
            // It happens in a softirq, to which nobody's task is related.
            .field("pid", Value::Null)
            .field("comm", Value::Null)
            .field("netns", self.host.inode())
            .field("ifindex", self.interface.ifindex)
            .field("interface", self.interface.name.clone())
            .evidence("router", ROUTER.to_string())
            .evidence("source_mac", ROUTER_MAC)
            .evidence("suppressed", 0)
            .summary_has([
                self.interface.name.clone(),
                ROUTER.to_string(),
                format!("({ROUTER_MAC})"),
            ])
    }

    /// The same, of an advertisement.
    fn expect_advertisement<'d>(&self, diagnosis: &'d Diagnosis) -> Expect<'d> {
        self.expect(diagnosis)
            .field("operation", "router-advertisement")
            .field("confidence", "certain")
    }
}

/// An advertisement that gives a host an address and the default route.
fn ordinary() -> Advertisement {
    Advertisement::new().prefix(AdvertisedPrefix::new(PREFIX))
}

/// The one diagnosis of that cause, among others.
fn of_cause<'r>(report: &'r Report, cause: &str) -> Result<&'r Diagnosis> {
    let of_it = |one: &&Diagnosis| one.cause() == cause;
    let found: Vec<_> = report.diagnoses.iter().filter(of_it).collect();
    match found[..] {
        [diagnosis] => Ok(diagnosis),
        _ => bail!("expected one {cause} among {:#?}", report.diagnoses),
    }
}
