//! The addresses that the kernel makes itself: settings that it refuses, and
//! temporary addresses that it gives up.

use std::net::Ipv6Addr;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{ADDRESS, Host};
use crate::guest::{
    AdvertisedPrefix, Advertisement, Advertiser, Diagnosis, Expect, Link, Netns, Segment, Tracing,
    ip_fails, until_some,
};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("interface-ipv6-off-mtu", off_mtu),
    scenario("interface-ipv6-off-mtu-never-had", never_had),
    scenario("interface-ipv6-off-mtu-not", with_ipv6),
    scenario("stable-secret-unset", secret_unset),
    scenario("stable-secret-unset-not", secret_set),
    scenario("temporary-addresses-stopped", stopped),
    scenario("temporary-addresses-stopped-none-allowed", none_allowed),
    scenario("temporary-addresses-stopped-not", made),
];

/// For a secret, which is written like an address.
const SECRET: &str = "2f3a:77c1:9e02:4b5d:8c61:d0aa:15e7:39fb";

fn off_mtu() -> Result<()> {
    let host = Host::new("tiny", "v0")?;
    host.netns.ip("link set v0 mtu 1200")?;
    for (words, operation, token) in [
        ("token set ::5 dev v0", "set-token", Some("::5")),
        ("link set v0 addrgenmode eui64", "set-addr-gen-mode", None),
    ] {
        let tracer = Tracing::start()?;
        ip_fails(&host.netns.ip_words(words))?;
        let report = tracer.finish()?;
        report.complete()?;
        report
            .only("interface-ipv6-off-mtu")?
            .expect()
            .field("severity", "failure")
            .field("confidence", "certain")
            .field("errno", "EAFNOSUPPORT")
            .field("operation", operation)
            .field("comm", "ip")
            .field("netns", host.netns.inode())
            .field("ifindex", host.interface.ifindex)
            .field("interface", "v0")
            .field("address", token)
            .evidence("mtu", 1200)
            .evidence("has_ipv6", false)
            .summary_has(["ip", "v0", "1200", "1280"])
            .check()?;
        if token.is_none() {
            report
                .only("interface-ipv6-off-mtu")?
                .follow("ip link set dev v0 mtu 1280")?;
            host.netns.ip("token set ::5 dev v0")?;
            host.netns.ip(words)?;
        }
    }
    Ok(())
}

/// The tunnel of GRE that the kernel makes by itself, to which it gives no IPv6.
fn never_had() -> Result<()> {
    let netns = Netns::new("tunnels")?;
    let gre = Link::find(&netns, "gre0")?;
    for (words, severity) in [
        ("link set gre0 addrgenmode eui64", "notice"),
        ("token set ::5 dev gre0", "failure"),
    ] {
        let tracer = Tracing::start()?;
        ip_fails(&netns.ip_words(words))?;
        let report = tracer.finish()?;
        report.complete()?;
        report
            .only("interface-ipv6-off-mtu")?
            .expect()
            .field("severity", severity)
            .field("confidence", "likely")
            .field("errno", "EAFNOSUPPORT")
            .field("ifindex", gre.ifindex)
            .evidence("has_ipv6", false)
            .summary_has(["gre0", "could not be read"])
            .check()?;
    }
    Ok(())
}

/// The same requests where they are granted, and one that without IPv6 changes
/// nothing.
fn with_ipv6() -> Result<()> {
    let host = Host::new("wide", "v0")?;
    host.netns.ip("link set peer mtu 1200")?;
    let tracer = Tracing::start()?;
    host.netns.ip("token set ::5 dev v0")?;
    host.netns.ip("link set v0 addrgenmode none")?;
    host.netns.ip("link set v0 addrgenmode eui64")?;
    ip_fails(&host.netns.ip_words("link set peer addrgenmode none"))?;
    tracer.finish()?.silent()
}

fn secret_unset() -> Result<()> {
    let host = Host::new("plain", "v0")?;
    let words = "link set v0 addrgenmode stable_secret";
    let tracer = Tracing::start()?;
    ip_fails(&host.netns.ip_words(words))?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("stable-secret-unset")?;
    diagnosis
        .expect()
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("errno", "EINVAL")
        .field("operation", "set-addr-gen-mode")
        .field("comm", "ip")
        .field("netns", host.netns.inode())
        .field("ifindex", host.interface.ifindex)
        .field("interface", "v0")
        .evidence("mode", 2)
        .evidence("stable_secret", false)
        .summary_has(["ip", "v0", "stable_secret"])
        .check()?;
    diagnosis.follow("addrgenmode random")?;
    ensure!(
        host.get("v0", "addr_gen_mode")? == 3,
        "the fix does not set it"
    );
    host.netns.ip("link set v0 addrgenmode eui64")?;
    diagnosis.follow_with("stable_secret=", SECRET)?;
    ensure!(
        host.get("v0", "addr_gen_mode")? == 2,
        "the fix does not set it"
    );
    host.netns.ip(words)
}

/// One of `default` is one.
fn secret_set() -> Result<()> {
    let host = Host::new("secret", "v0")?;
    host.set("default", "stable_secret", SECRET)?;
    host.netns.ip("link set v0 addrgenmode eui64")?;
    let tracer = Tracing::start()?;
    host.netns.ip("link set v0 addrgenmode stable_secret")?;
    tracer.finish()?.silent()
}

/// A host on a segment whose address has temporary ones beside it, of which one
/// may fail.
fn private(segment: &Segment, name: &str) -> Result<Host> {
    let netns = Netns::new(name)?;
    let interface = segment.plug(&netns, "eth0", "p0", "02:00:00:00:00:01")?;
    let host = Host { netns, interface };
    host.set("eth0", "use_tempaddr", "2")?;
    host.set("eth0", "regen_max_retry", "1")?;
    host.set("eth0", "enhanced_dad", "0")?;
    host.set("all", "enhanced_dad", "0")?;
    segment.connect(&host.netns, "eth0", "p0")?;
    Ok(host)
}

impl Host {
    /// Adds an address that has temporary ones beside it.
    fn own_with_temporary(&self) -> Result<()> {
        let words = format!("address add {ADDRESS}/64 dev eth0 mngtmpaddr nodad");
        self.netns.ip(&words)
    }

    /// As many as are allowed were made beside the public address, of which none was in
    /// use: the next advertisement makes no more.
    fn used_up(&self, public: Ipv6Addr, advertise: impl Fn() -> Result<()>) -> Result<()> {
        self.set("v0", "regen_max_retry", "2")?;
        self.netns.ip("-6 address flush dev v0 temporary")?;
        let tracer = Tracing::start()?;
        advertise()?;
        until_some("use_tempaddr", Duration::from_secs(10), || {
            Ok((self.get("v0", "use_tempaddr")? == -1).then_some(()))
        })?;
        let report = tracer.finish()?;
        report.complete()?;
        let diagnosis = report.only("temporary-addresses-stopped")?;
        diagnosis
            .expect()
            .field("confidence", "certain")
            .evidence("regen_max_retry", 2)
            .evidence("public_address", public.to_string())
            .summary_has(["v0", "as often as regen_max_retry = 2", "-1"])
            .check()?;
        diagnosis.follow("address del")?;
        diagnosis.follow("use_tempaddr=1")?;
        advertise()?;
        self.gets_temporary()
    }

    /// What holds of temporary addresses that are made no more beside `public`.
    fn expect_stopped<'d>(&self, diagnosis: &'d Diagnosis, public: Ipv6Addr) -> Expect<'d> {
        diagnosis
            .expect()
            .field("severity", "failure")
            .field("confidence", "certain")
            .field("operation", "temporary-address")
            .field("comm", serde_json::Value::Null)
            .field("netns", self.netns.inode())
            .field("ifindex", self.interface.ifindex)
            .field("interface", self.interface.name.clone())
            .evidence("use_tempaddr", -1)
            .evidence("prefix_len", 64)
            .evidence("public_address", public.to_string())
    }

    /// Waits for a temporary address that can be used.
    fn gets_temporary(&self) -> Result<()> {
        until_some("a temporary address", Duration::from_secs(20), || {
            let usable = |flags: u32| flags & 0x49 == 0x01;
            Ok(self
                .table()?
                .iter()
                .any(|(_, flags)| usable(*flags))
                .then_some(()))
        })
    }
}

/// The segment reflects what the host asks, so that each address is in use.
fn stopped() -> Result<()> {
    let segment = Segment::new()?;
    let host = private(&segment, "given-up")?;
    segment.hairpin("p0")?;
    let tracer = Tracing::start()?;
    host.own_with_temporary()?;
    until_some("use_tempaddr", Duration::from_secs(20), || {
        Ok((host.get("eth0", "use_tempaddr")? == -1).then_some(()))
    })?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("temporary-addresses-stopped")?;
    host.expect_stopped(diagnosis, ADDRESS)
        .evidence("use_tempaddr_before", 2)
        .evidence("regen_max_retry", 1)
        .summary_has(["eth0", "-1"])
        .check()?;
    segment
        .switch
        .ip("link set p0 type bridge_slave hairpin off")?;
    diagnosis.follow("use_tempaddr=2")?;
    diagnosis.follow("address del")?;
    host.gets(ADDRESS)?;
    host.gets_temporary()
}

/// Where none may fail, the first advertised address ends it.
fn none_allowed() -> Result<()> {
    let router = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x53);
    let host = Host::new("none-allowed", "v0")?;
    host.netns
        .ip(&format!("address add {router}/64 dev peer nodad"))?;
    host.set("v0", "use_tempaddr", "1")?;
    host.set("v0", "regen_max_retry", "0")?;
    let advertiser = Advertiser::new(&host.netns, &Link::find(&host.netns, "peer")?, router)?;
    let prefix = AdvertisedPrefix::new(Ipv6Addr::new(0x2001, 0xdb8, 0x2d, 0, 0, 0, 0, 0));
    let message = Advertisement::new().prefix(prefix).bytes();
    let tracer = Tracing::start()?;
    advertiser.send(&message)?;
    until_some("use_tempaddr", Duration::from_secs(10), || {
        Ok((host.get("v0", "use_tempaddr")? == -1).then_some(()))
    })?;
    // It is not made to cease again.
    advertiser.send(&message)?;
    let report = tracer.finish()?;
    report.complete()?;
    let (made, _) = host.addresses()?;
    let [public] = made[..] else {
        anyhow::bail!("it has {made:?}");
    };
    let diagnosis = report.only("temporary-addresses-stopped")?;
    host.expect_stopped(diagnosis, public)
        .evidence("use_tempaddr_before", 1)
        .evidence("regen_max_retry", 0)
        .summary_has(["v0", "regen_max_retry = 0", "-1"])
        .check()?;
    diagnosis.follow("regen_max_retry=")?;
    diagnosis.follow("use_tempaddr=1")?;
    let tracer = Tracing::start()?;
    advertiser.send(&message)?;
    host.gets_temporary()?;
    ensure!(host.addresses()?.0.contains(&public), "{public} is gone");
    tracer.finish()?.silent()?;
    host.used_up(public, || advertiser.send(&message))
}

/// No address is in use, or temporary ones are switched off by hand.
fn made() -> Result<()> {
    let segment = Segment::new()?;
    let host = private(&segment, "kept-up")?;
    let tracer = Tracing::start()?;
    host.own_with_temporary()?;
    host.gets_temporary()?;
    host.set("eth0", "use_tempaddr", "-1")?;
    tracer.finish()?.silent()
}
