//! NetworkManager and FRR, which ask the kernel for much that they do without: they start,
//! configure interfaces, run and stop, and nothing fails.

use std::net::Ipv6Addr;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::guest::{
    AddressState, Diagnosis, Frr, Netns, NetworkManager, Radvd, Report, Tracing, until,
};
use crate::scenarios::route::shown;
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("healthy-frr-has-no-failures", frr),
    scenario("healthy-network-manager-has-no-failures", network_manager),
];

/// How long FRR may take to hear of a neighbour and its routes.
const LEARNED: Duration = Duration::from_mins(1);
/// What comes unasked once something is configured.
const SETTLED: Duration = Duration::from_secs(2);

/// Gives an FRR its own address on the link, and its own prefixes of both protocols.
fn set_up(frr: &Frr, number: u8) -> Result<()> {
    let number = number.to_string();
    let lines = [
        "interface v0",
        "ipv6 address 2001:db8:1::N/64",
        "no ipv6 nd suppress-ra",
        "ipv6 nd ra-interval 3",
        "ipv6 nd prefix 2001:db8:1::/64",
        "ipv6 ospf6 area 0.0.0.0",
        "ipv6 ospf6 hello-interval 1",
        "interface lo",
        "ip address 10.99.0.N/32",
        "ipv6 address fd00:99::N/128",
        "ipv6 ospf6 area 0.0.0.0",
        "router ospf6",
        "ospf6 router-id 10.99.0.N",
        "router bgp 6500N",
        "bgp router-id 10.99.0.N",
        "no bgp ebgp-requires-policy",
        "neighbor v0 interface remote-as external",
        "address-family ipv4 unicast",
        "network 10.99.0.N/32",
    ]
    .map(|line| line.replace('N', &number));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    frr.configure(&lines)
}

/// Two routers with a BGP session by link-local addresses, which brings routes of IPv4 by
/// way of IPv6 (RFC 8950), and OSPF; static routes come and go.
fn frr() -> Result<()> {
    let tracer = Tracing::start()?;
    let near = Netns::new("frr-near")?;
    let far = Netns::new("frr-far")?;
    near.ip(&format!(
        "link add v0 type veth peer name v0 netns {}",
        far.name()
    ))?;
    for netns in [&near, &far] {
        netns.set_sysctl("ipv6/conf/all/forwarding", "1")?;
        netns.set_sysctl("ipv4/ip_forward", "1")?;
        netns.ip("link set lo up")?;
        netns.ip("link set v0 up")?;
    }
    // A router that another one hears before it takes advertisements itself has missed them.
    let (one, other) = (Frr::start(&near)?, Frr::start(&far)?);
    set_up(&one, 1)?;
    set_up(&other, 2)?;
    let statics = [
        "ipv6 route 2001:db8:5::/48 2001:db8:1::2",
        "ipv6 route 2001:db8:6::/48 blackhole",
        "ipv6 route 2001:db8:7::/48 fe80::9 v0",
        // Nothing leads there: it is kept until something does.
        "ipv6 route 2001:db8:8::/48 2001:db8:99::9",
        "ipv6 route 2001:db8:9::/48 2001:db8:1::2 v0 table 99",
    ];
    one.configure(&statics)?;
    has(&near, "route show", &["10.99.0.2 ", "via inet6 fe80::"])
        .with_context(|| one.show("bgp summary").unwrap_or_default())?;
    has(&near, "-6 route show", &["fd00:99::2 ", "proto ospf"])
        .with_context(|| one.show("ipv6 ospf6 neighbor").unwrap_or_default())?;
    has(
        &near,
        "-6 route show",
        &["2001:db8:5::/48 ", "via 2001:db8:1::2"],
    )?;
    let gone = statics.map(|line| format!("no {line}"));
    one.configure(&gone.each_ref().map(String::as_str))?;
    one.stop()?;
    other.stop()?;
    let report = tracer.finish()?;
    report.complete()?;
    no_failure(&report, |_| false)
}

/// One interface after the other profile, with a router that advertises.
fn network_manager() -> Result<()> {
    let tracer = Tracing::start()?;
    let (host, router) = (Netns::new("managed")?, Netns::new("managed-router")?);
    router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    router.ip(&format!(
        "link add tap0 type veth peer name v0 netns {}",
        host.name()
    ))?;
    for (netns, link) in [(&host, "lo"), (&router, "lo"), (&router, "tap0")] {
        netns.ip(&format!("link set {link} up"))?;
    }
    router.ip("address add 2001:db8::1/64 dev tap0 nodad")?;
    let _radvd = Radvd::start_quick(&router, "tap", true)?;
    let manager = NetworkManager::start(&host)?;
    let profile = |method: &str, more: &str| -> Result<()> {
        manager.asked(&format!(
            "connection add type ethernet ifname v0 con-name {method} ipv4.method disabled \
             ipv6.method {method} {more}"
        ))?;
        manager.asked(&format!("connection up {method}"))?;
        sleep(SETTLED);
        Ok(())
    };
    profile("auto", "")?;
    has(&host, "-6 address show dev v0", &["2001:db8::", "dynamic"])
        .with_context(|| manager.log())?;
    has(&host, "-6 route show", &["default ", "proto ra"])?;
    profile(
        "manual",
        "ipv6.addresses fd00:5a::2/64 ipv6.gateway fd00:5a::1 ipv6.routes fd00:5d::/64,fd00:5a::9",
    )?;
    AddressState::Usable.wait(&host, "v0", Ipv6Addr::new(0xfd00, 0x5a, 0, 0, 0, 0, 0, 2))?;
    manager.asked("connection up manual")?;
    manager.asked("connection modify manual ipv6.addresses fd00:5a::3/64")?;
    manager.asked("device reapply v0")?;
    manager.asked("device disconnect v0")?;
    for method in ["disabled", "ignore", "link-local"] {
        profile(method, "")?;
    }
    manager.asked("connection up auto")?;
    has(&host, "-6 address show dev v0", &["2001:db8::", "dynamic"])?;
    manager.stop()?;
    let report = tracer.finish()?;
    report.complete()?;
    // From one profile to the next it switches IPv6 off, which takes what the first brought;
    // that the next one brings its own is known only then.
    no_failure(&report, |told| {
        told.field("severity") == "hazard"
            && told.cause() == "ipv6-disabled-on-interface"
            && told.field("comm") == "NetworkManager"
    })
}

/// Waits until `ip` shows a line with all of these words.
fn has(netns: &Netns, words: &str, all: &[&str]) -> Result<()> {
    let what = format!("ip {words} should show {all:?}");
    until(&what, LEARNED, || {
        let lines = shown(netns, words).unwrap_or_default();
        let is_it = |line: &String| all.iter().all(|word| line.contains(word));
        lines.iter().any(is_it)
    })
}

/// Nothing but notices is said, and what is true at that time all the same.
fn no_failure(report: &Report, is_true: impl Fn(&Diagnosis) -> bool) -> Result<()> {
    for diagnosis in &report.diagnoses {
        ensure!(
            diagnosis.field("severity") == "notice" || is_true(diagnosis),
            "all was well, but v6trace says {diagnosis}"
        );
        println!("{}: {}", diagnosis.cause(), diagnosis.summary());
    }
    Ok(())
}
