//! Near misses: options that are taken, that belong to other families, and what
//! healthy daemons set.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Host, NOBODY};
use crate::guest::{Radvd, Taps, Tracing, finish};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("option-not", as_usual)];

fn as_usual() -> Result<()> {
    /// From `linux/netfilter_ipv6/ip6_tables.h`.
    const IP6T_SO_SET_REPLACE: i32 = 64;
    let host = Host::new("options-usual")?;
    let tracer = Tracing::start()?;
    let udp = host.udp()?;
    host.set(&udp, libc::IPV6_MULTICAST_IF, &host.first.ifindex)??;
    host.set(&udp, libc::IPV6_MULTICAST_HOPS, &255)??;
    host.set(&udp, libc::IPV6_V6ONLY, &1)??;
    host.set(&udp, libc::IPV6_RECVPKTINFO, &1)??;
    // What other families explain, and what is no option of IPv6.
    let mut join = [0_u32; 5];
    join[0] = u32::from_ne_bytes([0xff, 2, 0, 0]);
    join[4] = NOBODY;
    let joined = host.set(&udp, libc::IPV6_ADD_MEMBERSHIP, &join)?;
    ensure!(joined.is_err(), "there is an interface {NOBODY}");
    let left = host.set(&udp, libc::IPV6_DROP_MEMBERSHIP, &join)?;
    ensure!(left.is_err(), "nobody has joined");
    let table = host.set(&udp, IP6T_SO_SET_REPLACE, &1)?;
    ensure!(table.is_err(), "there is a table");
    // Those of IPv4 on a socket of IPv6.
    let hops = crate::guest::set_option(&udp, libc::IPPROTO_IP, libc::IP_TTL, &1000);
    ensure!(hops.is_err(), "IPv4 has as many hops");
    let mut ping = Command::new("ip");
    ping.args(["netns", "exec", host.netns.name()])
        .args(["ping", "-6", "-n", "-c1", "-W5", "::1"]);
    let echoed = finish(&mut ping, Duration::from_secs(20))?;
    ensure!(echoed.status.success(), "no echo: {echoed}");
    let taps = Taps::new(&host.netns, "tap", 1)?;
    let radvd = Radvd::start(&host.netns, "tap", 1)?;
    radvd.serve(&host.netns, taps.links())?;
    drop(radvd);
    tracer.finish()?.silent()
}
