//! Addresses that can be had in no state of the interface, and those that need
//! another one.

use std::net::Ipv6Addr;

use anyhow::{Context as _, Result, ensure};

use super::{ADDRESS, Host, SECOND, disabled::of};
use crate::guest::{AddressRequest, AddressState, Link, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("address-unspecified", unspecified),
    scenario("address-multicast", multicast),
    scenario("address-loopback", loopback),
    scenario("address-lifetime", lifetime),
    scenario("address-lifetime-of-an-address-that-is-there", renewed),
    scenario("address-prefix-length", prefix_length),
    scenario("address-mngtmpaddr", mngtmpaddr),
    scenario("address-no-such-device", no_such_device),
    scenario("address-ipv6-disabled-ifconfig", by_ioctl),
    scenario("address-not-there-ifconfig", deleted_by_ioctl),
];

const EINVAL: i32 = 22;
const ENODEV: i32 = 19;
const MANAGETEMPADDR: u32 = 0x100;

impl Host {
    /// A request that the kernel grants.
    fn request(&self) -> AddressRequest {
        AddressRequest {
            ifindex: self.interface.ifindex,
            address: ADDRESS,
            prefix_len: 64,
            flags: 0,
            lifetimes: None,
        }
    }
}

fn unspecified() -> Result<()> {
    let host = Host::new("nothing", "v0")?;
    let report = host.refused("::/64")?;
    host.expect(report.only("address-unspecified")?, "EADDRNOTAVAIL")
        .field("address", "::")
        .field("comm", "ip")
        .evidence("prefix_len", 64)
        .check()
}

fn multicast() -> Result<()> {
    let host = Host::new("group", "v0")?;
    let report = host.refused("ff05::6e/128")?;
    let diagnosis = report.only("address-multicast")?;
    host.expect(diagnosis, "EADDRNOTAVAIL")
        .field("address", "ff05::6e")
        .evidence("prefix_len", 128)
        .some_fix_has("autojoin")
        .check()?;
    diagnosis.follow("autojoin")?;
    let group = Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 0x6e);
    ensure!(
        host.netns.joined_on(group)?.contains("v0"),
        "the fix does not join"
    );
    Ok(())
}

/// A namespace whose lo nobody set up.
fn loopback() -> Result<()> {
    let host = Host::new("lo-down", "v0")?;
    let report = host.refused("::1/128")?;
    let diagnosis = report.only("address-loopback")?;
    host.expect(diagnosis, "EADDRNOTAVAIL")
        .field("address", "::1")
        .summary_has(["v0"])
        .check()?;
    diagnosis.follow("ip link set dev lo up")?;
    AddressState::Usable.wait(&host.netns, "lo", Ipv6Addr::LOCALHOST)
}

fn lifetime() -> Result<()> {
    let host = Host::new("brief", "v0")?;
    for (lifetimes, preferred, valid) in [((9, 5), 9, 5), ((0, 0), 0, 0)] {
        let tracer = Tracing::start()?;
        let mut request = host.request();
        request.lifetimes = Some(lifetimes);
        let errno = request.send(&host.netns)?;
        ensure!(errno == EINVAL, "the kernel says {errno}");
        let report = tracer.finish()?;
        report.complete()?;
        let diagnosis = report.only("address-lifetime")?;
        host.expect(diagnosis, "EINVAL")
            .field("address", ADDRESS.to_string())
            .field("comm", "guest")
            .evidence("preferred_lft", preferred)
            .evidence("valid_lft", valid)
            .check()?;
        diagnosis.follow("address add")?;
        host.gets(ADDRESS)?;
        host.netns.ip(&format!("address del {ADDRESS}/64 dev v0"))?;
    }
    Ok(())
}

/// The same test is made of an address that is to be changed.
fn renewed() -> Result<()> {
    let host = Host::new("renewed", "v0")?;
    host.own(ADDRESS)?;
    let words = "address change fd00:2d::7/64 dev v0 valid_lft 100 preferred_lft 60";
    host.netns.ip(words)?;
    let tracer = Tracing::start()?;
    let mut request = host.request();
    request.lifetimes = Some((9, 5));
    let errno = request.replacing(&host.netns)?;
    ensure!(errno == EINVAL, "the kernel says {errno}");
    let report = tracer.finish()?;
    report.complete()?;
    host.expect(report.only("address-lifetime")?, "EINVAL")
        .evidence("preferred_lft", 9)
        .check()
}

fn prefix_length() -> Result<()> {
    let host = Host::new("long", "v0")?;
    let tracer = Tracing::start()?;
    let mut request = host.request();
    request.prefix_len = 129;
    // This would be refused next.
    request.flags = MANAGETEMPADDR;
    let errno = request.send(&host.netns)?;
    ensure!(errno == EINVAL, "the kernel says {errno}");
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("address-prefix-length")?
        .expect()
        .field("errno", "EINVAL")
        .field("confidence", "certain")
        .evidence("prefix_len", 129)
        .evidence("also", vec!["address-mngtmpaddr"])
        .summary_has(["129", "128", "v0"])
        .check()
}

fn mngtmpaddr() -> Result<()> {
    let host = Host::new("private", "v0")?;
    let tracer = Tracing::start()?;
    let mut request = host.request();
    request.flags = MANAGETEMPADDR;
    request.prefix_len = 63;
    let errno = request.send(&host.netns)?;
    ensure!(errno == EINVAL, "the kernel says {errno}");
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("address-mngtmpaddr")?;
    host.expect(diagnosis, "EINVAL")
        .evidence("prefix_len", 63)
        .evidence("flags", MANAGETEMPADDR)
        .summary_has(["63", "64", "mngtmpaddr"])
        .check()?;
    // The one fix, and the other.
    diagnosis.follow("/64 dev v0 mngtmpaddr")?;
    host.gets(ADDRESS)?;
    host.netns.ip(&format!("address del {ADDRESS}/64 dev v0"))?;
    diagnosis.follow("/63 dev v0")?;
    host.gets(ADDRESS)
}

/// An index that no interface has.
fn no_such_device() -> Result<()> {
    let host = Host::new("gone", "v0")?;
    let tracer = Tracing::start()?;
    let mut request = host.request();
    request.ifindex = host.netns.dummy_with_index("d0", 77)?.ifindex;
    host.netns.ip("link del d0")?;
    let errno = request.send(&host.netns)?;
    ensure!(errno == ENODEV, "the kernel says {errno}");
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("address-no-such-device")?
        .expect()
        .field("errno", "ENODEV")
        .field("confidence", "certain")
        .field("ifindex", 77)
        .field("interface", serde_json::Value::Null)
        .field("netns", host.netns.inode())
        .evidence("requested_ifindex", 77)
        .summary_has(["77", "ENODEV"])
        .check()
}

/// As ifconfig asks: what is there already, where IPv6 is switched off, of no interface.
fn by_ioctl() -> Result<()> {
    let host = Host::new("old-tools", "v0")?;
    let request = host.request();
    let mut absent = request;
    absent.ifindex = 7777;
    let tracer = Tracing::start()?;
    for (request, wanted) in [(request, 0), (request, libc::EEXIST), (absent, ENODEV)] {
        let errno = request.by_ioctl(&host.netns)?;
        ensure!(errno == wanted, "the kernel says {errno}, not {wanted}");
    }
    host.set("v0", "disable_ipv6", "1")?;
    let errno = request.by_ioctl(&host.netns)?;
    ensure!(errno == libc::EACCES, "the kernel says {errno}");
    let report = tracer.finish()?;
    report.complete()?;
    // The write took the address away.
    report.count(4)?;
    of(&report, "ipv6-disabled-on-interface")?;
    of(&report, "address-no-such-device")?
        .expect()
        .field("errno", "ENODEV")
        .evidence("requested_ifindex", 7777)
        .check()?;
    for (cause, errno, severity) in [
        ("address-exists", "EEXIST", "notice"),
        ("address-ipv6-disabled", "EACCES", "failure"),
    ] {
        host.expect_refused(of(&report, cause)?, errno)
            .field("severity", severity)
            .field("address", ADDRESS.to_string())
            .field("comm", "guest")
            .evidence("prefix_len", 64)
            .evidence("flags", 0)
            .check()?;
    }
    let diagnosis = of(&report, "address-ipv6-disabled")?;
    diagnosis.follow("v0/disable_ipv6=0")?;
    diagnosis.follow("address add")?;
    host.gets(ADDRESS)
}

/// As ifconfig deletes: with another prefix length, what is not there, of no interface,
/// where there is no IPv6; and beside these what is as asked.
fn deleted_by_ioctl() -> Result<()> {
    let host = Host::new("old-tools", "v0")?;
    host.own(ADDRESS)?;
    host.own(SECOND)?;
    host.netns.ip("link add w0 mtu 1200 type dummy")?;
    let request = host.request();
    let mut narrow = request;
    narrow.prefix_len = 128;
    let mut gone = request;
    gone.address = SECOND;
    let mut absent = request;
    absent.ifindex = 7777;
    let mut without = request;
    without.ifindex = Link::find(&host.netns, "w0")?.ifindex;
    let tracer = Tracing::start()?;
    for (request, wanted) in [
        (gone, 0),
        (narrow, libc::EADDRNOTAVAIL),
        (gone, libc::EADDRNOTAVAIL),
        (absent, ENODEV),
        (without, libc::ENXIO),
    ] {
        let errno = request.delete_by_ioctl(&host.netns)?;
        ensure!(errno == wanted, "the kernel says {errno}, not {wanted}");
    }
    let report = tracer.finish()?;
    report.complete()?;
    report.count(4)?;
    of(&report, "address-no-such-device")?
        .expect()
        .field("operation", "address-delete")
        .field("errno", "ENODEV")
        .evidence("requested_ifindex", 7777)
        .check()?;
    let about = |errno: &str, address: Ipv6Addr| {
        let mut found = report.diagnoses.iter();
        let wanted = address.to_string();
        let found = found.find(|diagnosis| {
            diagnosis.field("errno") == errno && diagnosis.field("address") == wanted.as_str()
        });
        found.with_context(|| format!("nothing is said of {address}"))
    };
    for (diagnosis, errno, name) in [
        (about("EADDRNOTAVAIL", ADDRESS)?, "EADDRNOTAVAIL", "v0"),
        (about("EADDRNOTAVAIL", SECOND)?, "EADDRNOTAVAIL", "v0"),
        (about("ENXIO", ADDRESS)?, "ENXIO", "w0"),
    ] {
        diagnosis
            .expect()
            .field("cause", "address-not-there")
            .field("severity", "notice")
            .field("confidence", "certain")
            .field("operation", "address-delete")
            .field("comm", "guest")
            .field("netns", host.netns.inode())
            .field("interface", name)
            .summary_has([name, errno])
            .check()?;
    }
    let other = about("EADDRNOTAVAIL", ADDRESS)?;
    other
        .expect()
        .evidence("prefix_len", 128)
        .evidence("existing_prefix_len", 64)
        .summary_has(["128", "64"])
        .check()?;
    ensure!(host.has(ADDRESS)?, "the address is gone");
    other.follow(&format!("address del {ADDRESS}/64"))?;
    ensure!(
        !host.has(ADDRESS).unwrap_or(false),
        "the fix does not delete it"
    );
    Ok(())
}
