//! What the kernel does not grant.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use serde_json::Value;

use super::{Host, about};
use crate::guest::{NeighbourRequest, Netlink, Tracing, attribute};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("request-refused-not-permitted", not_permitted),
    scenario("request-refused-no-device", no_device),
    scenario("request-refused-rule", rule),
    scenario("request-refused-neighbour", neighbour),
    scenario("request-refused-next-hop", next_hop),
    scenario("request-refused-label", label),
];

const RTM_SETLINK: u16 = 19;
const RTM_DELADDR: u16 = 21;
const RTM_NEWRULE: u16 = 32;
const NLM_F_CREATE: u16 = 0x400;
const INET6: u8 = 10;
/// An address of the prefix of the first link.
const OWN: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x5a, 0, 0, 0, 0, 0, 7);
/// An index that no interface has.
const NOBODY: u32 = 7777;

/// A rule from fd00:5c::/64 to table 100.
fn rule_bytes() -> Vec<u8> {
    let mut body = vec![INET6, 0, 64, 0, 100, 0, 0, 1, 0, 0, 0, 0];
    let mut source = [0; 16];
    source[..4].copy_from_slice(&[0xfd, 0, 0, 0x5c]);
    attribute(&mut body, 2, &source);
    body
}

/// A task that has no CAP_NET_ADMIN, and then one that has it.
fn not_permitted() -> Result<()> {
    let host = Host::new("unprivileged")?;
    let tracer = Tracing::start()?;
    let mut netlink = Netlink::open(&host.netns)?;
    let ask = |netlink: &mut Netlink| netlink.ask(RTM_NEWRULE, NLM_F_CREATE, &rule_bytes());
    host.netns.enter(|| {
        let mut sets = capabilities(None)?;
        sets.effective.remove(CapabilitySet::NET_ADMIN);
        set_capabilities(None, sets)?;
        let errno = ask(&mut netlink)?;
        ensure!(errno == libc::EPERM, "the kernel says {errno}");
        Ok(())
    })?;
    // As the fix says.
    ensure!(ask(&mut netlink)? == 0, "it is refused to root as well");
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("request-refused")?
        .expect()
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("operation", "rule-add")
        .field("errno", "EPERM")
        .field("comm", "guest")
        .field("netns", host.netns.inode())
        .field("address", "fd00:5c::")
        .evidence("request", "from fd00:5c::/64 lookup 100")
        .evidence("extack", Value::Null)
        .evidence("nlmsg_type", u64::from(RTM_NEWRULE))
        .summary_has(["guest", "CAP_NET_ADMIN", "lookup 100"])
        .some_fix_has("CAP_NET_ADMIN")
        .check()
}

/// An index that no interface has; of what is deleted that is no trouble.
fn no_device() -> Result<()> {
    let host = Host::new("indexless")?;
    let mut netlink = Netlink::open(&host.netns)?;
    let index = NOBODY.to_ne_bytes();
    let neighbour = NeighbourRequest {
        ifindex: NOBODY,
        address: OWN,
        link_address: [2, 0, 0, 0, 0, 1],
    };
    let mut address = vec![INET6, 64, 0, 0];
    address.extend(index);
    attribute(&mut address, 2, &OWN.octets());
    let mut settings = vec![0; 4];
    settings.extend(index);
    settings.extend([0; 8]);
    let mut token = Vec::new();
    attribute(&mut token, 7, &Ipv6Addr::LOCALHOST.octets());
    let mut of_ipv6 = Vec::new();
    attribute(&mut of_ipv6, INET6.into(), &token);
    attribute(&mut settings, 26, &of_ipv6);
    let tracer = Tracing::start()?;
    for errno in [
        neighbour.replace(&mut netlink)?,
        netlink.ask(RTM_DELADDR, 0, &address)?,
        netlink.ask(RTM_SETLINK, 0, &settings)?,
    ] {
        ensure!(errno == libc::ENODEV, "the kernel says {errno}");
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(3)?;
    for (request, operation, severity) in [
        (
            "fd00:5a::7 lladdr 02:00:00:00:00:01 dev interface-7777",
            "neighbour-add",
            "failure",
        ),
        (
            "fd00:5a::7/64 dev interface-7777",
            "address-delete",
            "notice",
        ),
        (
            "dev interface-7777 token ::1",
            "interface-settings",
            "failure",
        ),
    ] {
        about(&report, request)?
            .expect()
            .field("cause", "request-refused")
            .field("severity", severity)
            .field("confidence", "certain")
            .field("operation", operation)
            .field("errno", "ENODEV")
            .field("ifindex", NOBODY)
            .field("interface", Value::Null)
            .summary_has(["7777"])
            .check()?;
    }
    let refused = about(&report, "dev interface-7777 token ::1")?;
    refused.follow("ip link")
}

/// The kernel says in words what is the matter.
fn rule() -> Result<()> {
    let host = Host::new("rules")?;
    let report = host.refused(&["-6 rule add pref 100 from fd00:5c::/64 goto 5"])?;
    let request = "pref 100 from fd00:5c::/64 goto 5";
    host.expect(
        about(&report, request)?,
        "failure",
        "rule-add",
        "EINVAL",
        request,
    )
    .field("confidence", "likely")
    .field("address", "fd00:5c::")
    .field("interface", Value::Null)
    .evidence("extack", "Backward goto not supported")
    .summary_has(["Backward goto not supported"])
    .check()
}

/// An interface without IPv6, for both reasons, and a link-layer address that is short.
fn neighbour() -> Result<()> {
    let host = Host::new("neighbours")?;
    for interface in ["d0", "d1", "d2"] {
        host.netns.dummy(interface)?;
    }
    host.netns.set_sysctl("ipv6/conf/d0/disable_ipv6", "1")?;
    host.netns.ip("link set d1 mtu 1279")?;
    host.netns.ip("link set d2 mtu 1279")?;
    let entry = |interface| format!("fd00:5a::9 lladdr 02:00:00:00:00:01 dev {interface}");
    let report = host.refused(&[
        &format!("-6 neigh add {}", entry("d0")),
        &format!("-6 neigh add {}", entry("d1")),
        "-6 neigh add proxy fd00:5a::9 dev d2",
        "-6 neigh add fd00:5a::9 lladdr 02:00 dev v0",
    ])?;
    for (interface, fix, other, says) in [
        ("d0", "disable_ipv6=0", "mtu", "disable_ipv6"),
        ("d1", "mtu 1280", "disable_ipv6", "1279"),
    ] {
        let diagnosis = about(&report, &entry(interface))?;
        host.expect(
            diagnosis,
            "failure",
            "neighbour-add",
            "EINVAL",
            &entry(interface),
        )
        .field("confidence", "likely")
        .field("interface", interface)
        .field("address", "fd00:5a::9")
        .evidence("extack", "IPv6 is disabled on this device")
        .summary_has([interface, says])
        .no_fix_has(other)
        .check()?;
        host.follow(diagnosis, fix)?;
        host.netns
            .ip(&format!("-6 neigh add {}", entry(interface)))?;
    }
    // No limit of the table's applies to what is answered for.
    let proxy = about(&report, "proxy fd00:5a::9 dev d2")?;
    let request = "proxy fd00:5a::9 dev d2";
    host.expect(proxy, "failure", "neighbour-add", "ENOBUFS", request)
        .evidence("mtu", 1279)
        .summary_has(["1279"])
        .summary_has_none_of(&["table"])
        .check()?;
    host.follow(proxy, "mtu 1280")?;
    host.netns.ip(&format!("-6 neigh add {request}"))?;
    let short = "fd00:5a::9 lladdr 02:00 dev v0";
    host.expect(
        about(&report, short)?,
        "failure",
        "neighbour-add",
        "EINVAL",
        short,
    )
    .field("interface", "v0")
    .field("ifindex", host.first.ifindex)
    .summary_has(["Invalid link address"])
    .no_fix_has("disable_ipv6")
    .check()
}

/// A gateway that is on no link, one of the host's own, and interfaces that are down or
/// have no IPv6.
fn next_hop() -> Result<()> {
    let host = Host::new("nexthops")?;
    for interface in ["d0", "d1", "d2"] {
        host.netns.dummy(interface)?;
    }
    host.netns.ip("link set d0 down")?;
    host.netns.ip("link set d1 mtu 1279")?;
    host.netns.set_sysctl("ipv6/conf/d2/disable_ipv6", "1")?;
    let told = [
        ("id 7 via fd00:99::1 dev v0", "EHOSTUNREACH", "fd00:99::1"),
        (
            "id 7 via fd00:5a::1 dev v0",
            "EINVAL",
            "Gateway can not be a local address",
        ),
        ("id 7 via fe80::9 dev d0", "ENETDOWN", "d0 is not up"),
        ("id 7 via fe80::9 dev d1", "ENODEV", "d1 has no IPv6"),
        ("id 7 via fe80::9 dev d2", "EACCES", "switched off on d2"),
    ];
    let asked: Vec<_> = told
        .iter()
        .map(|(request, ..)| format!("nexthop add {request}"))
        .collect();
    let asked: Vec<_> = asked.iter().map(String::as_str).collect();
    let report = host.refused(&asked)?;
    for (request, errno, says) in told {
        let diagnosis = about(&report, request)?;
        host.expect(diagnosis, "failure", "nexthop-add", errno, request)
            .field("confidence", "likely")
            .that(
                diagnosis.summary().contains(says),
                format!("the summary does not say {says:?}"),
            )
            .check()?;
    }
    for (id, interface, fix) in [
        (7, "d0", "link set dev d0 up"),
        (8, "d1", "mtu 1280"),
        (9, "d2", "disable_ipv6=0"),
    ] {
        let refused = about(&report, &format!("id 7 via fe80::9 dev {interface}"))?;
        host.follow(refused, fix)?;
        host.netns
            .ip(&format!("nexthop add id {id} via fe80::9 dev {interface}"))?;
    }
    Ok(())
}

/// A prefix of IPv4's that is longer than its label may be.
fn label() -> Result<()> {
    let host = Host::new("labels")?;
    let report = host.refused(&["addrlabel add prefix ::ffff:0:0/97 label 99"])?;
    let request = "prefix ::ffff:0.0.0.0/97 label 99";
    host.expect(
        about(&report, request)?,
        "failure",
        "address-label-add",
        "EINVAL",
        request,
    )
    .field("confidence", "likely")
    .evidence("extack", Value::Null)
    .check()
}
