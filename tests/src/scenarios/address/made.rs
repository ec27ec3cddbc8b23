//! The addresses that the kernel makes itself: settings that it refuses, and
//! temporary addresses that it gives up.

use std::net::Ipv6Addr;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{ADDRESS, Host};
use crate::guest::{AddressState, Netns, Radvd, Tracer, ip_fails, until_some};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("interface-ipv6-off-mtu", off_mtu),
    scenario("interface-ipv6-off-mtu-not", with_ipv6),
    scenario("stable-secret-unset", secret_unset),
    scenario("stable-secret-unset-not", secret_set),
    scenario("temporary-addresses-stopped", stopped),
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
        let tracer = Tracer::start(&[])?;
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

/// The same requests where they are granted, and one that without IPv6 changes
/// nothing.
fn with_ipv6() -> Result<()> {
    let host = Host::new("wide", "v0")?;
    host.netns.ip("link set peer mtu 1200")?;
    let tracer = Tracer::start(&[])?;
    host.netns.ip("token set ::5 dev v0")?;
    host.netns.ip("link set v0 addrgenmode none")?;
    host.netns.ip("link set v0 addrgenmode eui64")?;
    ip_fails(&host.netns.ip_words("link set peer addrgenmode none"))?;
    tracer.finish()?.silent()
}

fn secret_unset() -> Result<()> {
    let host = Host::new("plain", "v0")?;
    let words = "link set v0 addrgenmode stable_secret";
    let tracer = Tracer::start(&[])?;
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
    let tracer = Tracer::start(&[])?;
    host.netns.ip("link set v0 addrgenmode stable_secret")?;
    tracer.finish()?.silent()
}

/// A host that makes temporary addresses of what a router advertises.
fn private(name: &str, retries: &str) -> Result<(Host, Netns, Radvd)> {
    let host = Host::new(name, "v0")?;
    let router = Netns::new("advertiser")?;
    host.set("v0", "use_tempaddr", "2")?;
    host.set("v0", "regen_max_retry", retries)?;
    host.netns.ip("link set peer netns advertiser name w0")?;
    router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    router.set_sysctl("ipv6/conf/w0/accept_dad", "0")?;
    router.ip("link set w0 addrgenmode eui64 up")?;
    // Each address lasts long enough to be made another one of.
    let radvd = Radvd::start(&router, "w", 1)?;
    Ok((host, router, radvd))
}

/// The temporary addresses of the interface that are in use.
fn temporary(host: &Host) -> Result<Vec<Ipv6Addr>> {
    let (addresses, _) = host.addresses()?;
    let mut found = Vec::new();
    for address in addresses {
        if host.flags(address)? & 0x41 == 0x01 {
            found.push(address);
        }
    }
    Ok(found)
}

fn stopped() -> Result<()> {
    let tracer = Tracer::start(&[])?;
    let (host, _router, _radvd) = private("given-up", "0")?;
    until_some("use_tempaddr", Duration::from_secs(20), || {
        Ok((host.get("v0", "use_tempaddr")? == -1).then_some(()))
    })?;
    let report = tracer.finish()?;
    report.complete()?;
    let (addresses, _) = host.addresses()?;
    let [public] = addresses[..] else {
        anyhow::bail!("it has {addresses:?}");
    };
    let diagnosis = report.only("temporary-addresses-stopped")?;
    diagnosis
        .expect()
        .field("severity", "failure")
        .field("confidence", "certain")
        .field("operation", "temporary-address")
        .field("netns", host.netns.inode())
        .field("ifindex", host.interface.ifindex)
        .field("interface", "v0")
        .field("address", public.to_string())
        .evidence("use_tempaddr", -1)
        .evidence("use_tempaddr_before", 2)
        .evidence("regen_max_retry", 0)
        .evidence("prefix_len", 64)
        .summary_has(["v0", "-1"])
        .check()?;
    diagnosis.follow("regen_max_retry=3")?;
    diagnosis.follow("use_tempaddr=2")?;
    // As the page says, of a prefix that is there.
    host.netns.ip(&format!("address del {public}/64 dev v0"))?;
    until_some("a temporary address", Duration::from_secs(30), || {
        Ok(temporary(&host)?.pop())
    })?;
    host.gets(public)
}

/// Nothing fails, or nothing is tried.
fn made() -> Result<()> {
    let tracer = Tracer::start(&[])?;
    let (host, _router, _radvd) = private("kept-up", "3")?;
    until_some("a temporary address", Duration::from_secs(30), || {
        Ok(temporary(&host)?.pop())
    })?;
    host.set("v0", "use_tempaddr", "-1")?;
    host.own(ADDRESS)?;
    let state = AddressState::of(&host.netns, "v0", ADDRESS)?;
    ensure!(state == AddressState::Usable, "it is {state:?}");
    tracer.finish()?.silent()
}
