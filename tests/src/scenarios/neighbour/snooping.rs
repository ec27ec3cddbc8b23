//! Bridges that keep solicitations from who has the address.

use std::net::Ipv6Addr;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{OWN, other, send, shown, wait};
use crate::guest::{Diagnosis, Netns, Report, Tracing, finish, until, until_some};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("neighbour-unreachable-snooping", snooping),
    scenario("neighbour-unreachable-snooping-on-bridge", on_bridge),
    scenario("neighbour-unreachable-not-snooping", not_kept),
];

/// The node's address, and the group of its solicitations.
const NODE: u16 = 9;
const GROUP: &str = "ff02::1:ff00:9";
/// Another address of the node, and of the group.
const TWIN: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x4e, 0, 0, 0, 1, 0, NODE);

/// A host and a node behind a bridge, which asks for members if it is told to.
struct Segment {
    host: Netns,
    switch: Netns,
    node: Netns,
}

impl Segment {
    fn new(name: &str, querier: u8) -> Result<Self> {
        let [host, switch, node] =
            ["host", "switch", "node"].map(|role| Netns::new(&format!("{name}-{role}")));
        let (host, switch, node) = (host?, switch?, node?);
        // It asks at once and once again, and then not for most of a day.
        switch.ip(&format!(
            "link add br0 type bridge mcast_snooping 1 mcast_querier {querier} \
             mcast_startup_query_interval 50 mcast_query_response_interval 50 \
             mcast_query_interval 6000000"
        ))?;
        switch.ip("link set br0 addrgenmode none up")?;
        switch.ip("address add fe80::b/64 dev br0 nodad")?;
        for (netns, interface, port, own) in
            [(&host, "v0", "p0", OWN), (&node, "v1", "p1", other(NODE))]
        {
            let far = netns.name();
            switch.ip(&format!(
                "link add {port} type veth peer name {interface} netns {far}"
            ))?;
            switch.ip(&format!("link set {port} addrgenmode none master br0"))?;
            switch.ip(&format!("link set {port} up"))?;
            netns.set_sysctl(&format!("ipv6/neigh/{interface}/retrans_time_ms"), "100")?;
            netns.set_sysctl(&format!("ipv6/conf/{interface}/accept_dad"), "0")?;
            netns.set_sysctl(&format!("ipv6/conf/{interface}/router_solicitations"), "0")?;
            // Who listens says so twice, else up to 10 seconds later.
            let again = format!("ipv6/conf/{interface}/mldv1_unsolicited_report_interval");
            netns.set_sysctl(&again, "500")?;
            netns.ip(&format!("link set {interface} up"))?;
            netns.ip(&format!("address add {own}/64 dev {interface} nodad"))?;
            netns.carries(interface)?;
        }
        let segment = Self { host, switch, node };
        until("the bridge should forward", Duration::from_secs(8), || {
            let there = send(&segment.host, other(NODE)).is_ok();
            there && wait(&segment.host, other(NODE), "REACHABLE").is_ok()
        })?;
        Ok(segment)
    }

    /// Has the bridge forget that anybody listens to solicitations for the node, until one who
    /// asks for its other address is not answered: what the bridge asked at first may be
    /// answered late, and it floods at first.
    fn forget(&self, asker: &Netns) -> Result<()> {
        self.node
            .ip(&format!("address add {TWIN}/64 dev v1 nodad"))?;
        until_some("nobody is heard", Duration::from_secs(30), || {
            sleep(Duration::from_secs(2));
            if self.bridge("mdb show dev br0")?.contains(GROUP) {
                self.bridge(&format!("mdb del dev br0 port p1 grp {GROUP}"))?;
            }
            self.switch.ip("-6 neigh flush dev br0")?;
            self.host.ip("-6 neigh flush dev v0")?;
            send(asker, TWIN)??;
            sleep(Duration::from_secs(1));
            let entries = shown(asker, "-6 neigh show nud all")?;
            let twin = format!("{TWIN} ");
            let is_heard = |line: &String| line.starts_with(&twin) && line.contains("lladdr");
            Ok((!entries.iter().any(is_heard)).then_some(()))
        })
    }

    /// What `bridge` says of the switch.
    fn bridge(&self, words: &str) -> Result<String> {
        let words = format!("netns exec {} bridge {words}", self.switch.name());
        let mut ip = Command::new("ip");
        let done = finish(ip.args(words.split(' ')), Duration::from_secs(10))?;
        ensure!(done.status.success(), "{words}: {done}");
        Ok(done.stdout)
    }
}

/// Traces as a packet is sent that nobody answers for.
fn unanswered(from: &Netns, to: u16) -> Result<Report> {
    let tracer = Tracing::start()?;
    send(from, other(to))??;
    wait(from, other(to), "FAILED")?;
    let report = tracer.finish()?;
    report.complete()?;
    Ok(report)
}

fn about(report: &Report, address: u16) -> Result<&Diagnosis> {
    super::about(report, other(address))
}

/// The node is there, and the bridge does not know that it listens.
fn snooping() -> Result<()> {
    let segment = Segment::new("deaf", 1)?;
    segment.forget(&segment.host)?;
    let report = unanswered(&segment.host, NODE)?;
    let diagnosis = about(&report, NODE)?;
    let place = format!("br0 of network namespace {}", segment.switch.name());
    diagnosis
        .expect()
        .field("cause", "neighbour-unreachable")
        .field("netns", segment.host.inode())
        .field("confidence", "likely")
        .evidence("snooping_bridge", "br0")
        .evidence("group", GROUP)
        .evidence("member_ports", json!([]))
        .summary_has([&place, "mcast_snooping = 1, mcast_querier = 1", GROUP])
        .check()?;
    diagnosis.follow("mcast_snooping 0")?;
    send(&segment.host, other(NODE))??;
    wait(&segment.host, other(NODE), "REACHABLE")
}

/// The same of a host whose interface is the bridge.
fn on_bridge() -> Result<()> {
    let segment = Segment::new("deaf-bridge", 1)?;
    segment
        .switch
        .set_sysctl("ipv6/neigh/br0/retrans_time_ms", "100")?;
    let own = other(7);
    segment
        .switch
        .ip(&format!("address add {own}/64 dev br0 nodad"))?;
    segment.forget(&segment.switch)?;
    let report = unanswered(&segment.switch, NODE)?;
    let diagnosis = about(&report, NODE)?;
    diagnosis
        .expect()
        .field("interface", "br0")
        .evidence("member_ports", json!([]))
        .summary_has(["The bridge br0 hands"])
        .check()?;
    diagnosis.follow("mcast_snooping 0")?;
    send(&segment.switch, other(NODE))??;
    wait(&segment.switch, other(NODE), "REACHABLE")
}

/// A bridge floods where nobody asks for members; where there is a member, what it hears
/// does not come from the bridge; behind a port with a router all is heard; and what is tagged
/// on a port does not come by the bridge.
fn not_kept() -> Result<()> {
    let floods = Segment::new("floods", 0)?;
    let listed = Segment::new("listed", 1)?;
    let routed = Segment::new("routed", 1)?;
    // Another address of the node has the same group.
    listed.node.ip("address add fd00:4f::9/64 dev v1 nodad")?;
    listed
        .node
        .ip(&format!("address del {}/64 dev v1", other(NODE)))?;
    listed.host.ip("-6 neigh flush dev v0")?;
    routed.bridge("link set dev p1 mcast_router 2")?;
    let tagged = &routed.switch;
    tagged.ip("link add link p0 name p0.5 type vlan id 5")?;
    tagged.set_sysctl("ipv6/neigh/p0.5/retrans_time_ms", "100")?;
    tagged.ip("link set p0.5 up")?;
    tagged.ip(&format!("address add {OWN}/64 dev p0.5 nodad"))?;
    let tracer = Tracing::start()?;
    let asked = [
        (&floods.host, 0x50),
        (&listed.host, NODE),
        (&routed.host, 0x51),
        (tagged, 0x52),
    ];
    for (from, to) in asked {
        send(from, other(to))??;
        wait(from, other(to), "FAILED")?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    for (_, to) in asked {
        let found = about(&report, to)?;
        found
            .expect()
            .summary_has_none_of(&["mcast_snooping"])
            .no_fix_has("mcast_snooping")
            .check()?;
        if to != NODE {
            let bridge = found.evidence("snooping_bridge");
            ensure!(bridge.is_none(), "it says {found}");
        }
    }
    about(&report, NODE)?
        .expect()
        .evidence("snooping_bridge", "br0")
        .evidence("member_ports", json!(["p1"]))
        .check()
}
