//! Values that sysctls of IPv6 refuse, and those that they take.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Scenario, scenario};
use crate::guest::{Diagnosis, Link, Netns, Report, Tracing};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[&[
    scenario("sysctl-refused-bounds", bounds),
    scenario("sysctl-refused-no-number", no_number),
    scenario("sysctl-refused-mtu", mtu),
    scenario("sysctl-refused-addr-gen-mode", addr_gen_mode),
    scenario("sysctl-refused-secret", secret),
    scenario("sysctl-refused-again-and-again", again_and_again),
    scenario("sysctl-refused-not", silent),
]];

/// A namespace with a veth, whose name holds a dot.
struct Host {
    netns: Netns,
    interface: Link,
}

const NAME: &str = "up.7";

impl Host {
    fn new() -> Result<Self> {
        let netns = Netns::new("sysctl")?;
        netns.ip(&format!("link add {NAME} up type veth peer name far"))?;
        netns.ip("link set far up")?;
        let interface = Link::find(&netns, NAME)?;
        Ok(Self { netns, interface })
    }

    /// Writes values that have to be refused, and returns what v6trace says.
    fn refused(&self, writes: &[(&str, &str)]) -> Result<Report> {
        let tracer = Tracing::start()?;
        for (sysctl, value) in writes {
            let written = self.netns.set_sysctl(sysctl, value);
            ensure!(written.is_err(), "{sysctl} takes {value}");
        }
        let report = tracer.finish()?;
        report.complete()?;
        report.count(writes.len())?;
        for (diagnosis, (sysctl, value)) in report.diagnoses.iter().zip(writes) {
            let path = format!("net/{sysctl}");
            diagnosis
                .expect()
                .field("cause", "sysctl-refused")
                .field("operation", "sysctl-write")
                .field("confidence", "certain")
                .field("pid", std::process::id())
                .field("netns", self.netns.inode())
                .evidence("sysctl", path.as_str())
                .evidence("value", *value)
                .summary_has(["guest", value])
                .check()?;
        }
        Ok(report)
    }
}

/// A setting of the interface.
fn own(setting: &str) -> String {
    format!("ipv6/conf/{NAME}/{setting}")
}

fn number(report: &Report, n: usize) -> Result<&Diagnosis> {
    report.diagnoses.get(n).context("too few diagnoses")
}

/// Tables with two bounds, of an interface and of the namespace.
fn bounds() -> Result<()> {
    let host = Host::new()?;
    let report = host.refused(&[
        (&own("hop_limit"), "0"),
        (&own("hop_limit"), "0x100"),
        (&own("router_solicitations"), "-2"),
        ("ipv6/flowlabel_reflect", "9"),
    ])?;
    number(&report, 0)?
        .expect()
        .field("severity", "failure")
        .field("errno", "EINVAL")
        .field("interface", NAME)
        .evidence("least", 1)
        .evidence("greatest", 255)
        .evidence("current", 64)
        .summary_has_one_of(&["it takes 1 to 255"])
        .check()?;
    number(&report, 3)?
        .expect()
        .field("interface", Value::Null)
        .evidence("least", 0)
        .evidence("greatest", 7)
        .check()?;
    number(&report, 1)?.follow("hop_limit=255")?;
    let is = host.netns.sysctl(&own("hop_limit"))?;
    ensure!(is == "255", "hop_limit is {is}");
    number(&report, 0)?.follow("hop_limit=1")?;
    number(&report, 3)?.follow("flowlabel_reflect=7")
}

/// Words, of all interfaces and of one.
fn no_number() -> Result<()> {
    let host = Host::new()?;
    let report = host.refused(&[
        (&own("accept_ra"), "yes"),
        (&own("dad_transmits"), "-"),
        ("ipv6/conf/all/autoconf", "true"),
        ("ipv6/conf/default/hop_limit", "1x"),
    ])?;
    for diagnosis in &report.diagnoses {
        diagnosis
            .expect()
            .field("errno", "EINVAL")
            .summary_has_one_of(&["takes a number of 32 bits, and this is none"])
            .check()?;
    }
    Ok(())
}

/// Between what IPv6 needs and what the link carries.
fn mtu() -> Result<()> {
    let host = Host::new()?;
    host.netns
        .ip(&format!("address add fd00:6::1/64 dev {NAME} nodad"))?;
    let report = host.refused(&[(&own("mtu"), "1279"), (&own("mtu"), "1600")])?;
    number(&report, 0)?
        .expect()
        .field("severity", "failure")
        .field("ifindex", host.interface.ifindex)
        .evidence("least", 1280)
        .evidence("mtu", 1500)
        .summary_has(["1280"])
        .check()?;
    number(&report, 1)?
        .expect()
        .field("severity", "notice")
        .evidence("greatest", 1500)
        .evidence("current", 1500)
        .summary_has_one_of(&["uses that already"])
        .check()?;
    number(&report, 0)?.follow("mtu=1280")?;
    let report = host.refused(&[(&own("mtu"), "1600")])?;
    number(&report, 0)?
        .expect()
        .field("severity", "failure")
        .evidence("current", 1280)
        .check()?;
    number(&report, 0)?.follow("ip link set")?;
    host.netns.set_sysctl(&own("mtu"), "1600")?;
    // And its addresses are there.
    host.netns
        .ip(&format!("address del fd00:6::1/64 dev {NAME}"))
}

/// A mode that there is not, and one that lacks its secret.
fn addr_gen_mode() -> Result<()> {
    let host = Host::new()?;
    let mode = own("addr_gen_mode");
    let report = host.refused(&[(&mode, "7"), (&mode, "2")])?;
    number(&report, 0)?
        .expect()
        .field("errno", "EINVAL")
        .evidence("greatest", 3)
        .check()?;
    number(&report, 1)?
        .expect()
        .evidence("stable_secret", false)
        .summary_has(["stable_secret", NAME])
        .some_fix_has(&own("stable_secret"))
        .check()?;
    number(&report, 1)?.follow("addr_gen_mode=3")?;
    let is = host.netns.sysctl(&mode)?;
    ensure!(is == "3", "addr_gen_mode is {is}");
    // The other fix.
    host.netns.set_sysctl(&own("stable_secret"), "fd00::7")?;
    let is = host.netns.sysctl(&mode)?;
    ensure!(is == "2", "addr_gen_mode is {is}");
    host.netns.set_sysctl(&mode, "2")
}

fn secret() -> Result<()> {
    let host = Host::new()?;
    let report = host.refused(&[(&own("stable_secret"), "correct horse")])?;
    number(&report, 0)?
        .expect()
        .field("errno", "EIO")
        .summary_has_one_of(&["form of an IPv6 address"])
        .check()
}

/// A program that does not give up is told a few times.
fn again_and_again() -> Result<()> {
    let host = Host::new()?;
    let tracer = Tracing::start()?;
    for _ in 0..40 {
        let written = host.netns.set_sysctl(&own("hop_limit"), "256");
        ensure!(written.is_err(), "it is taken");
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(8)
}

/// What is taken, what is not of IPv6, what is not there, and what cannot be read.
fn silent() -> Result<()> {
    let host = Host::new()?;
    let tracer = Tracing::start()?;
    host.netns.set_sysctl(&own("hop_limit"), "17")?;
    host.netns.set_sysctl(&own("mtu"), "1400")?;
    host.netns.set_sysctl(&own("addr_gen_mode"), "1")?;
    host.netns
        .set_sysctl("ipv6/conf/all/accept_redirects", "0")?;
    for (sysctl, value) in [
        ("ipv4/ip_default_ttl", "0"),
        ("ipv4/conf/all/forwarding", "on"),
        ("ipv6/conf/nobody/mtu", "1500"),
    ] {
        let written = host.netns.set_sysctl(sysctl, value);
        ensure!(written.is_err(), "{sysctl} takes {value}");
    }
    let read = host.netns.sysctl(&own("stable_secret"));
    ensure!(read.is_err(), "there is a secret");
    tracer.finish()?.silent()
}
