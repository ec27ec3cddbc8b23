//! What a router advertises comes back by each fix, and survives those that are
//! for something else.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{ADDRESS, Host};
use crate::guest::{Netns, Radvd, Tracing, default_route, renewed, until_some};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario(
    "address-fixes-keep-what-is-advertised",
    keep_what_is_advertised,
)];

/// What refuses the address, its cause, and the fixes to follow.
struct Case {
    breaks: fn(&Host) -> Result<()>,
    cause: &'static str,
    fixes: &'static [&'static str],
}

const CASES: [Case; 3] = [
    Case {
        breaks: |host| host.set("v0", "disable_ipv6", "1"),
        cause: "address-ipv6-disabled",
        fixes: &["v0/disable_ipv6=0", "address add"],
    },
    Case {
        breaks: |host| host.netns.ip("link set v0 mtu 1279"),
        cause: "address-ipv6-off-mtu",
        fixes: &["mtu 1280", "address add"],
    },
    Case {
        breaks: |host| {
            host.netns
                .ip(&format!("address add {ADDRESS}/128 dev v0 nodad"))
        },
        cause: "address-exists",
        fixes: &["address del"],
    },
];

fn keep_what_is_advertised() -> Result<()> {
    let host = Host::new("hearer", "v0")?;
    let router = Netns::new("announcer")?;
    host.netns
        .ip(&format!("link set peer netns {} name w0", router.name()))?;
    router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    router.set_sysctl("ipv6/conf/w0/accept_dad", "0")?;
    router.ip("link set w0 addrgenmode eui64 up")?;
    let _radvd = Radvd::start_quick(&router, "w", true)?;
    let heard = || {
        until_some("the router", Duration::from_secs(20), || {
            let advertised = host
                .addresses()?
                .0
                .iter()
                .any(|address| *address != ADDRESS);
            Ok(default_route(&host.netns)?.filter(|_| advertised))
        })
    };
    for Case {
        breaks,
        cause,
        fixes,
    } in CASES
    {
        heard()?;
        breaks(&host)?;
        let report = host.refused(&format!("{ADDRESS}/64"))?;
        let diagnosis = report.only(cause)?;
        for fix in fixes {
            diagnosis.follow(fix)?;
        }
        host.gets(ADDRESS).context(cause)?;
        heard().context(cause)?;
        renewed(&host.netns).context(cause)?;
        let (addresses, _) = host.addresses()?;
        ensure!(addresses.len() >= 2, "{cause}: it has {addresses:?} alone");
        host.netns.ip(&format!("address del {ADDRESS}/64 dev v0"))?;
    }
    // What it had from the router is told apart when all of it goes.
    host.own(ADDRESS)?;
    let tracer = Tracing::start()?;
    host.set("v0", "disable_ipv6", "1")?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("ipv6-disabled-on-interface")?;
    diagnosis
        .expect()
        .evidence("addresses_set", 1)
        .evidence("addresses_learned", 1)
        .evidence("routes", 0)
        .check()?;
    diagnosis.follow("disable_ipv6=0")?;
    heard()?;
    Ok(())
}
