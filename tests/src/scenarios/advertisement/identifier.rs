//! Links of which no interface identifier can be made.

use std::net::Ipv6Addr;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{PREFIX, ROUTER, ordinary};
use crate::guest::{Link, Netns, Tracing, Tun, until_some};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("slaac-no-address-identifier", tun)];

/// The addresses of the advertised prefix that the namespace has.
fn made(netns: &Netns) -> Result<Vec<Ipv6Addr>> {
    let table = netns.enter(|| Ok(std::fs::read_to_string("/proc/thread-self/net/if_inet6")?))?;
    let mut found = Vec::new();
    for line in table.lines() {
        let address = line.split_whitespace().next().unwrap_or_default();
        let address = Ipv6Addr::from(u128::from_str_radix(address, 16)?);
        if address.octets()[..8] == PREFIX.octets()[..8] {
            found.push(address);
        }
    }
    Ok(found)
}

/// A tun, to which the kernel gives an identifier of its own unless that is switched
/// off; and each fix.
fn tun() -> Result<()> {
    let netns = Netns::new("tunnelled")?;
    let mut tun = Tun::new(&netns, "t0.1")?;
    netns.ip("link set t0.1 addrgenmode none")?;
    netns.ip("link set t0.1 up")?;
    let interface = Link::find(&netns, "t0.1")?;
    let message = ordinary().bytes();
    let tracer = Tracing::start()?;
    tun.receive(ROUTER, &message)?;
    // It is the same, and told once.
    tun.receive(ROUTER, &message)?;
    let report = tracer.finish()?;
    report.complete()?;
    ensure!(made(&netns)?.is_empty(), "an address was made");
    let diagnosis = report.only("slaac-no-address")?;
    diagnosis
        .expect()
        // It has the default route.
        .field("severity", "notice")
        .field("confidence", "certain")
        .field("operation", "router-advertisement")
        .field("comm", Value::Null)
        .field("netns", netns.inode())
        .field("ifindex", interface.ifindex)
        .field("interface", "t0.1")
        .field("address", PREFIX.to_string())
        .evidence("reason", "identifier")
        .evidence("device_type", 0xfffe)
        .evidence("addr_gen_mode", 1)
        .evidence("addresses", Vec::<String>::new())
        .evidence("default_routes", vec![format!("via {ROUTER} (ra)")])
        .evidence("source_mac", Value::Null)
        .summary_has(["t0.1", "1 (none)"])
        .check()?;
    diagnosis.follow_with("fe80::ADDRESS/64", "1:2:3:4")?;
    let wanted = Ipv6Addr::new(0x2001, 0xdb8, 0x53, 7, 1, 2, 3, 4);
    let heeds = |tun: &mut Tun, wanted: Option<Ipv6Addr>| {
        until_some("an address", Duration::from_secs(10), || {
            tun.receive(ROUTER, &message)?;
            let made = made(&netns)?;
            Ok(made
                .first()
                .copied()
                .filter(|one| wanted.is_none_or(|wanted| *one == wanted)))
        })
    };
    let tracer = Tracing::start()?;
    heeds(&mut tun, Some(wanted))?;
    netns.ip(&format!("address del {wanted}/64 dev t0.1"))?;
    netns.ip("address del fe80::1:2:3:4/64 dev t0.1")?;
    // The same advertisement makes none any more.
    tun.receive(ROUTER, &message)?;
    let report = tracer.finish()?;
    report.complete()?;
    ensure!(made(&netns)?.is_empty(), "an address was made");
    report
        .only("slaac-no-address")?
        .expect()
        .field("confidence", "certain")
        .evidence("reason", "identifier")
        .check()?;
    diagnosis.follow("addr_gen_mode=3")?;
    let other = heeds(&mut tun, None)?;
    ensure!(other != wanted, "it is {other} again");
    Ok(())
}
