//! A busy host on which nothing fails: containers that come and go, as Docker makes
//! them, a router that renumbers the network, links that flap, programs that know
//! IPv4 alone or try IPv6 and take the error for an answer.

use std::net::{Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{BEYOND, ROUTER, ROUTER_V4, Site, joins_twice};
use crate::guest::{AddressState, Diagnosis, Netns, Radvd, Tracer, until_some};

/// Containers of each kind.
const CONTAINERS: u8 = 1;

/// What such a host is told of at most, and how often: what its settings are for, and
/// what programs that try IPv6 are told by the kernel.
const NOTICES: [(&str, usize); 6] = [
    ("router-silent", CONTAINERS as usize),
    ("ipv6-disabled-on-interface", CONTAINERS as usize),
    ("no-route", 2 * CONTAINERS as usize),
    ("no-source-address-ipv6", 2 * CONTAINERS as usize),
    ("subnet-router-anycast", 8),
    ("subnet-router-anycast-released", 8),
];

/// How a container is made.
#[derive(Clone, Copy)]
enum Kind {
    /// IPv6 is switched off in it.
    V4,
    /// It has what the kernel gives it, on a bridge without IPv6.
    LinkLocal,
    /// It has addresses of its own.
    Both,
}

pub(super) fn busy() -> Result<()> {
    let tracer = Tracer::start(&[])?;
    let site = Site::new()?;
    let radvd = Radvd::start(&site.router, "br", 1)?;
    site.wait_for_addresses()?;
    site.docks()?;
    let mut asking = Vec::new();
    for n in 0..CONTAINERS {
        for (slot, kind) in (0..).zip([Kind::V4, Kind::LinkLocal, Kind::Both]) {
            let container = site.container(3 * n + slot, kind)?;
            if matches!(kind, Kind::LinkLocal) {
                asking.push(container);
            }
        }
        site.flap()?;
        site.works()?;
    }
    site.renumbered(&radvd)?;
    site.works()?;
    tracer.wait_for_lines("router-silent", asking.len())?;
    let asked: Vec<_> = asking.iter().map(Netns::inode).collect();
    drop(asking);
    let report = tracer.finish()?;
    report.complete()?;
    let other = report.diagnoses.iter().filter(|one| !joins_twice(one));
    for diagnosis in other {
        let cause = diagnosis.cause();
        let of_it = |one: &&Diagnosis| one.cause() == cause && !joins_twice(one);
        let told = report.diagnoses.iter().filter(of_it).count();
        let most = NOTICES.iter().find(|(notice, _)| *notice == cause);
        ensure!(
            diagnosis.field("severity") == "notice" && most.is_some_and(|(_, most)| told <= *most),
            "all was well, but v6trace says {told} times {diagnosis}"
        );
    }
    for inode in asked {
        let told = report.diagnoses.iter();
        let told = told.filter(|one| one.cause() == "router-silent" && one.field("netns") == inode);
        ensure!(told.count() == 1, "router-silent is not told once");
    }
    Ok(())
}

impl Site {
    /// Makes a host of containers of the host, as Docker does: forwarding is on, for
    /// which its own uplink was prepared, and a bridge is there.
    fn docks(&self) -> Result<()> {
        let host = &self.host;
        host.set_sysctl("ipv6/conf/eth0/accept_ra", "2")?;
        host.set_sysctl("ipv4/ip_forward", "1")?;
        host.ip("link add docker0 type bridge")?;
        host.set_sysctl("ipv6/conf/docker0/disable_ipv6", "1")?;
        host.ip("address add 172.17.0.1/16 dev docker0")?;
        host.set_sysctl("ipv6/conf/docker0/accept_ra", "0")?;
        host.set_sysctl("ipv6/conf/docker0/disable_ipv6", "0")?;
        host.set_sysctl("ipv6/conf/default/forwarding", "1")?;
        host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
        host.ip("address add fd00:d0cc::1/64 dev docker0 nodad")?;
        host.ip("link set docker0 up")
    }

    /// Starts a container, and has a program in it use the network.
    fn container(&self, n: u8, kind: Kind) -> Result<Netns> {
        let netns = Netns::new(&format!("container{n}"))?;
        let host = &self.host;
        host.ip(&format!("link add veth{n} type veth peer name tmp{n}"))?;
        host.ip(&format!("link set veth{n} master docker0"))?;
        host.ip(&format!("link set tmp{n} netns {}", netns.name()))?;
        netns.ip(&format!("link set tmp{n} name eth0"))?;
        let switched = match kind {
            Kind::V4 => "1",
            Kind::LinkLocal | Kind::Both => "0",
        };
        netns.ip("link set lo up")?;
        for whose in ["all", "default", "eth0"] {
            netns.set_sysctl(&format!("ipv6/conf/{whose}/disable_ipv6"), switched)?;
        }
        for (sysctl, value) in [
            ("router_solicitations", "2"),
            ("router_solicitation_interval", "1"),
            ("router_solicitation_delay", "1"),
        ] {
            netns.set_sysctl(&format!("ipv6/conf/eth0/{sysctl}"), value)?;
        }
        let own = Ipv6Addr::new(0xfd00, 0xd0cc, 0, 0, 0, 0, 0, (n + 2).into());
        if matches!(kind, Kind::Both) {
            netns.set_sysctl("ipv6/conf/eth0/accept_ra", "0")?;
            netns.ip(&format!("address add {own}/64 dev eth0 nodad"))?;
        }
        netns.ip(&format!("address add 172.17.0.{}/16 dev eth0", n + 2))?;
        netns.ip("link set eth0 up")?;
        host.ip(&format!("link set veth{n} up"))?;
        netns.ip("route add default via 172.17.0.1")?;
        if matches!(kind, Kind::Both) {
            netns.ip("-6 route add default via fd00:d0cc::1 dev eth0")?;
        }
        netns.enter(|| {
            let v4 = UdpSocket::bind("0.0.0.0:0")?;
            v4.connect((ROUTER_V4, 4003))?;
            v4.send(b"hello")?;
            // As getaddrinfo() does to put addresses into order: an error is an answer.
            if let Ok(v6) = UdpSocket::bind("[::]:0") {
                let _ = v6.connect((ROUTER, 4003));
            }
            Ok(())
        })?;
        Ok(netns)
    }

    /// The host's carrier goes and comes back, and so does an interface without
    /// addresses that anybody has set.
    fn flap(&self) -> Result<()> {
        for state in ["down", "up"] {
            self.router.ip(&format!("link set p0 {state}"))?;
        }
        self.host.ip("link add f0 type veth peer name f1")?;
        for state in ["up", "down", "up"] {
            self.host.ip(&format!("link set f0 {state}"))?;
            self.host.ip(&format!("link set f1 {state}"))?;
        }
        self.host.ip("link del f0")
    }

    /// What the host is there for works, by IPv4 as by IPv6.
    fn works(&self) -> Result<()> {
        let mut last = None;
        // The bridge may not forward to the port yet.
        let reached = || {
            last = self.tcp(&self.host, ROUTER.into(), None).err();
            Ok(last.is_none().then_some(()))
        };
        let reached = until_some("the router is reached", Duration::from_secs(20), reached);
        reached.with_context(|| format!("{last:?}"))?;
        for to in [ROUTER_V4.into(), BEYOND.into(), ROUTER.into()] {
            for _ in 0..5 {
                self.tcp(&self.host, to, None)
                    .with_context(|| format!("TCP to {to}"))?;
                self.udp(&self.host, to, None)
                    .with_context(|| format!("UDP to {to}"))?;
            }
        }
        // Programs that look for a port to their liking.
        let taken = self.host.enter(|| Ok(UdpSocket::bind("[::]:4100")?))?;
        self.host.enter(|| {
            let free = (4100..4110_u16).find_map(|port| {
                let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
                UdpSocket::bind(any).ok()
            });
            free.map(drop).context("no port is free")
        })?;
        drop(taken);
        Ok(())
    }

    /// The router announces another prefix, and the old one as withdrawn.
    fn renumbered(&self, radvd: &Radvd) -> Result<()> {
        let own = Ipv6Addr::new(0x2001, 0xdb8, 0, 0x64, 0, 0, 0, 1);
        self.router.ip(&format!("address add {own}/64 dev br0"))?;
        AddressState::Usable.wait(&self.router, "br0", own)?;
        radvd.renumber("br")?;
        let made = || {
            let table = self
                .host
                .enter(|| Ok(std::fs::read_to_string("/proc/thread-self/net/if_inet6")?))?;
            let of_new = |line: &&str| line.starts_with("20010db800000064");
            Ok(table.lines().find(of_new).map(str::to_owned))
        };
        until_some(
            "an address of the new prefix",
            Duration::from_secs(30),
            made,
        )?;
        Ok(())
    }
}
