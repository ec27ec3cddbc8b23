//! No route leads there.

use std::net::{Ipv6Addr, SocketAddrV6};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use super::{BEYOND, Host, NEIGHBOUR, OWN, PORT, ROUTER, To, Way};
use crate::guest::{Advertisement, Advertiser, Link, Tracer, Tracing, default_route, until_some};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("no-route", no_default),
    scenario("no-route-once", once),
    alone("no-route-nothing-to-reach", nothing_to_reach),
    scenario("no-route-that-counts", none_that_counts),
    scenario("no-route-after-forwarding", after_forwarding),
    scenario("no-route-of-a-chosen-source", of_a_chosen_source),
];

fn address(text: &str) -> Result<Ipv6Addr> {
    Ok(text.parse()?)
}

/// An address, and no default route. The fix helps.
fn no_default() -> Result<()> {
    let host = Host::with_address("nowhere")?;
    let tracer = Tracing::start()?;
    host.fails(libc::ENETUNREACH, Way::Tcp, BEYOND)?;
    let other = address("2001:db8:8::9")?;
    host.fails(libc::ENETUNREACH, Way::Udp, other)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for (diagnosis, way, to) in [
        (&report.diagnoses[0], Way::Tcp, BEYOND),
        (&report.diagnoses[1], Way::Udp, other),
    ] {
        host.expect(diagnosis, way, "ENETUNREACH", to)
            .field("cause", "no-route")
            .field("severity", "failure")
            .field("ifindex", Value::Null)
            .evidence("source", OWN.to_string())
            .evidence("oif", Value::Null)
            .evidence("routes", json!([]))
            .evidence("rules", json!([]))
            .summary_has_one_of(&["not even a default route"])
            .check()?;
    }
    host.keeping_routes(|| {
        report.diagnoses[0].follow_with("route add default", &ROUTER.to_string())
    })?;
    host.goes(Way::Tcp, BEYOND)?;
    host.goes(Way::Udp, other)
}

/// Each program and destination once, until something changes.
fn once() -> Result<()> {
    let host = Host::with_address("often")?;
    let tracer = Tracing::start()?;
    let twenty = || (0..20).try_for_each(|_| host.fails(libc::ENETUNREACH, Way::Tcp, BEYOND));
    twenty()?;
    host.tries_as("another", Way::Tcp, BEYOND)?;
    host.fails(libc::ENETUNREACH, Way::Tcp, address("2001:db8:7:1::9")?)?;
    host.fails(libc::ENETUNREACH, Way::Tcp, address("2001:db8:7::10")?)?;
    // Of no use for it.
    host.netns.ip(&format!(
        "-6 route add 2001:db8:70::/48 via {ROUTER} dev v0"
    ))?;
    twenty()?;
    let report = tracer.finish()?;
    report.complete()?;
    // The kernel may have changed something else by itself.
    let told = report.diagnoses.len();
    ensure!((4..=6).contains(&told), "{told} are told");
    let mut told: Vec<_> = report
        .diagnoses
        .iter()
        .map(|one| {
            (
                one.cause(),
                one.field("comm").as_str().unwrap_or_default(),
                one.field("address").as_str().unwrap_or_default(),
            )
        })
        .collect();
    told.dedup();
    let expected = [
        ("no-route", "guest", "2001:db8:7::9"),
        ("no-route", "another", "2001:db8:7::9"),
        ("no-route", "guest", "2001:db8:7:1::9"),
        ("no-route", "guest", "2001:db8:7::9"),
    ];
    ensure!(told == expected, "{told:?}");
    let suppressed: u64 = report
        .diagnoses
        .iter()
        .filter_map(|one| one.evidence_u64("suppressed").ok())
        .sum();
    ensure!(suppressed >= 20, "{suppressed} are counted");
    Ok(())
}

/// Programs that try IPv6 first on a host that has only IPv4, and those that
/// connect a datagram socket to compare addresses.
fn nothing_to_reach() -> Result<()> {
    let host = Host::new("ipv4-only")?;
    let tracer = Tracer::start(&[])?;
    for n in 1..=5 {
        let to = Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 9);
        for way in [Way::Compare, Way::Tcp, Way::Udp] {
            host.tries_as(&format!("browser{n}"), way, to)?;
        }
    }
    // Looked up while there is no other address.
    tracer.wait_for_line("no-route")?;
    // As a container's network may be.
    host.netns.ip("address add fd00:9::2/64 dev v0 nodad")?;
    host.fails(libc::ENETUNREACH, Way::Tcp, BEYOND)?;
    // To the like of its own it has a way, or should.
    host.fails(libc::ENETUNREACH, Way::Tcp, address("fd00:8::9")?)?;
    // With an address of its own, only the comparing is no failure.
    host.netns
        .ip(&format!("address add {OWN}/64 dev v0 nodad"))?;
    for n in 1..=5 {
        let to = Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 9);
        host.fails(libc::ENETUNREACH, Way::Compare, to)?;
    }
    host.fails(libc::ENETUNREACH, Way::Tcp, BEYOND)?;
    let report = tracer.finish()?;
    report.complete()?;
    let told: Vec<_> = report
        .diagnoses
        .iter()
        .map(|one| {
            (
                one.field("severity").as_str().unwrap_or_default(),
                one.field("comm").as_str().unwrap_or_default(),
                one.field("address").as_str().unwrap_or_default(),
            )
        })
        .collect();
    let expected = [
        ("notice", "browser1", "2001:db8:1::9"),
        ("failure", "guest", "fd00:8::9"),
        ("notice", "guest", "2001:db8:1::9"),
        ("failure", "guest", "2001:db8:7::9"),
    ];
    ensure!(told == expected, "{told:?}");
    for diagnosis in &report.diagnoses {
        ensure!(diagnosis.cause() == "no-route", "{diagnosis}");
    }
    report.diagnoses[0]
        .expect()
        .evidence("source", "fe80::2")
        .summary_has_one_of(&["go on with IPv4"])
        .no_fix_has("ip")
        .check()?;
    report.diagnoses[2]
        .expect()
        .evidence("suppressed", 0)
        .summary_has_one_of(&["sends nothing"])
        .check()
}

/// There are routes, but in another table, by another interface, or without a
/// carrier; and a rule that gives the same errno.
fn none_that_counts() -> Result<()> {
    let other_table = Host::with_address("other-table")?;
    let default = format!("-6 route add default via {ROUTER} dev v0");
    other_table.netns.ip(&format!("{default} table 100"))?;
    let other_interface = Host::with_route("other-way")?;
    other_interface.netns.dummy("d0")?;
    let ruled = Host::with_route("ruled-out")?;
    ruled
        .netns
        .ip("-6 rule add priority 70 to 2001:db8:7::/48 unreachable")?;
    let down = Host::with_route("down")?;
    for which in ["all", "v0"] {
        let name = format!("ipv6/conf/{which}/ignore_routes_with_linkdown");
        down.netns.set_sysctl(&name, "1")?;
    }
    let tracer = Tracing::start()?;
    other_table.fails(libc::ENETUNREACH, Way::Tcp, BEYOND)?;
    other_interface.fails(libc::ENETUNREACH, Way::Tcp, To::by(BEYOND, "d0"))?;
    ruled.fails(libc::ENETUNREACH, Way::Tcp, BEYOND)?;
    down.router.ip("link set v1 down")?;
    let what = "the route should be without a carrier";
    until_some(what, Duration::from_secs(5), || {
        Ok((down.tries(Way::Tcp, BEYOND)? == libc::ENETUNREACH).then_some(()))
    })?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(4)?;
    let by_v0 = "::/0 via fe80::1 dev v0";
    let expected = [
        (&other_table, "certain", "table 100", json!([])),
        (&other_interface, "certain", "another interface", json!([])),
        (&ruled, "likely", "cannot be told", json!([70])),
        (&down, "certain", "no carrier", json!([])),
    ];
    for (diagnosis, (host, confidence, why, rules)) in report.diagnoses.iter().zip(expected) {
        diagnosis
            .expect()
            .field("cause", "no-route")
            .field("severity", "failure")
            .field("netns", host.netns.inode())
            .field("confidence", confidence)
            .evidence("rules", rules)
            .summary_has_one_of(&[by_v0])
            .summary_has_one_of(&[why])
            .check()?;
    }
    report.diagnoses[1]
        .expect()
        .field("interface", "d0")
        .summary_has(["d0"])
        .check()?;
    report.diagnoses[2].expect().summary_has([70]).check()
}

/// The default route was there, learned from a router, and somebody turned
/// forwarding on. All families are watched.
fn after_forwarding() -> Result<()> {
    let host = Host::with_address("purged")?;
    // One that says it is none would lose the route by it.
    host.router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    let router = Link::find(&host.router, "v1")?;
    let advertiser = Advertiser::new(&host.router, &router, ROUTER)?;
    advertiser.send(&Advertisement::new().bytes())?;
    let what = "the host should learn its default route";
    until_some(what, Duration::from_secs(5), || default_route(&host.netns))?;
    let tracer = Tracing::start()?;
    host.goes(Way::Tcp, BEYOND)?;
    host.netns.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    host.fails(libc::ENETUNREACH, Way::Tcp, BEYOND)?;
    host.goes(Way::Tcp, NEIGHBOUR)?;
    let report = tracer.finish()?;
    report.complete()?;
    let of = |cause| {
        let mut found = report.diagnoses.iter().filter(|one| one.cause() == cause);
        (found.next(), found.count())
    };
    let (Some(found), 0) = of("no-route") else {
        bail!("not told once: {:?}", report.diagnoses);
    };
    ensure!(
        of("default-route-purged").0.is_some(),
        "{:?}",
        report.diagnoses
    );
    host.expect(found, Way::Tcp, "ENETUNREACH", BEYOND)
        .field("severity", "failure")
        .summary_has(["forwarding"])
        .summary_has_one_of(&["v6trace explain default-route-purged"])
        .check()?;
    Ok(())
}

/// Programs that are bound to an address for the site's own use, on a host that has
/// one for elsewhere: each is told of itself.
fn of_a_chosen_source() -> Result<()> {
    let host = Host::with_address("chosen")?;
    let own = address("fd00:9::2")?;
    host.netns
        .ip(&format!("address add {own}/64 dev v0 nodad"))?;
    let tracer = Tracing::start()?;
    for comm in ["backup", "mail"] {
        host.netns.enter_as(comm, || {
            let socket = Socket::new(Domain::IPV6, Type::STREAM, None)?;
            socket.bind(&SocketAddrV6::new(own, 0, 0, 0).into())?;
            let refused = socket.connect(&SocketAddrV6::new(BEYOND, PORT, 0, 0).into());
            let errno = refused.err().and_then(|error| error.raw_os_error());
            ensure!(errno == Some(libc::ENETUNREACH), "{errno:?}");
            Ok(())
        })?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for (diagnosis, comm) in report.diagnoses.iter().zip(["backup", "mail"]) {
        diagnosis
            .expect()
            .field("cause", "no-route")
            .field("severity", "failure")
            .field("comm", comm)
            .evidence("source", own.to_string())
            .check()?;
    }
    Ok(())
}
