//! Packets that are dropped, and senders that are to learn that.

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{BEYOND, GATEWAY, PORT, SENDER, SENDER_MAC, SOON, Site};
use crate::guest::{Diagnosis, Expect, set_option, traced, until_some};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("too-big-untold", untold),
    scenario("too-big-untold-held-back", held_back),
    scenario("too-big-untold-not-if-told", told),
    scenario("hop-limit-exceeded", hop_limit),
    scenario("hop-limit-exceeded-round", round),
    scenario("no-way-back", no_way_back),
];

/// An address of the sender's that the host has no route to.
const STRANGER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x77, 0, 0, 0, 0, 1);
/// What fits by the host's second link, and a packet that does not.
const MTU: u32 = 1400;
const BIG: u32 = 1448;
/// Bytes of the headers of IPv6 and UDP.
const HEADERS: u32 = 48;
/// `IPV6_MTU_DISCOVER`, and to send whatever the link takes (`IPV6_PMTUDISC_PROBE`).
const MTU_DISCOVER: i32 = 23;
const PROBE: i32 = 3;

/// A router whose way on takes less.
fn narrow(name: &str) -> Result<Site> {
    let site = Site::new(name)?;
    site.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    for (netns, interface) in [(&site.host, "v1"), (&site.node, "p1")] {
        netns.ip(&format!("link set {interface} mtu {MTU}"))?;
    }
    site.sender
        .ip(&format!("address add {STRANGER}/128 dev p0 nodad"))?;
    site.arrives()?;
    Ok(site)
}

/// A packet of so many bytes, to send again and again.
struct Packets {
    socket: UdpSocket,
    to: SocketAddrV6,
    length: u32,
}

impl Packets {
    fn new(site: &Site, source: Ipv6Addr, to: Ipv6Addr, length: u32) -> Result<Self> {
        let socket = site.sender.enter(|| {
            UdpSocket::bind((source, 0)).with_context(|| format!("cannot bind {source}"))
        })?;
        set_option(&socket, libc::IPPROTO_IPV6, MTU_DISCOVER, &PROBE)?;
        let to = SocketAddrV6::new(to, PORT, 0, 0);
        Ok(Self { socket, to, length })
    }

    /// With so many hops.
    fn hops(self, hops: i32) -> Result<Self> {
        let socket = &self.socket;
        set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, &hops)?;
        Ok(self)
    }

    /// Sends one, and waits until the host has counted that it dropped it.
    fn send(&self, site: &Site, counter: &str) -> Result<()> {
        let before = site.host.counter(counter)?;
        let bytes = vec![0; usize::try_from(self.length - HEADERS)?];
        // It may learn of an error for what it sent before.
        if self.socket.send_to(&bytes, self.to).is_err() {
            self.socket.send_to(&bytes, self.to)?;
        }
        until_some("the host drops the packet", SOON, || {
            Ok((site.host.counter(counter)? > before).then_some(()))
        })
    }
}

const TOO_BIG: &str = "Ip6InTooBigErrors";
const TOO_FAR: &str = "Ip6InHdrErrors";

/// What holds of every packet to the node.
fn expect<'d>(site: &Site, diagnosis: &'d Diagnosis, cause: &str, source: Ipv6Addr) -> Expect<'d> {
    diagnosis
        .expect()
        .field("cause", cause)
        .field("operation", "packet-forwarding")
        .field("comm", Value::Null)
        .field("netns", site.host.inode())
        .field("interface", "v0")
        .field("ifindex", site.near.ifindex)
        .field("address", source.to_string())
        .evidence("destination", BEYOND.to_string())
        .evidence("mac", SENDER_MAC)
        .evidence("out_interface", "v1")
        .evidence("gateway", GATEWAY.to_string())
        .evidence("next_header", 17)
        .summary_has([source.to_string(), BEYOND.to_string()])
}

/// How many such errors have come to the sender.
fn heard(site: &Site, counter: &str) -> Result<u64> {
    site.sender.counter(counter)
}

/// Follows the fix that gives the host a way back, and has the sender hear of a packet.
fn hears_again(
    site: &Site,
    diagnosis: &Diagnosis,
    packets: &Packets,
    counters: (&str, &str),
) -> Result<()> {
    let (dropped, hears) = counters;
    ensure!(heard(site, hears)? == 0, "the sender has heard already");
    diagnosis.follow(&format!("ip -6 route add {STRANGER}/128 dev v0"))?;
    packets.send(site, dropped)?;
    until_some("the sender hears", SOON, || {
        Ok((heard(site, hears)? > 0).then_some(()))
    })?;
    site.arrives()
}

/// There is no way back to the sender.
fn untold() -> Result<()> {
    let site = narrow("transit-big")?;
    let packets = Packets::new(&site, STRANGER, BEYOND, BIG)?;
    let report = traced(|| {
        packets.send(&site, TOO_BIG)?;
        // One an hour is told.
        packets.send(&site, TOO_BIG)
    })?;
    let diagnosis = report.only("too-big-untold")?;
    expect(&site, diagnosis, "too-big-untold", STRANGER)
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("errno", "ENETUNREACH")
        .evidence("length", BIG)
        .evidence("mtu", MTU)
        .evidence("icmpv6_type", 2)
        .evidence("told", "no-way")
        .evidence("hop_limit", 64)
        .summary_has(["1448 bytes", "1400", "no route"])
        .check()?;
    hears_again(&site, diagnosis, &packets, (TOO_BIG, "Icmp6InPktTooBigs"))
}

/// The mask of the rate limit has what it should not have.
fn held_back() -> Result<()> {
    let site = narrow("transit-mask")?;
    site.host.set_sysctl("ipv6/icmp/ratemask", "0-127")?;
    let packets = Packets::new(&site, SENDER, BEYOND, BIG)?;
    // More than it lets pass at once.
    let many = || (0..20).try_for_each(|_| packets.send(&site, TOO_BIG));
    let report = traced(many)?;
    let before = heard(&site, "Icmp6InPktTooBigs")?;
    ensure!(before < 20, "the sender hears of {before}");
    let diagnosis = report.only("too-big-untold")?;
    expect(&site, diagnosis, "too-big-untold", SENDER)
        .field("severity", "failure")
        .field("confidence", "likely")
        .field("errno", Value::Null)
        .evidence("length", BIG)
        .evidence("mtu", MTU)
        .evidence("told", "held-back")
        .evidence("ratemask_has_it", true)
        .summary_has(["ratemask"])
        .check()?;
    diagnosis.follow("ratemask")?;
    many()?;
    until_some("the sender hears of each", SOON, || {
        Ok((heard(&site, "Icmp6InPktTooBigs")? == before + 20).then_some(()))
    })?;
    site.arrives()
}

/// As path MTU discovery works.
fn told() -> Result<()> {
    let site = narrow("transit-told")?;
    let packets = Packets::new(&site, SENDER, BEYOND, BIG)?;
    let report = traced(|| (0..20).try_for_each(|_| packets.send(&site, TOO_BIG)))?;
    let heard = heard(&site, "Icmp6InPktTooBigs")?;
    ensure!(heard == 20, "the sender hears of {heard}");
    report.silent()
}

/// What traceroute sends, told as a notice, once.
fn hop_limit() -> Result<()> {
    let site = narrow("transit-hops")?;
    let packets = Packets::new(&site, SENDER, BEYOND, 60)?.hops(1)?;
    let report = traced(|| (0..3).try_for_each(|_| packets.send(&site, TOO_FAR)))?;
    let diagnosis = report.only("hop-limit-exceeded")?;
    expect(&site, diagnosis, "hop-limit-exceeded", SENDER)
        .field("severity", "notice")
        .field("confidence", "certain")
        .field("errno", Value::Null)
        .evidence("hop_limit", 1)
        .evidence("length", 60)
        .evidence("mtu", Value::Null)
        .evidence("told", "sent")
        .summary_has(["traceroute"])
        .check()?;
    ensure!(diagnosis.fixes().is_empty(), "it says {diagnosis}");
    ensure!(
        !diagnosis.summary().contains("leads back"),
        "it says {diagnosis}"
    );
    Ok(())
}

/// The host sends it back to where it came from.
fn round() -> Result<()> {
    let site = narrow("transit-round")?;
    let lost = Ipv6Addr::new(0x2001, 0xdb8, 0x78, 0, 0, 0, 0, 1);
    for (netns, via, dev) in [(&site.host, SENDER, "v0"), (&site.sender, super::OWN, "p0")] {
        netns.ip(&format!("-6 route add {lost}/128 via {via} dev {dev}"))?;
    }
    let packets = Packets::new(&site, SENDER, lost, 60)?.hops(1)?;
    let report = traced(|| packets.send(&site, TOO_FAR))?;
    report
        .only("hop-limit-exceeded")?
        .expect()
        .field("severity", "notice")
        .evidence("out_interface", "v0")
        .evidence("gateway", SENDER.to_string())
        .summary_has(["leads back to the link of v0"])
        .check()
}

/// Nor does the sender hear of this.
fn no_way_back() -> Result<()> {
    let site = narrow("transit-back-to-none")?;
    let packets = Packets::new(&site, STRANGER, BEYOND, 60)?.hops(1)?;
    let report = traced(|| packets.send(&site, TOO_FAR))?;
    let diagnosis = report.only("no-way-back")?;
    expect(&site, diagnosis, "no-way-back", STRANGER)
        .field("severity", "notice")
        .field("confidence", "certain")
        .field("errno", "ENETUNREACH")
        .evidence("icmpv6_type", 3)
        .evidence("icmpv6_code", 0)
        .evidence("told", "no-way")
        .summary_has(["no route"])
        .check()?;
    hears_again(&site, diagnosis, &packets, (TOO_FAR, "Icmp6InTimeExcds"))
}
