//! Daemons and programs that use IPv6 since it is there, on a host with both protocols
//! and on one with IPv4 alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{NOTICES, ROUTER, ROUTER_V4, Site, joins_twice};
use crate::guest::{Bird, Daemon, Netns, Radvd, Tracing, finish};

/// What is said beside [`NOTICES`] of those that ask whether there is IPv6.
const ASKING: [&str; 5] = [
    "no-route",
    "no-source-address-ipv6",
    "bind-address-absent",
    "ipv6-disabled-on-interface",
    "router-silent",
];

pub(super) fn daemons() -> Result<()> {
    let tracer = Tracing::start()?;
    let site = Site::new()?;
    let _radvd = Radvd::start(&site.router, "br", 1)?;
    site.wait_for_addresses()?;
    use_network(&site.host, ROUTER.into(), Ipv6Addr::LOCALHOST.into())?;
    // IPv4 alone, by which it reaches the router.
    let v4 = Netns::new("v4-only")?;
    for whose in ["all", "default"] {
        v4.set_sysctl(&format!("ipv6/conf/{whose}/disable_ipv6"), "1")?;
    }
    let name = v4.name();
    let router = &site.router;
    router.ip(&format!(
        "link add p9 type veth peer name eth0 netns {name}"
    ))?;
    router.ip("link set p9 addrgenmode none master br0 up")?;
    v4.ip("link set lo up")?;
    v4.ip("link set eth0 up")?;
    v4.ip("address add 10.9.0.9/24 dev eth0")?;
    use_network(&v4, ROUTER_V4.into(), Ipv4Addr::LOCALHOST.into())?;
    let report = tracer.finish()?;
    report.complete()?;
    for diagnosis in report.diagnoses.iter().filter(|one| !joins_twice(one)) {
        ensure!(
            diagnosis.field("severity") == "notice" && is_known(diagnosis.cause()),
            "all was well, but v6trace says {diagnosis}"
        );
    }
    Ok(())
}

fn is_known(cause: &str) -> bool {
    NOTICES.contains(&cause) || ASKING.contains(&cause)
}

/// Starts the daemons on a host that reaches the router by `router`, and looks around
/// from there.
fn use_network(host: &Netns, router: IpAddr, own: IpAddr) -> Result<()> {
    let mut sshd = Daemon::sshd(host)?;
    let mut chronyd = Daemon::chronyd(host, &router.to_string())?;
    let bird = Bird::start(
        host,
        &format!("local as 65001;\nneighbor {router} as 65002;\nmultihop;"),
    )?;
    sshd.greets(host, SocketAddr::new(own, 22), "SSH-2.0-")?;
    bird.wait_for(false)?;
    for program in [
        format!("ping -c1 -W5 {router}"),
        "ping -c1 -W5 localhost".to_owned(),
        // No name server is there to ask.
        "ping -c1 -W1 host.example || true".to_owned(),
        "busybox wget -T1 -O- http://localhost/ || true".to_owned(),
        "ip route get 198.51.100.1 || true".to_owned(),
    ] {
        let mut bash = Command::new("ip");
        bash.args(["netns", "exec", host.name(), "bash", "-c", &program]);
        let done = finish(&mut bash, Duration::from_secs(20))?;
        ensure!(done.status.success(), "{program}: {done}");
    }
    sshd.is_running()?;
    chronyd.is_running()
}
