//! Tokens that the kernel refuses, and those that it takes.

use std::net::Ipv6Addr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{Scenario, scenario};
use crate::guest::{
    AddressState, Diagnosis, Expect, Link, Netns, Radvd, Report, Tracing, default_route, finish,
    ip_fails, renewed, until_some,
};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[&[
    scenario("token-forwarding", forwarding),
    scenario(
        "token-forwarding-names-what-comes-next",
        forwarding_and_solicitations,
    ),
    scenario("token-accept-ra", accept_ra),
    scenario("token-router-solicitations", router_solicitations),
    scenario("token-loopback", loopback),
    scenario("token-noarp", noarp),
    scenario(
        "token-fixes-keep-what-is-advertised",
        keep_what_is_advertised,
    ),
    scenario("token-own-values-decide", own_values_decide),
    scenario("token-not-taken", taken),
    scenario("token-not-addr-gen-mode", addr_gen_mode),
]];

/// A namespace with a veth, which has neighbours.
struct Host {
    netns: Netns,
    interface: Link,
}

impl Host {
    fn new(name: &str, interface: &str) -> Result<Self> {
        let netns = Netns::new(name)?;
        netns.ip(&format!("link add {interface} type veth peer name peer"))?;
        netns.ip(&format!("link set {interface} up"))?;
        let interface = Link::find(&netns, interface)?;
        Ok(Self { netns, interface })
    }

    fn set(&self, sysctl: &str, value: &str) -> Result<()> {
        let name = format!("ipv6/conf/{}/{sysctl}", self.interface.name);
        self.netns.set_sysctl(&name, value)
    }

    fn get(&self, sysctl: &str) -> Result<i64> {
        let name = format!("ipv6/conf/{}/{sysctl}", self.interface.name);
        Ok(self.netns.sysctl(&name)?.trim().parse()?)
    }

    /// Asks for a token that is refused, and returns what v6trace says of it.
    fn refused(&self, token: &str) -> Result<Report> {
        let tracer = Tracing::start()?;
        let words = format!("token set {token} dev {}", self.interface.name);
        ip_fails(&self.netns.ip_words(&words))?;
        let report = tracer.finish()?;
        report.complete()?;
        covered(&report)?;
        Ok(report)
    }

    /// The interface's flags, as the kernel's own file has them.
    fn flags(&self) -> Result<u64> {
        let name = &self.interface.name;
        let path = format!("/sys/class/net/{name}/flags");
        let mut read = Command::new("ip");
        read.args(["netns", "exec", self.netns.name(), "cat", &path]);
        let done = finish(&mut read, Duration::from_secs(10))?;
        ensure!(done.status.success(), "{done}");
        let digits = done.stdout.trim().trim_start_matches("0x");
        Ok(u64::from_str_radix(digits, 16)?)
    }

    /// What holds whatever refused the token.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis, token: &str) -> Result<Expect<'d>> {
        Ok(diagnosis
            .expect()
            .field("operation", "set-token")
            .field("severity", "failure")
            .field("confidence", "certain")
            .field("errno", "EINVAL")
            .field("comm", "ip")
            .field("netns", self.netns.inode())
            .field("ifindex", self.interface.ifindex)
            .field("interface", self.interface.name.clone())
            .field("address", token)
            .evidence("token", token)
            .evidence("flags", self.flags()?)
            .evidence("forwarding", self.get("forwarding")?)
            .evidence("accept_ra", self.get("accept_ra")?)
            .evidence("router_solicitations", self.get("router_solicitations")?)
            .summary_has(["ip", self.interface.name.as_str(), "EINVAL"]))
    }
}

/// Which function is watched, and why it is not the one that tests: the
/// compiler has inlined that one in every kernel so far.
fn covered(report: &Report) -> Result<()> {
    let line = report.coverage_of("set-token")?;
    let note = line["note"].as_str().unwrap_or_default();
    let as_it_is = match line["status"].as_str() {
        Some("attached") => line["function"] == "inet6_set_iftoken",
        Some("fallback") => line["function"] == "inet6_set_link_af" && note.contains("inlined"),
        _ => false,
    };
    ensure!(as_it_is, "the coverage says {line}");
    Ok(())
}

/// The story: a router that is to get its own address from another router.
fn forwarding() -> Result<()> {
    let host = Host::new("router", "wan.7")?;
    host.set("forwarding", "1")?;
    let report = host.refused("::1a:2b")?;
    host.expect(report.only("token-forwarding")?, "::1a:2b")?
        .evidence("also", Vec::<String>::new())
        .summary_has(["forwarding", "accept_ra"])
        .some_fix_has("net/ipv6/conf/wan.7/accept_ra=2")
        .some_fix_has("net/ipv6/conf/wan.7/forwarding=0")
        .check()?;
    // And the first fix is one.
    report
        .only("token-forwarding")?
        .follow("net/ipv6/conf/wan.7/accept_ra=2")?;
    host.netns.ip("token set ::1a:2b dev wan.7")
}

/// The operator would meet the next condition after mending the first.
fn forwarding_and_solicitations() -> Result<()> {
    let host = Host::new("both", "v0")?;
    host.set("forwarding", "1")?;
    host.set("router_solicitations", "0")?;
    let report = host.refused("::5")?;
    host.expect(report.only("token-forwarding")?, "::5")?
        .evidence("also", vec!["token-router-solicitations"])
        .some_fix_has("net/ipv6/conf/v0/router_solicitations=-1")
        .check()
}

fn accept_ra() -> Result<()> {
    let host = Host::new("deaf", "v0")?;
    host.set("accept_ra", "0")?;
    let report = host.refused("::5")?;
    host.expect(report.only("token-accept-ra")?, "::5")?
        .some_fix_has("net/ipv6/conf/v0/accept_ra=1")
        .check()
}

fn router_solicitations() -> Result<()> {
    let host = Host::new("mute", "v0")?;
    host.set("router_solicitations", "0")?;
    let report = host.refused("::5")?;
    host.expect(report.only("token-router-solicitations")?, "::5")?
        .some_fix_has("net/ipv6/conf/v0/router_solicitations=-1")
        .check()
}

fn loopback() -> Result<()> {
    let mut host = Host::new("loop", "v0")?;
    host.netns.ip("link set lo up")?;
    host.interface = Link::find(&host.netns, "lo")?;
    let report = host.refused("::5")?;
    host.expect(report.only("token-loopback")?, "::5")?
        .summary_has(["loopback"])
        .check()
}

/// A dummy does no neighbour discovery; nor does a veth with ARP off.
fn noarp() -> Result<()> {
    let mut host = Host::new("noarp", "v0")?;
    host.netns.ip("link set v0 arp off")?;
    let report = host.refused("::5")?;
    host.expect(report.only("token-noarp")?, "::5")?
        .some_fix_has("ip link set dev v0 arp on")
        .check()?;
    host.interface = host.netns.dummy("d0")?;
    host.set("accept_ra", "0")?;
    let report = host.refused("::6")?;
    host.expect(report.only("token-noarp")?, "::6")?
        .evidence("also", vec!["token-accept-ra"])
        .check()
}

/// Each fix lets the token be set, and costs the host neither the address nor
/// the default route that it has from its router. Lifetimes are short, so that
/// what is not renewed is gone.
fn keep_what_is_advertised() -> Result<()> {
    /// What is broken, by `ip` or a sysctl, how it is put right again, the cause
    /// and the fix to follow.
    const CASES: [(&str, &str, &str, &str, &str); 5] = [
        ("forwarding", "1", "0", "token-forwarding", "v0/accept_ra=2"),
        (
            "forwarding",
            "1",
            "0",
            "token-forwarding",
            "v0/forwarding=0",
        ),
        ("accept_ra", "0", "1", "token-accept-ra", "accept_ra=1"),
        (
            "router_solicitations",
            "0",
            "-1",
            "token-router-solicitations",
            "router_solicitations=-1",
        ),
        ("arp", "off", "on", "token-noarp", "arp on"),
    ];
    let host = Host::new("hearer", "v0")?;
    let router = Netns::new("announcer")?;
    host.netns
        .ip(&format!("link set peer netns {} name w0", router.name()))?;
    router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    router.set_sysctl("ipv6/conf/w0/accept_dad", "0")?;
    router.ip("link set w0 up")?;
    let _radvd = Radvd::start_quick(&router, "w", true)?;
    let set = |what: &str, value: &str| {
        if what == "arp" {
            host.netns.ip(&format!("link set v0 arp {value}"))
        } else {
            host.set(what, value)
        }
    };
    let heard = || {
        until_some("a default route", Duration::from_secs(20), || {
            default_route(&host.netns)
        })
    };
    heard()?;
    let tracer = Tracing::start()?;
    for (what, wrong, right, ..) in CASES {
        set(what, wrong)?;
        ip_fails(&host.netns.ip_words("token set ::5 dev v0"))?;
        set(what, right)?;
    }
    let report = tracer.finish()?;
    report.complete()?;
    for (what, wrong, right, cause, fix) in CASES {
        let mut of_cause = report.diagnoses.iter();
        let diagnosis = of_cause
            .find(|one| one.cause() == cause)
            .with_context(|| format!("no {cause}"))?;
        set(what, wrong)?;
        diagnosis.follow(fix)?;
        host.netns.ip("token set ::5 dev v0")?;
        heard()?;
        renewed(&host.netns).context(fix)?;
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 5);
        AddressState::Usable.wait(&host.netns, "v0", address)?;
        // The next case begins as this one did.
        host.set("accept_ra", "1")?;
        set(what, right)?;
    }
    Ok(())
}

/// `conf.all` has no say: neither its forwarding nor its accept_ra.
fn own_values_decide() -> Result<()> {
    let host = Host::new("own", "v0")?;
    host.netns.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    host.set("forwarding", "0")?;
    host.netns.set_sysctl("ipv6/conf/all/accept_ra", "0")?;
    let tracer = Tracing::start()?;
    host.netns.ip("token set ::5 dev v0")?;
    tracer.finish()?.silent()?;
    host.netns.set_sysctl("ipv6/conf/all/accept_ra", "2")?;
    host.set("forwarding", "1")?;
    let report = host.refused("::6")?;
    host.expect(report.only("token-forwarding")?, "::6")?
        .check()
}

/// Tokens that are set: by default, with unlimited solicitations, and on a
/// router that listens to routers.
fn taken() -> Result<()> {
    let host = Host::new("taken", "v0")?;
    ensure!(
        host.get("router_solicitations")? == -1,
        "the default has changed"
    );
    let tracer = Tracing::start()?;
    host.netns.ip("token set ::1 dev v0")?;
    host.set("forwarding", "1")?;
    host.set("accept_ra", "2")?;
    host.netns.ip("token set ::2 dev v0")?;
    tracer.finish()?.silent()
}

/// The same function sets the address generation mode, whose failures are not
/// the token's.
fn addr_gen_mode() -> Result<()> {
    let host = Host::new("mode", "v0")?;
    host.set("forwarding", "1")?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set v0 addrgenmode none")?;
    ip_fails(&host.netns.ip_words("link set v0 addrgenmode stable_secret"))?;
    tracer.finish()?.silent()
}
