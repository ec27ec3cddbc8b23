//! Packets for other hosts that are not passed on, and what is none of that.

mod errors;

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::{Scenario, scenario};
use crate::guest::{
    AdvertisedPrefix, Advertisement, Advertiser, Diagnosis, Expect, Link, Netns, Tracing,
    default_routes, until_some,
};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[FORWARDING, errors::SCENARIOS];

const FORWARDING: &[Scenario] = &[
    scenario("not-forwarding-host-on-advertisements", on_advertisements),
    scenario("not-forwarding-one-interface-alone", one_interface_alone),
    scenario("not-forwarding-vrf", vrf),
    scenario("not-forwarding-leads-back", leads_back),
    scenario("not-forwarding-not-to-its-own", to_its_own),
    scenario("not-forwarding-not-if-flooded", flooded),
    scenario("not-forwarding-not-by-a-router", router),
    scenario("not-forwarding-not-unasked", unasked),
];

/// The host's addresses, on the sender's link and on the other.
const OWN: Ipv6Addr = on_near_link(1);
const OWN_FAR: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x7a, 0, 2, 0, 0, 0, 1);
const SENDER: Ipv6Addr = on_near_link(2);
/// Where packets are to go: at the other node.
const BEYOND: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x7a, 0, 0, 0, 0, 9);
/// The other node's, and the way to it.
const GATEWAY: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x7a);
const ADVERTISED: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x7a, 0xad, 0, 0, 0, 0, 0);
const OTHER_ADVERTISED: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x7a, 0xae, 0, 0, 0, 0, 0);
const HOST_MAC: &str = "02:00:00:00:7a:01";
const SENDER_MAC: &str = "02:00:00:00:7a:02";
const PORT: u16 = 4000;
const SOON: Duration = Duration::from_secs(8);

const fn on_near_link(number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, 0x7a, 0, 1, 0, 0, 0, number)
}

/// A sender that takes a host for its router, and a node behind that.
struct Site {
    sender: Netns,
    host: Netns,
    node: Netns,
    near: Link,
    far: Link,
}

impl Site {
    fn new(name: &str) -> Result<Self> {
        Self::within(name, None)
    }

    /// The host has v0 towards the sender and v1 towards the node, and routes for both,
    /// in a VRF with this table if there is one.
    fn within(name: &str, vrf: Option<u32>) -> Result<Self> {
        let host = Netns::new(name)?;
        let sender = Netns::new(&format!("{name}-sender"))?;
        let node = Netns::new(&format!("{name}-node"))?;
        host.ip("link set lo up")?;
        node.ip("link set lo up")?;
        if let Some(table) = vrf {
            host.ip(&format!("link add red up type vrf table {table}"))?;
        }
        for (other, own, far) in [(&sender, "v0", "p0"), (&node, "v1", "p1")] {
            let name = other.name();
            host.ip(&format!(
                "link add {own} type veth peer name {far} netns {name}"
            ))?;
            if vrf.is_some() {
                host.ip(&format!("link set {own} master red"))?;
            }
            if own == "v0" {
                host.ip(&format!("link set v0 address {HOST_MAC}"))?;
                sender.ip(&format!("link set p0 address {SENDER_MAC}"))?;
            }
            for (netns, interface) in [(&host, own), (other, far)] {
                netns.set_sysctl(&format!("ipv6/conf/{interface}/accept_dad"), "0")?;
                netns.ip(&format!("link set {interface} up"))?;
            }
        }
        host.ip(&format!("address add {OWN}/64 dev v0 nodad"))?;
        host.ip(&format!("address add {OWN_FAR}/64 dev v1 nodad"))?;
        let table = vrf.unwrap_or(254);
        host.ip(&format!(
            "-6 route add {BEYOND}/128 via {GATEWAY} dev v1 table {table}"
        ))?;
        sender.ip(&format!("address add {SENDER}/64 dev p0 nodad"))?;
        sender.ip(&format!("-6 route add {BEYOND}/128 via {OWN} dev p0"))?;
        node.ip(&format!("address add {GATEWAY}/64 dev p1 nodad"))?;
        node.ip(&format!("address add {BEYOND}/128 dev lo nodad"))?;
        let (near, far) = (Link::find(&host, "v0")?, Link::find(&host, "v1")?);
        Ok(Self {
            sender,
            host,
            node,
            near,
            far,
        })
    }

    /// Sends a packet.
    fn send(&self, to: Ipv6Addr) -> Result<()> {
        let is_link_local = to.is_unicast_link_local();
        let by = Link::find(&self.sender, "p0")?.ifindex;
        let to = SocketAddrV6::new(to, PORT, 0, if is_link_local { by } else { 0 });
        self.sender.enter(|| {
            let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
            socket.send_to(&[0; 7], to)?;
            Ok(())
        })
    }

    /// Sends one that the host drops since it does not forward.
    fn send_in_vain(&self, to: Ipv6Addr) -> Result<()> {
        let before = self.dropped()?;
        self.send(to)?;
        until_some("the host drops the packet", SOON, || {
            Ok((self.dropped()? > before).then_some(()))
        })
    }

    /// Sends one that arrives.
    fn arrives(&self) -> Result<()> {
        let receiver = self.node.enter(|| {
            let socket = UdpSocket::bind((BEYOND, PORT)).context("cannot listen")?;
            socket.set_read_timeout(Some(SOON))?;
            Ok(socket)
        })?;
        self.send(BEYOND)?;
        let length = receiver.recv(&mut [0; 16]).context("nothing arrives")?;
        ensure!(length == 7, "something else arrives");
        Ok(())
    }

    /// Packets for others that the host dropped.
    fn dropped(&self) -> Result<u64> {
        self.host.counter("Ip6InAddrErrors")
    }

    /// The sender finds the host's `address` at another MAC.
    fn sender_finds(&self, address: Ipv6Addr, mac: &str) -> Result<()> {
        self.sender.ip(&format!(
            "-6 neigh replace {address} lladdr {mac} dev p0 nud permanent"
        ))
    }

    /// What holds whatever the way.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis, destination: Ipv6Addr) -> Expect<'d> {
        diagnosis
            .expect()
            .field("cause", "not-forwarding")
            .field("confidence", "certain")
            .field("operation", "packet-forwarding")
            .field("errno", serde_json::Value::Null)
            .field("comm", serde_json::Value::Null)
            .field("netns", self.host.inode())
            .field("interface", "v0")
            .field("ifindex", self.near.ifindex)
            .field("address", destination.to_string())
            .evidence("source", SENDER.to_string())
            .evidence("mac", SENDER_MAC)
            .evidence("all_forwarding", 0)
            .evidence("hop_limit", 64)
            .evidence("next_header", libc::IPPROTO_UDP)
            .evidence("length", 40 + 8 + 7)
            .evidence("suppressed", 0)
            .summary_has([SENDER.to_string(), destination.to_string()])
    }

    /// The same for what goes on by v1.
    fn expect_onward<'d>(&self, diagnosis: &'d Diagnosis) -> Expect<'d> {
        self.expect(diagnosis, BEYOND)
            .field("severity", "failure")
            .evidence("out_interface", "v1")
            .evidence("out_ifindex", self.far.ifindex)
            .evidence("gateway", GATEWAY.to_string())
            .summary_has(["v1".to_owned(), GATEWAY.to_string()])
    }
}

/// A host whose way on came from a router, which the fixes do not cost it.
fn on_advertisements() -> Result<()> {
    let site = Site::new("transit")?;
    // Else its answers say that it is no router, and the default route goes by that.
    site.node.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    let router = Advertiser::new(&site.node, &Link::find(&site.node, "p1")?, GATEWAY)?;
    let hears = |prefix: Ipv6Addr| {
        let message = Advertisement::new().prefix(AdvertisedPrefix::new(prefix));
        until_some("the host hears the router", SOON, || {
            router.send(&message.bytes())?;
            Ok(has_address_of(&site.host, prefix)?.then_some(()))
        })
    };
    hears(ADVERTISED)?;
    let tracer = Tracing::start()?;
    site.send_in_vain(BEYOND)?;
    // One an hour is told.
    site.send_in_vain(BEYOND)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("not-forwarding")?;
    site.expect_onward(diagnosis)
        .evidence("forwarding", 0)
        .evidence("advertised", json!(["v1"]))
        .check()?;
    for fix in ["accept_ra=2", "forwarding=1"] {
        diagnosis.follow(fix)?;
    }
    site.arrives()?;
    let left = default_routes(&site.host)?;
    let learnt = [(GATEWAY.to_string(), "v1".to_owned())];
    ensure!(left == learnt, "of the default route is left {left:?}");
    ensure!(
        has_address_of(&site.host, ADVERTISED)?,
        "the address of the advertisement is gone"
    );
    // And is heard on.
    hears(OTHER_ADVERTISED)
}

/// Whether there is an address of this /64.
fn has_address_of(netns: &Netns, prefix: Ipv6Addr) -> Result<bool> {
    let table = netns.enter(|| {
        std::fs::read_to_string("/proc/thread-self/net/if_inet6").context("cannot read addresses")
    })?;
    let half = u128::from(prefix) >> 64;
    let half = format!("{half:016x}");
    Ok(table.lines().any(|line| line.starts_with(&half)))
}

/// As forwarding of one interface is set, which does for IPv4.
fn one_interface_alone() -> Result<()> {
    let site = Site::new("transit-one")?;
    site.host.set_sysctl("ipv6/conf/v0/forwarding", "1")?;
    let has_force = site.host.has_sysctl("ipv6/conf/v0/force_forwarding")?;
    let tracer = Tracing::start()?;
    site.send_in_vain(BEYOND)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("not-forwarding")?;
    site.expect_onward(diagnosis)
        .evidence("forwarding", 1)
        .evidence("force_forwarding", has_force.then_some(0))
        .evidence("advertised", json!([]))
        .summary_has_one_of(&["forwarding of v0 is 1"])
        .no_fix_has("accept_ra")
        .check()?;
    diagnosis.follow("all/forwarding=1")?;
    site.arrives()
}

/// The packet came in by the port of the VRF, whatever it has of the VRF by then.
fn vrf() -> Result<()> {
    let site = Site::within("transit-vrf", Some(77))?;
    let tracer = Tracing::start()?;
    site.send_in_vain(BEYOND)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("not-forwarding")?;
    site.expect_onward(diagnosis)
        .evidence("forwarding", 0)
        .check()?;
    diagnosis.follow("all/forwarding=1")?;
    site.arrives()
}

/// What is on the sender's own link.
fn leads_back() -> Result<()> {
    let site = Site::new("transit-back")?;
    let near = on_near_link(0x99);
    site.sender_finds(near, HOST_MAC)?;
    let tracer = Tracing::start()?;
    site.send_in_vain(near)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("not-forwarding")?;
    site.expect(diagnosis, near)
        .field("severity", "notice")
        .evidence("out_interface", "v0")
        .evidence("gateway", serde_json::Value::Null)
        .summary_has_one_of(&["on that very link"])
        .no_fix_has("forwarding")
        .check()
}

/// Addresses that are tested for duplicates, and those of the link alone.
fn to_its_own() -> Result<()> {
    let site = Site::new("transit-own")?;
    let tentative = on_near_link(0x7e);
    let local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x99);
    for address in [tentative, local] {
        site.sender_finds(address, HOST_MAC)?;
    }
    site.host.set_sysctl("ipv6/conf/v0/accept_dad", "1")?;
    site.host.set_sysctl("ipv6/conf/v0/dad_transmits", "60")?;
    site.host
        .ip(&format!("address add {tentative}/64 dev v0"))?;
    let tracer = Tracing::start()?;
    site.send_in_vain(tentative)?;
    site.send_in_vain(local)?;
    tracer.finish()?.silent()
}

/// Packets that were not sent to the host's MAC, though it sees them.
fn flooded() -> Result<()> {
    let site = Site::new("transit-flood")?;
    site.host.ip("link set v0 promisc on")?;
    let tracer = Tracing::start()?;
    site.sender_finds(OWN, "02:00:00:00:7a:99")?;
    site.send(BEYOND)?;
    site.sender_finds(OWN, "ff:ff:ff:ff:ff:ff")?;
    site.send_in_vain(BEYOND)?;
    tracer.finish()?.silent()
}

/// A router, and an interface that forwards without the others.
fn router() -> Result<()> {
    let site = Site::new("transit-router")?;
    site.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    let tracer = Tracing::start()?;
    site.arrives()?;
    if site.host.has_sysctl("ipv6/conf/v0/force_forwarding")? {
        site.host.set_sysctl("ipv6/conf/all/forwarding", "0")?;
        site.host.set_sysctl("ipv6/conf/v0/force_forwarding", "1")?;
        site.arrives()?;
    }
    tracer.finish()?.silent()
}

/// It is to be asked for by name.
fn unasked() -> Result<()> {
    let site = Site::new("transit-unasked")?;
    let tracer = Tracing::start()?;
    site.send_in_vain(BEYOND)?;
    tracer.finish()?.silent()
}
