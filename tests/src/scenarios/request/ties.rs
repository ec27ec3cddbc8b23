//! What other families judge: told by these, once.

use anyhow::{Result, ensure};

use super::{Host, about};
use crate::guest::{Diagnosis, Netlink, Report, Tracing, attribute};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("request-refused-not-twice", once),
    scenario("request-refused-of-families-left-out", left_out),
];

const RTM_SETLINK: u16 = 19;

/// Requests that families of their own judge, with what each says.
const JUDGED: &[(&str, &str)] = &[
    (
        "-6 address add fd00:5c::1/64 dev d0",
        "address-ipv6-disabled",
    ),
    ("-6 address add fd00:5a::1/64 dev v0", "address-exists"),
    (
        "-6 route add fd00:5b::/64 via fd00:99::1 dev v0",
        "route-gateway-not-on-link",
    ),
    ("-6 route del fd00:5b::/64", "route-absent"),
    ("token set ::1 dev d1", "token-noarp"),
    (
        "link set v0 addrgenmode stable_secret",
        "stable-secret-unset",
    ),
];

fn fail_all(host: &Host) -> Result<Report> {
    for interface in ["d0", "d1"] {
        host.netns.dummy(interface)?;
    }
    host.netns.set_sysctl("ipv6/conf/d0/disable_ipv6", "1")?;
    let tracer = Tracing::start()?;
    for (request, _) in JUDGED {
        host.fails(request)?;
    }
    // A route of IPv4 by an IPv6 gateway, and one that is not told of at all.
    host.fails("route add 10.91.0.0/16 via inet6 fd00:99::1 dev v0")?;
    host.netns.ip("address add 10.90.0.1/24 dev v0")?;
    host.fails("address add 10.90.0.1/24 dev v0")?;
    host.fails("route add 10.92.0.0/16 via 10.99.0.1")?;
    // A mode that there is not, of which no family says anything.
    let mut mode = Vec::new();
    attribute(&mut mode, 8, &[9]);
    let mut of_ipv6 = Vec::new();
    attribute(&mut of_ipv6, 10, &mode);
    let mut settings = vec![0; 4];
    settings.extend(host.first.ifindex.to_ne_bytes());
    settings.extend([0; 8]);
    attribute(&mut settings, 26, &of_ipv6);
    let errno = Netlink::open(&host.netns)?.ask(RTM_SETLINK, 0, &settings)?;
    ensure!(errno == libc::EINVAL, "the kernel says {errno}");
    let report = tracer.finish()?;
    report.complete()?;
    Ok(report)
}

/// All families are at work.
fn once() -> Result<()> {
    let host = Host::new("judged")?;
    let report = fail_all(&host)?;
    let told = report.diagnoses.iter().map(Diagnosis::cause);
    // Nobody advertises on these links.
    let told: Vec<_> = told.filter(|&cause| cause != "router-silent").collect();
    let mut expected: Vec<_> = JUDGED.iter().map(|(_, cause)| *cause).collect();
    expected.extend(["route-gateway-not-on-link", "request-refused"]);
    ensure!(told == expected, "it says {told:?}, not {expected:?}");
    Ok(())
}

/// None but this one is.
fn left_out() -> Result<()> {
    let host = Host::new("unjudged")?;
    let report = fail_all(&host)?;
    report.count(JUDGED.len() + 2)?;
    for (request, severity, errno) in [
        ("fd00:5c::1/64 dev d0", "failure", "EACCES"),
        ("fd00:5a::1/64 dev v0", "notice", "EEXIST"),
        (
            "fd00:5b::/64 via fd00:99::1 dev v0",
            "failure",
            "EHOSTUNREACH",
        ),
        ("fd00:5b::/64", "notice", "ESRCH"),
        ("dev d1 token ::1", "failure", "EINVAL"),
        ("dev v0 addrgenmode stable_secret", "failure", "EINVAL"),
        ("dev v0 addrgenmode 9", "failure", "EINVAL"),
        (
            "10.91.0.0/16 via inet6 fd00:99::1 dev v0",
            "failure",
            "EHOSTUNREACH",
        ),
    ] {
        about(&report, request)?
            .expect()
            .field("cause", "request-refused")
            .field("severity", severity)
            .field("errno", errno)
            .check()?;
    }
    Ok(())
}
